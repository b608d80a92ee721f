"""Speed of the wild bootstrap and of batches of regressions beside the packages that readers know, in one session.

    python benchmarks/bench_inference.py

The data are random: 31 entities, 7 times, 6 regressors, two-way effects, as large as the provincial study.
"""

import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

from helpers.identification.placebo import permute_treatment
from helpers.inference.passport import standard_error_passport
from helpers.inference.small_sample import cr2, cr3
from helpers.inference.wild.bootstrap import wild_cluster_bootstrap
from helpers.regression.many import fit_batch, fit_weighted_entities
from helpers.regression.panel import PanelFit, fit_panel

N_ENTITIES, N_TIMES, N_REGRESSORS = 31, 7, 6
NAMES = [f"x{j}" for j in range(N_REGRESSORS)]


def draw_panel(n_entities: int, rng: np.random.Generator) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([range(n_entities), range(N_TIMES)], names=["entity", "time"])
    return pd.DataFrame(rng.normal(size=(len(index), N_REGRESSORS + 1)), index=index, columns=["y", *NAMES])


def fit(data: pd.DataFrame) -> PanelFit:
    return fit_panel(data, "y", NAMES, entity_effects=True, time_effects=True)


def best_of(times: int, work: Callable[[], object]) -> float:
    """Shortest of some runs, in seconds, after one run that is not counted."""
    work()
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def time_bootstrap(data: pd.DataFrame, rng: np.random.Generator) -> None:
    import statsmodels.formula.api as smf
    from wildboottest.wildboottest import wildboottest

    own = fit(data)
    frame = data.reset_index()
    model = smf.ols(f"y ~ {' + '.join(NAMES)} + C(entity) + C(time)", frame)
    theirs = best_of(
        2,
        lambda: wildboottest(
            model, B=99_999, cluster=frame["entity"], param="x0", weights_type="rademacher", seed=1, show=False
        ),
    )
    ours = best_of(3, lambda: wild_cluster_bootstrap(own, "x0", draws=99_999, rng=rng))
    say("wildboottest, 99,999 draws", theirs)
    say("wild_cluster_bootstrap, 99,999 draws", ours, f"{theirs / ours:.1f} times as fast")
    say("  with interval", best_of(3, lambda: wild_cluster_bootstrap(own, "x0", draws=99_999, rng=rng, interval=True)))
    say("  999,999 draws", best_of(2, lambda: wild_cluster_bootstrap(own, "x0", draws=999_999, rng=rng)))
    twelve = fit(draw_panel(12, rng))
    say("  all 2^12 sign vectors", best_of(3, lambda: wild_cluster_bootstrap(twelve, "x0")))
    say("cr2 with Satterthwaite df", best_of(3, lambda: cr2(own, "x0")))
    say("cr3 jackknife", best_of(3, lambda: cr3(own, "x0")))
    say("permute_treatment, 1,000,000", best_of(1, lambda: permute_treatment(own, "x0", draws=1_000_000, rng=rng)))
    say("standard_error_passport", best_of(3, lambda: standard_error_passport(own, "x0")))


def time_batches(data: pd.DataFrame, rng: np.random.Generator) -> None:
    draws = 10_000
    y = rng.normal(size=(draws, len(data)))
    x = rng.normal(size=(draws, len(data), N_REGRESSORS))
    labels = (data.index.get_level_values(0), data.index.get_level_values(1))
    batch = best_of(2, lambda: fit_batch(y, x, *labels)) / draws
    counts = rng.multinomial(N_ENTITIES, np.full(N_ENTITIES, 1 / N_ENTITIES), size=draws)
    weighted = best_of(2, lambda: fit_weighted_entities(data, "y", NAMES, counts)) / draws
    say("fit_panel, one fit", best_of(20, lambda: fit(data)))
    say("fit_batch, per regression of 10,000", batch)
    say("fit_weighted_entities, per draw of 10,000", weighted)
    time_engines(data, batch)


def time_engines(data: pd.DataFrame, batch: float) -> None:
    from linearmodels.panel import PanelOLS
    from pyfixest.estimation import feols

    rows, formula = data.reset_index(), f"y ~ {' + '.join(NAMES)} | entity + time"
    engines = {
        "pyfixest": lambda: feols(formula, rows, vcov={"CRV1": "entity"}),
        "linearmodels": lambda: PanelOLS(data["y"], data[NAMES], entity_effects=True, time_effects=True).fit(
            cov_type="clustered", cluster_entity=True
        ),
    }
    for name, engine in engines.items():
        seconds = best_of(10, engine)
        say(f"{name}, one fit", seconds, f"fit_batch is {seconds / batch:.0f} times as fast")


def say(what: str, seconds: float, more: str = "") -> None:
    print(f"{what:45} {seconds * 1000:12.4f} ms   {more}")


if __name__ == "__main__":
    generator = np.random.default_rng(1)
    with warnings.catch_warnings():
        # One line a warning is enough: wildboottest repeats itself on every call.
        warnings.simplefilter("once")
        panel = draw_panel(N_ENTITIES, generator)
        time_bootstrap(panel, generator)
        time_batches(panel, generator)
