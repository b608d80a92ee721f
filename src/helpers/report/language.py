"""The report in the other language: messages from gettext catalogues, labels from the study, the rest missing."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from helpers.display.prose import PLACE, Values, Words, fill_message
from helpers.errors import StudyError
from helpers.report.console import CATALOGUES, COMMAND_LINE, LANGUAGE, read_messages

LONE = re.compile(r"<p>((?:(?!<p>).)*)</p>", re.DOTALL)
SPOKEN = re.compile(
    r'<span class="t" lang="en">((?:(?!<span).)*)</span><span class="t" lang="zh">((?:(?!<span).)*)</span>'
)
# What reads the same in both languages: text without a Latin letter, file names and keys, numbers, formulas, codes.
PLAIN = re.compile(r"[^A-Za-zÀ-ÿ]*")
CODE = re.compile(r"[a-z0-9_]+(?:[./][a-z0-9_{}]+)+|[a-z0-9]+(?:_[a-z0-9]+)+|[\w./]+\.(?:csv|json|svg|html|yml)")
NUMBER = re.compile(r"[-−+]?\d[\d,.]*(?:e[-−+]?\d+)?\**|(?:[A-Za-z]²? [=<>] |[<>] ?)[-−]?\d[\d.]*|[tF]\([\d., ]+\)")
# A subscript ends with its word, so that a text is read in one way only; early Pythons 3.11 misread possessive signs.
FORMULA = re.compile(r"(?:[A-Z](?:_\w+(?!\w))?|[kx](?!\w)|min |[\d\s/()^+\-−])+")
ABBREVIATION = re.compile(r"[A-Z]{1,4}\d?(?:[-']?\d+[a-z]?)?")
# A longer text is a message as it stands, or none: to take it apart would take its square or cube of steps.
LONGEST = 600
SAME = (PLAIN, CODE, NUMBER, FORMULA, ABBREVIATION)
# Signs that put known words together, with what stands for them in the other language.
SEPARATORS = (("; ", "；"), (", ", "，"), (" × ", "×"), (": ", "："), (" + ", " + "))


@cache
def read_catalogue() -> dict[str, str]:
    """Every translated message of the catalogues of the report: English -> the other language.

    Raises
    ------
    StudyError
        A catalogue that cannot be read, or a message that two catalogues translate differently.
    """
    messages: dict[str, str] = {}
    for path in sorted((CATALOGUES / LANGUAGE / "LC_MESSAGES").glob("*.po")):
        if path.stem == COMMAND_LINE:
            continue
        for text, said in read_messages(path).items():
            if messages.setdefault(text, said) != said:
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
        self._labels = {
            written: zh for en, zh in (labels or {}).items() for written in (en.lower(), en[:1].lower() + en[1:])
        }
        self._labels |= labels or {}
        self._patterns = fitting_patterns(catalogue)
        self._found: dict[str, str | None] = {}
        self.missing: dict[str, str] = {}
        self.used: set[str] = set()

    def message(self, message: str, values: Values, where: str = "") -> str | None:
        """A message with its places filled in the other language; None where it has no translation."""
        found = self._look_up(message)
        if found is None and not re.sub(r"\{[^}]*\}", "", message).strip(" \n()[],;:·—-"):
            found = message
        if found is None and not values:
            found = self._find(message)
        if found is None:
            self._miss(message, where)
            return None
        return fill_message(found, {place: self._said(value, where) for place, value in values.items()}, LANGUAGE)

    def _said(self, value: str | dict[str, str], where: str) -> str | dict[str, str]:
        """What fills a place: a number as it is, a computed word in the other language."""
        if isinstance(value, dict):
            if value[LANGUAGE] != value["en"]:
                return value
            value = value["en"]
        return re.sub(r"[^<>]+(?![^<]*>)", lambda words: self._word(words[0], where), value)

    def _word(self, value: str, where: str) -> str:
        found = self._find(html.unescape(value))
        if found is None:
            self._miss(value, where)
        return value if found is None else html.escape(found, quote=False)

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
        made = (texts or {}).get(bare)
        if made:
            found = self.message(*made, where)
            found = None if found is None else html.unescape(re.sub(r"<[^>]+>", "", found))
        else:
            found = self._find(bare)
            if found is None:
                self._miss(bare, where)
        if found is None or found == bare:
            return None
        return text.replace(text.strip(), found)

    def knows(self, text: str, texts: Mapping[str, tuple[str, Values]] | None = None) -> bool:
        """Whether there is a translation of a text as a whole, not only of its parts."""
        return text in (texts or {}) or self._look_up(text) is not None

    def _find(self, text: str) -> str | None:
        """A text that reads the same, has a translation, fits a message with places, or lists such texts."""
        if text not in self._found:
            whole = self._known(text)
            self._found[text] = whole if whole or len(text) > LONGEST else self._fitting(text) or self._parts(text)
        return self._found[text]

    def _known(self, text: str) -> str | None:
        found = None if PLAIN.fullmatch(text) else self._look_up(text)
        return text if found is None and any(rule.fullmatch(text) for rule in SAME) else found

    def _fitting(self, text: str) -> str | None:
        """A text that a message with places makes from texts that are known: the message with most words decides."""
        for message, pattern in self._patterns:
            match = pattern.fullmatch(text)
            values = {name: self._find(part) for name, part in match.groupdict().items()} if match else {}
            if match and all(values.values()):
                self.used.add(message)
                return fill_message(self._catalogue[message], {name: str(part) for name, part in values.items()}, "")
        return None

    def _parts(self, text: str) -> str | None:
        """A text that ends in a number in brackets, or lists texts: each by itself."""
        for separator, joined in SEPARATORS:
            parts = re.split(rf"{re.escape(separator)}(?![^()]*\))", text)
            found = self._listed(parts, separator) if len(parts) > 1 else None
            if found is not None:
                names = all(part in self._labels for part in parts)
                return ("、" if names and joined == "，" else joined).join(found)
        match = re.fullmatch(r"(.+?)( ?[(\[]?[-−]?\d[\d,.]*%?[)\]]?)", text)
        if match and (head := self._look_up(match[1])) is not None:
            return head + match[2]
        return None

    def _listed(self, parts: list[str], separator: str) -> list[str] | None:
        """Every text of a list; a name that holds the separator itself goes before its parts."""
        found = []
        while parts:
            joined = (separator.join(parts[:end]) for end in range(len(parts) - 1, 1, -1))
            whole = next((piece for piece in joined if self._look_up(piece) is not None), parts[0])
            known = self._find(whole)
            if known is None:
                return None
            found.append(known)
            parts = parts[whole.count(separator) + 1 if whole != parts[0] else 1 :]
        return found

    def _look_up(self, text: str) -> str | None:
        if text in self._catalogue:
            self.used.add(text)
            return self._catalogue[text]
        return self._labels.get(text)

    def _miss(self, text: str, where: str) -> None:
        self.missing.setdefault(text, where)


def fitting_patterns(messages: Iterable[str]) -> list[tuple[str, re.Pattern[str]]]:
    """Messages with words and plain places, each with the pattern of the texts that it makes; most words first."""
    found = []
    for message in messages:
        pieces = PLACE.split(message)
        words, names = pieces[::2], pieces[1::2]
        if (
            names
            and "".join(words).strip()
            and "$" not in message
            and all((name or "").isidentifier() for name in names)
        ):
            first = [name not in names[:place] for place, name in enumerate(names)]
            groups = [f"(?P<{name}>.+?)" if new else f"(?P={name})" for name, new in zip(names, first, strict=True)]
            pattern = "".join(re.escape(word) + group for word, group in zip(words, [*groups, ""], strict=True))
            found.append((-len("".join(words)), message, re.compile(pattern)))
    return [(message, pattern) for _, message, pattern in sorted(found, key=lambda item: item[:2])]


def territory_names(codes: Iterable[str]) -> dict[str, str]:
    """Names of countries by their three-letter codes (ISO 3166), as the Unicode CLDR has them."""
    from babel import Locale
    from babel.core import get_global

    names, short = Locale(LANGUAGE).territories, get_global("territory_aliases")
    known = {code: short[code][0] for code in codes if re.fullmatch("[A-Z]{3}", code) and code in short}
    return {code: names[territory] for code, territory in known.items() if territory in names}


def collect_labels(*things: Any) -> dict[str, str]:
    """Every label in both languages that stands anywhere in some files of a study: English -> the other language.

    What is shown by its key, where that is one plain word, reads as its label.
    """
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
        for key, item in thing.items():
            yield from _labels_in(item)
            label: Any = getattr(item, "label", None)
            if str(key).isalpha() and hasattr(label, "zh"):
                yield str(key), label.zh
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


def spread(piece: str, start: str) -> str:
    """A piece of HTML in an element; in one for each language where the piece is one text, and nothing around it.

    Parameters
    ----------
    piece
        HTML as `both` makes it, or in one language.
    start
        Start of the element, without its bracket: ``a href="#x"``.
    """
    tag, texts = start.split()[0], SPOKEN.fullmatch(piece)
    if texts is None:
        return f"<{start}>{piece}</{tag}>"
    classed = start.replace('class="', 'class="t ') if 'class="' in start else f'{start} class="t"'
    return "".join(
        f'<{classed} lang="{name}">{text}</{tag}>' for name, text in zip(("en", LANGUAGE), texts.groups(), strict=True)
    )


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
        self._labels: dict[str, str] = {}

    def name(self, message: str | Words) -> str:
        """The class of elements that begin with a message, or a label, in the language of the page."""
        if not isinstance(message, str):
            self._labels[message.en] = message.zh
            message = message.en
        return self._names.setdefault(message, f"w{len(self._names) + 1}")

    def rules(self) -> str:
        """Style rules of every message that was shown."""
        known = [
            (name, message, self._labels.get(message) or self._translator.message(message, {}, "page"))
            for message, name in self._names.items()
        ]
        places = "".join(f".{name}::before{{content:var(--{name})}}" for name, _, _ in known)
        english = "".join(f"--{name}:{_quoted(message)};" for name, message, _ in known)
        chinese = "".join(f"--{name}:{_quoted(found or message)};" for name, message, found in known)
        asked = "body:has(#lang-zh:checked):not(:has(#en:target)),body:has(#zh:target)"
        return f"{places}body{{{english}}}{asked}{{{chinese}}}"


def _quoted(text: str) -> str:
    """A text as a string of a style sheet."""
    return '"' + re.sub(r'[\\"<>&\n]', lambda match: f"\\{ord(match[0]):x} ", text) + '"'
