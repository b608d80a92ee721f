"""The random numbers of a notebook: a generator for each purpose, and checksums of what each cell drew.

Two runs that draw differently are told apart at the very cell.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from helpers.files import write_text


class DrawRecord:
    """The state of every generator after each cell that moved it.

    The generators are those that the study handed out by purpose, and the two global ones, which nothing should use: a
    cell that draws from them unseeded is found by it. States that a cell left alone are not noted, so that the start of
    a global generator, which differs between two processes, leaves no trace.
    """

    def __init__(self) -> None:
        self._watched: dict[str, Callable[[], Any]] = {
            "numpy's global generator": lambda: np.random.get_state(legacy=False),
            "the global generator of random": random.getstate,
        }
        self._last = {name: _digest(state()) for name, state in self._watched.items()}
        self.cells: dict[str, dict[str, str]] = {}

    def start(self, seed: int, purpose: str) -> np.random.Generator:
        """A generator of its own for each seed and purpose, followed from now on."""
        text = f"{seed}\0{purpose}"
        rng = np.random.default_rng(np.random.SeedSequence(int.from_bytes(hashlib.sha256(text.encode()).digest())))
        self.watch(purpose, rng)
        return rng

    def watch(self, purpose: str, rng: np.random.Generator) -> None:
        """Follow a generator from now on; one that is handed out again for the same purpose takes its place."""
        self._watched[purpose] = lambda: rng.bit_generator.state

    def note(self, cell: str | None) -> None:
        """A cell ended: keep the state of each generator that has moved."""
        for name, state in self._watched.items():
            digest = _digest(state())
            if self._last.get(name) != digest:
                self._last[name] = digest
                self.cells.setdefault(cell or "", {})[name] = digest

    def write(self, path: Path) -> Path:
        """Write the record as JSON, cell -> generator -> checksum."""
        return write_text(path, json.dumps(self.cells, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def _digest(state: Any) -> str:
    return hashlib.sha256(repr(_plain(state)).encode()).hexdigest()[:16]


def _plain(state: Any) -> Any:
    """A state whose text is whole: an array as a list."""
    if isinstance(state, dict):
        return {name: _plain(item) for name, item in state.items()}
    return state.tolist() if isinstance(state, np.ndarray) else state
