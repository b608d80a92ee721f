"""Kernels that start before their notebook's turn, so that starting and importing overlap with the work of others.

A notebook ahead of its turn waits, imports done, at a gate in front of its first cell. The task of the notebook opens
the gate once it is known that the notebook has to run and what it reads has been laid out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future


class NotNeededError(Exception):
    """Raised at the gate of a notebook that turns out to be up to date."""


Done = tuple[int, float]
"""Code cells that finished, and seconds."""

Work = Callable[[Callable[[], None]], Done]
"""Called with a gate, which it calls before it does anything that is done only if it is known to be needed."""


class Ahead:
    """One piece of work that runs in a thread of its own as far as a gate.

    Parameters
    ----------
    work
        The work.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._opened = threading.Event()
        self._needed = True
        self._result: Future[Done] = Future()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> Done:
        """Open the gate and wait for the work's result, or its exception."""
        self._opened.set()
        return self._result.result()

    def drop(self) -> None:
        """Let the work end at the gate."""
        self._needed = False
        self._opened.set()
        self._thread.join()

    def _gate(self) -> None:
        self._opened.wait()
        if not self._needed:
            raise NotNeededError

    def _run(self) -> None:
        try:
            self._result.set_result(self._work(self._gate))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised again where the result is asked for
            self._result.set_exception(error)


class Queue:
    """Work that may come, in order; some pieces are ahead at a time.

    Parameters
    ----------
    coming
        Name and work of each piece, in order.
    """

    def __init__(self, coming: Mapping[str, Work]) -> None:
        self._coming = dict(coming)
        self._ahead: dict[str, Ahead] = {}
        self._lock = threading.Lock()

    def start(self, ahead: int) -> None:
        """Give the next pieces their start, until so many are ahead."""
        with self._lock:
            while self._coming and len(self._ahead) < ahead:
                self._start_next()

    def finish(self, name: str, work: Work) -> Done:
        """Do a piece of work, with the start that it may have, while the next one gets its start."""
        with self._lock:
            self._coming.pop(name, None)
            piece = self._ahead.pop(name, None) or Ahead(work)
            self._start_next()
        return piece.finish()

    def drop(self, name: str) -> None:
        """Leave a piece of work undone; the next one gets its start."""
        with self._lock:
            self._coming.pop(name, None)
            piece = self._ahead.pop(name, None)
            if piece is not None:
                self._start_next()
        if piece is not None:
            piece.drop()

    def close(self) -> None:
        """Leave undone whatever was not asked for."""
        with self._lock:
            self._coming.clear()
        for name in list(self._ahead):
            self.drop(name)

    def _start_next(self) -> None:
        if self._coming:
            name = next(iter(self._coming))
            self._ahead[name] = Ahead(self._coming.pop(name))
