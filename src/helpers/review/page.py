"""A comparison of two runs as one page that opens offline, in the style of the report."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.report.report import TEMPLATES as REPORT_TEMPLATES
from helpers.results.comparison import Comparison
from helpers.results.numbers import RULES
from helpers.review.machine import describe_machine, today

if TYPE_CHECKING:
    from helpers.review.verify import Verified

TEMPLATES = Path(__file__).parent / "templates"
ROWS = 500
"""How many numbers that were not reproduced the page shows; the file beside it has all."""


def render_verified(verified: Verified) -> str:
    """The page of a verification."""
    from helpers.review.verify import headline, place_of

    furthest = verified.comparison.furthest
    told = "No number differs by a single bit."
    if furthest is not None:
        told = f"Largest relative difference: {furthest.relative:.1e}, {furthest.number.name}{place_of(furthest)}."
    seconds = ", ".join(f"{name} {number:.1f} s" for name, number in verified.seconds.items())
    facts = {
        "date": today(),
        "reference": f"{verified.reference}, SHA-256 {verified.reference_digest}",
        **verified.inputs,
        "time": f"{verified.finished.seconds:.1f} s: {seconds}",
        "largest process": f"{verified.finished.memory / 2**20:.0f} MiB",
        **_machine(),
    }
    return render(
        f"Verification of {verified.study}",
        f"{headline(verified.comparison)}.",
        [told],
        verified.comparison,
        verified.pictures,
        facts,
        ("reference", "new run"),
    )


def _machine() -> dict[str, str]:
    """The machine and the software, memory in a unit that a person reads."""
    found = {name.partition("_")[0]: str(item) for name, item in describe_machine().items()}
    return found | {"memory": f"{int(found['memory']) / 2**30:.0f} GiB"}


def render(
    title: str,
    lead: str,
    lines: Sequence[str],
    comparison: Comparison,
    pictures: Mapping[str, tuple[bytes, bytes]],
    facts: Mapping[str, str],
    sides: tuple[str, str],
    causes: Sequence[str] = (),
) -> str:
    """Fill the page.

    Parameters
    ----------
    title, lead, lines
        What stands at the top.
    comparison
        Every number, judged.
    pictures
        Those that are not the same, old and new.
    facts
        How it was made.
    sides
        What the two sides are called.
    causes
        Why they differ, the first the most telling.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from helpers.review.verify import place_of

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    shown = [
        (name, [(side, _embed(svg)) for side, svg in zip(sides, pair, strict=True)]) for name, pair in pictures.items()
    ]
    left = comparison.left
    return environment.get_template("verify.html.j2").render(
        title=title,
        lead=lead,
        lines=lines,
        style=(REPORT_TEMPLATES / "report.css").read_text(encoding="utf-8"),
        kinds=comparison.kinds,
        rules=RULES,
        where=comparison.where,
        left=left[:ROWS],
        more=max(0, len(left) - ROWS),
        pictures=shown,
        facts=facts,
        causes=causes,
        place=lambda item: place_of(item).strip(" ()"),
    )


def _embed(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}" if svg else ""
