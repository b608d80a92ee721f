"""A table in the journal's form as files: a page of HTML, LaTeX with booktabs, and Word, the same bytes every time."""

from __future__ import annotations

import html
import io
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from helpers.display.tables import check_name, show_table
from helpers.files import write_bytes, write_text

if TYPE_CHECKING:
    from docx.document import Document

# Zip files hold times; the earliest that the format knows stands in for all.
EPOCH = (1980, 1, 1, 0, 0, 0)
LATEX = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "\N{MINUS SIGN}": "$-$",
    }
)
LINES = {"top": 12, "bottom": 12}  # eighths of a point


def write_journal(frame: pd.DataFrame, folder: Path, name: str, *, caption: str, note: str) -> str:
    """Write ``<name>.html``, ``.tex`` and ``.docx``; the sentence that links them.

    Parameters
    ----------
    frame
        Table of texts; its index is the first column.
    folder
        Folder of the run's tables.
    caption, note
        Above and below the table.
    """
    stem = folder / check_name(name)
    write_text(stem.with_suffix(".html"), html_page(frame, caption, note))
    write_text(stem.with_suffix(".tex"), latex_table(frame, caption, note, name))
    write_bytes(stem.with_suffix(".docx"), word_file(frame, caption, note))
    links = ", ".join(f"[{form}](tables/{name}.{end})" for form, end in FORMS.items())
    return f"The same table for a manuscript: {links}."


FORMS = {"LaTeX": "tex", "Word": "docx", "HTML": "html"}


def html_page(frame: pd.DataFrame, caption: str, note: str) -> str:
    """The table as a page of its own, nothing loaded from elsewhere."""
    body = show_table(frame, caption=caption, note=note).html
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(caption)}</title></head>'
        f"<body>{body}</body></html>\n"
    )


def latex_table(frame: pd.DataFrame, caption: str, note: str, label: str) -> str:
    """The table in LaTeX: booktabs, texts escaped, true minus signs, a numbered caption that can be referred to."""
    escaped = frame.map(latex_text).rename(index=latex_text, columns=latex_text).rename_axis(index=None, columns=None)
    table = escaped.style.to_latex(hrules=True, column_format="l" + "c" * frame.shape[1])
    below = f"\\begin{{minipage}}{{\\linewidth}}\n{latex_text(note)}\n\\end{{minipage}}\n" if note else ""
    return (
        f"\\begin{{table}}[!t]\n\\centering\n\\caption{{{latex_text(caption)}}}\n\\label{{tab:{label}}}\n{table}"
        f"{below}\\end{{table}}\n"
    )


def latex_text(text: str) -> str:
    """A text as LaTeX prints it, a minus sign before a figure as one."""
    return re.sub(r"^-(?=\d)", "$-$", str(text).translate(LATEX))


def word_file(frame: pd.DataFrame, caption: str, note: str) -> bytes:
    """The table as a Word document: caption, three lines, note."""
    import docx

    document = docx.Document()
    document.core_properties.author = document.core_properties.comments = ""
    document.add_paragraph(caption, style="Caption")
    _add_table(document, frame)
    document.add_paragraph(note)
    buffer = io.BytesIO()
    document.save(buffer)
    return without_times(buffer.getvalue())


def _add_table(document: Document, frame: pd.DataFrame) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    rows = [
        ["", *map(str, frame.columns)],
        *([str(name), *map(str, row)] for name, *row in frame.itertuples(name=None)),
    ]
    table = document.add_table(len(rows), len(rows[0]))
    for line, texts in zip(table.rows, rows, strict=True):
        for place, (cell, text) in enumerate(zip(line.cells, texts, strict=True)):
            paragraph = cell.paragraphs[0]
            paragraph.add_run(text).font.size = Pt(8)
            if place:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _draw_lines(table)


def _draw_lines(table: Any) -> None:
    """A line above and below the table, and one below its head."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    def add(holder: Any, tag: str, edges: dict[str, int]) -> None:
        borders = OxmlElement(tag)
        for edge, width in edges.items():
            line = OxmlElement(f"w:{edge}")
            line.set(qn("w:val"), "single")
            line.set(qn("w:sz"), str(width))
            borders.append(line)
        holder.append(borders)

    add(table._tbl.tblPr, "w:tblBorders", LINES)
    for cell in table.rows[0].cells:
        add(cell._tc.get_or_add_tcPr(), "w:tcBorders", {"bottom": LINES["bottom"] // 2})


def without_times(packed: bytes) -> bytes:
    """The same zip file with one date in all its parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for part in sorted(source.namelist(), key=lambda name: name != "[Content_Types].xml"):
            target.writestr(zipfile.ZipInfo(part, EPOCH), source.read(part), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
