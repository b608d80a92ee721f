"""The command line in Chinese: what is printed is found again among the catalogue's templates and said with its values.

Messages are written in English where they are raised or printed (`helpers.report.spoken` reads the templates from
there). Only when Chinese is asked for are the two streams wrapped and the catalogue read: the English output is
untouched, and costs nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TextIO, cast

CATALOGUES = Path(__file__).parent / "locale"
LANGUAGE = "zh"
COMMAND_LINE = "cli"
"""The catalogue of the command line; those of the report lie beside it."""

PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
REMEDY = "\n  What to do: "
ERROR = "{where}: {rule}" + REMEDY + "{remedy}"
CONTROL = re.compile(r"(?:\r|\x1b\[K)*")
LISTED = (("", "; ", "；"), ("?", " ", ""), (".", " ", ""), ("", ": ", "："), ("", "   ", "   "), ("", ", ", "，"))
"""Between texts that are said one by one: what belongs to the first, the sign, and what stands for it in Chinese."""
OWN_WORDS = frozenset({"answer", "kind", "factor", "verdict", "controls", "tasks", "reasons", "more", "outcome_2"})
"""Places that a single word of the program fills; elsewhere a single word is a name."""
DEEPEST = 6
WEAK = 5
"""Letters from which a template is told apart by them; one with fewer is tried last, and on single words."""
USAGE = "usage: "
SAID = "\u2060"
"""A sign without width before a text that is in Chinese already."""


def read_messages(path: Path) -> dict[str, str]:
    """The translated messages of one catalogue: English -> Chinese."""
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalogue = read_po(file, abort_invalid=True)
    return {str(item.id): str(item.string) for item in catalogue if item.id and item.string and not item.fuzzy}


class Template(NamedTuple):
    """A message with places: its words in order, the names of the places between them, the number of its letters."""

    message: str
    words: tuple[str, ...]
    names: tuple[str, ...]
    letters: int

    def read(self, text: str) -> dict[str, str] | None:
        """The values with which the template is this text, each as short as can be; None where it is not."""
        first, last = self.words[0], self.words[-1]
        if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
            return None
        values: dict[str, str] = {}
        start, end = len(first), len(text) - len(last)
        for name, word in zip(self.names, (*self.words[1:-1], None), strict=True):
            stop = end if word is None else text.find(word, start, end)
            if stop < 0 or values.setdefault(name, text[start:stop]) != text[start:stop]:
                return None
            start = stop + len(word or "")
        return values


def split_template(message: str) -> Template:
    """The words and places of a message; doubled braces are braces."""
    words, names = [""], []
    last = 0
    for match in PLACE.finditer(message):
        words[-1] += message[last : match.start()]
        last = match.end()
        if match[1] is None:
            words[-1] += match[0][0]
        else:
            names.append(match[1])
            words.append("")
    words[-1] += message[last:]
    return Template(message, tuple(words), tuple(names), sum(sign.isalpha() for word in words for sign in word))


def fill(message: str, values: Mapping[str, str]) -> str:
    """A message with its places filled."""
    return PLACE.sub(lambda match: match[0][0] if match[1] is None else values[match[1]], message)


class Speaker:
    """Says English texts of the command line in Chinese.

    Parameters
    ----------
    catalogue
        English template -> Chinese template with the same places.
    """

    def __init__(self, catalogue: Mapping[str, str]) -> None:
        self._plain = {
            fill(text, {}): fill(said, {}) for text, said in catalogue.items() if not split_template(text).names
        }
        templates = [item for item in map(split_template, catalogue) if item.names]
        templates.sort(key=lambda item: (-item.letters, -sum(map(len, item.words)), item.message))
        self._framed = [item for item in templates if item.message.startswith("notebook ") and "\n" in item.message]
        templates = [item for item in templates if item not in self._framed and item.message != ERROR]
        self._strong = [item for item in templates if item.letters >= WEAK]
        self._weak = [item for item in templates if item.letters < WEAK]
        self._catalogue = catalogue
        self._found: dict[tuple[str, int], str] = {}

    def say(self, text: str) -> str:
        """A printed text: one message, an error in its three parts, or lines."""
        if text.startswith(SAID):
            return text.removeprefix(SAID)
        start = CONTROL.match(text)
        lead = start[0] if start else ""
        body = text[len(lead) :].strip()
        if not body or not re.search(r"[A-Za-z]{2}", body):
            return text
        head, tail = text[: text.index(body)], text[text.index(body) + len(body) :]
        self._found.clear()
        return head + self._body(body) + tail

    def knows(self, text: str) -> bool:
        """Whether a text without values is a message."""
        return text in self._plain

    def _body(self, body: str) -> str:
        if body.startswith(USAGE):
            return self._plain[USAGE.strip()] + body.removeprefix(USAGE)
        found = self._error(body, 0) or self._plain.get(body) or self._fitting(self._framed, body, 0)
        if found is None and "\n" in body:
            return "\n".join(self.say(line) for line in body.split("\n"))
        return self._phrase(body, 0) if found is None else found

    def _error(self, text: str, depth: int) -> str | None:
        """An error in its three parts, or one within a notebook; None where a text is neither."""
        if REMEDY not in text:
            return None
        found = self._fitting(self._framed, text, depth)
        if found is None:
            head, _, remedy = text.partition(REMEDY)
            where, rule = self._place(head, depth)
            found = fill(self._catalogue[ERROR], {"where": where, "rule": rule, "remedy": self._phrase(remedy, depth)})
        return found

    def _place(self, head: str, depth: int) -> tuple[str, str]:
        """Where and which rule, each in Chinese: they are parted where a rule begins that is a message."""
        for place in re.finditer(": ", head):
            if head.count("'", 0, place.start()) % 2:
                continue
            rule = self._whole(head[place.end() :], depth)
            if rule is not None:
                return self._phrase(head[: place.start()], depth), rule
        where, _, rule = head.partition(": ")
        return self._phrase(where, depth), self._phrase(rule, depth)

    def _phrase(self, text: str, depth: int) -> str:
        """A text as a message, else as a list of messages, else as it is; looked up once.

        Every end of a list is the rest of many of its beginnings: a list of twenty names would be parted for seconds.
        """
        if (text, depth) not in self._found:
            self._found[text, depth] = self._look_up(text, depth)
        return self._found[text, depth]

    def _look_up(self, text: str, depth: int) -> str:
        found = (self._error(text, depth) or self._whole(text, depth)) if depth < DEEPEST else None
        if found is None and depth < DEEPEST:
            found = self._listed(text, depth) or self._fitting(self._weak, text, depth)
        return text if found is None else found

    def _whole(self, text: str, depth: int) -> str | None:
        """A text that is one message of the catalogue."""
        if text in self._plain:
            return self._plain[text]
        return self._fitting(self._strong, text, depth)

    def _fitting(self, templates: list[Template], text: str, depth: int) -> str | None:
        """A text by the first template that it may be, one with a text before its first words only if none else is."""
        late = []
        for template in templates:
            values = template.read(text)
            if values is None:
                continue
            if not template.words[0] and ": " in values[template.names[0]]:
                late.append((template, values))
            elif (found := self._filled(template, values, depth)) is not None:
                return found
        return next(filter(None, (self._filled(*item, depth) for item in late)), None)

    def _filled(self, template: Template, values: dict[str, str], depth: int) -> str | None:
        said = {name: self._value(value, template, name, depth + 1) for name, value in values.items()}
        if template.letters < WEAK and any(" " in values[name] and said[name] == values[name] for name in said):
            return None
        return fill(self._catalogue[template.message], said)

    def _value(self, value: str, template: Template, name: str, depth: int) -> str:
        """What fills a place: a message within the message, or a name as it is."""
        place = template.names.index(name)
        quoted = template.words[place][-1:] in ("'", '"', "`", "|")
        bare = value.strip()
        if quoted or re.fullmatch("'[^']*'|\"[^\"]*\"", bare) or not re.search("[A-Za-z]{2}", bare):
            return value
        if " " not in bare:
            return self._plain.get(bare, value) if name in OWN_WORDS else value
        lead = value[: len(value) - len(value.lstrip())] if "\n" in value else ""  # lines of a cell stand below
        return lead + self._phrase(bare, depth)

    def _listed(self, text: str, depth: int) -> str | None:
        """Texts one after the other, of which one at least is a message."""
        match = re.fullmatch(r"(.+?) \((.+)\)", text, re.DOTALL)
        if match:
            first, second = self._phrase(match[1], depth + 1), self._part(match[2], depth + 1)
            whole = self._whole(f"({match[2]})", depth + 1)
            if whole or (first, second) != match.groups():
                return first + (whole or f"（{second}）")
        for end, sign, joined in LISTED:
            for place in re.finditer(re.escape(end + sign), text):
                parts = [text[: place.start()].strip() + end, text[place.end() :].strip()]
                said = [self._part(part, depth + 1) for part in parts]
                if said != parts:
                    return joined.join(said)
        figure, _, rest = text.partition(" ")
        rule = self._whole(rest, depth + 1)
        return rule and f"{figure} {rule}"

    def _part(self, text: str, depth: int) -> str:
        """One text of a list; a single word is a name."""
        return self._phrase(text, depth) if " " in text else text


@cache
def speaker() -> Speaker:
    """The speaker of the command line; the catalogue is read when the first text is said."""
    return Speaker(read_messages(CATALOGUES / LANGUAGE / "LC_MESSAGES" / f"{COMMAND_LINE}.po"))


class Stream:
    """A stream that says in Chinese what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text; one call is one message, as ``print`` makes it."""
        self._stream.write(speaker().say(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def in_chinese() -> Iterator[None]:
    """Say in Chinese what is printed within."""
    with (
        contextlib.redirect_stdout(cast(TextIO, Stream(sys.stdout))),
        contextlib.redirect_stderr(cast(TextIO, Stream(sys.stderr))),
    ):
        yield


def translate_help(parser: argparse.ArgumentParser) -> None:
    """Put the help of a parser and of its commands into Chinese; not to be called where the parser is read on."""
    parser.formatter_class = WideHelp
    parser.description = _sentence(parser.description)
    parser.epilog = parser.epilog and speaker().say(parser.epilog)
    for group in parser._action_groups:
        group.title = group.title and speaker().say(group.title)
    for action in parser._actions:
        action.help = action.help and speaker().say(action.help)
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                choice.help = choice.help and speaker().say(choice.help)
            for command in action.choices.values():
                translate_help(command)


def _sentence(text: str | None) -> str | None:
    """The description of a command: a message, or the line of the command in the help made a sentence."""
    if text is None or speaker().knows(text):
        return text and speaker().say(text)
    return speaker().say(text[0].lower() + text[1:].removesuffix(".")) + "。"


class WideHelp(argparse.RawDescriptionHelpFormatter):
    """Help whose lines are broken by their width on the screen, where a Chinese character takes two places."""

    def format_help(self) -> str:
        """The help, which is not to be said once more where it is printed."""
        return SAID + re.sub(r"^(\S+):$", r"\1：", super().format_help(), flags=re.MULTILINE)

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """The usage under its Chinese heading."""
        super().add_usage(usage, actions, groups, speaker().say(USAGE.strip()) if prefix is None else prefix)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return break_lines(" ".join(text.split()), width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(
            f"{indent}{line}" for part in text.splitlines() for line in break_lines(part, width - len(indent)) or [""]
        )


def break_lines(text: str, width: int) -> list[str]:
    """A text in lines that fit a width; Latin words stay whole."""
    lines = [""]
    for piece in re.findall(r"[（“《]*(?:[!-~]+|.)[，。；：、）”》]*", text):
        if _width(lines[-1]) + _width(piece) > width and lines[-1].strip():
            lines.append("")
        lines[-1] += piece if lines[-1] or len(lines) == 1 else piece.lstrip()
    return [line for line in lines if line]


def _width(text: str) -> int:
    return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text)
