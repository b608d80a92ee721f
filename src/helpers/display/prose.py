"""Sentences whose numbers come from recorded results, each linked to the cell that made it."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from helpers.errors import StudyError
from helpers.results.estimate import drawn_error
from helpers.results.results import Result
from helpers.results.rounding import fix_number

MATH = re.compile(r"(\$\$.+?\$\$|\$[^$\n]+\$)", re.DOTALL)
PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
UNSAFE = re.compile(
    r"""<(?!a class="num" data-key="[a-z0-9_.]+" href="\#[^"<>]*">|/a>)(?=[A-Za-z/!?])"""  # a tag but a number's link
    r"""|\](?=\((?!tables/|figures/|\#|https://))"""  # a link to anywhere but the run's own files and the web
)
"""What a computed word may not hold: a study's words may stand in it, and they are words."""

MINUS = "\N{MINUS SIGN}"
SMALLEST_P = 0.001
LEVELS = (0.01, 0.05, 0.1)
"""On which side of these a p-value lies, readers look at first."""
PART = 4
"""A drawn p-value has decimals of whose unit its Monte-Carlo error is no more than this part."""
ERROR_DIGITS = 4

MESSAGE = "application/vnd.study.message+json"
"""Kind of output that carries a sentence's template and values, so that it can be printed in another language."""


def format_number(number: float | int | str, digits: int) -> str:
    """A number as text: ``digits`` decimals (see `fix_number`), a true minus sign; whole numbers stay whole."""
    if isinstance(number, str):
        return number
    if isinstance(number, int):
        return f"{number:,}".replace("-", MINUS) if abs(number) >= 10_000 else str(number).replace("-", MINUS)
    return fix_number(number, digits).replace("-", MINUS)


def format_p_value(p_value: float, digits: int = 3) -> str:
    """A p-value with three decimals, or ``< 0.001``: what a computer calls 0 is only too small for it."""
    if p_value < SMALLEST_P:
        return f"< {SMALLEST_P}"
    return f"{p_value:.{digits}f}"


def format_drawn_p_value(p_value: float, draws: int | None, error: float | None = None) -> str:
    """A p-value, from ``draws`` random draws with the decimals that these carry.

    With e its Monte-Carlo error (`helpers.results.estimate.drawn_error` unless given): as many decimals as e allows, of
    which it may be a quarter of a unit, three at most. Where these would print a level (0.01, 0.05, 0.1) from which the
    draws tell the p-value apart (3 e), or nothing but zeros, the side on which it lies is printed (not that 0.013 is
    above 0.01). It cannot be told from anything below 1 / draws, which is then printed.
    """
    if not draws:
        return format_p_value(p_value)
    if p_value <= 1 / draws:
        return f"< {1 / draws:.{math.ceil(math.log10(draws))}f}"
    error = drawn_error(p_value, draws) if error is None else error
    decimals = next((count for count in (3, 2) if PART * error <= 10.0**-count), 1)
    if decimals == 3:
        return format_p_value(p_value)
    text = f"{p_value:.{decimals}f}"
    if not text.strip("0."):
        above = [level for level in LEVELS if p_value + 3 * error < level or (decimals == 2 and level == LEVELS[0])]
        return f"< {above[0]}" if above else f"{p_value:.2f}"
    level = float(text)
    if level not in LEVELS or abs(p_value - level) <= 3 * error or LEVELS[0] == level < p_value:
        return text
    return f"{'<' if p_value < level else '>'} {level}"


def format_p_and_error(p_value: float, draws: int | None, error: float | None = None) -> str:
    """A p-value and, where it was drawn, its Monte-Carlo error: "0.5847 ± 0.0016"."""
    if not draws or p_value <= 1 / draws:
        return format_drawn_p_value(p_value, draws)
    error = drawn_error(p_value, draws) if error is None else error
    decimals = max(ERROR_DIGITS, 1 - math.floor(math.log10(error))) if error else ERROR_DIGITS
    return f"{p_value:.{decimals}f} ± {error:.{decimals}f}"


class Words(Protocol):
    """A study's name for a thing, in both languages."""

    en: str
    zh: str


Named = Result | Words | str
Values = Mapping[str, "str | dict[str, str]"]
Message = tuple[str, Values]
"""A template, and what fills its places: one text, or one in each language."""


@dataclass(frozen=True)
class Sentence:
    """Markdown text; shown as such in JupyterLab and in the report.

    Attributes
    ----------
    text
        The sentence in English.
    message
        The template that it was made from, which a catalogue translates; empty for a text of its own.
    values
        What fills the template's places, by the place's text: one text, or one in each language.
    """

    text: str
    message: str = ""
    values: Mapping[str, str | dict[str, str]] = field(default_factory=dict)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": repr(self), "text/markdown": self.text}
        if self.message:
            bundle[MESSAGE] = {"message": self.message, "values": dict(self.values)}
        return bundle

    def __repr__(self) -> str:
        return html.unescape(re.sub(r"<[^>]+>", "", self.text))


