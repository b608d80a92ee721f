"""The checksums of a study's data. The digest of "abc" is the example of FIPS 180-2, appendix B.1."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.errors import StudyError
from helpers.reading.manifest import check_manifest, write_manifest

SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    study = tmp_path / "towns"
    (study / "raw").mkdir(parents=True)
    (study / "raw" / "gdp.csv").write_bytes(b"abc")
    (study / "raw" / "cpi.csv").write_bytes(b"1")
    (study / "units.csv").write_bytes(b"key\n")
    (study / "study.yml").write_bytes(b"name: towns\n")
    write_manifest(study)
    return study


def read_listed(folder: Path) -> dict[str, str]:
    files: dict[str, str] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    return files


def test_digest_is_sha256(folder: Path) -> None:
    assert read_listed(folder)["raw/gdp.csv"] == SHA256_OF_ABC


def test_data_files_are_listed_in_order_and_choices_are_not(folder: Path) -> None:
    assert list(read_listed(folder)) == ["raw/cpi.csv", "raw/gdp.csv", "units.csv"]


def test_unchanged_data_pass(folder: Path) -> None:
    assert check_manifest(folder) == 3


def test_same_data_give_the_same_manifest(folder: Path) -> None:
    before = (folder / "manifest.json").read_bytes()
    write_manifest(folder)
    assert (folder / "manifest.json").read_bytes() == before


def test_no_file_is_left_beside_the_manifest(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "raw", "study.yml", "units.csv"]


def test_every_changed_missing_and_new_file_is_named(folder: Path) -> None:
    (folder / "raw" / "gdp.csv").write_bytes(b"abd")
    (folder / "raw" / "cpi.csv").unlink()
    (folder / "raw" / "new.csv").write_bytes(b"2")
    with pytest.raises(
        StudyError,
        match=r"changed: raw/gdp\.csv; missing: raw/cpi\.csv; not listed: raw/new\.csv.*(?s:.)*towns --accept",
    ):
        check_manifest(folder)


def test_a_manifest_that_was_never_written_is_asked_for(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(StudyError, match=r"no manifest(?s:.)*study check towns --accept"):
        check_manifest(folder)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 2, "files": {}}', '{"schema": 1, "files": []}', "[" * 100_000]
)
def test_a_broken_manifest_is_told(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match="cannot be read"):
        check_manifest(folder)


def test_files_of_the_desktop_are_left_out(folder: Path) -> None:
    (folder / "raw" / ".DS_Store").write_bytes(b"x")
    (folder / "raw" / "~$gdp.xlsx").write_bytes(b"x")
    assert check_manifest(folder) == 3


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no data file"):
        write_manifest(tmp_path)


def test_a_failed_write_leaves_the_old_manifest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / "manifest.json").read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(StudyError, match="No space left"):
        write_manifest(folder)
    assert (folder / "manifest.json").read_bytes() == before
