"""The progress line: ``03_baseline_regression cell 4 of 17, 3.2 s``, one line that is written over and over."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from types import TracebackType
from typing import Self, TextIO

from helpers.runner import execution

BEAT = 0.2


class ProgressLine:
    """Shows which cell each running notebook has reached, on a terminal only.

    One thread writes the line, so that notebooks that run side by side do not write into each other.

    Parameters
    ----------
    stream
        Where to write; nothing is written unless it is a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._running: dict[str, tuple[int, int, float]] = {}
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        if self._stream.isatty():
            execution.listeners.append(self.update)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            execution.listeners.remove(self.update)
            self._done.set()
            self._thread.join()
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def update(self, notebook: str, number: int, total: int) -> None:
        """A code cell begins; a number above ``total`` means that the notebook is at its end."""
        with self._lock:
            started = self._running.get(notebook, (0, 0, time.monotonic()))[2]
            if number > total and self._running.pop(notebook, None) is None:
                return
            if number <= total:
                self._running[notebook] = (number, total, started)

    def tell(self, text: str) -> None:
        """A line that stays, above the progress line."""
        with self._lock:
            if self._thread.is_alive():
                self._stream.write("\r\x1b[K")
                self._stream.flush()
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    def text(self) -> str:
        """The line as it stands."""
        with self._lock:
            return "   ".join(
                f"{notebook} cell {number} of {total}, {time.monotonic() - started:.1f} s"
                for notebook, (number, total, started) in sorted(self._running.items())
            )

    def _beat(self) -> None:
        while not self._done.wait(BEAT):
            line = self.text()[: shutil.get_terminal_size().columns - 1]
            with self._lock:
                self._stream.write(f"\r\x1b[K{line}")
                self._stream.flush()
