"""What the record holds of a run: digests from before anything was read, and nothing that a person could not trust."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.errors import StudyError
from helpers.runner.locks import installed_versions
from helpers.runner.pipeline import run
from helpers.runner.plan import explain, plan
from helpers.runner.record import UNREADABLE, Entry, entry_path, publish, read_entry, sweep_removed, write_entry
from helpers.runner.workspace import check_own


@pytest.fixture(scope="module")
def _finished(tmp_path_factory):
    from conftest import build_mini

    with pytest.MonkeyPatch.context() as patch:
        mini = build_mini(tmp_path_factory.mktemp("finished"), patch)
        assert not run(mini.request()).errors
    return mini.folder


@pytest.fixture
def done(mini, _finished):
    shutil.copytree(_finished, mini.folder)
    return mini


def test_what_an_interrupted_write_left_is_gone_after_the_next_run(done):
    for name in (".results.json.4711", ".report.html.12", "tables/.panel.csv.9", "run/record/.01_first.json.3"):
        (done.folder / name).write_text("half")
    run(done.request())
    assert [path.name for path in done.folder.rglob(".*")] == []


@pytest.mark.parametrize("path", ["notebooks/02_second.py", "src/helpers/mini.py", "data/mini/raw/gdp.csv"])
def test_a_file_edited_after_its_digest_was_taken_is_not_recorded(path, done):
    (done.root / "data" / "mini" / "raw" / "gdp.csv").write_text("2\n")
    job = plan(done.request())[1]
    before = read_entry(done.folder, job.name)
    (job.staging / "out").mkdir(parents=True)
    with (done.root / path).open("a") as file:
        file.write("\n# edited\n")
    with pytest.raises(StudyError, match=rf"{path}: it was edited while the run was at work"):
        publish(job, {}, 1, 0.0)
    assert read_entry(done.folder, job.name) == before


def test_a_helper_edited_while_a_notebook_runs_refuses_the_record_and_runs_again(mini):
    helper = mini.root / "src" / "helpers" / "mini.py"
    text = helper.read_text()
    helper.write_text(
        text.replace(
            "def double(self, draws):", "def double(self, draws):\n        open(__file__, 'a').write('# later\\n')"
        )
    )
    (error,) = run(mini.request()).errors
    assert "src/helpers/mini.py: it was edited while the run was at work" in str(error)
    assert read_entry(mini.folder, "01_first").products == {}
    helper.write_text(text)
    assert list(run(mini.request()).ran) == ["01_first", "02_second", "03_third"]


def test_another_version_of_an_installed_package_is_a_reason(done, monkeypatch):
    (done.root / "requirements.lock").write_text("pandas==1\n")
    run(done.request())
    monkeypatch.setattr("helpers.runner.plan.installed_versions", lambda _: {"pandas": "0"})
    (reason,) = explain(plan(done.request()))["01_first"]
    assert reason.startswith("package pandas is 0, was ")


def test_only_what_the_lock_names_and_what_is_installed_counts(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("NumPy==1.0 \\\nno-such-thing==2\n")
    import numpy as np

    assert installed_versions(tmp_path) == {"numpy": np.__version__}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"inputs": []}',
        '{"products": {"a": 1}}',
        '{"products": {"../../x": "y"}}',
        '{"products": {"/etc/x": "y"}}',
        '{"seconds": "1"}',
        '{"more": 1}',
        "[" * 100_000,
    ],
)
def test_a_record_that_cannot_be_trusted_is_one_reason_and_no_failure(text, done):
    beyond = done.root.parent / "x"
    beyond.write_text("kept")
    entry_path(done.folder, "02_second").write_text(text)
    assert explain(plan(done.request()))["02_second"] == [UNREADABLE]
    assert "02_second" in run(done.request()).ran
    assert beyond.read_text() == "kept"


def test_a_table_that_moves_to_another_notebook_and_back_is_not_refused(done):
    done.edit("notebooks/02_second.py", '"upper"', '"capitals"')
    done.edit("notebooks/03_third.py", "print(label", 'run.table("x", "upper")\nprint(label')
    assert not run(done.request()).errors
    assert (done.folder / "tables" / "upper.csv").read_text() == "x"
    done.edit("notebooks/02_second.py", '"capitals"', '"upper"')
    done.edit("notebooks/03_third.py", 'run.table("x", "upper")\n', "")
    assert not run(done.request()).errors
    assert (done.folder / "tables" / "upper.csv").read_text() == "A" * 6
    assert run(done.request()).ran == {}


def test_a_file_of_a_notebook_that_still_makes_it_is_refused(done):
    job = plan(done.request())[2]
    target = job.staging / "out" / "tables" / "upper.csv"
    target.parent.mkdir(parents=True)
    target.write_text("stolen")
    with pytest.raises(StudyError, match=r"writes tables/upper\.csv, which belongs to 02_second"):
        publish(job, {}, 1, 0.0)


def test_the_products_of_a_removed_notebook_go_with_it_unless_someone_changed_them(done):
    folder = done.folder
    (folder / "tables" / "mine.csv").write_text("mine")
    write_entry(
        folder,
        "04_gone",
        Entry(products={"tables/mine.csv": "another digest", **read_entry(folder, "02_second").products}),
    )
    sweep_removed(folder, ["01_first", "03_third", "02_second"])
    assert not (folder / "tables" / "upper.csv").exists()
    assert (folder / "tables" / "mine.csv").read_text() == "mine"
    assert not entry_path(folder, "04_gone").exists()


def test_a_run_folder_is_marked_as_the_study_s_own(done):
    assert (done.folder / "run" / "study").read_text() == "mini\n"
    assert check_own(done.folder, done.root, done.root / "data" / "mini") == "mini"


@pytest.mark.parametrize("name", [".", "..", "data", "data/mini/raw", "notebooks", "src/helpers", "docs/new"])
def test_a_run_into_the_project_s_own_folders_is_refused(name, mini):
    with pytest.raises(StudyError, match="would write over the project's own files"):
        run(mini.request(folder=mini.root / name))


@pytest.mark.parametrize(
    ("path", "text"),
    [("results.json", '{"study": "other"}'), ("results.json", "[]"), ("report.html", "mine"), ("run/study", "other\n")],
)
def test_a_folder_that_holds_anything_else_is_refused(path, text, mini):
    target = mini.root / "elsewhere" / path
    target.parent.mkdir(parents=True)
    target.write_text(text)
    with pytest.raises(StudyError, match=r"it holds (a run of the study other|files of something else)"):
        run(mini.request(folder=mini.root / "elsewhere"))
    assert target.read_text() == text


def test_a_report_folder_of_another_study_of_that_name_is_refused(done, tmp_path):
    other = tmp_path / "mini"
    shutil.copytree(done.root / "data" / "mini", other)
    with pytest.raises(StudyError, match="it holds a run of the study mini"):
        run(done.request(study=str(other), study_folder=other))


def test_a_committed_report_is_known_by_its_results(done):
    shutil.rmtree(done.folder / "run")
    (done.folder / "results.json").write_text(json.dumps({"study": "mini"}))
    assert check_own(done.folder, done.root, done.root / "data" / "mini") == "mini"


def test_the_digests_of_a_job_are_those_of_the_plan(done):
    job = plan(done.request())[0]
    assert set(job.files) >= {
        "notebooks/01_first.py",
        "src/helpers/mini.py",
        "data/mini/study.yml",
        "requirements.lock",
    }
    assert explain([replace(job, files={**job.files, "notebooks/01_first.py": "x"})])["01_first"]
