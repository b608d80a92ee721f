"""All results as a Word document whose numbers are fields bound to its custom properties.

A manuscript that takes the fields over along with the properties shows new numbers once the properties are replaced and
the fields updated (Ctrl+A, F9). Property ``<key>``, ``<key>:interval``, ``<key>:p``.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from helpers.display.journal import without_times
from helpers.export.printed import print_result
from helpers.results.results import Result

if TYPE_CHECKING:
    from docx.document import Document

HEADS = ("Result", "Number", "Interval", "p")
PART = "/docProps/custom.xml"
KIND = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/custom-properties"
NAMESPACES = (
    'xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" '
    'xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"'
)
FORMAT = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
"""The format identifier that the standard gives to custom properties."""


def result_properties(results: Mapping[str, Result]) -> dict[str, str]:
    """Name of each property -> what is printed."""
    properties = {}
    for key, result in results.items():
        printed = print_result(result)
        named = {key: printed.number, f"{key}:interval": printed.interval, f"{key}:p": printed.p}
        properties.update({name: text for name, text in named.items() if text})
    return properties


def write_document(results: Mapping[str, Result]) -> bytes:
    """The bytes of ``results.docx``: one row per result."""
    import docx

    document = docx.Document()
    document.core_properties.author = document.core_properties.comments = ""
    properties = result_properties(results)
    _add_properties(document, properties)
    table = document.add_table(1, len(HEADS))
    for cell, head in zip(table.rows[0].cells, HEADS, strict=True):
        cell.text = head
    for key in results:
        table._tbl.append(_row(key, [key, f"{key}:interval", f"{key}:p"], properties))
    buffer = io.BytesIO()
    document.save(buffer)
    return without_times(buffer.getvalue())


def _add_properties(document: Document, properties: Mapping[str, str]) -> None:
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part

    items = "".join(
        f'<property fmtid="{FORMAT}" pid="{number}" name={quoteattr(name)}>'
        f"<vt:lpwstr>{escape(text)}</vt:lpwstr></property>"
        for number, (name, text) in enumerate(properties.items(), start=2)
    )
    blob = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Properties {NAMESPACES}>{items}</Properties>'
    package = document.part.package
    assert package is not None
    package.relate_to(Part(PackURI(PART), KIND, blob.encode(), package), RELATION)


def _row(key: str, names: list[str], properties: Mapping[str, str]) -> Any:
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    cells = [_run(key), *(_field(name, properties[name]) if name in properties else "" for name in names)]
    body = "".join(f"<w:tc><w:p>{cell}</w:p></w:tc>" for cell in cells)
    return parse_xml(f"<w:tr {nsdecls('w')}>{body}</w:tr>")


def _field(name: str, text: str) -> str:
    code = quoteattr(f' DOCPROPERTY "{name}" ')
    return f"<w:fldSimple w:instr={code}>{_run(text)}</w:fldSimple>"


def _run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
