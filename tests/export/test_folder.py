"""The export folder is whole or not there, never overwrites, has the same bytes twice, and opens in other programs."""

import io
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import docx
import openpyxl  # type: ignore[import-untyped]
import pandas as pd
import pytest

from helpers.display.tables import write_table
from helpers.errors import StudyError
from helpers.export import folder as folders
from helpers.export.folder import write_export
from helpers.export.references import study_references
from helpers.export.tables import LONGEST
from helpers.export.word import result_properties
from helpers.results.results import Results

ROOT = Path(__file__).parents[2]
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@pytest.fixture
def study(tmp_path: Path) -> Any:
    (tmp_path / "data").mkdir()
    return SimpleNamespace(name="toy", folder=tmp_path / "data")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    made, folder = Results("toy", "03_model"), tmp_path / "run"
    made.record("model.effect", estimate=-0.0612, p_value=0.031, ci_low=-0.1, ci_high=0.02, digits=3)
    made.record("model.evil", value='<&"> | =1+1', digits=0)
    made.write(folder / "results.json")
    rows = pd.DataFrame({"name": ["a", "=1+1"], "estimate": [0.12345, -2.0], "p_value": [0.0001, 0.5], "n": [3, 20000]})
    write_table(rows, folder / "tables" / "small.csv")
    write_table(pd.DataFrame({"x": range(LONGEST + 1)}), folder / "tables" / "long.csv")
    write_table(rows, folder / "tables" / "own.csv")
    (folder / "tables" / "own.tex").write_text("as the run wrote it")
    (folder / "figures").mkdir()
    (folder / "figures" / "one.svg").write_text("<svg/>")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_folder_is_whole_and_the_same_twice(study, run, tmp_path):
    names = write_export(study, run, tmp_path / "one")
    (tmp_path / "two").mkdir()
    write_export(study, run, tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert sorted(contents(tmp_path / "one")) == names
    tables = {name for name in names if name.startswith("tables/")}
    assert tables == {f"tables/{name}" for name in ("small.tex", "small.docx", "small.xlsx", "small.csv", "long.xlsx", "long.csv", "own.tex", "own.xlsx", "own.csv")}  # fmt: skip
    assert (tmp_path / "one" / "tables" / "own.tex").read_text() == "as the run wrote it"


def test_a_folder_that_holds_something_is_left_alone(study, run, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "mine.txt").write_text("mine")
    with pytest.raises(StudyError, match="nothing is overwritten"):
        write_export(study, run, kept)
    assert contents(kept) == {"mine.txt": b"mine"}


def test_nothing_is_left_when_a_part_fails(study, run, tmp_path, monkeypatch):
    def fail(_: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(folders, "table_files", fail)
    before = set(tmp_path.iterdir())
    with pytest.raises(OSError, match="disk full"):
        write_export(study, run, tmp_path / "new")
    assert set(tmp_path.iterdir()) == before


def test_a_run_of_another_study_is_refused(study, run, tmp_path):
    study.name = "other"
    with pytest.raises(StudyError, match="'toy', not of 'other'"):
        write_export(study, run, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_numbers_in_word_are_fields_bound_to_properties(study, run, tmp_path):
    write_export(study, run, tmp_path / "one")
    packed = (tmp_path / "one" / "results.docx").read_bytes()
    with zipfile.ZipFile(io.BytesIO(packed)) as parts:
        properties = {
            item.get("name"): item[0].text for item in ElementTree.fromstring(parts.read("docProps/custom.xml"))
        }
        body = ElementTree.fromstring(parts.read("word/document.xml"))
    fields = {item.attrib[f"{W}instr"].split('"')[1]: "".join(item.itertext()) for item in body.iter(f"{W}fldSimple")}
    assert fields == properties
    assert properties["model.effect"] == "−0.061"
    assert properties["model.effect:p"] == "p = 0.031"
    assert properties["model.evil"] == '<&"> | =1+1'
    assert len(docx.Document(io.BytesIO(packed)).tables[0].rows) == 3


def test_excel_holds_numbers_as_numbers_and_no_formula(study, run, tmp_path):
    write_export(study, run, tmp_path / "one")
    sheet = openpyxl.load_workbook(tmp_path / "one" / "tables" / "small.xlsx").active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows == [("name", "estimate", "p_value", "n"), ("a", 0.12345, 0.0001, 3), ("=1+1", -2, 0.5, 20000)]
    assert sheet["A3"].data_type == "s"


def test_tables_on_a_page_print_as_the_report_does(study, run, tmp_path):
    write_export(study, run, tmp_path / "one")
    text = (tmp_path / "one" / "tables" / "small.tex").read_text()
    assert r"a & 0.123 & \textless{} 0.001 & 3 \\" in text
    assert r"=1+1 & $-$2.000 & 0.500 & 20,000 \\" in text


@pytest.mark.parametrize("name", ["provinces", "countries"])
def test_every_text_has_an_entry(name):
    told = study_references(ROOT / "data" / name)
    for key in ("EMP", "MOD", "HOL", "SOQ", "DAT"):
        assert told.count(f"{{{key},") == 1
    assert told.count("{") == told.count("}")
    assert "10.16029/j.cnki.1008-410X.2024.05.008" in told


def test_a_text_without_an_entry_gets_one_from_the_claims(tmp_path):
    shutil.copy(ROOT / "data" / "provinces" / "claims.yml", tmp_path)
    (tmp_path / "references.bib").write_text("@article{EMP,\n  year = {2024}\n}\n")
    told = study_references(tmp_path)
    assert told.startswith("@article{EMP,")
    assert "@misc{HOL," in told
    assert "  year = {2020}" in told[told.index("@misc{MOD,") :]


def test_a_property_stands_for_what_was_recorded_alone():
    made = Results("toy", "01_data")
    made.record("a.count", value=3)
    assert result_properties(made) == {"a.count": "3"}
