"""Sentences whose numbers come from recorded results, each linked to the cell that made it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from helpers.errors import StudyError
from helpers.results.results import Result

MATH = re.compile(r"(\$\$.+?\$\$|\$[^$\n]+\$)", re.DOTALL)
PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
MINUS = "\N{MINUS SIGN}"
SMALLEST_P = 0.001


def format_number(number: float | int | str, digits: int) -> str:
    """A number as text: ``digits`` decimals, a true minus sign, no minus before zero; whole numbers stay whole."""
    if isinstance(number, str):
        return number
    if isinstance(number, int):
        return f"{number:,}".replace("-", MINUS) if abs(number) >= 10_000 else str(number).replace("-", MINUS)
    text = f"{number:.{digits}f}"
    if not text.strip("-0."):
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def format_p_value(p_value: float, digits: int = 3) -> str:
    """A p-value with three decimals, or ``< 0.001``: what a computer calls 0 is only too small for it."""
    if p_value < SMALLEST_P:
        return f"< {SMALLEST_P}"
    return format_number(float(p_value), digits)


@dataclass(frozen=True)
class Sentence:
    """Markdown text; shown as such in JupyterLab and in the report."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return html.unescape(re.sub(r"<[^>]+>", "", self.text))


def write_sentence(template: str, results: Mapping[str, Result], words: Mapping[str, str]) -> Sentence:
    """Fill a template with recorded results.

    Parameters
    ----------
    template
        Markdown. ``{key}`` prints a result at its digits, ``{key:p_value}`` (or any other field, or ``ci``) that field,
        ``{key:field:.2f}`` or ``{key:.1%}`` with a format of Python's own; ``{word}`` prints a word. Braces inside
        ``$...$`` belong to the formula; elsewhere a brace is written twice.
    results
        Recorded results by key.
    words
        Computed words and formulas by name; no figure may hide in them (those are recorded), save inside ``$...$``.

    Raises
    ------
    StudyError
        Unknown key or field, a word with figures in it, a single brace.
    """
    for name, word in words.items():
        if not isinstance(word, str) or re.search(r"\d", MATH.sub("", word)):
            raise StudyError(
                f"sentence word {name!r}",
                f"{word!r} is or holds a number",
                "record the number with run.results.record and print it by its key",
            )

    def fill(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None:
            raise StudyError(f"sentence {template!r}", "a brace stands alone", "write it twice: {{ or }}")
        if match[1] in words:
            return words[match[1]]
        return _link(match[1], results)

    parts = MATH.split(template)
    return Sentence("".join(part if n % 2 else PLACE.sub(fill, part) for n, part in enumerate(parts)))


def _link(place: str, results: Mapping[str, Result]) -> str:
    key, _, rest = place.partition(":")
    field, _, spec = rest.partition(":")
    if field and not re.fullmatch(r"[a-z_]+", field):
        field, spec = "", rest
    if key not in results:
        raise StudyError(
            f"sentence place {{{place}}}", "no result is recorded under this key", "record it before it is printed"
        )
    result = results[key]
    text = _escape(_text(result, field, spec))
    anchor = f"{result.notebook}-{result.cell}" if result.cell else str(result.notebook)
    return f'<a class="num" data-key="{key}" href="#{html.escape(anchor)}">{text}</a>'


def _text(result: Result, field: str, spec: str) -> str:
    if field == "ci":
        low, high = _text(result, "ci_low", spec), _text(result, "ci_high", spec)
        return f"[{low}, {high}]"
    item = getattr(result, field, None) if field else result.shown
    if item is None:
        raise StudyError(f"result {result.key}", f"it has no {field!r}", "print a field that was recorded")
    if spec:
        return f"{item:{spec}}".replace("-", MINUS)
    if field == "p_value":
        return format_p_value(float(item))
    return format_number(item, result.digits)


def _escape(text: str) -> str:
    """Text that neither HTML nor Markdown can read as anything but text."""
    return re.sub(r"[\\`*_{}\[\]<>#|~!&$\"']", lambda match: f"&#{ord(match[0])};", text)
