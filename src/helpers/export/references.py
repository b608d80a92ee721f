"""BibTeX of the texts whose claims are judged and of the sources of the data."""

from __future__ import annotations

import re
from pathlib import Path

from helpers.claims.file import Source, load_claims

FILE = "references.bib"
ENTRY = re.compile(r"^@\w+\{([^,\s]+),", re.MULTILINE)
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
DOI = re.compile(r"doi:\s*(10\.\S+)")


def study_references(folder: Path) -> str:
    """The study's own ``references.bib``, and an entry for each text of its claims file that it does not have."""
    own, claims = folder / FILE, folder / "claims.yml"
    told = own.read_text(encoding="utf-8").rstrip() if own.is_file() else ""
    known = set(ENTRY.findall(told))
    sources = load_claims(claims).sources if claims.is_file() else {}
    added = [_entry(key, source) for key, source in sources.items() if key not in known]
    return "\n\n".join(filter(None, (told, *added))) + "\n"


def _entry(key: str, source: Source) -> str:
    where = source.reference.en
    year, doi = YEAR.search(where), DOI.search(where)
    fields = {
        "title": f"{{{source.title.en}}}",
        "howpublished": where,
        "year": year[0] if year else "",
        "doi": doi[1].rstrip(".,;") if doi else "",
    }
    told = ",\n".join(f"  {name} = {{{_escape(text)}}}" for name, text in fields.items() if text)
    return f"@misc{{{key},\n{told}\n}}"


def _escape(text: str) -> str:
    return re.sub(r"(?<!\\)([&%#$])", r"\\\1", text)
