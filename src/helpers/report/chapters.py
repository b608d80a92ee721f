"""Executed notebooks as chapters of the report: text, mathematics, code and outputs, all as sealed HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.display.prose import MESSAGE
from helpers.errors import StudyError
from helpers.formats.notebooks import import_nbformat
from helpers.report.bilingual import translate_formulas, translate_html
from helpers.report.language import Translator, both
from helpers.report.picture import open_pictures
from helpers.report.sanitise import clean_html

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

SUMMARY = "summary"
NEEDS = "needs-"
"""Start of a tag: the cell speaks of a block of the study file, and is left out of the report where there is none."""
ASKS = "asks"
"""Tag of a text that leads to what the next cell shows, and is left out of the report where that shows nothing."""
HIDE = "hide"
CHECKED = "nbval-check-output"
"""Tag of cells whose printed lines a test compares: they are no text for a reader."""
EMPTY = re.compile(r'<div class="scroll(?:(?!</div>).)*<tbody></tbody></table></div>', re.DOTALL)
"""A table without a row, in place of which a word stands."""
NONE = '<p class="none">'
ESCAPED = re.compile(r"\\([_%#$&])")
"""A sign that TeX takes for its own, which MathML does not: a name with an underscore would show a backslash."""
ANSI = re.compile(r"\x1b\[[0-9;]*m")
KEPT = 5000
"""Sealed texts, codes and outputs that a process keeps: a page is then made in half the time if read ahead."""
FOLDER = re.compile(r"(?:[A-Za-z]:)?(?:[/\\][^\s/\\:\"'<>]+)+[/\\](?=[^\s/\\:\"'<>]+\.py)")


@dataclass(frozen=True)
class Cell:
    """One cell of a chapter.

    Attributes
    ----------
    anchor
        ``<notebook>-<cell id>``, the target of the numbers that it made.
    name
        The cell's id.
    text
        HTML of a text cell, empty for code.
    code
        Highlighted source of a code cell, empty for text.
    outputs
        HTML of what the code showed, in order.
    summary
        Whether the front page shows it too.
    source
        Of a code cell, as it ran.
    """

    anchor: str
    name: str
    text: str
    code: str
    outputs: tuple[str, ...]
    summary: bool
    source: str = ""


@dataclass(frozen=True)
class Section:
    """The cells from one second-level heading to the next.

    Attributes
    ----------
    anchor
        Of its first cell.
    title
        Its heading, empty for what stands before the first.
    cells
        Its cells, that of the heading first.
    silent
        Whether it shows the reader nothing but its heading: code that loads, or saves.
    """

    anchor: str
    title: str
    cells: tuple[Cell, ...]
    silent: bool


@dataclass(frozen=True)
class Chapter:
    """One executed notebook.

    Attributes
    ----------
    name, title
        The notebook's name and its first heading.
    question
        First paragraph under that heading, as HTML.
    sections
        Its parts in order.
    unseen
        Anchors of the cells that the page leaves out, since the study has not what they speak of.
    """

    name: str
    title: str
    question: str
    sections: tuple[Section, ...]
    unseen: frozenset[str] = frozenset()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells that are shown."""
        return tuple(cell for section in self.sections for cell in section.cells)


def read_chapter(path: Path, translator: Translator, lacking: Collection[str] = ()) -> Chapter:
    """Read an executed notebook; every text of it in both languages.

    Parameters
    ----------
    path
        The notebook.
    translator
        Where translations come from.
    lacking
        Blocks of the study file that the study does not have (`helpers.study.needs`): cells tagged ``needs-<block>``
        speak of nothing, and are left out.

    Raises
    ------
    StudyError
        The file is missing, is no notebook, or holds a formula that cannot be set.
    """
    nbformat = import_nbformat()
    remedy = "run the study again: it executes the notebook anew"
    try:
        content: Any = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise StudyError(str(path), "the executed notebook is missing", remedy) from None
    except (ValueError, nbformat.ValidationError) as error:
        raise StudyError(str(path), f"not a notebook ({str(error).splitlines()[0]})", remedy) from None
    name = path.stem
    unwanted = {HIDE, *(f"{NEEDS}{block}" for block in lacking)}
    kept = [cell for cell in content.cells if not unwanted.intersection(_tags(cell))]
    shown = [
        cell
        for cell, after in zip(kept, [*kept[1:], None], strict=True)
        if ASKS not in _tags(cell) or (after is not None and after.get("outputs"))
    ]
    language = _Language(translator, name)
    title, question = _opening([cell.source for cell in shown if cell.cell_type == "markdown"], name, language)
    starts = [place for place, cell in enumerate(shown) if place == 0 or _heading(cell)]
    ends = [*starts[1:], len(shown)]
    parts = [shown[start:end] for start, end in zip(starts, ends, strict=True)]
    sections = tuple(_read_section(name, part, language) for part in parts)
    filled = tuple(section for section in sections if not _is_empty(section))
    seen = {cell.anchor for section in filled for cell in section.cells}
    told = (f"{name}-{cell.get('id', '')}" for cell in content.cells if HIDE not in _tags(cell))
    return Chapter(name, title, question, filled, frozenset(anchor for anchor in told if anchor not in seen))


