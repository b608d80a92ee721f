"""What a browser prints of a run: the report and its slides as PDF in both languages, each picture as PDF and PNG."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from helpers.errors import StudyError
from helpers.export.browser import Browser, open_browser
from helpers.export.slides import write_slides
from helpers.report.console import LANGUAGE
from helpers.report.report import FILE

LANGUAGES = ("en", LANGUAGE)
SIZE = re.compile(r'<svg\b[^>]*?\swidth="([\d.]+)pt" height="([\d.]+)pt"', re.DOTALL)
POINT = 96 / 72
"""Pixels of a page."""
FRAME = (
    "<!DOCTYPE html><style>@page {{ size: {width:.2f}px {height:.2f}px; margin: 0 }} body {{ margin: 0 }} "
    'img {{ display: block; width: {width:.2f}px; height: {height:.2f}px }}</style><img src="{address}" alt="">'
)


def slide_files(run: Path) -> Iterator[tuple[str, bytes]]:
    """The deck; none where the run has no report."""
    if (run / FILE).is_file():
        yield "slides.html", write_slides((run / FILE).read_text(encoding="utf-8")).encode()


def printed_files(browser: Path, run: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file that needs a browser.

    Raises
    ------
    StudyError
        The browser does not start, or does not answer.
    """
    with tempfile.TemporaryDirectory() as folder, open_browser(browser) as started:
        here = Path(folder)
        for name, content in slide_files(run):
            (here / name).write_bytes(content)
        pages = {"report": (run / FILE).absolute(), "slides": here / "slides.html"}
        for name, page in pages.items():
            for language in LANGUAGES if page.is_file() else ():
                address = f"{page.as_uri()}#{language}"
                yield f"{name}.{language}.pdf", started.print_pages(address, numbered=name == "report")
        yield from _pictures(started, sorted((run / "figures").glob("*.svg")), here)


def _pictures(browser: Browser, pictures: Sequence[Path], here: Path) -> Iterator[tuple[str, bytes]]:
    """Each picture by itself; as an image nothing in it can run or load."""
    for path in pictures:
        size = SIZE.search(path.read_text(encoding="utf-8"))
        if size is None:
            raise StudyError(str(path), "a picture without its size in points", "run the study again")
        width, height = (float(text) * POINT for text in size.groups())
        frame = here / f"{path.stem}.html"
        frame.write_text(FRAME.format(width=width, height=height, address=path.absolute().as_uri()), encoding="utf-8")
        yield f"figures/{path.stem}.pdf", browser.print_pages(frame.as_uri())
        yield f"figures/{path.stem}.png", browser.draw(frame.as_uri(), (width, height))
