"""Files are written aside and then renamed, so that nobody sees half of one, and found only inside their own folder."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

from helpers.errors import StudyError

LEFTOVER = re.compile(r"\..+\.(\d+|aside)")
"""How a file is called while it is written; what an interrupted run leaves has such a name."""


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file aside, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return path


def write_text(path: Path, text: str) -> Path:
    """Write a text aside, UTF-8 with plain line ends, then rename it."""
    return write_bytes(path, text.encode())


def sweep(folder: Path) -> list[Path]:
    """Remove what interrupted writes left in a folder and below; nobody may be writing there.

    Returns
    -------
    list of Path
        What was removed.
    """
    left = [path for path in folder.rglob(".*") if LEFTOVER.fullmatch(path.name) and path.is_file()]
    for path in left:
        path.unlink(missing_ok=True)
    return left


def find_inside(folder: Path, name: str, where: str) -> Path:
    """The path of a file that a study or a record names, which must lie inside ``folder``, links followed.

    Parameters
    ----------
    folder
        The folder that holds it.
    name
        As it was written: relative, with ``/`` between its parts.
    where
        Where it was written, for the message.

    Raises
    ------
    StudyError
        An absolute path, one that climbs out with ``..`` or by a link, or a name that no file can have.
    """
    parts = PurePosixPath(name).parts
    plain = bool(parts) and name.isprintable() and "\\" not in name and ":" not in name
    if plain and ".." not in parts and not PurePosixPath(name).is_absolute():
        path = folder / name
        try:
            if path.resolve().is_relative_to(folder.resolve()):
                return path
        except (OSError, RuntimeError):
            pass
    rule = "the file is outside the study folder" if plain else "no file can have such a name"
    raise StudyError(where, f"{rule}: {name[:200]!r}", f"name a file inside {folder.name}, without '..' and links")
