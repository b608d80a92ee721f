"""One small study through `study run` with either engine: what both record is the same.

Tolerance: 1e-7 relative, since results are written to eight significant digits, the last of which may be rounded either
way; test_engine.py holds the methods to the 1e-8 that `engine: disk` promises. Compared are the notebooks that both
engines have, by their own files of results, so that nothing else has to run.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from helpers.cli import main
from helpers.study.arguments import DONE
from large_study import write_study

ROOT = Path(__file__).resolve().parents[2]
FORMS = ("02_index_construction", "03_baseline_regression", "06_regional_heterogeneity")
FEW = {"index_draws": 9, "choice_draws": 8, "sobol_base": 2, "wild_draws": 99, "simulations": 2, "null_draws": 9}
FEW |= {"bootstrap_draws": 9, "permutations": 9}
# Drawn at random, or another test by design: the clustered t test stands for the methods for few clusters.
APART = (".wild", "baseline.headline")
NUMBERS = ("value", "estimate", "std_error", "statistic", "df", "p_value", "ci_low", "ci_high", "n_obs", "n_entities")
OF_MEMORY = {"std_error", "ci_low", "ci_high", "n_entities"}
"""Of a weight: its interval from drawing units anew, which the engine on disk leaves out."""


def run(*words: str) -> None:
    """Run a command of the project in this process, which has imported what a new one would import anew."""
    with mock.patch.dict(os.environ, STUDY_ROOT=str(ROOT), PYTHONPATH=str(ROOT / "src")), contextlib.chdir(ROOT):
        assert main(list(words)) == DONE


def results(folder: Path, ending: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in ("01_data_cleaning", *FORMS):
        content = json.loads((folder / "run" / "results" / f"{name}{ending}.json").read_text(encoding="utf-8"))
        found |= {row["key"]: row for row in content["results"]}
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("engines")
    folders = {}
    for engine in ("disk", "memory"):
        study = write_study(home / f"firms_{engine}", engine, presets={"standard": FEW, "quick": FEW})
        folders[engine] = home / f"out_{engine}"
        run("check", str(study), "--accept")
        only = [["--only", name] for name in FORMS] if engine == "memory" else [[]]
        for words in only:
            run("run", str(study), "--out", str(folders[engine]), "--workers", "1", *words)
    return folders


@pytest.mark.slow("five notebooks with either engine")
def test_what_both_engines_record_is_the_same(runs: dict[str, Path]) -> None:
    disk, memory = results(runs["disk"], "_on_disk"), results(runs["memory"], "")
    keys = [key for key in disk if not any(part in key for part in APART)]
    keys.remove("region.count.told_by_t")  # in memory, resampling tests count too
    assert set(keys) <= memory.keys()
    assert sum(key.startswith("baseline.") for key in keys) >= 5
    assert sum(key.startswith("region.") for key in keys) >= 12
    for key in keys:
        for name in NUMBERS:
            if ".weight." in key and name in OF_MEMORY:
                continue
            ours, theirs = disk[key].get(name), memory[key].get(name)
            if isinstance(theirs, float | int):
                np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-12, err_msg=f"{key}, {name}")
            else:
                assert ours == theirs, key


def test_the_report_is_written_and_says_what_is_left_out(runs: dict[str, Path]) -> None:
    page = (runs["disk"] / "report.html").read_text(encoding="utf-8")
    assert "it works on all rows at once, and the panel is kept on disk" in page
    held = json.loads((runs["disk"] / "results.json").read_text(encoding="utf-8"))["results"]
    assert {row["key"]: row.get("value") for row in held}["claims.own_1.verdict"] is not None
    assert sorted(path.stem for path in (runs["disk"] / "notebooks").glob("*.ipynb")) == [
        "01_data_cleaning_on_disk",
        *(f"{name}_on_disk" for name in FORMS),
        "12_synthesis",
    ]
