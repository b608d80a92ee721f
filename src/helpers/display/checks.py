"""The checks of a cell, each with its tick."""

from __future__ import annotations

import html
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One fact that a notebook made sure of."""

    fact: str
    detail: str


@dataclass(frozen=True)
class CheckList:
    """The checks of one cell, each with its tick."""

    checks: tuple[Check, ...]

    def _repr_html_(self) -> str:
        items = "".join(
            f"<li>✓ {html.escape(check.fact)}"
            + (f' <span class="detail">{html.escape(check.detail)}</span>' if check.detail else "")
            + "</li>"
            for check in self.checks
        )
        return f'<ul class="checks">{items}</ul>'

    def __repr__(self) -> str:
        return "\n".join(f"✓ {check.fact} {check.detail}".rstrip() for check in self.checks)
