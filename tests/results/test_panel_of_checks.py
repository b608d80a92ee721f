"""Each row of the panel of checks, with a run that keeps it and one that does not."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.deposit.freeze import freeze
from helpers.errors import StudyError
from helpers.report.language import Translator, read_catalogue
from helpers.results.panel_of_checks import CheckRow, check_run, digest_run, list_deviations


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    study = {"study.yml": "seed: 1\n", "claims.yml": "claims: {}\n", "raw/a.csv": "1\n"}
    manifest = {"schema": 1, "files": {"raw/a.csv": digest("1\n")}}
    inputs = {"src/a.py": "1", "Python": "3.11", "package numpy": "2.4.6", "parameter draws": "9"}
    first = {"inputs": inputs, "products": {"tables/t.csv": digest("x\n1\n")}}
    second = {"inputs": {**inputs, "tables/t.csv": digest("x\n1\n")}, "products": {}}
    files = {
        **{f"data/s/{name}": text for name, text in study.items()},
        "data/s/manifest.json": json.dumps(manifest),
        "requirements.lock": "numpy==2.4.6 \\\n    --hash=sha256:0\n",
        "notebooks/01_a.py": "x = 1\n",
        "src/a.py": "",
        "reports/s/results.json": "{}",
        "reports/s/tables/t.csv": "x\n1\n",
        "reports/s/run/record/01_a.json": json.dumps(first),
        "reports/s/run/record/02_b.json": json.dumps(second),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def rows(root: Path) -> dict[str, CheckRow]:
    return {row.name: row for row in check_run(root / "reports" / "s", root / "data" / "s", root, 7)}


def change(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text(encoding="utf-8")
    assert old in text
    (root / path).write_text(text.replace(old, new), encoding="utf-8")


def test_a_sound_run_keeps_every_row_that_can_be_judged(root):
    found = rows(root)
    assert {name: row.holds for name, row in found.items() if row.holds is not None} == {
        "checksums": True, "seed": True, "lock": True, "order of execution": True, "no absolute path": True, "one state": True,
    }  # fmt: skip
    assert "seed 7" in found["seed"].detail
    assert [name for name, row in found.items() if not row.steady] == ["sources committed", "verified"]


def reads_in_chinese(row):
    """Whether the page has what a check found, and every figure and name in it, in Chinese too."""
    found = Translator(read_catalogue()).message(row.message, row.values)
    return found is not None and found != row.detail and all(value in found for value in row.values.values())


@pytest.mark.parametrize(
    ("name", "path", "old", "new", "told"),
    [
        ("checksums", "data/s/raw/a.csv", "1", "2", "0 of 1 data files are those of the manifest; not raw/a.csv"),
        ("lock", "requirements.lock", "2.4.6", "2.4.7", "0 of 1 packages that were used have the version of the lock; not numpy"),
        ("order of execution", "reports/s/tables/t.csv", "1", "2", "02_b ran on tables that were written anew afterwards"),
        ("no absolute path", "notebooks/01_a.py", "x = 1", "x = '/home/someone/a.csv'", "01_a.py names /home/someone"),
        ("one state", "reports/s/run/record/02_b.json", '"parameter draws": "9"', '"parameter draws": "99"', "01_a and 02_b were made from different parameter draws"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_hold_names_what(root, name, path, old, new, told):
    change(root, path, old, new)
    found = rows(root)
    assert (found[name].holds, found[name].detail) == (False, told)
    assert all(row.holds is not False for other, row in found.items() if other != name)
    assert all(reads_in_chinese(row) for row in found.values() if row.steady)


def test_without_a_record_of_the_run_nothing_is_said_of_it(root):
    shutil.rmtree(root / "reports" / "s" / "run" / "record")
    silent = {name: row for name, row in rows(root).items() if row.message == "no record of a run is here"}
    assert list(silent) == ["lock", "order of execution", "one state"]
    assert all(row.holds is None and reads_in_chinese(row) for row in silent.values())


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("notebooks/01_a.py", None),
        ("../theirs/01_a.py", "1 of 1 notebooks are not the project's own: they were run from theirs with --trust"),
    ],
)
def test_notebooks_of_another_folder_are_named(root, source, told):
    change(root, "reports/s/run/record/01_a.json", '"src/a.py"', f'"{source}": "1", "src/a.py"')
    row = rows(root).get("notebooks")
    assert (row.detail if row else None) == told
    assert row is None or (row.holds is False and reads_in_chinese(row))


def test_a_plan_is_kept_changed_or_deviated_from_with_a_reason(root):
    folder = root / "data" / "s"
    assert rows(root)["plan"].detail == "no plan was frozen"
    assert freeze(folder) == "PLAN.md: frozen"
    assert rows(root)["plan"].holds is True
    assert freeze(folder).startswith("PLAN.md: nothing has changed since")
    change(root, "data/s/study.yml", "seed: 1", "seed: 2")
    assert rows(root)["plan"].holds is False
    with pytest.raises(StudyError, match="the plan was changed after"):
        freeze(folder)
    with pytest.raises(StudyError, match="in one line"):
        freeze(folder, "a | b")
    assert freeze(folder, "a referee asked for it") == "PLAN.md: deviation"
    assert rows(root)["plan"].holds is None
    assert [text.split(": ")[1] for text in list_deviations(folder)] == ["a referee asked for it"]


def test_a_verification_counts_for_exactly_these_numbers_only(root):
    folder = root / "reports" / "s"
    record = {"date": "2026-01-02", "complete": True, "reference_sha256": digest_run(folder), "numbers": {"reproduced": 1200, "differs": 0, "cannot say": 0}}  # fmt: skip
    (folder / "run" / "verify").mkdir()
    (folder / "run" / "verify" / "verify.json").write_text(json.dumps(record))
    row = rows(root)["verified"]
    assert (row.holds, row.detail) == (True, "verified on 2026-01-02: 1,200 of 1,200 numbers reproduced")
    change(root, "reports/s/results.json", "{}", "{ }")
    assert rows(root)["verified"].holds is None


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_sources_are_committed_or_not(root):
    for arguments in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"],
    ):
        subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)
    assert rows(root)["sources committed"].holds is True
    change(root, "notebooks/01_a.py", "1", "2")
    assert rows(root)["sources committed"].detail == "not committed: notebooks/01_a.py"
