"""The report in the other language: messages from gettext catalogues, labels from the study, the rest missing."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from helpers.display.prose import Values, fill_message
from helpers.errors import StudyError

CATALOGUES = Path(__file__).parent / "locale"
LANGUAGE = "zh"
LONE = re.compile(r"<p>((?:(?!<p>).)*)</p>", re.DOTALL)
# What reads the same in both languages: figures, signs, file names, keys, formulas and the names of methods.
PLAIN = re.compile(r"[\W\d_]*")
CODE = re.compile(r"[a-z0-9_]+(?:[./][a-z0-9_{}]+)+|[a-z0-9]+(?:_[a-z0-9]+)+|[\w./]+\.(?:csv|json|svg|html|yml)")
NUMBER = re.compile(r"[-−+]?\d[\d,.]*(?:e[-+]?\d+)?\**|< ?\d[\d.]*")


@cache
def read_catalogue(folder: Path = CATALOGUES) -> dict[str, str]:
    """Every translated message of the catalogues: English -> the other language.

    Raises
    ------
    StudyError
        A catalogue that cannot be read, or a message that two catalogues translate differently.
    """
    from babel.messages.pofile import read_po

    messages: dict[str, str] = {}
    for path in sorted((folder / LANGUAGE / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
        for message in catalogue:
            text = str(message.id)
            if not text or not message.string or message.fuzzy:
                continue
            if messages.setdefault(text, str(message.string)) != str(message.string):
                raise StudyError(str(path), f"{text[:60]!r} is translated in two ways", "keep one of the two")
    return messages


class Translator:
    """Translates what a study's report shows, and remembers what it could not.

    Parameters
    ----------
    catalogue
        English message -> the other language.
    labels
        English label -> the other language, from the study's files.

    Attributes
    ----------
    missing
        What has no translation, each with the place where it was met first.
    used
        Messages of the catalogue that were met.
    """

    def __init__(self, catalogue: Mapping[str, str], labels: Mapping[str, str] | None = None) -> None:
        self._catalogue = catalogue
        self._labels = dict(labels or {})
        self.missing: dict[str, str] = {}
        self.used: set[str] = set()

    def message(self, message: str, values: Values, where: str = "") -> str | None:
        """A message with its places filled in the other language; None where it has no translation."""
        found = self._look_up(message)
        if found is None and not re.sub(r"\{[^}]*\}", "", message).strip(" \n()[],;:·—-"):
            found = message
        if found is None:
            self._miss(message, where)
            return None
        return fill_message(found, values, LANGUAGE)

    def text(self, text: str, texts: Mapping[str, tuple[str, Values]] | None = None, where: str = "") -> str | None:
        """A piece of text in the other language; None where it reads the same or has no translation.

        Parameters
        ----------
        text
            As a page shows it.
        texts
            Texts that were made from messages.
        where
            The place, for the list of what is missing.
        """
        bare = " ".join(text.split())
        if not bare or PLAIN.fullmatch(bare) or CODE.fullmatch(bare) or NUMBER.fullmatch(bare):
            return None
        made = (texts or {}).get(bare)
        found = self.message(*made, where) if made else self._look_up(bare)
        if made and found is not None:
            found = html.unescape(re.sub(r"<[^>]+>", "", found))
        if found is None and not made:
            found = self._parts(bare)
            if found is None:
                self._miss(bare, where)
        if found is None or found == bare:
            return None
        return text.replace(text.strip(), found) if text.strip() else None

    def _parts(self, text: str) -> str | None:
        """A text that ends in a number in brackets, or lists labels: each part by itself."""
        for separator, joined in (("; ", "；"), (", ", "、"), (" × ", "×"), (": ", "：")):
            parts = text.split(separator)
            if len(parts) > 1:
                found = [part if self._same(part) else self._look_up(part) for part in parts]
                if all(part is not None for part in found):
                    return joined.join(map(str, found))
        match = re.fullmatch(r"(.+?)( ?[(\[]?[-−]?\d[\d,.]*%?[)\]]?)", text)
        if match and (head := self._look_up(match[1])) is not None:
            return head + match[2]
        return None

    def _same(self, text: str) -> bool:
        return bool(PLAIN.fullmatch(text) or CODE.fullmatch(text) or NUMBER.fullmatch(text))

    def _look_up(self, text: str) -> str | None:
        if text in self._catalogue:
            self.used.add(text)
            return self._catalogue[text]
        return self._labels.get(text)

    def _miss(self, text: str, where: str) -> None:
        self.missing.setdefault(text, where)


def collect_labels(*things: Any) -> dict[str, str]:
    """Every label in both languages that stands anywhere in some files of a study: English -> the other language."""
    found: dict[str, str] = {}
    for thing in things:
        for en, zh in _labels_in(thing):
            found.setdefault(" ".join(en.split()), zh)
    return found


def _labels_in(thing: Any) -> Iterator[tuple[str, str]]:
    if isinstance(thing, BaseModel):
        fields = type(thing).model_fields
        if set(fields) == {"en", "zh"}:
            yield thing.en, thing.zh  # type: ignore[attr-defined]
        else:
            for name in fields:
                yield from _labels_in(getattr(thing, name))
    elif isinstance(thing, Mapping):
        for item in thing.values():
            yield from _labels_in(item)
    elif isinstance(thing, tuple | list):
        for item in thing:
            yield from _labels_in(item)


def both(en: str, zh: str | None, tag: str = "span") -> str:
    """The same piece of HTML in both languages, of which the page shows one; once where it reads the same."""
    if zh is None or zh == en:
        return en
    alone = [LONE.fullmatch(text.strip()) for text in (en, zh)] if tag == "div" else [None]
    if all(alone):  # a paragraph by itself carries its language, and needs no element around it
        tag, (en, zh) = "p", [match[1] for match in alone if match is not None]
    return f'<{tag} class="t" lang="en">{en}</{tag}><{tag} class="t" lang="zh">{zh}</{tag}>'


class Briefs:
    """Words that stand on the page a thousand times: written once as style, so that each use costs a class.

    Parameters
    ----------
    translator
        Where translations come from.
    """

    def __init__(self, translator: Translator) -> None:
        self._translator = translator
        self._names: dict[str, str] = {}

    def name(self, message: str) -> str:
        """The class of elements that begin with a message in the language of the page."""
        return self._names.setdefault(message, f"w{len(self._names) + 1}")

    def rules(self) -> str:
        """Style rules of every message that was shown."""
        known = [
            (name, message, self._translator.message(message, {}, "page")) for message, name in self._names.items()
        ]
        places = "".join(f".{name}::before{{content:var(--{name})}}" for name, _, _ in known)
        english = "".join(f"--{name}:{_quoted(message)};" for name, message, _ in known)
        chinese = "".join(f"--{name}:{_quoted(found or message)};" for name, message, found in known)
        asked = "body:has(#lang-zh:checked):not(:has(#en:target)),body:has(#zh:target)"
        return f"{places}body{{{english}}}{asked}{{{chinese}}}"


def _quoted(text: str) -> str:
    """A text as a string of a style sheet."""
    return '"' + re.sub(r'[\\"<>&\n]', lambda match: f"\\{ord(match[0]):x} ", text) + '"'
