"""Panels that installed packages ship, and the results of other programs on them."""

from functools import cache
from pathlib import Path

import linearmodels
import numpy as np
import pandas as pd

RESULTS = Path(linearmodels.__file__).parent / "tests" / "panel" / "results"


@cache
def grunfeld() -> pd.DataFrame:
    """Grunfeld's investment data, 10 firms, 1935-1954 (statsmodels' copy without American Steel)."""
    from statsmodels.datasets import grunfeld as shipped

    data = shipped.load_pandas().data
    data = data[data["firm"] != "American Steel"].rename(columns={"invest": "inv"})
    return data.assign(year=data["year"].astype(int)).set_index(["firm", "year"])


@cache
def gappy_grunfeld() -> pd.DataFrame:
    """Grunfeld's data with a quarter of the rows left out at random, so that the panel is unbalanced."""
    kept = np.random.default_rng(20).random(len(grunfeld())) < 0.75
    return grunfeld()[kept]


@cache
def wages() -> pd.DataFrame:
    """Wages of 545 men, 1980-1987 (linearmodels' wage_panel)."""
    from linearmodels.datasets import wage_panel

    return wage_panel.load()


@cache
def simulated() -> pd.DataFrame:
    """Linearmodels' simulated panel of 1,000 firms, whose Stata results it ships."""
    data = pd.read_stata(RESULTS / "simulated-panel.dta")
    return data.set_index(["firm", "time"])


@cache
def stata_output(model: str) -> pd.DataFrame:
    """Estimate and standard error that Stata 13 printed for one model of the simulated panel."""
    text = (RESULTS / "stata-panel-simulated-results.txt").read_text(encoding="utf-8")
    block = text.split(f"#!{model}!#")[1].split("#!")[0]
    head, variance = block.split("********* Variance *************")
    lines = [line.strip() for line in head.splitlines()]
    estimates = {
        line.split("\t")[0]: float(line.split("\t")[1])
        for line in lines
        if line.startswith(("x", "_cons")) and line.count("\t")
    }
    rows = [line.split("\t") for line in variance.splitlines() if line.startswith(("x", "_cons"))]
    errors = {row[0]: float(row[position + 1]) ** 0.5 for position, row in enumerate(rows)}
    table = pd.DataFrame({"estimate": estimates, "std_error": errors})
    return table.rename(index={"_cons": "const"})


def firm_rows(firms: int) -> pd.DataFrame:
    """Grunfeld's data of the first firms in the order of the alphabet."""
    names = sorted(grunfeld().index.get_level_values("firm").unique())[:firms]
    return grunfeld()[grunfeld().index.get_level_values("firm").isin(names)]


@cache
def rugged() -> pd.DataFrame:
    """23 entities seen 1 to 12 times, gaps inside, rounded figures, columns in units from 1e-5 to 1e9."""
    rng = np.random.default_rng(77)
    rows = []
    for entity in range(23):
        seen = np.flatnonzero(rng.random(12) < rng.uniform(0.25, 1.0)) if entity > 1 else np.array([entity + 3])
        effect = rng.normal()
        for year in seen:
            z1, z2, x, u = rng.normal(size=4)
            w = round(0.4 * x + 0.3 * effect + rng.normal(), 1)
            d = 0.5 * z1 + 0.2 * z2 + 0.3 * w + 0.5 * u + effect + rng.normal()
            m = 0.6 * d - 0.2 * w + rng.normal()
            y = 0.3 * d + 0.4 * m + 0.5 * w + u + effect + 0.1 * year + rng.normal() * (1 + abs(effect))
            rows.append((entity, 2000 + year, y, d, m, w, z1, z2))
    data = pd.DataFrame(rows, columns=["entity", "year", *UNITS]).set_index(["entity", "year"])
    return data * list(UNITS.values())


UNITS = {"y": 1e6, "d": 1e-5, "m": 1.0, "w": 1e9, "z1": 1.0, "z2": 1e-3}
"""Units of the columns of `rugged`."""


@cache
def lumpy() -> pd.DataFrame:
    """A dynamic panel of 80 entities seen 1 to 10 times, gaps inside, figures of two decimals."""
    rng = np.random.default_rng(5)
    rows = []
    for entity in range(80):
        share = rng.uniform(0.5, 1.0)
        effect, y, w, before = rng.normal(), 0.0, 0.0, 0.0
        for year in range(-15, 10):
            x, error = rng.normal() + 0.3 * effect, rng.normal()
            w = 0.5 * w + 0.3 * effect + 0.3 * before + rng.normal()
            y = 0.5 * y + 0.4 * x + 0.3 * w + effect + error
            before = error
            seen = rng.random() < share if entity > 1 else year == 4
            if year >= 0 and seen:
                rows.append((entity, 2000 + year, round(y, 2), round(x, 2), round(w, 2)))
    return pd.DataFrame(rows, columns=["entity", "year", "y", "x", "w"]).set_index(["entity", "year"])
