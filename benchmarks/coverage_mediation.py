"""How often each interval of an indirect effect holds the truth, in panels as large as the provincial study.

    python benchmarks/coverage_mediation.py [--replications 1000] [--out src/helpers/mediation/coverage.csv]

31 entities, 7 times, two-way effects; errors of mediator and outcome as textbooks have them ("even") and as panels of
regions have them ("uneven": they drift and stay, are louder where the treatment moves more, a few entities move most).
Each replication draws one panel and asks every method for its 95 % interval; the table counts how often it holds a b.
Some ten minutes on one core. The notebook on mediation shows the table; no test and no run makes it anew.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from helpers.inference.resampling import draw_entity_weights, summarise_draws
from helpers.mediation.product import PathEstimate, read_path, share_below
from helpers.regression.many import WeightedFits, fit_weighted_entities
from helpers.regression.panel import PanelFit, fit
from helpers.simulation.simulate import ErrorDesign, draw_columns
from helpers.study.model import Model

SEED = 20240909
ENTITIES, TIMES, DRAWS = 31, 7, 399
DIRECT = 0.3
WORLDS = {
    "even": ErrorDesign(mediators=True),
    "uneven": ErrorDesign(
        serial_correlation=0.5, cluster_shock=1.0, heteroskedasticity=0.3, leverage=1.0, mediators=True
    ),
}
PATHS = ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.2, 0.2), (0.5, 0.1), (0.5, 0.5))
FIRST = Model("mediator", "treatment")
SECOND = Model("outcome", "treatment", ("mediator",))
TAILS = (0.025, 0.975)


def holds(low: float, high: float, truth: float) -> bool:
    """Whether an interval holds the truth."""
    return bool(low <= truth <= high)


def judge(panel: pd.DataFrame, truth: float, rng: np.random.Generator) -> dict[str, bool]:
    """Method -> whether its interval holds the truth, in one panel."""
    first, second = fit(panel, FIRST), fit(panel, SECOND)
    a, b = (first["treatment"], second["mediator"])
    estimate, sobel = a.estimate * b.estimate, np.hypot(a.estimate * b.std_error, b.estimate * a.std_error)
    half = stats.norm.ppf(TAILS[1]) * sobel
    found = {"Sobel": holds(estimate - half, estimate + half, truth)}
    weights, left_out = draw_entity_weights(panel, "entity", DRAWS, rng)
    drawn = [
        fit_weighted_entities(panel, model.outcome, model.regressors, np.vstack([weights, left_out]))
        for model in (FIRST, SECOND)
    ]
    found |= pairs(estimate, sobel, (a.estimate, a.std_error), (b.estimate, b.std_error), drawn, truth)
    found["wild, studentised paths"] = wild(first, second, truth, rng)
    paths = read_path(first, "treatment"), read_path(second, "mediator")
    if truth == 0:
        clear = [abs(path.estimate) > stats.t.ppf(TAILS[1], path.df) * path.std_error for path in paths]
        found["joint significance, CR2 (a b = 0)"] = not all(clear)
    plain = [PathEstimate(path.estimate, path.std_error, np.inf) for path in paths]
    found["product, CR2, normal"] = holds(*TAILS, share_below(plain, truth))
    found["product, CR2, Satterthwaite"] = holds(*TAILS, share_below(paths, truth))
    return found


def pairs(
    estimate: float,
    sobel: float,
    a: tuple[float, float],
    b: tuple[float, float],
    drawn: list[WeightedFits],
    truth: float,
) -> dict[str, bool]:
    """The intervals of the bootstrap that draws entities."""
    (path_a, error_a), (path_b, error_b) = (
        (fits.estimates[:, place], fits.std_errors[:, place]) for fits, place in zip(drawn, (0, 1), strict=True)
    )
    whole = np.isfinite(path_a + path_b + error_a + error_b)
    inside = whole[:DRAWS]
    path_a, path_b, error_a, error_b, products = (
        path_a[:DRAWS][inside], path_b[:DRAWS][inside], error_a[:DRAWS][inside], error_b[:DRAWS][inside],
        path_a * path_b,
    )  # fmt: skip
    left_out = products[DRAWS:][whole[DRAWS:]]
    summary = summarise_draws(estimate, products[:DRAWS][inside], left_out)
    statistic = (path_a * path_b - estimate) / np.hypot(path_a * error_b, path_b * error_a)
    low, high = np.quantile(statistic, TAILS)
    moved = (a[0] - (path_a - a[0]) / error_a * a[1]) * (b[0] - (path_b - b[0]) / error_b * b[1])
    return {
        "percentile": holds(summary.percentile_low, summary.percentile_high, truth),
        "BCa": holds(summary.bca_low, summary.bca_high, truth),
        "studentised product": holds(estimate - high * sobel, estimate - low * sobel, truth),
        "studentised paths": holds(*np.quantile(moved, TAILS), truth),
    }


def wild(first: PanelFit, second: PanelFit, truth: float, rng: np.random.Generator) -> bool:
    """The interval by an unrestricted wild bootstrap of the two paths, the same signs in both equations."""
    signs = rng.choice([-1.0, 1.0], size=(DRAWS, ENTITIES))
    moved = np.ones(DRAWS)
    for found, term in ((first, "treatment"), (second, "mediator")):
        design, place = found.design, found.design.regressors.index(term)
        others = np.linalg.qr(np.delete(design.x_within, place, axis=1))[0]
        own = design.x_within[:, place] - others @ (others.T @ design.x_within[:, place])
        residual = found.residuals.loc[design.index].to_numpy()
        basis = np.linalg.qr(design.x_within)[0]
        blocks = design.effects.project(np.eye(ENTITIES)[design.effects.entity] * residual[:, None])
        blocks -= basis @ (basis.T @ blocks)
        scores = np.add.reduceat(own * residual, np.arange(0, len(own), TIMES))
        changes = np.add.reduceat(own[:, None] * blocks, np.arange(0, len(own), TIMES), axis=0)
        size = np.sqrt(((signs @ changes.T) ** 2).sum(axis=1)) / np.linalg.norm(scores)
        statistic = (signs @ scores) / (own @ own) / found.std_errors[term] / size
        moved = moved * (found.estimates[term] - statistic * found.std_errors[term])
    return holds(*np.quantile(moved, TAILS), truth)


def measure(replications: int) -> pd.DataFrame:
    """One row per world, paths and method: the share of intervals that hold the truth."""
    rows = []
    index = pd.MultiIndex.from_product([range(ENTITIES), range(TIMES)], names=["entity", "time"])
    for world, errors in WORLDS.items():
        for a, b in PATHS:
            rng = np.random.default_rng([SEED, *(int(10 * path) for path in (a, b)), world == "uneven"])
            drawn = draw_columns(replications, ENTITIES, TIMES, mediators={"mediator": (a, b)}, errors=errors, rng=rng)
            outcome = drawn.rest + DIRECT * drawn.treatment
            found = []
            for place in range(replications):
                columns = {
                    "treatment": drawn.treatment[place].ravel(),
                    "mediator": drawn.mediators[place, :, :, 0].ravel(),
                    "outcome": outcome[place].ravel(),
                }
                found.append(judge(pd.DataFrame(columns, index=index), a * b, rng))
            shares = pd.DataFrame(found).mean()
            rows += [
                {"errors": world, "path_a": a, "path_b": b, "method": method, "coverage": share,
                 "replications": replications, "seed": SEED}
                for method, share in shares.items()
            ]  # fmt: skip
            print(world, a, b, shares.round(3).to_dict(), flush=True)
    return pd.DataFrame(rows)


def main() -> None:
    """Measure, and write the table."""
    home = Path(__file__).resolve().parents[1] / "src" / "helpers" / "mediation" / "coverage.csv"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=home)
    given = parser.parse_args()
    measure(given.replications).to_csv(given.out, index=False, float_format="%.4f", lineterminator="\n")


if __name__ == "__main__":
    main()
