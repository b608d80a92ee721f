"""Which files of the helpers a module reaches: through imports, and the data files that they name.

Nothing is imported or run.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

FORMATS = "formats"
"""Folder of the helpers that read files, each kind by a library of its own."""
PLAIN_IMPORT = re.compile(r"^[ \t]*import ([\w. ,]+)$", re.MULTILINE)
FROM_IMPORT = re.compile(r"^[ \t]*from ([\w.]+) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
FOR_TYPE_CHECKERS = re.compile(r"^([ \t]*)if TYPE_CHECKING:\n(?:\1[ \t]+[^\n]*\n?|[ \t]*\n)*", re.MULTILINE)


class Package:
    """The helpers as files, read once for all that is asked of them.

    Parameters
    ----------
    folder
        Of the package, for example ``src/helpers``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = _list_files(folder)
        self._texts: dict[str, str] = {}
        self._named: dict[str, list[str]] = {}

    def find_modules(self, roots: Iterable[str]) -> list[Path]:
        """The files of modules reachable from some modules through imports, and the data files that they name.

        Parameters
        ----------
        roots
            Dotted names such as ``helpers.regression.panel``.
        """
        found: set[str] = set()
        waiting, asked = set(roots), set[str]()
        while waiting:
            asked |= waiting
            reached = {place for name in waiting for place in _module_places(self.folder.name, name)}
            places = (reached & self.files.keys()) - found
            found |= places
            waiting = {name for place in places for name in own_imports(self._text(place))} - asked
        named = {file for place in found for file in self._data_files(place)}
        return sorted(self.files[place] for place in found | named)

    def find_foreign_imports(self, roots: Iterable[str]) -> list[str]:
        """Dotted names of other libraries that modules reachable from some modules import anywhere.

        What reads files of one kind only, such as workbooks, is left out: a study that has such a file reads it once.
        """
        files = [path for path in self.find_modules(roots) if path.suffix == ".py"]
        places = [path.relative_to(self.folder).as_posix() for path in files if path.parent != self.folder / FORMATS]
        names = sorted({name for place in places for name in own_imports(self._text(place))})
        known = sys.stdlib_module_names | {self.folder.name, "as"}
        return [name for name in names if name.partition(".")[0] not in known]

    def find_own_modules(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of some dotted names that are modules of the package."""
        inside = [name.split(".")[1:] for name in names if name.startswith(f"{self.folder.name}.")]
        return tuple(".".join([self.folder.name, *parts]) for parts in inside if f"{'/'.join(parts)}.py" in self.files)

    def _text(self, place: str) -> str:
        if place not in self._texts:
            self._texts[place] = self.files[place].read_text(encoding="utf-8")
        return self._texts[place]

    def _data_files(self, place: str) -> list[str]:
        """The data files beside a module or below it that it names, by their own name or that of a folder between."""
        if place not in self._named:
            text, home = self._text(place), place.rpartition("/")[0]
            inside = f"{home}/" if home else ""
            below = [file for file in self.files if file.startswith(inside) and not file.endswith((".py", ".pyc"))]
            names = {name for file in below for name in file.removeprefix(inside).split("/")}
            quoted = {name for name in names if f'"{name}"' in text or f"'{name}'" in text}
            self._named[place] = [file for file in below if quoted & set(file.removeprefix(inside).split("/"))]
        return self._named[place]


def _list_files(package: Path) -> dict[str, Path]:
    """The package's files by their place in it, caches left out."""
    found: dict[str, Path] = {}
    for folder, inner, names in os.walk(package):
        inner[:] = [name for name in inner if name != "__pycache__"]
        here = Path(folder)
        place = here.relative_to(package).as_posix()
        found |= {name if place == "." else f"{place}/{name}": here / name for name in names}
    return found


def _module_places(package: str, module: str) -> list[str]:
    """Where the file of a dotted name would lie, and the ``__init__`` files above it; nothing for a foreign name."""
    first, *parts = module.split(".")
    if first != package:
        return []
    above = ["/".join([*parts[:end], "__init__.py"]) for end in range(len(parts) + 1)]
    return [*above, f"{'/'.join(parts)}.py"]


@cache
def own_imports(text: str) -> tuple[str, ...]:
    """Every dotted name that a module imports anywhere, imports for type checkers left out.

    A pattern and not a parser: parsing all helpers would take most of the time of a run that has nothing to do.
    """
    text = FOR_TYPE_CHECKERS.sub("", text)
    names = [name for line in PLAIN_IMPORT.findall(text) for name in re.findall(r"[\w.]+", line)]
    for module, listed in FROM_IMPORT.findall(text):
        names += [module, *(f"{module}.{name}" for name in re.findall(r"\w+", listed))]
    return tuple(names)
