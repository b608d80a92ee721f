"""The checksums of a study's data: no figure changes unseen between two runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from helpers.errors import StudyError
from helpers.files import sweep, write_text

MANIFEST_NAME = "manifest.json"
SCHEMA = 1


def write_manifest(folder: Path) -> Path:
    """Write the SHA-256 checksum of every data file of ``folder`` to ``folder/manifest.json``.

    Parameters
    ----------
    folder
        A study folder. Data files are everything under ``raw/`` and the CSV files at the top (units, codebook);
        hidden files and the lock files of spreadsheet programs are left out.

    Returns
    -------
    Path
        The manifest, written beside its place and renamed, so that a failed write leaves the old one.

    Raises
    ------
    StudyError
        When there is no data file, or the folder cannot be read or written.
    """
    target = folder / MANIFEST_NAME
    sums = _measure(folder)
    if not sums:
        raise StudyError(str(folder), "there is no data file to list", "put the raw files under raw/")
    try:
        sweep(folder)
        write_text(target, json.dumps({"schema": SCHEMA, "files": sums}, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        rule = f"the manifest cannot be written ({error.strerror})"
        raise StudyError(str(target), rule, "make room, or permit writing to the folder") from None
    return target


def check_manifest(folder: Path) -> int:
    """Compare every data file of ``folder`` with its manifest.

    Returns
    -------
    int
        The number of files that agree.

    Raises
    ------
    StudyError
        When the manifest is missing or unreadable, or when a file was changed, is missing or is not listed;
        the message names every such file.
    """
    listed = _read_manifest(folder)
    found = _measure(folder)
    problems = {
        "changed": [name for name in listed if name in found and listed[name] != found[name]],
        "missing": [name for name in listed if name not in found],
        "not listed": [name for name in found if name not in listed],
    }
    told = "; ".join(f"{kind}: {', '.join(sorted(names))}" for kind, names in problems.items() if names)
    if told:
        raise StudyError(str(folder), f"the data are not the data of the manifest ({told})", _remedy(folder))
    return len(found)


def _remedy(folder: Path) -> str:
    return f"restore the files, or run `study check {folder.name} --accept` if the change was meant"


def _read_manifest(folder: Path) -> dict[str, str]:
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise StudyError(str(path), "the study has no manifest of checksums", _remedy(folder))
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise ValueError(content["schema"])
        return {str(name): str(digest) for name, digest in content["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StudyError(str(path), "the manifest of checksums cannot be read", _remedy(folder)) from None


def _measure(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): _digest(path) for path in sorted(_data_files(folder))}


def _data_files(folder: Path) -> Iterator[Path]:
    for path in (*folder.glob("*.csv"), *folder.glob("raw/**/*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith((".", "~$")) for part in parts):
            yield path


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StudyError(str(path), f"the file cannot be read ({error.strerror})", "permit reading it") from None
