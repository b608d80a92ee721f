"""A piece of HTML with each of its texts in both languages; the page shows one."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from html.parser import HTMLParser

from helpers.display.prose import Values
from helpers.report.language import Translator, both

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# Their texts are code, formulas or bytes, and stay as they are.
KEPT = {"code", "pre", "math", "style", "script", "kbd", "samp", "var"}
WORDS = re.compile("<mtext>([^<]*)</mtext>")  # of a formula
# A cell of words: one of figures is opened as a number, and is one cell in both languages.
CELL = re.compile(r'<t[hd](?! class="n")|<th')
MOST_LINES = 4  # of one text in a picture
# Names of SVG that the parser lowers.
MIXED = {
    name.lower(): name
    for name in (
        "viewBox",
        "clipPathUnits",
        "preserveAspectRatio",
        "patternUnits",
        "clipPath",
        "gradientUnits",
        "markerUnits",
    )
}
# An attribute holds one text, so that both languages stand in it.
SPOKEN = ("aria-label", "alt", "title")


def translate_html(
    piece: str, translator: Translator, texts: Mapping[str, tuple[str, Values]] | None = None, where: str = ""
) -> str:
    """Every text of a harmless piece of HTML or SVG in both languages, each in an element of its own.

    Parameters
    ----------
    piece
        Balanced HTML.
    translator
        Where translations come from.
    texts
        Texts that were made from messages: English -> (message, values).
    where
        The place, for the list of what is missing.
    """
    rewriter = _Rewriter(translator, texts or {}, where)
    rewriter.feed(piece)
    rewriter.close()
    return "".join(rewriter.out)


def translate_formulas(piece: str, translator: Translator, where: str = "") -> str:
    """The words inside formulas in both languages; all else of a formula is the same in every language.

    Parameters
    ----------
    piece
        HTML with formulas as MathML.
    translator
        Where translations come from.
    where
        The place, for the list of what is missing.
    """

    def spoken(match: re.Match[str]) -> str:
        text = " ".join(html.unescape(match[1]).split())
        found = translator.text(text, where=where) if text else None
        if found is None:
            return match[0]
        zh = html.escape(found, quote=False)
        return f'<mrow><mtext class="t" lang="en">{match[1]}</mtext><mtext class="t" lang="zh">{zh}</mtext></mrow>'

    return WORDS.sub(spoken, piece)


class _Rewriter(HTMLParser):
    def __init__(self, translator: Translator, texts: Mapping[str, tuple[str, Values]], where: str) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._translator, self._texts, self._where = translator, texts, where
        self._open: list[str] = []
        self._svg_text = ""
        self._lines: list[tuple[str, str]] = []
        self._cell = 0, "", ""  # place after its start, text, text in the other language

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        start = self._start(tag, attrs)
        if tag == "text" and "svg" in self._open:
            self._svg_text = start
        else:
            self._flush_lines()
            self.out.append(start)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._flush_lines()
        self.out.append(self._start(tag, attrs)[:-1] + "/>")

    def handle_endtag(self, tag: str) -> None:
        drawn = tag == "text" and "svg" in self._open
        if tag in self._open:
            while self._open and self._open.pop() != tag:
                pass
        if drawn:  # its end was written with its words
            if self._svg_text:
                self._add_line("")
        elif tag not in VOID:
            self._flush_lines()
            self.out.append(f"</{MIXED.get(tag, tag)}>")
            if tag in ("td", "th"):
                self._split_cell(tag)

    def _split_cell(self, tag: str) -> None:
        """A cell of a table that holds one text: one in each language, in place of an element around each text."""
        place, en, zh = self._cell
        self._cell = 0, "", ""
        if place and len(self.out) == place + 2:
            start = self.out[place - 1]
            self.out[place - 1 :] = [
                f"{_in_language(start, name)}{text}</{tag}>" for name, text in (("en", en), ("zh", zh))
            ]

    def handle_data(self, data: str) -> None:
        if self._svg_text:
            self._add_line(data)
            return
        if self._lines and not data.strip():
            return
        plain = html.escape(data, quote=False)
        if KEPT & set(self._open) or not data.strip():
            self.out.append(plain)
            return
        found = self._translator.text(data, self._texts, self._where)
        if found is not None and self.out and CELL.match(self.out[-1]):
            self._cell = len(self.out), plain, html.escape(found, quote=False)
        self.out.append(both(plain, None if found is None else html.escape(found, quote=False)))

    def _start(self, tag: str, attrs: list[tuple[str, str | None]]) -> str:
        written = []
        for name, value in attrs:
            text = value or ""
            if name in SPOKEN and text:
                found = self._translator.text(text, self._texts, self._where)
                text = text if found is None else f"{text} / {found}"
            written.append(f' {MIXED.get(name, name)}="{html.escape(text)}"')
        return f"<{MIXED.get(tag, tag)}{''.join(written)}>"

    def _add_line(self, data: str) -> None:
        start, self._svg_text = self._svg_text, ""
        self._lines.append((start, data))

    def _flush_lines(self) -> None:
        """The text elements of a picture that follow each other; some are the lines of one text."""
        lines, self._lines = self._lines, []
        while lines:
            ends = (end for end in range(min(len(lines), MOST_LINES), 1, -1) if self._is_one(lines[:end]))
            end = next(ends, 1)
            self._write_lines(lines[:end])
            lines = lines[end:]

    def _is_one(self, lines: list[tuple[str, str]]) -> bool:
        return self._translator.knows(_whole(lines), self._texts)

    def _write_lines(self, lines: list[tuple[str, str]]) -> None:
        """One text of a picture on its lines; in the other language on the middle one."""
        whole = _whole(lines)
        found = self._translator.text(whole, self._texts, self._where) if whole else None
        if found is None:
            self.out.extend(f"{start}{html.escape(data, quote=False)}</text>" for start, data in lines)
        else:
            self.out.extend(_spoken(start, "en", data) for start, data in lines)
            self.out.append(_spoken(lines[(len(lines) - 1) // 2][0], "zh", found))


def _whole(lines: list[tuple[str, str]]) -> str:
    return " ".join(data.strip() for _, data in lines)


def _spoken(start: str, language: str, text: str) -> str:
    """A text element of a picture in one language."""
    return f"{_in_language(start, language)}{html.escape(text, quote=False)}</text>"


def _in_language(start: str, language: str) -> str:
    """The start of an element that is shown in one language."""
    classed = start.replace('class="', 'class="t ', 1) if ' class="' in start else f'{start[:-1]} class="t">'
    return f'{classed[:-1]} lang="{language}">'
