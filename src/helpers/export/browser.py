"""A browser of this machine, without a window, that prints pages: Chromium or one of its relatives, found by name.

It is spoken to through two pipes (``--remote-debugging-pipe``, the DevTools protocol), so that one process prints all
pages and nothing listens on a port.
"""

from __future__ import annotations

import base64
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.errors import StudyError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
QUIET = ("--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking")
PATIENCE = 300.0
"""Seconds for one answer; the longest, a report of a hundred pages on a busy machine, takes a tenth of it."""
PAGE = (8.27, 11.69)
"""A4, in inches."""
FOOT = '<div style="font-size:7px;width:100%;text-align:center"><span class="pageNumber"></span></div>'
WHEN = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)\d{14}")
DENSITY = 2
PLACED = (
    "import os, sys; ask, answer = (os.dup(os.dup(int(text))) for text in sys.argv[1:3]); "
    "os.dup2(ask, 3), os.dup2(answer, 4); os.execv(sys.argv[3], sys.argv[3:])"
)


def find_browser() -> Path:
    """The first browser that is there.

    Raises
    ------
    StudyError
        None of them is.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise StudyError(
            "this machine's PATH",
            f"no browser that prints ({', '.join(NAMES[:3])}): the export has no PDF and no PNG",
            "install Chromium and export again, or open report.html and slides.html in a browser and print them there",
        )
    return Path(found)


class Browser:
    """A running browser that shows one page at a time.

    Parameters
    ----------
    process
        The browser.
    ask, answer
        Ends of the pipes: where messages are written, where answers are read.
    """

    def __init__(self, process: subprocess.Popen[bytes], ask: int, answer: int) -> None:
        self._process, self._ask, self._answer = process, ask, answer
        self._held, self._count, self._session, self._loaded = b"", 0, "", False
        self._target = ""

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask for something and wait for the answer."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._ask, json.dumps(message).encode() + b"\0")
        answer = self._next(method)
        while answer.get("id") != message["id"]:
            self._loaded |= answer.get("method") == "Page.loadEventFired"
            answer = self._next(method)
        if "error" in answer:
            raise self._refuse(method, str(answer["error"].get("message")))
        return dict(answer["result"])

    def show(self, address: str) -> None:
        """Load a page and wait until it stands; each has a tab of its own."""
        self._session = ""
        if self._target:
            self.call("Target.closeTarget", targetId=self._target)
        self._target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]
        self.call("Page.enable")
        # With the media of paper from the start, a long page is printed in seconds rather than in minutes.
        self.call("Emulation.setEmulatedMedia", media="print")
        self._loaded = False
        self.call("Page.navigate", url=address)
        while not self._loaded:
            self._loaded = self._next(address).get("method") == "Page.loadEventFired"
        self.call("Runtime.evaluate", expression="document.body && document.body.offsetHeight")

    def print_pages(self, address: str, *, numbered: bool = False) -> bytes:
        """A page of the browser as PDF, on the paper that it asks for itself or on A4."""
        self.show(address)
        foot = {"displayHeaderFooter": True, "headerTemplate": "<span></span>", "footerTemplate": FOOT}
        made = self.call(
            "Page.printToPDF",
            paperWidth=PAGE[0],
            paperHeight=PAGE[1],
            preferCSSPageSize=True,
            printBackground=True,
            generateTaggedPDF=False,  # with tags a long page takes minutes
            **(foot if numbered else {}),
        )
        return WHEN.sub(rb"\g<1>19800101000000", base64.b64decode(made["data"]))

    def draw(self, address: str, size: tuple[float, float]) -> bytes:
        """The upper left part of a page as PNG, `DENSITY` pixels for each of its own."""
        self.show(address)
        clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": DENSITY}
        made = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(made["data"])

    def _next(self, what: str) -> dict[str, Any]:
        """The next message of the browser."""
        while b"\0" not in self._held:
            ready, _, _ = select.select([self._answer], [], [], PATIENCE)
            piece = os.read(self._answer, 1 << 20) if ready else b""
            if not piece:
                raise self._refuse(what, "the browser gave no answer")
            self._held += piece
        text, _, self._held = self._held.partition(b"\0")
        told: dict[str, Any] = json.loads(text)
        return told

    def _refuse(self, what: str, rule: str) -> StudyError:
        return StudyError(what, rule, "export again; the files that need no browser are written either way")


@contextmanager
def open_browser(path: Path) -> Iterator[Browser]:
    """Start a browser with a profile of its own, and end it.

    Raises
    ------
    StudyError
        It does not start.
    """
    ask_read, ask = os.pipe()
    answer, answer_write = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        alone = ["--no-sandbox"] if os.geteuid() == 0 else []  # it refuses to start otherwise as root
        told = [str(path), *QUIET, *alone, "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        # The browser reads on 3 and writes on 4. Another Python puts the pipes there and becomes the browser.
        command = [sys.executable, "-c", PLACED, str(ask_read), str(answer_write), *told]
        process = subprocess.Popen(  # noqa: S603 (a browser found by name, and paths)
            command, pass_fds=(ask_read, answer_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(ask_read)
        os.close(answer_write)
        try:
            yield Browser(process, ask, answer)
        finally:
            process.terminate()
            process.wait()
            os.close(ask)
            os.close(answer)