@lru_cache(KEPT)
def write_markdown(text: str) -> str:
    """Markdown as harmless HTML; headings one level down, formulas as MathML.

    Raises
    ------
    StudyError
        A formula that cannot be set.
    """
    # A long formula scrolls in its place, and so can be reached by keyboard.
    return clean_html(_markdown().render(text)).replace('<math display="block"', '<math tabindex="0" display="block"')


@lru_cache(KEPT)
def show_code(source: str) -> str:
    """Python source with what the page colours classed: strings and comments.

    Neighbours of one class share an element and all else has none, since a page of twelve notebooks would otherwise be
    a fifth of such elements.
    """
    from pygments import lex
    from pygments.lexers import PythonLexer

    words = _with_blanks([(_colour(kind), text) for kind, text in lex(source, PythonLexer())])
    joined = ((colour, "".join(text for _, text in group)) for colour, group in groupby(words, key=itemgetter(0)))
    shown = (f'<b class="{colour}">{html.escape(text)}</b>' if colour else html.escape(text) for colour, text in joined)
    return "".join(shown).rstrip("\n")


def _with_blanks(words: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Words with their colours; blanks, which show none, have that of the word before them."""
    last = ""
    for colour, text in words:
        last = colour if text.strip() else last
        yield last, text


@cache
def _colour(kind: Any) -> str:
    """Class of a kind of word; empty for what stays plain."""
    from pygments.token import Comment, String

    known = ((Comment, "c"), (String, "s"))
    return next((name for group, name in known if kind in group), "")


def _read_section(notebook: str, cells: list[Any], language: _Language) -> Section:
    title = _heading(cells[0])
    read = tuple(_read_cell(notebook, cell, language) for cell in cells)
    only_heading = bool(title) and len(cells[0].source.strip().splitlines()) == 1
    silent = only_heading and not any(cell.text or cell.outputs for cell in read[1:])
    return Section(read[0].anchor, language.heading(title, "## ") if title else "", read, silent)


def _is_empty(section: Section) -> bool:
    """Whether all that a section shows is tables without a row, of what the study does not have."""
    outputs = [output for cell in section.cells for output in cell.outputs]
    return bool(outputs) and all(NONE in output for output in outputs)


def _read_cell(notebook: str, cell: Any, language: _Language) -> Cell:
    name = cell.get("id", "")
    is_code = cell.cell_type == "code"
    return Cell(
        anchor=f"{notebook}-{name}",
        name=name,
        text=language.markdown(cell.source) if cell.cell_type == "markdown" else "",
        code=show_code(cell.source) if is_code else "",
        outputs=tuple(_show_outputs(cell, language)) if is_code and CHECKED not in _tags(cell) else (),
        summary=SUMMARY in _tags(cell),
        source=cell.source if is_code else "",
    )


def _tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _joined(outputs: list[Any]) -> Iterator[Any]:
    """Outputs with pieces of one stream put together, as the kernel may cut a stream anywhere."""
    last: dict[str, Any] | None = None
    for output in outputs:
        if output.output_type == "stream" and last is not None and last["name"] == output.name:
            last["text"] += output.text
            continue
        if last is not None:
            yield last
            last = None
        if output.output_type == "stream":
            last = {"output_type": "stream", "name": output.name, "text": output.text}
        else:
            yield output
    if last is not None:
        yield last


def _show_outputs(cell: Any, language: _Language) -> Iterator[str]:
    name = f"{language.notebook}-{cell.get('id', '')}"
    for number, output in enumerate(_joined(cell.outputs)):
        shown = _show_output(output, f"{name}-{number}", language)
        if shown:
            yield shown


def _show_output(output: Any, name: str, language: _Language) -> str:
    if output["output_type"] == "stream":
        return _plain(output["text"], "stream" if output["name"] == "stdout" else "stream messages")
    if output["output_type"] == "error":
        return _plain("\n".join(output["traceback"]), "stream messages")
    data = output["data"]
    carried = data.get(MESSAGE, {})
    if "text/html" in data:
        return language.html(_seal(data["text/html"], name), carried.get("texts", {}))
    if "text/markdown" in data:
        return language.sentence(data["text/markdown"], carried)
    for kind in ("image/svg+xml", "image/png", "image/jpeg"):
        if kind in data:
            return _picture(kind, data[kind])
    if "text/latex" in data:
        return write_markdown(data["text/latex"])
    return _plain(data.get("text/plain", ""), "stream")


@lru_cache(KEPT)
def _seal(piece: str, name: str) -> str:
    """A table or a picture as harmless HTML."""
    return EMPTY.sub(f"{NONE}None.</p>", open_pictures(clean_html(piece), name))


@dataclass(frozen=True)
class _Language:
    """Both languages of one notebook's texts."""

    translator: Translator
    notebook: str

    def markdown(self, source: str) -> str:
        """A text cell, block by block."""
        return "".join(self._block(block) for block in split_blocks(source))

    def heading(self, title: str, marks: str) -> str:
        """A heading without its marks, in both languages."""
        found = self.translator.message(f"{marks}{title}", {}, self.notebook)
        return both(html.escape(title), None if found is None else html.escape(_strip(found.lstrip("# "))))

    def opening(self, paragraph: str, question: str) -> str:
        """The whole sentences with which a chapter opens, from the translation of their paragraph."""
        if not question:
            return ""
        found = self.translator.message(paragraph, {}, self.notebook)
        if found is not None and question != paragraph:
            found = found[: found.rfind("。") + 1] or found
        return both(write_markdown(question), None if found is None else write_markdown(found), "div")

    def sentence(self, text: str, carried: dict[str, Any]) -> str:
        """A sentence of the notebook, from its message where it carries one."""
        if not carried.get("message"):
            return self.html(self.formulas(write_markdown(text)), {})
        found = self.translator.message(carried["message"], carried["values"], self.notebook)
        return both(write_markdown(text), None if found is None else write_markdown(found), "div")

    def formulas(self, piece: str) -> str:
        """Formulas with their words in both languages."""
        return translate_formulas(piece, self.translator, self.notebook)

    def html(self, piece: str, texts: dict[str, Any]) -> str:
        """A table or a picture."""
        made = {" ".join(line.split()): (item["message"], item["values"]) for line, item in texts.items()}
        return translate_html(piece, self.translator, made, self.notebook)

    def _block(self, block: str) -> str:
        en = write_markdown(block)
        if block.startswith("$$") and block.endswith("$$"):
            return self.formulas(en)
        found = self.translator.message(block, {}, self.notebook)
        return both(en, None if found is None else write_markdown(found), "div")


def split_blocks(source: str) -> list[str]:
    """The blocks of a text cell: what blank lines separate; a translator meets each by itself."""
    return [block.strip() for block in re.split(r"\n\s*\n", source) if block.strip()]


def _plain(text: str, kind: str) -> str:
    """Text as it is, without colours of a terminal and without the folders of the machine that ran it."""
    text = FOLDER.sub("", ANSI.sub("", text)).rstrip()
    return f'<pre class="{kind}" tabindex="0">{html.escape(text)}</pre>' if text else ""


def _picture(kind: str, content: str) -> str:
    import base64

    data = base64.b64encode(content.encode("utf-8")).decode("ascii") if kind == "image/svg+xml" else content
    return clean_html(f'<figure class="picture"><img src="data:{kind};base64,{data.strip()}" alt=""></figure>')


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    markdown.use(dollarmath_plugin, renderer=_formula, allow_space=False, double_inline=True)
    markdown.core.ruler.push("lower_headings", _lower_headings)
    return markdown


def _lower_headings(state: Any) -> None:
    """The report has one first-level heading, its title."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"


def _formula(content: str, options: dict[str, Any]) -> str:
    from latex2mathml import exceptions
    from latex2mathml.converter import convert

    found = [item for item in vars(exceptions).values() if isinstance(item, type)]
    refusals: tuple[type[Exception], ...] = (*found, IndexError)
    try:
        made = str(convert(content, display="block" if options.get("display_mode") else "inline"))
    except refusals as error:
        raise StudyError(f"formula ${content}$", f"it cannot be set ({type(error).__name__})", "correct it") from None
    return ESCAPED.sub(r"\1", made)


def _opening(texts: list[str], name: str, language: _Language) -> tuple[str, str]:
    """First heading and the paragraph under it."""
    for text in texts:
        lines = text.strip().splitlines()
        if lines and lines[0].startswith("# "):
            first = "\n".join(lines[1:]).strip().split("\n\n")[0]
            question = "" if first.startswith(("#", "-", "|", "$$")) else _whole_sentences(first)
            return language.heading(_strip(lines[0][2:]), "# "), language.opening(first, question)
    return name, ""


def _whole_sentences(text: str) -> str:
    """A paragraph up to the end of its last whole sentence: what leads over to a formula is left out."""
    ends = [match.end() for match in re.finditer(r"[.?!](?=\s|$)", text)]
    return text[: ends[-1]] if ends else text


def _heading(cell: Any) -> str:
    """The second-level heading with which a text cell begins, else nothing."""
    first = cell.source.strip().splitlines()[:1] if cell.cell_type == "markdown" else []
    return _strip(first[0][3:]) if first and first[0].startswith("## ") else ""


def _strip(text: str) -> str:
    """A heading without the marks of Markdown."""
    return re.sub(r"[*_`]|<[^>]+>", "", text).strip()
