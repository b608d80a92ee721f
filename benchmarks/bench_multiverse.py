"""Speed and memory of the multiverse, the fragility map and what else refits by the thousand, beside loops, in one run.

    python benchmarks/bench_multiverse.py

The choices are those of the provincial study file, the figures are random and as large as the provincial panel. The
functions are those that the notebooks call, with one thread for linear algebra, as kernels have it. The loops of the
other packages get indices that are already built: their time is for the regressions alone.
"""

import resource
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from helpers.identification.dynamic import fit_dynamic
from helpers.identification.dynamic_moments import Layout
from helpers.inference.family import Question, fit_family
from helpers.multiverse.declared import study_specifications
from helpers.multiverse.fit import Multiverse
from helpers.multiverse.joint import joint_tests
from helpers.multiverse.plan import walk_cells
from helpers.multiverse.shares import variance_shares
from helpers.robustness.fragility import map_fragility
from helpers.robustness.indexed import bootstrap_index_regression
from helpers.study.model import Model
from helpers.study.study import Study, load_study

ENTITIES, TIMES = 31, 7
LOOPED = 60  # specifications that the loops fit


def main() -> None:
    study = load_study(Path(__file__).parents[1] / "data" / "provinces")
    panel, units = made_panel(study), made_units(study)
    start = time.perf_counter()
    found = study_specifications(panel, study, units)
    seconds = time.perf_counter() - start
    say(f"{found.n_specifications:,} specifications, indices derived anew", seconds)
    each = seconds / found.n_specifications
    print(f"  {1e6 * each:.1f} us each; 50,000 would take {5e4 * each:.1f} s")
    compare_with_loops(found, each)
    time_the_rest(found, panel, study)
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def made_panel(study: Study) -> pd.DataFrame:
    """Skewed figures above 0 for every indicator, and controls."""
    rows = pd.MultiIndex.from_product([range(ENTITIES), study.time.window], names=study.index_names)
    rng = np.random.default_rng(1)
    names = list(study.indicators)
    level = np.repeat(rng.normal(size=(ENTITIES, len(names))), TIMES, axis=0)
    panel = pd.DataFrame(np.exp(level + 0.2 * rng.normal(size=level.shape)), index=rows, columns=names)
    return panel.assign(**{name: rng.normal(size=len(rows)) for name in study.specification.controls})


def made_units(study: Study) -> pd.DataFrame:
    """Units of which four have whatever a declared sample drops."""
    units = pd.DataFrame(index=range(ENTITIES))
    assert study.multiverse
    for sample in study.multiverse.samples.values():
        for column, value in (sample.drop_where or {}).items():
            units[column] = np.where(units.index < 4, str(value), "other")
    return units


def compare_with_loops(found: Multiverse, ours: float) -> None:
    """Fit some specifications one by one with pyfixest and linearmodels, and compare every number."""
    frames = [frame_of(found, number) for number in np.random.default_rng(2).choice(found.n_specifications, LOOPED)]
    for name, fit, factor in (("pyfixest.feols", fit_pyfixest, 1.0), ("linearmodels PanelOLS", fit_linearmodels, None)):
        fit(*frames[0][1:])
        seconds, worst = 0.0, np.zeros(2)
        for row, frame, controls, kinds in frames:
            start = time.perf_counter()
            estimate, std_error, parameters = fit(frame, controls, kinds)
            seconds += time.perf_counter() - start
            scale = factor or restate(row, len(controls), kinds, parameters)
            gap = abs(estimate / row["estimate"] - 1), abs(std_error * scale / row["std_error"] - 1)
            worst = np.maximum(worst, gap)
        per_fit = seconds / LOOPED
        say(f"{name}, one fit of {LOOPED}", per_fit)
        print(f"  {per_fit / ours:,.0f} times ours; largest gap: estimate {worst[0]:.1e}, std_error {worst[1]:.1e}")


