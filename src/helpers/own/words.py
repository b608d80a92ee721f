"""Words of a person's table as the names and texts of a study file."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence

LONGEST = 50
# Headings that a raw file uses for what is no figure, and functions of the formula language: no measure is called so.
_YAML_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"}
RESERVED = frozenset(
    {
        *(
            "entity",
            "time",
            "year",
            "period",
            "quarter",
            "month",
            "date",
            "half_year",
            "region",
            "indicator",
            "statistic",
        ),
        *(
            "variable",
            "unit",
            "units",
            "code",
            "lag",
            "log",
            "diff",
            "cumprod",
            "deflate",
            "interpolate",
            "standardise",
        ),
        "all",
        "const",
    }
)


def snake(text: str) -> str:
    """A heading as a name: lower-case letters, digits and _; empty where nothing of it can stay."""
    plain = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D")).encode("ascii", "ignore").decode()
    word = re.sub(r"[^a-z0-9]+", "_", plain.casefold()).strip("_")[:LONGEST].strip("_")
    return word if word[:1].isalpha() else ""


def is_chinese(texts: Sequence[str]) -> bool:
    """Whether most of the texts hold Chinese."""
    return 2 * sum(re.search("[\u4e00-\u9fff]", text) is not None for text in texts) > len(texts)


def quote(text: str) -> str:
    """A text in quotes; JSON is YAML, so that nothing in a heading, not even yes or no, can be taken for syntax."""
    return json.dumps(text, ensure_ascii=False)


def name(word: str) -> str:
    """A name as YAML has it: in quotes where it would be taken for yes, no or nothing."""
    return quote(word) if word in _YAML_WORDS or not word[:1].isalpha() else word


def label(text: str, chinese: str | None = None) -> str:
    """A label in both languages."""
    return f"{{en: {quote(text)}, zh: {quote(chinese or text)}}}"
