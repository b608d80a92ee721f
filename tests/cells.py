"""One cell of a notebook run by itself with planted values, to see which sentence its rule chooses."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from helpers.display.prose import Named, Sentence, write_sentence
from helpers.results.estimate import Estimate
from helpers.results.results import Results
from helpers.runner.twins import read_percent

ROOT = Path(__file__).resolve().parents[1]


class PlantedRun:
    """In place of a notebook's run: records and says as it does, draws and writes nothing."""

    def __init__(self, **attributes: Any) -> None:
        self.results = Results(study="planted", notebook="planted")
        self.__dict__.update(attributes)

    def record(self, key: str, found: Estimate | None = None, **numbers: Any) -> Any:
        """Record a planted result."""
        return self.results.record(key, found, **numbers)

    def say(self, template: str, **words: Named) -> Sentence:
        """Fill a template."""
        return write_sentence(template, self.results, words)

    def table(self, *_: Any, caption: str, **__: Any) -> str:
        """The caption in place of a table."""
        return f"table: {caption}"

    def figure(self, *_: Any, caption: str, **__: Any) -> str:
        """The caption in place of a figure."""
        return f"figure: {caption}"

    def coefficients(self, *_: Any, caption: str, **__: Any) -> str:
        """The caption in place of a table of coefficients."""
        return f"table: {caption}"

    def framework(self, name: str) -> str:
        """The name in place of a text's table."""
        return f"table: {name}"

    def rng(self, _: str) -> None:
        """No generator: a planted cell draws nothing."""

    def label(self, name: str) -> Any:
        """A name for itself."""
        return SimpleNamespace(en=name, zh=name)

    def labels(self, names: Iterable[str]) -> Any:
        """Names for themselves, one after another."""
        joined = ", ".join(names)
        return SimpleNamespace(en=joined, zh=joined) if joined else None

    def text(self, template: str, **words: Named) -> str:
        """A short text."""
        return repr(self.say(template, **words))


def run_cell(notebook: str, *containing: str, **names: Any) -> str:
    """Run code cells of ``notebooks/<notebook>.py`` one after another; the last one's last value as text.

    Parameters
    ----------
    notebook
        Name without ending.
    *containing
        For each cell to run, a text by which exactly one code cell is known.
    **names
        The names that the cells use; ``run`` is a `PlantedRun` unless given.
    """
    names = {"run": PlantedRun(), **names}
    for text in containing[:-1]:
        exec(compile(_find_cell(notebook, text), notebook, "exec"), names)
    tree = ast.parse(_find_cell(notebook, containing[-1]))
    last = tree.body[-1]
    assert isinstance(last, ast.Expr), "the cell does not end with a value"
    exec(compile(ast.Module(tree.body[:-1], []), notebook, "exec"), names)
    return repr(eval(compile(ast.Expression(last.value), notebook, "eval"), names))


def _find_cell(notebook: str, containing: str) -> str:
    """Source of the one code cell that holds a text."""
    script = ROOT / "notebooks" / f"{notebook}.py"
    found = [
        cell.source
        for cell in read_percent(script.read_text(encoding="utf-8"), script.name)
        if cell.type == "code" and containing in cell.source
    ]
    assert len(found) == 1, f"{len(found)} cells of {notebook} hold {containing!r}"
    return found[0]
