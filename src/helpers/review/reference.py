"""The numbers that a run is judged by: those that the repository holds, those of another revision, or of a folder."""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from helpers.errors import StudyError
from helpers.results.results import find_edits, read_results
from helpers.review.git import find_revision, has_git, lay_out, list_files
from helpers.review.scratch import scratch_folder
from helpers.runner.record import digest_file, read_entry


@dataclass(frozen=True)
class Reference:
    """Where reference numbers stand.

    Attributes
    ----------
    folder
        Holds ``results.json``, ``tables/`` and ``figures/``.
    label
        What it is, in words.
    """

    folder: Path
    label: str


@contextlib.contextmanager
def open_reference(root: Path, name: str, against: str | None = None) -> Iterator[Reference]:
    """The reference of a study, for as long as it is needed.

    Parameters
    ----------
    root
        The project's root.
    name
        The study's name.
    against
        A folder, an archive made by `study bundle`, or a git revision; by default what the last commit holds, or
        ``reports/<study>`` where there is no git.

    Raises
    ------
    StudyError
        No reference, one of another study or schema, one that was edited by hand, a revision that does not exist.
    """
    home = root / "reports" / name
    if against is not None and Path(against).is_dir():
        yield _checked(Reference(Path(against), f"the folder {against}"), name)
        return
    if against is not None and against.endswith(".zip") and Path(against).is_file():
        with scratch_folder("reference") as folder:
            yield _checked(Reference(unpack(Path(against), folder) / "reports" / name, f"the archive {against}"), name)
        return
    if against is None:
        check_edits(home)
    if against is None and not has_git(root):
        if not (home / "results.json").is_file():
            raise StudyError(str(home / "results.json"), "there is no reference for this study", _REMEDY)
        yield _checked(Reference(home, f"reports/{name}"), name)
        return
    revision = find_revision(root, against or "HEAD")
    under = f"reports/{name}"
    if f"{under}/results.json" not in list_files(root, revision, under):
        rule = f"revision {revision[:12]} holds no {under}/results.json: there is no committed reference for this study"
        raise StudyError(str(home), rule, _REMEDY)
    with scratch_folder("reference") as folder:
        lay_out(root, revision, folder, under)
        yield _checked(Reference(folder / under, f"{under} of commit {revision[:12]}"), name)


_REMEDY = "run the study and commit its reports, or name a folder or a revision with --against"


def _checked(reference: Reference, name: str) -> Reference:
    results = read_results(reference.folder / "results.json")
    if results.study != name:
        rule = f"these are the results of the study '{results.study}', not of '{name}'"
        raise StudyError(f"{reference.label}, results.json", rule, "name the reference of this study with --against")
    return reference


def check_edits(home: Path) -> None:
    """Refuse a run folder whose results or tables were edited by hand: a reader of them would be misled.

    Raises
    ------
    StudyError
        A result is not as it was sealed, or a table not as the run's record has it, where there is one.
    """
    path = home / "results.json"
    if path.is_file() and (edited := find_edits(path)):
        rule = f"edited by hand after the run wrote it: {', '.join(edited)}"
        raise StudyError(str(path), rule, _RESTORE)
    for name in sorted((home / "run" / "record").glob("*.json")):
        for product, digest in read_entry(home, name.stem).products.items():
            if product.startswith("tables/") and digest_file(home / product) != digest:
                raise StudyError(str(home / product), f"it is not as {name.stem} left it", _RESTORE)


_RESTORE = "restore it (`git checkout -- reports`), or run the study again"
LARGEST = 2**31
"""Bytes that an archive may hold, unpacked; a bundle of this project has a few dozen million."""


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive into a folder; gives the one folder that it holds.

    Raises
    ------
    StudyError
        It is no archive, it holds nothing or more than `LARGEST`, or a file of it would lie outside or is a link.
    """
    try:
        files = zipfile.ZipFile(archive)
    except zipfile.BadZipFile as error:
        raise StudyError(str(archive), f"not a zip archive ({error})", "name one that `study bundle` made") from None
    with files:
        size = sum(entry.file_size for entry in files.infolist())
        if not 0 < size <= LARGEST:
            rule = f"it holds {size:,} bytes, unpacked; at least one and at most {LARGEST:,} are read"
            raise StudyError(str(archive), rule, "unpack nothing of it; ask its author for another")
        for entry in files.infolist():
            parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
            link = entry.external_attr >> 28 == 0o12
            if link or not parts or ".." in parts or parts[0].startswith("/") or ":" in parts[0]:
                rule = f"holds '{entry.filename}', which would lie outside"
                raise StudyError(str(archive), rule, "unpack nothing of it; ask its author for another")
        try:
            files.extractall(folder)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
            raise StudyError(str(archive), f"it is damaged ({error})", "ask its author for another") from None
        tops = {PurePosixPath(name).parts[0] for name in files.namelist()}
    for script in folder.glob("*/*.sh"):
        script.chmod(0o755)
    return folder / min(tops)
