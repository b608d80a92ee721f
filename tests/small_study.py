"""A small simulated study with gaps between its periods, and the same regressions by statsmodels with dummies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm

from helpers.study.study import Study

WINDOW = (2001, 2003, 2004, 2006, 2009)
PLACES = [f"p{place:02d}" for place in range(12)]
REGIONS = ["coast"] * 5 + ["inland"] * 4 + ["island"] * 3


def label(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def indicators(*names: str) -> dict[str, Any]:
    return {name: {"formula": name, "direction": 1, "dimension": "all", "label": label(name)} for name in names}


CONTENT: dict[str, Any] = {
    "name": "small",
    "title": label("Small"),
    "question": label("Does the dose move the reply?"),
    "seed": 7,
    "entity": {"name": "place", "key": "place", "label": label("Place")},
    "time": {"name": "wave", "first": 2001, "last": 2009, "times": list(WINDOW), "label": label("Wave")},
    "columns": {
        name: {"file": f"raw/{name}.csv", "label": label(name)}
        for name in ("d1", "d2", "r1", "r2", "r3", "size", "other", "channel_a", "channel_b")
    },
    "variables": {
        name: {"formula": name, "label": label(name.title())} for name in ("size", "other", "channel_a", "channel_b")
    },
    "indices": {
        "dose": {
            "label": label("Dose"),
            "dimensions": {"all": {"label": label("All")}},
            "indicators": indicators("d1", "d2"),
        },
        "reply": {
            "label": label("Reply"),
            "dimensions": {"all": {"label": label("All")}},
            "indicators": indicators("r1", "r2", "r3"),
        },
    },
    "model": {"outcome": "reply", "treatment": "dose", "controls": ["size"]},
    "ladder": {
        "pooled": {"label": label("Pooled"), "controls": False, "effects": []},
        "one_way": {"label": label("One way"), "controls": True, "effects": ["entity"]},
        "two_way": {"label": label("Two way"), "controls": True, "effects": ["entity", "time"]},
    },
    "primary": "two_way",
    "robustness": {},
    "mediators": {
        "channel_a": {"label": label("Channel A")},
        "channel_b": {"label": label("Channel B"), "caution": label("A proxy.")},
    },
    "regions": {
        "region": {
            "column": "region",
            "order": ["coast", "inland", "island"],
            "labels": {name: label(name.title()) for name in ("coast", "inland", "island")},
        }
    },
    "presets": {"standard": {}},
}


def make_study(**changes: Any) -> Study:
    """The study, with parts of its file replaced."""
    return Study.model_validate({**CONTENT, **changes})


def make_units() -> pd.DataFrame:
    """Its places: each in a region, the first two of them big."""
    big = ["1" if place < 2 else "0" for place in range(len(PLACES))]
    return pd.DataFrame({"region": REGIONS, "big": big}, index=pd.Index(PLACES, name="place"))


def make_indicators(seed: int = 3) -> pd.DataFrame:
    """Its variables and indicators: twelve places, five waves."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([PLACES, WINDOW], names=["place", "wave"])
    n = len(index)
    own = np.repeat(rng.normal(size=len(PLACES)), len(WINDOW))
    dose = own + rng.normal(size=n)
    channel = 0.6 * dose + rng.normal(size=n)
    reply = 0.5 * dose + 0.4 * channel + own + rng.normal(size=n)
    columns = {
        "d1": dose + 0.3 * rng.normal(size=n),
        "d2": np.exp(dose + 0.3 * rng.normal(size=n)),
        "r1": reply + rng.normal(size=n),
        "r2": np.exp(0.5 * reply + 0.3 * rng.normal(size=n)),
        "r3": reply + 0.5 * rng.normal(size=n),
        "size": rng.normal(size=n),
        "other": rng.normal(size=n),
        "channel_a": channel,
        "channel_b": rng.normal(size=n),
    }
    return pd.DataFrame(columns, index=index)


def fit_dummies(
    data: pd.DataFrame, outcome: str, regressors: list[str], effects: tuple[str, ...], weights: str | None = None
) -> dict[str, float]:
    """Estimate and clustered standard error of the first regressor, by statsmodels with a dummy per entity and time.

    statsmodels counts every dummy in K. The convention of Stata and fixest leaves out those of the entities, which are
    nested in the clusters, and counts one for them: the standard error is brought to that K.
    """
    design = data[regressors].assign(constant=1.0)
    for level, name in enumerate(("entity", "time")):
        if name in effects:
            codes = pd.get_dummies(data.index.get_level_values(level), drop_first=True, dtype=float)
            design = design.join(codes.add_prefix(name).set_axis(data.index))
    groups = pd.factorize(data.index.get_level_values(0))[0]
    sizes = 1.0 if weights is None else data[weights]
    fit = sm.WLS(data[outcome], design, weights=sizes).fit(cov_type="cluster", cov_kwds={"groups": groups})
    nested = data.index.get_level_values(0).nunique() - 1 if "entity" in effects else 0
    n, k = design.shape
    term = regressors[0]
    return {
        "estimate": float(fit.params[term]),
        "std_error": float(fit.bse[term] * np.sqrt((n - k) / (n - k + nested))),
        "n_obs": n,
    }
