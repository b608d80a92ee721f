"""A corpus of bad files, each put into a small study and checked from the command line.

`bad_inputs/index.csv` says of each file what the message must name: the place, the rule and the remedy. Its kind is the
part of the study that the file takes the place of; files of kind "made" are binary and made below. `bad_inputs/base` is
the study without a fault.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.cli import main
from helpers.reading.manifest import write_manifest
from helpers.study.arguments import BAD_INPUT, DONE
from made_files import DATE, change_part, make_bomb, make_xls, make_xlsx

CORPUS = Path(__file__).parent / "bad_inputs"
TAKES_THE_PLACE_OF = {
    "raw": "raw/gdp.csv",
    "made": "raw/gdp.csv",
    "wide": "raw/access.csv",
    "units": "units.csv",
    "codebook": "codebook.csv",
    "claims": "claims.yml",
    "study_file": "study.yml",
    "formula": "study.yml",
}
FORMULA = "{formula: log(gdp),"
LARGEST = 4096
EXECUTES = ("os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect", "shutil.rmtree")
FORBIDDEN: list[str] = []
"""What the audit hook has seen while a bad file was checked."""


def read_index() -> list[dict[str, str]]:
    with (CORPUS / "index.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


CASES = read_index()
ROWS: list[list[Any]] = [["地区", "2021年"], ["北京市", 0.65]]


def make_archive(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "<w:document/>")
    return stream.getvalue()


def as_parquet(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def declare_entity(book: bytes) -> bytes:
    entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><worksheet'
    return change_part(book, "xl/worksheets/sheet1.xml", b"<worksheet", entity)


MADE: dict[str, Callable[[], bytes]] = {
    "zip_bomb.xlsx": lambda: make_bomb(60),
    "formula_without_result.xlsx": lambda: make_xlsx(
        {"data": [ROWS[0], ["北京市", '=WEBSERVICE("http://example.org")']]}
    ),
    "external_entity.xlsx": lambda: declare_entity(make_xlsx({"data": ROWS})),
    "shown_as_per_cent.xlsx": lambda: make_xlsx({"data": ROWS}, formats={"B2": "0%"}),
    "merged_years.xlsx": lambda: make_xlsx({"data": [["地区", "2021年", None], ["北京市", 3, 2]]}),
    "dates.xlsx": lambda: make_xlsx({"data": [["地区", date(2021, 12, 31)], ROWS[1]]}),
    "cut_short.xlsx": lambda: make_xlsx({"data": ROWS})[:3000],
    "rows_without_end.xlsx": lambda: change_part(
        make_xlsx({"data": ROWS}), "xl/worksheets/sheet1.xml", b'<row r="2"', b'<row r="99999999999"'
    ),
    "text_document.docx": lambda: make_archive("word/document.xml"),
    "archive.zip": lambda: make_archive("gdp.csv"),
    "cut_short.xls": lambda: make_xls({"data": ROWS})[:1500],
    "password.xls": lambda: make_xls({"data": [["EncryptedPackage"]]}),
    "dates.xls": lambda: make_xls({"data": [["地区", date(2021, 12, 31)], ROWS[1]]}, {(0, 1): DATE}),
    "lists.parquet": lambda: as_parquet(pa.table({"name": ["Beijing"], "year": [2021], "gdp": [[1, 2]]})),
    "cut_short.parquet": lambda: as_parquet(pa.table({"name": ["Beijing"]}))[:100],
    "cut_short.dta": lambda: b"<stata_dta><header><release>118</release><byteorder>LSF</byteorder>",
}


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what no reading of a file has a reason to do; an audit hook cannot be taken away, so it is switched."""
    if watch.on and event in EXECUTES:  # type: ignore[attr-defined]
        FORBIDDEN.append(f"{event} {arguments}")


watch.on = False  # type: ignore[attr-defined]
sys.addaudithook(watch)


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with the faultless study; the folder of the study."""
    folder = tmp_path / "project" / "data" / "mini"
    shutil.copytree(CORPUS / "base", folder)
    (tmp_path / "project" / "pyproject.toml").touch()
    (tmp_path / "secret.csv").write_text("secret")
    write_manifest(folder)
    monkeypatch.setenv("STUDY_ROOT", str(tmp_path / "project"))
    monkeypatch.chdir(tmp_path)
    FORBIDDEN.clear()
    with mock.patch.dict(os.environ):  # a command points caches into its own folder
        yield folder


def put(case: dict[str, str], folder: Path) -> None:
    """Put a file of the corpus into the study, and accept it into the manifest."""
    name = case["file"]
    target = folder / TAKES_THE_PLACE_OF[case["kind"]]
    if case["kind"] == "made":
        target.write_bytes(MADE[name.partition("/")[2]]())
    elif case["kind"] == "formula":
        text = target.read_text(encoding="utf-8")
        assert FORMULA in text
        formula = json.dumps((CORPUS / name).read_text(encoding="utf-8").rstrip("\n"))
        target.write_text(text.replace(FORMULA, f"{{formula: {formula},"), encoding="utf-8")
    else:
        shutil.copyfile(CORPUS / name, target)
    write_manifest(folder)


def snapshot(folder: Path) -> dict[str, bytes]:
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if "/run/" not in name}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_a_bad_file_is_told(
    case: dict[str, str], study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(case, study)
    before = snapshot(tmp_path)
    watch.on = True  # type: ignore[attr-defined]
    try:
        code = main(["check", "mini"])
    finally:
        watch.on = False  # type: ignore[attr-defined]
    told = capsys.readouterr().err
    first, _, remedy = told.partition("\n  What to do: ")
    assert code == BAD_INPUT, told
    assert "Traceback" not in told
    assert case["place"] in first
    assert case["rule"] in first
    assert case["remedy"] in remedy
    assert "\x1b" not in told
    assert remedy.strip()
    assert snapshot(tmp_path) == before
    assert FORBIDDEN == []


@pytest.mark.usefixtures("study")
def test_the_study_without_a_fault_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "mini"]) == DONE
    assert capsys.readouterr().err == ""


def test_markup_and_formulas_that_are_but_names_are_text(study: Path) -> None:
    for file in ("units.csv", "raw/gdp.csv"):
        text = (study / file).read_text(encoding="utf-8")
        changed = text.replace("陕西省", "<script>alert(1)</script>").replace("河北省", "=1+cmd|'/C calc'!A0")
        (study / file).write_text(changed, encoding="utf-8")
    for file in ("raw/agriculture.csv", "raw/others.csv"):
        text = (study / file).read_text(encoding="utf-8")
        (study / file).write_text(text.replace("陕西省", "610000").replace("河北省", "Hebei"), encoding="utf-8")
    write_manifest(study)
    assert main(["check", "mini"]) == DONE


def test_the_corpus_and_its_index_hold_the_same_files() -> None:
    listed = [case["file"] for case in CASES if case["kind"] != "made"]
    found = [path.relative_to(CORPUS).as_posix() for kind in TAKES_THE_PLACE_OF for path in (CORPUS / kind).glob("*")]
    assert sorted(listed) == sorted(found)
    assert [case["file"].partition("/")[2] for case in CASES if case["kind"] == "made"] == list(MADE)


def test_the_files_of_the_corpus_are_small() -> None:
    assert [path.name for path in CORPUS.glob("*/*") if path.is_file() and path.stat().st_size > LARGEST] == []


def test_every_entry_names_a_place() -> None:
    assert [case["file"] for case in CASES if not case["place"]] == []
