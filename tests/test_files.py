"""Files that are written whole or not at all, and found only where they belong."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.errors import StudyError, did_you_mean
from helpers.files import find_inside, sweep, write_bytes, write_text


def test_a_text_is_utf_8_with_plain_line_ends(tmp_path: Path) -> None:
    assert write_text(tmp_path / "new" / "text.txt", "a\n省\n").read_bytes() == "a\n省\n".encode()


def test_a_write_that_fails_keeps_the_old_file_and_leaves_nothing_beside(tmp_path, monkeypatch) -> None:
    path = write_text(tmp_path / "text.txt", "old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "new")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"text.txt": "old"}


def test_what_an_interrupted_write_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    left = (".results.json.4711", "tables/.a.csv.12", ".b.svg.aside")
    kept = ("results.json", ".gitignore", "tables/a.csv", ".hidden/x.1", "a.12")
    for name in (*left, *kept):
        write_bytes(tmp_path / name, b"x")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in sweep(tmp_path)) == sorted(left)
    assert all((tmp_path / name).is_file() for name in kept)


@pytest.mark.parametrize("name", ["units.csv", "raw/gdp.csv", "raw/人口.csv", "./units.csv"])
def test_a_file_inside_is_found_by_its_name(name: str, tmp_path: Path) -> None:
    assert find_inside(tmp_path, name, "study.yml") == tmp_path / name


@pytest.mark.parametrize(
    "name", ["../x", "raw/../../x", "/etc/passwd", "..", "", "a\0b", "a\nb", "..\\x", "C:x", "link/x", "loop"]
)
def test_a_file_outside_is_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder / "loop")
    with pytest.raises(StudyError, match=r"study.yml: (the file is outside|no file can have)"):
        find_inside(folder, name, "study.yml")


@pytest.mark.parametrize(("name", "hint"), [("urbanistion", "did you mean 'urbanisation'? "), ("xyz", "")])
def test_the_nearest_name_is_suggested(name: str, hint: str) -> None:
    assert did_you_mean(name, {"urbanisation", "openness"}) == hint