def write_sentence(template: str, results: Mapping[str, Result], words: Mapping[str, Named]) -> Sentence:
    """Fill a template with recorded results.

    Parameters
    ----------
    template
        Markdown; one whole message, so that it can be translated. ``{name}`` prints a result at its digits,
        ``{name:p_value}`` (or any other field, or ``ci``) that field, ``{name:p}`` "p = 0.031" or "p < 0.001",
        ``{name:field:.2f}`` or ``{name:.1%}`` with a format of Python's own; the name is one of ``words`` or the key of
        a recorded result. Braces inside ``$...$`` belong to the formula; elsewhere a brace is written twice.
    results
        Recorded results by key.
    words
        What the template names: results, study labels in both languages, or computed words and formulas (no figure may
        hide in these last, save inside ``$...$``).

    Raises
    ------
    StudyError
        Unknown key or field, a word with figures in it, a single brace.
    """
    known = {**results, **{name: word for name, word in words.items() if isinstance(word, Result)}}
    texts = {name: _escaped_word(name, word) for name, word in words.items() if not isinstance(word, Result)}
    values: dict[str, str | dict[str, str]] = {}

    def fill(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        place = match[1]
        if place is None:
            raise StudyError(f"sentence {template!r}", "a brace stands alone", "write it twice: {{ or }}")
        values[place] = texts[place] if place in texts else _link(place, known)
        return in_language(values[place], "en")

    parts = MATH.split(template)
    text = "".join(part if n % 2 else PLACE.sub(fill, part) for n, part in enumerate(parts))
    return Sentence(text, template, values)


@dataclass(frozen=True)
class View:
    """A table or a figure as the reader sees it.

    Attributes
    ----------
    html
        With its caption and what belongs to it.
    text
        The same as plain text; of a figure what it shows, in words.
    texts
        Texts in it that were made from messages: English -> (message, values), for the other language.
    """

    html: str
    text: str
    texts: Mapping[str, Message] = field(default_factory=dict)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if not self.texts:
            return {}
        carried = {text: {"message": item[0], "values": dict(item[1])} for text, item in self.texts.items()}
        return {MESSAGE: {"texts": carried}}

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def in_language(value: str | dict[str, str], language: str) -> str:
    """One text, or that of a language."""
    return value if isinstance(value, str) else value[language]


def fill_message(message: str, values: Mapping[str, str | dict[str, str]], language: str) -> str:
    """A message, translated or not, with its places filled in one language."""

    def fill(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        return in_language(values[match[1]], language)

    return "".join(part if n % 2 else PLACE.sub(fill, part) for n, part in enumerate(MATH.split(message)))


def _escaped_word(name: str, word: Named) -> str | dict[str, str]:
    """A computed word as it is; a study's label as plain text in both languages."""
    if hasattr(word, "en") and hasattr(word, "zh"):
        return {"en": _escape(word.en), "zh": _escape(word.zh)}
    if not isinstance(word, str) or re.search(r"\d", MATH.sub("", word)):
        raise StudyError(
            f"sentence word {name!r}",
            f"{word!r} is or holds a number",
            "record the number with run.record and print it by its name",
        )
    return UNSAFE.sub(lambda match: "".join(f"&#{ord(sign)};" for sign in match[0]), word)


def _link(place: str, results: Mapping[str, Result]) -> str:
    name, _, rest = place.partition(":")
    field, _, spec = rest.partition(":")
    if field and not re.fullmatch(r"[a-z_]+", field):
        field, spec = "", rest
    if name not in results:
        raise StudyError(
            f"sentence place {{{place}}}", "no result is recorded under this key", "record it before it is printed"
        )
    result = results[name]
    text = _escape(field_text(result, field, spec))
    anchor = f"{result.notebook}-{result.cell}" if result.cell else str(result.notebook)
    return f'<a class="num" data-key="{result.key}" href="#{html.escape(anchor)}">{text}</a>'


def field_text(result: Result, field: str, spec: str = "") -> str:
    """A field of a result as a sentence prints it: ``""`` the number, ``ci`` the interval, ``p`` "p = 0.031"."""
    if field == "ci":
        low, high = field_text(result, "ci_low", spec), field_text(result, "ci_high", spec)
        return f"[{low}, {high}]"
    if field == "p":
        told = field_text(result, "p_value", spec)
        return f"p {told}" if told.startswith(("<", ">")) else f"p = {told}"
    item = getattr(result, field, None) if field else result.shown
    if item is None:
        raise StudyError(f"result {result.key}", f"it has no {field!r}", "print a field that was recorded")
    if spec:
        return f"{item:{spec}}".replace("-", MINUS)
    if field == "p_value":
        return format_drawn_p_value(float(item), result.draws, result.p_error)
    return format_number(item, result.digits)


def _escape(text: str) -> str:
    """Text that neither HTML nor Markdown can read as anything but text."""
    return re.sub(r"[\\`*_{}\[\]<>#|~!&$\"']", lambda match: f"&#{ord(match[0])};", text)
