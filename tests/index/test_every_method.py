"""Every method that the schema allows runs through the notebooks that build an index anew: 02 and 04.

The notebooks' own cells run here in this process, on a small study with few draws, so that thirty methods take no longer
than one run with kernels. The index itself is checked against a rule worked out here for one method of each kind; the
others meet their numbers in `test_composite`, `test_weights` and `test_scaling`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, get_args

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.notebook import NotebookRun
from helpers.runner.twins import read_percent
from helpers.study.index import Aggregate, Scale, Weights
from helpers.study.study import load_study
from small_study import CONTENT, REGIONS, label, make_indicators

ROOT = Path(__file__).resolve().parents[2]
FEW = {
    "index_draws": 9,
    "permutations": 99,
    "choice_draws": 4,
    "sobol_base": 2,
    "wild_draws": 19,
    "bootstrap_draws": 9,
    "fragility_most": 1,
}
METHODS: list[dict[str, Any]] = [
    *({"scale": scale} for scale in get_args(Scale)),
    *({"weights": weights} for weights in get_args(Weights)),
    *({"aggregate": aggregate} for aggregate in get_args(Aggregate)),
    {"scope": "yearly"},
    {"zero_rule": 0.01},
    {"levels": "nested"},
    {"levels": "nested", "aggregate": "geometric"},
    {"levels": "nested", "weights": "critic"},
    {"winsorise": 0.05},
    {"scale": "z_score", "weights": "equal"},
    {"scale": "z_score", "levels": "nested", "aggregate": "harmonic", "zero_rule": 0.1},
]


def indicators(weight: float, **names: str) -> dict[str, Any]:
    common = {"direction": 1, "weight": weight, "goalposts": [-9.0, 99.0], "reference": 5.0}
    return {
        name: {"formula": name, "dimension": dimension, "label": label(name), **common}
        for name, dimension in names.items()
    }


def write_study(folder: Path, method: dict[str, Any]) -> Path:
    """A study folder of two indices, four and three indicators in two dimensions each, under one method."""
    panel = make_indicators().assign(d3=lambda table: table["size"], d4=lambda table: table["other"] + table["d1"])
    # Figures above 0, so that a ratio to the best and a logarithm are defined.
    panel = panel - panel.min() + 1
    folder.joinpath("raw").mkdir(parents=True)
    panel.reset_index().to_csv(folder / "raw" / "all.csv", index=False)
    units = pd.DataFrame({"place": panel.index.unique(0), "region": REGIONS})
    units.to_csv(folder / "units.csv", index=False)
    names = list(panel.columns)
    book = pd.DataFrame({"statistic": names, "name_en": names, "unit": "1", "grade": "A", "note": ""})
    book.to_csv(folder / "codebook.csv", index=False)
    tree = {"low": {"label": label("Low"), "weight": 0.5}, "high": {"label": label("High"), "weight": 0.5}}
    nested = method.get("levels") == "nested"
    dose = indicators(0.5 if nested else 0.25, d1="low", d2="low", d3="high", d4="high")
    reply = indicators(0.5 if nested else 0.25, r1="low", r2="low", r3="high", channel_b="high")
    reply["reply_b"] = {**reply.pop("channel_b"), "formula": "channel_b"}
    content = json.loads(json.dumps(CONTENT)) | {
        "columns": {name: {"file": "raw/all.csv", "label": label(name)} for name in names},
        "variables": {name: {"formula": name, "label": label(name)} for name in ("size", "other", "channel_a")},
        "mediators": {},
        "robustness": {"equal": {"label": label("Equal"), "asks": label("Equal?"), "index": {"weights": "equal"}}},
        "indices": {
            name: {"label": label(name.title()), "method": method, "dimensions": tree, "indicators": items}
            for name, items in (("dose", dose), ("reply", reply))
        },
        "name": folder.name,
    }
    (folder / "study.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return folder


def run_notebook(name: str, study: Path, out: Path) -> dict[str, Any]:
    """Run the code cells of a notebook in this process, with few draws; gives its names."""
    script = ROOT / "notebooks" / f"{name}.py"
    names: dict[str, Any] = {"study": str(study), "run_folder": str(out), "out": str(out), "unit": "", **FEW}
    for cell in read_percent(script.read_text(encoding="utf-8"), script.name):
        if cell.type == "code" and "run_folder: str" not in cell.source:
            exec(compile(cell.source, name, "exec"), names)
    return names


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder after notebook 01, which no method touches."""
    folder = tmp_path_factory.mktemp("cleaned")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setattr(NotebookRun, "figure", lambda *_, **__: plt.close("all"))
        run_notebook("01_data_cleaning", write_study(folder / "small", {}), folder / "out")
    return folder / "out"


@pytest.mark.slow("two notebooks for each of thirty methods")
@pytest.mark.parametrize("method", METHODS, ids=lambda method: "-".join(f"{value}" for value in method.values()))
def test_a_method_runs_through_the_notebooks(
    method: dict[str, Any], cleaned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(NotebookRun, "figure", lambda *_, **__: plt.close("all"))
    out = tmp_path / "out"
    shutil.copytree(cleaned, out)
    study = write_study(tmp_path / "small", method)
    built = run_notebook("02_index_construction", study, out)
    robust = run_notebook("04_robustness", study, out)
    declared = load_study(study).indices["dose"].method
    assert all(getattr(declared, name) == value for name, value in method.items())
    assert np.isfinite(built["scores"].to_numpy()).all()
    known = robust["run"].known
    assert np.isfinite(known["robustness.index_bootstrap.dose"].std_error)
    assert known["robustness.index_bootstrap.dose"].std_error > 0
    assert known["robustness.fragility.refits"].value == 12


def test_the_zero_rule_of_a_study_file_reaches_the_weights(cleaned: Path, tmp_path: Path) -> None:
    from helpers.index.build import build_indices

    panel = pd.read_csv(cleaned / "tables" / "indicators.csv").set_index(["place", "wave"])
    study = load_study(write_study(tmp_path / "small", {"zero_rule": 0.01}))
    figures = panel[["d1", "d2", "d3", "d4"]]
    shifted = (figures - figures.min()) / (figures.max() - figures.min()) + 0.01
    shares = shifted / shifted.sum()
    entropy = -(shares * np.log(shares)).sum() / np.log(len(shares))
    np.testing.assert_allclose(
        build_indices(panel, study)["dose"].weights, (1 - entropy) / (1 - entropy).sum(), rtol=1e-9
    )
