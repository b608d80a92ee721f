"""Facts about what a notebook holds in its hand."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers import notebook as module
from helpers.display.figures import new_figure
from helpers.errors import StudyError
from helpers.notebook import NotebookRun
from helpers.results.results import Results, read_results

ROOT = Path(__file__).resolve().parents[1]


def make_study(seed=1):
    def label(name):
        return {"x": "The treatment", "east": "East"}.get(name, name)

    part = {
        name: SimpleNamespace(name=name, label=SimpleNamespace(en=name.title(), zh=name)) for name in ("place", "year")
    }
    part["year"].kind = "year"
    return SimpleNamespace(name="toy", seed=seed, entity=part["place"], time=part["year"], label=label)


@pytest.fixture
def run(tmp_path):
    return NotebookRun("03_model", make_study(), tmp_path / "run_folder", tmp_path / "out")


@pytest.fixture
def panel():
    index = pd.MultiIndex.from_product([["a", "b"], [2015, 2016]], names=["place", "year"])
    return pd.DataFrame({"x": [0.1, 1 / 3, np.nan, 2e-300]}, index=index)


def at_cell(monkeypatch, source, told=None, count=1):
    monkeypatch.setattr(module, "running_cell", lambda: (source, told, count))


def test_a_panel_goes_to_the_next_notebook_bit_by_bit(run, panel):
    run.write_panel(panel, "panel")
    later = NotebookRun("04_next", make_study(), run.out, run.out / "later")
    pd.testing.assert_frame_equal(later.read("panel"), panel)


def test_a_panel_with_another_index_is_refused(run, panel):
    with pytest.raises(StudyError, match="index must be"):
        run.write_panel(panel.rename_axis(index=["unit", "year"]), "panel")


def test_a_panel_with_a_key_twice_is_refused(run, panel):
    with pytest.raises(StudyError, match="each key once"):
        run.write_panel(pd.concat([panel, panel]), "panel")


def test_a_table_that_nobody_wrote_is_named(run):
    with pytest.raises(StudyError, match=r"panel\.csv"):
        run.read("panel")


def test_random_numbers_are_seeded_by_a_digest_that_every_machine_shares(run):
    # printf '1\000%s' draws | sha256sum
    digest = "302402cb86db827363f3665e75dda89ebd98c0f1472624dc24b03c6afd8cff89"
    assert run.rng("draws").bit_generator.seed_seq.entropy == int(digest, 16)


def test_each_purpose_has_random_numbers_of_its_own(run, tmp_path):
    other_seed = NotebookRun("03_model", make_study(seed=2), tmp_path, tmp_path)
    draws = [maker.random() for maker in (run.rng("a"), run.rng("b"), other_seed.rng("a"))]
    assert len(set(draws)) == 3


def test_two_notebooks_with_the_same_purpose_draw_the_same_numbers(run, tmp_path):
    other_notebook = NotebookRun("04_next", make_study(), tmp_path, tmp_path)
    assert run.rng("a").random() == other_notebook.rng("a").random()


def test_a_table_is_written_to_eight_digits_and_shown_to_three(run):
    view = run.table(pd.DataFrame({"x": [1 / 3]}), "small", caption="Caption")
    assert (run.out / "tables" / "small.csv").read_text() == "x\n0.33333333\n"
    assert "0.333<" in view.html
    assert 'href="tables/small.csv"' in view.html


@pytest.mark.parametrize(("rows", "shown"), [(350, 350), (351, 100)])
def test_of_a_long_table_the_first_and_the_last_rows_are_shown_and_the_file_holds_all(run, rows, shown):
    view = run.table(pd.DataFrame({"place": [f"p{row}" for row in range(rows)]}), "places", caption="Places")
    assert view.html.count("<tr>") == 1 + shown
    assert f">p{rows - 1}<" in view.html
    assert len(pd.read_csv(run.out / "tables" / "places.csv")) == rows
    assert ("all of them are in the file" in view.html) is (shown < rows)


def test_labels_one_after_another_may_hold_digits_and_are_none_where_there_are_none(run):
    names = {"co2": ("CO2 per person", "人均二氧化碳（CO2）"), "x": ("The treatment", "处理")}
    run.study.words = lambda name: SimpleNamespace(en=names[name][0], zh=names[name][1])
    told = run.say("Clear: up {up}; down {down}.", up=run.labels(["co2", "x"]), down=run.labels([]) or "nothing")
    assert str(told) == "Clear: up CO2 per person, The treatment; down nothing."
    assert told.values["up"]["zh"] == "人均二氧化碳（CO2）、处理"


def test_a_study_without_the_table_of_a_text_is_told_so(run, tmp_path):
    run.study.folder = tmp_path
    assert str(run.framework("hol_dimensions")) == "No text of this study has such a table."
    assert not (run.out / "tables").exists()


def test_a_table_is_headed_by_the_labels_of_the_study(run):
    frame = pd.DataFrame({"x": [1.0]}, index=pd.Index(["east"], name="place"))
    html = run.table(frame, "small", caption="Caption").html
    assert "The treatment" in html
    assert ">East<" in html
    assert ">Place<" in html


def test_a_head_or_cell_that_is_called_as_a_variable_is_not_taken_for_it(run):
    # "x" names a variable; the heads are names of the study where most of them are, and so each column of texts.
    frame = pd.DataFrame({"x": [1.0], "size": [2.0], "power": [3.0]})
    assert "The treatment" not in run.table(frame, "small", caption="Caption").html
    cells = pd.DataFrame({"measure": ["x", "first", "points"], "term": ["x", "east", "square"]})
    html = run.table(cells, "small", caption="Caption").html
    assert html.count("The treatment") == 2  # one word, one label in a table: "term" holds names
    assert ">x<" in run.table(cells[["measure"]], "small", caption="Caption").html
    groups = pd.DataFrame({"p_value": [0.5]}, index=pd.Index(["x"], name="grouping"))
    assert "The treatment" not in run.table(groups, "small", caption="Caption").html


def test_the_rows_of_a_long_table_that_are_shown_have_no_column_of_their_count(run):
    html = run.table(pd.DataFrame({"x": np.arange(400) / 7}), "long", caption="Caption").html
    assert html.count("<th ") == 1
    assert html.count("<tr>") == 1 + 100


def test_a_figure_is_written_and_closed(run):
    figure, axes = new_figure()
    axes.plot([0, 1])
    view = run.figure(figure, "line", caption="Caption", alt="A line")
    assert (run.out / "figures" / "line.svg").read_bytes().startswith(b"<?xml")
    assert 'alt="A line"' in view.html
    assert not plt.fignum_exists(figure.number)


def test_a_figure_that_cannot_be_drawn_is_closed_and_not_written(run):
    figure, axes = new_figure()
    axes.set_title("\ufdd0")
    with pytest.raises(StudyError):
        run.figure(figure, "line", caption="Caption", alt="A line")
    assert not plt.fignum_exists(figure.number)
    assert not (run.out / "figures").exists()


def test_a_true_fact_is_ticked(run):
    run.check("every place has every year", True, "2 x 2")
    both = run.check("a < b", np.bool_(True))
    assert repr(both) == "✓ every place has every year 2 x 2\n✓ a < b"
    assert "a &lt; b" in both._repr_html_()


def test_a_list_of_checks_is_that_of_one_cell(run, monkeypatch):
    at_cell(monkeypatch, "first", count=1)
    run.check("one", True)
    at_cell(monkeypatch, "second", count=2)
    assert repr(run.check("two", True)) == "✓ two"


def test_a_false_fact_stops_the_notebook(run):
    with pytest.raises(StudyError, match="not true that every place has every year"):
        run.check("every place has every year", False)


def test_results_are_written_where_the_runner_looks(run):
    run.results.record("a.b", value=1)
    run.save()
    assert list(read_results(run.out / "run" / "results" / "03_model.json")) == ["a.b"]


def test_a_sentence_may_print_results_of_earlier_notebooks_only(run):
    for name, key in (("02_index", "index.a"), ("04_later", "later.a")):
        part = Results(study="toy", notebook=name)
        part.record(key, value=7)
        part.write(run.run_folder / "run" / "results" / f"{name}.json")
    assert repr(run.say("{index.a}")) == "7"
    with pytest.raises(StudyError, match="no result is recorded"):
        run.say("{later.a}")


def write_source(tmp_path, *sources):
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [new_code_cell(source, id=f"cell-{place:02d}") for place, source in enumerate(sources, start=1)]
    path = tmp_path / "03_model.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_a_result_knows_its_cell_by_the_source(tmp_path, monkeypatch):
    source = write_source(tmp_path, "import this", "run.results.record('a.b', value=1)")
    run = NotebookRun("03_model", make_study(), tmp_path, tmp_path, source)
    at_cell(monkeypatch, "run.results.record('a.b', value=1)\n")
    assert run.results.record("a.b", value=1).cell == "cell-02"


def test_a_result_knows_its_cell_by_what_the_client_told(tmp_path, monkeypatch):
    run = NotebookRun("03_model", make_study(), tmp_path, tmp_path, write_source(tmp_path, "same", "same"))
    at_cell(monkeypatch, "same", told="cell-01")
    assert run.results.record("a.b", value=1).cell == "cell-01"


def test_a_cell_that_the_notebook_does_not_have_is_not_named(tmp_path, monkeypatch):
    run = NotebookRun("03_model", make_study(), tmp_path, tmp_path, write_source(tmp_path, "one"))
    at_cell(monkeypatch, "scratch", told="3f6c0d2e")
    assert run.results.record("a.b", value=1).cell is None


def test_a_result_knows_its_cell_in_ipython(tmp_path):
    write_source(tmp_path, "run = NotebookRun(*parts)", "run.results.record('a.b', value=1)")
    script = (
        "import sys\nfrom pathlib import Path\nfrom types import SimpleNamespace\n"
        "from IPython.core.interactiveshell import InteractiveShell\nfrom helpers.notebook import NotebookRun\n"
        "folder = Path(sys.argv[1])\nsource = folder / '03_model.ipynb'\n"
        "parts = ('03_model', SimpleNamespace(name='toy'), folder, folder, source)\n"
        "shell = InteractiveShell.instance(user_ns={'NotebookRun': NotebookRun, 'parts': parts})\n"
        "import json\nfor cell in json.loads(source.read_text())['cells']:\n"
        "    shell.run_cell(''.join(cell['source']), store_history=True)\n"
        "shell.run_cell('run.save()')\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=True, env=os.environ | {"IPYTHONDIR": str(tmp_path)}
    )
    assert read_results(tmp_path / "run" / "results" / "03_model.json")["a.b"].cell == "cell-02"


def test_a_notebook_that_is_run_by_hand_writes_into_its_own_folder_and_reads_there_first(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").touch()
    shutil.copytree(ROOT / "data" / "provinces", tmp_path / "data" / "provinces")
    monkeypatch.chdir(tmp_path)
    first = module.open_run("01_first")
    assert first.out == tmp_path / "reports" / "by_hand" / "provinces"
    first.results.record("data.rows", value=3, digits=0)
    first.table(pd.DataFrame({"a": [1]}), "kept", caption="Kept")
    first.save()
    second = module.open_run("02_second")
    assert second.read("kept")["a"].tolist() == [1]
    assert second.known["data.rows"].value == 3
    assert not (tmp_path / "reports" / "provinces").exists()


def test_links_of_a_notebook_that_is_run_by_hand_lead_to_files_that_are_there(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").touch()
    shutil.copytree(ROOT / "data" / "provinces", tmp_path / "data" / "provinces")
    monkeypatch.chdir(tmp_path)
    run = module.open_run("01_first")
    run.results.record("data.rows", value=3, digits=0)
    view = run.table(pd.DataFrame({"a": [1]}), "kept", caption="Kept")
    said = run.say("There are {data.rows} rows in [tables/kept.csv](tables/kept.csv).")
    link = "../reports/by_hand/provinces/tables/kept.csv"
    assert f'href="{link}"' in view.html
    assert said.text == f"There are 3 rows in [tables/kept.csv]({link})."
    assert (tmp_path / link.removeprefix("../")).is_file()


def test_a_notebook_that_is_run_by_hand_reads_the_results_that_a_clone_holds(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").touch()
    shutil.copytree(ROOT / "data" / "provinces", tmp_path / "data" / "provinces")
    monkeypatch.chdir(tmp_path)
    held = Results(study="provinces", notebook="03_earlier")
    held.record("early.number", value=5, digits=0)
    held.write(tmp_path / "reports" / "provinces" / "results.json")
    assert module.open_run("12_last").known["early.number"].value == 5
    assert "early.number" not in module.open_run("02_before").known
