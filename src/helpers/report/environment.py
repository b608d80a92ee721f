"""What a template says: messages, names and what helpers tell, in both languages of a page or in one of a form."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from helpers.display.prose import fill_message
from helpers.report.console import LANGUAGE, speaker
from helpers.report.language import Translator, both, read_catalogue
from helpers.study.data import Label

if TYPE_CHECKING:
    from jinja2 import Environment

STYLE = Path(__file__).parent / "templates" / "report.css"
"""The style of every page, which shows one of its two languages."""

BLANK = re.compile("(?<=[\u4e00-\u9fff]) (?=[!-~])|(?<=[!-~]) (?=[\u4e00-\u9fff])")
"""Between Chinese and Latin signs: the terminal, whose signs have one width, is read more easily with it."""


def make_environment(folder: Path, translator: Translator | None = None, language: str = "") -> Environment:
    """Templates of a folder that say messages (``t``), names (``label``) and what helpers tell (``spoken``).

    Parameters
    ----------
    folder
        Of the templates.
    translator
        Where translations of messages come from; the catalogues of the report when left out.
    language
        ``en`` or ``zh`` for plain text in that language; when left out, HTML in both, of which a page shows one.
        ``line`` is a message in both where no element can stand: a title, an attribute.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    known = Translator(read_catalogue()) if translator is None else translator

    def label(words: Label) -> str:
        if language:
            return words.zh if language == LANGUAGE else words.en
        return Markup(both(html.escape(words.en), html.escape(words.zh)))  # noqa: S704 (both halves are escaped)

    def spell(message: str, words: Mapping[str, object]) -> Label:
        both_said = {
            name: word if isinstance(word, Label) else Label(en=str(word), zh=str(word)) for name, word in words.items()
        }
        en = fill_message(message, {name: word.en for name, word in both_said.items()}, "en")
        values = {name: _sealed(word) for name, word in both_said.items()}
        return Label(en=en, zh=html.unescape(known.message(message, values, "page") or html.escape(en)))

    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=not language,  # noqa: S701 (plain text is no HTML)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        t=lambda message, **words: label(spell(message, words)),
        line=lambda message, **words: _in_one_line(spell(message, words)),
        label=label,
        spoken=spoken,
        comma=Label(en=", ", zh="、"),
        colon=Label(en=": ", zh="："),
    )
    return environment


def _sealed(words: Label) -> dict[str, str]:
    """A name as a piece of HTML, as `Translator` takes what fills a place."""
    return {"en": html.escape(words.en), LANGUAGE: html.escape(words.zh)}


def _in_one_line(words: Label) -> str:
    return words.en if words.en == words.zh else f"{words.en} / {words.zh}"


def spoken(text: str) -> Label:
    """A text that helpers tell on the command line, in both languages."""
    return Label(en=text, zh=BLANK.sub("", speaker().say(text)))
