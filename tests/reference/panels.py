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