def frame_of(found: Multiverse, number: int) -> tuple[Any, pd.DataFrame, list[str], tuple[str, ...]]:
    """A row of the table with the figures behind it: y, x and controls as flat columns."""
    plan = found.plan
    for place in walk_cells(plan):
        pairs = place.sample.pairs
        size = len(pairs.reasons) * len(plan.control_sets)
        if number >= size:
            number -= size
            continue
        assert place.cell is not None
        chosen, pair = divmod(number, len(pairs.reasons))
        columns = place.cell.columns
        frame = pd.DataFrame(
            {
                "y": columns.outcomes[:, pairs.outcome_of[pair]],
                "x": columns.treatments[:, pairs.treatment_of[pair]],
                **{name: columns.controls[:, j] for j, name in enumerate(plan.control_names)},
                "entity": place.cell.effects.entity,
                "time": place.cell.effects.time,
            }
        )
        controls = [plan.control_names[j] for j in plan.control_sets[chosen]]
        label = " + ".join(place.kinds) or "none"
        same = (found.table["effects"] == label) & (found.table["controls"] == (" + ".join(controls) or "none"))
        same &= (found.table["sample"] == place.sample.name) & (found.table["lag"] == str(place.lag))
        for name in pairs.decisions:
            same &= found.table[name] == pairs.decisions[name].iloc[pair]
        (row,) = (found.table.loc[place_of] for place_of in np.flatnonzero(same))
        return row, frame, controls, place.kinds
    raise IndexError(number)


def fit_pyfixest(frame: pd.DataFrame, controls: list[str], kinds: tuple[str, ...]) -> tuple[float, float, int]:
    from pyfixest.demeaners import MapDemeaner
    from pyfixest.estimation import feols

    right = " + ".join(["x", *controls]) + (f" | {' + '.join(kinds)}" if kinds else "")
    fit = feols(f"y ~ {right}", frame, vcov={"CRV1": "entity"}, demeaner=MapDemeaner(fixef_tol=1e-10))
    return float(fit.coef()["x"]), float(fit.se()["x"]), 0


def fit_linearmodels(frame: pd.DataFrame, controls: list[str], kinds: tuple[str, ...]) -> tuple[float, float, int]:
    from linearmodels.panel import PanelOLS

    data = frame.set_index(["entity", "time"])
    right = data[["x", *controls]].assign(**({} if kinds else {"const": 1.0}))
    model = PanelOLS(data["y"], right, entity_effects="entity" in kinds, time_effects="time" in kinds)
    fit = model.fit(cov_type="clustered", cluster_entity=True)
    return float(fit.params["x"]), float(fit.std_errors["x"]), int(fit.nobs - fit.df_resid)


def restate(row: Any, n_controls: int, kinds: tuple[str, ...], parameters: int) -> float:
    """From linearmodels' factor N/(N - K'), K' as it counts, to G/(G-1) x (N-1)/(N-K)."""
    n, g = row["n_obs"], row["n_entities"]
    times = round(n / g)
    k = 1 + n_controls + (times if "time" in kinds else 1)
    counted = 1 + n_controls if kinds == ("entity",) else parameters
    return float(np.sqrt(g / (g - 1) * (n - 1) / (n - k) * (n - counted) / n))


def time_the_rest(found: Multiverse, panel: pd.DataFrame, study: Study) -> None:
    model, rng = study.model(), np.random.default_rng(3)
    whole = {"all": np.ones(found.n_specifications, dtype=bool)}
    work: dict[str, Callable[[], object]] = {
        "joint test, 199 draws": lambda: joint_tests(found, whole, draws=199, rng=rng),
        "variance by decision": lambda: variance_shares(found),
        "fragility map, 4,991 refits": lambda: map_fragility(panel, model, study.indices),
        "indices derived anew in 9,999 samples": lambda: bootstrap_index_regression(
            panel, model, study.indices, draws=9_999, rng=rng
        ),
        "five outcomes, 9,999 draws": lambda: fit_family(
            {
                str(name): Question(panel, Model(str(name), *model.controls[:1], model.controls[1:]), model.controls[0])
                for name in panel.columns[:5]
            },
            draws=9_999,
            rng=rng,
        ),
        "system GMM": lambda: fit_dynamic(
            panel, Model(*panel.columns[:2]), Layout(predetermined=(panel.columns[1],), system=True)
        ),
    }
    for name, run in work.items():
        start = time.perf_counter()
        run()
        say(name, time.perf_counter() - start)


def say(what: str, seconds: float) -> None:
    print(f"{what:60}{seconds * 1000:14.3f} ms")


if __name__ == "__main__":
    # pyfixest warns its own authors on every fit; what is said is kept, not printed.
    with warnings.catch_warnings(record=True), threadpool_limits(1):
        main()
