"""A comparison of two runs, or a sweep, as one page that opens offline: both languages, in the style of the report."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.report.environment import STYLE, make_environment
from helpers.results.numbers import RULES
from helpers.review.machine import describe_machine, today

if TYPE_CHECKING:
    from helpers.results.comparison import Comparison
    from helpers.review.diff import Difference
    from helpers.review.verify import Verified

TEMPLATES = Path(__file__).parent / "templates"
ROWS = 500
"""How many numbers that were not reproduced a page shows; the file beside it has all."""
FLIPS = 15
"""How many findings that change stand above the tables."""
MIB, GIB = 2**20, 2**30


def render_verified(verified: Verified, language: str) -> str:
    """The page of a verification.

    Parameters
    ----------
    verified
        What it came to.
    language
        In which the page begins: ``en`` or ``zh``.
    """
    machine = {name: str(item) for name, item in describe_machine().items()}
    return _render(
        "verify",
        language,
        **_compared(verified.comparison, verified.pictures),
        verified=verified,
        today=today(),
        memory=f"{verified.finished.memory / MIB:.0f} MiB",
        machine=machine | {"memory_bytes": f"{int(machine['memory_bytes']) / GIB:.0f} GiB"},
    )


def render_difference(difference: Difference, language: str) -> str:
    """The page of a difference.

    Parameters
    ----------
    difference
        Two sides, compared.
    language
        In which the page begins: ``en`` or ``zh``.
    """
    return _render(
        "diff",
        language,
        **_compared(difference.comparison, difference.pictures),
        difference=difference,
        flips=difference.flips[:FLIPS],
    )


def render_sweep(study: str, rows: Sequence[Mapping[str, str]], language: str) -> str:
    """The page of a sweep.

    Parameters
    ----------
    study
        Its name.
    rows
        One for each point and result, with the same columns.
    language
        In which the page begins: ``en`` or ``zh``.
    """
    return _render("sweep", language, study=study, rows=rows, columns=list(rows[0]))


def _compared(comparison: Comparison, pictures: Mapping[str, tuple[bytes, bytes]]) -> dict[str, Any]:
    """What both pages of a comparison show."""
    from helpers.review.verify import headline, place_of

    return {
        "headline": headline(comparison),
        "comparison": comparison,
        "rules": RULES,
        "left": comparison.left[:ROWS],
        "more": max(0, len(comparison.left) - ROWS),
        "pictures": {name: [_embed(svg) for svg in pair] for name, pair in pictures.items()},
        "place": lambda item: place_of(item).strip(" ()"),
    }


def _render(name: str, language: str, **shown: Any) -> str:
    page = make_environment(TEMPLATES).get_template(f"{name}.html.j2")
    return page.render(language=language, style=STYLE.read_text(encoding="utf-8"), **shown)


def _embed(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}" if svg else ""
