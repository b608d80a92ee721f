"""A result as a manuscript prints it, with interval and p-value: plain text, LaTeX and Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from helpers.display.journal import latex_text
from helpers.display.prose import MINUS, field_text
from helpers.errors import StudyError, did_you_mean
from helpers.results.results import Result

FIGURES = re.compile(rf"^[\[(]?(?:< )?{MINUS}?[\d∞][\d.,∞{MINUS} ]*[\])]?$")
MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!&$])")


@dataclass(frozen=True)
class Printed:
    """What is printed of one result, as plain text.

    Attributes
    ----------
    number
        The estimate or value at its digits.
    interval
        Both ends in brackets, an end at infinity with a round one; empty where none was recorded. Whether it is a
        confidence interval, and at which level, the convention says.
    p
        "p = 0.031" or "p < 0.001"; empty where none was recorded.
    unit
        Of the number, empty for none.
    """

    number: str
    interval: str = ""
    p: str = ""
    unit: str = ""

    @property
    def plain(self) -> str:
        """All of it in one line of plain text."""
        return self._join(" ".join(filter(None, (self.number, self.unit))), self.interval, self.p)

    @property
    def latex(self) -> str:
        """All of it as LaTeX."""
        unit = latex_text(self.unit)
        number = "~".join(filter(None, (latex_figures(self.number), unit)))
        return self._join(number, latex_figures(self.interval), latex_p(self.p))

    @property
    def markdown(self) -> str:
        """All of it as Markdown."""
        number = " ".join(filter(None, (self.number, self.unit)))
        texts = [MARKDOWN.sub(r"\\\1", text) for text in (number, self.interval, self.p)]
        return self._join(texts[0], texts[1], re.sub("^p", "*p*", texts[2]))

    @staticmethod
    def _join(number: str, interval: str, p: str) -> str:
        return ", ".join(filter(None, (f"{number} {interval}".rstrip(), p)))


def print_result(result: Result) -> Printed:
    """A result at its own digits, by the same rules as in the report."""
    return Printed(
        number=field_text(result, ""),
        interval=_interval(result),
        p=field_text(result, "p") if result.p_value is not None else "",
        unit=result.unit or "",
    )


def _interval(result: Result) -> str:
    if result.ci_low is None and result.ci_high is None:
        return ""
    low = f"({MINUS}∞" if result.ci_low is None else f"[{field_text(result, 'ci_low')}"
    high = "∞)" if result.ci_high is None else f"{field_text(result, 'ci_high')}]"
    return f"{low}, {high}"


def latex_figures(text: str) -> str:
    """A number or interval that LaTeX can print inside and outside of formulas; any other text escaped."""
    if not FIGURES.match(text):
        return latex_text(text)
    grouped = re.sub(r"(?<=\d),(?=\d{3})", "{,}", text)
    return rf"\ensuremath{{{grouped.replace(MINUS, '-').replace('∞', chr(92) + 'infty')}}}"


def latex_p(text: str) -> str:
    """``p = 0.031`` for LaTeX."""
    return rf"\ensuremath{{{text}}}" if text else ""


def cite_results(results: Mapping[str, Result], keys: Sequence[str]) -> list[str]:
    """One paragraph per key.

    Raises
    ------
    StudyError
        A key under which nothing is recorded; then nothing is told of the others either.
    """
    for key in keys:
        if key not in results:
            hint = did_you_mean(key, results)
            raise StudyError(f"result {key!r}", "the run has no such result", f"{hint}results.json lists all keys")
    return [_paragraph(results[key]) for key in keys]


def _paragraph(result: Result) -> str:
    printed = print_result(result)
    rows = {
        "plain": printed.plain,
        "LaTeX": printed.latex,
        "Markdown": printed.markdown,
        "convention": result.convention or "",
        "made in": ", ".join(filter(None, (result.notebook, result.cell))),
    }
    return "\n".join([result.key, *(f"  {name:<10} {text}" for name, text in rows.items() if text)])
