"""nbformat, imported without what takes longer than all the rest of it."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, cast

UNNEEDED = "rfc3987_syntax"
"""Tells jsonschema, where it is there, whether a text is an IRI: no notebook asks, and importing it takes a second."""


def import_nbformat() -> ModuleType:
    """The library that reads, checks and builds notebooks."""
    absent = UNNEEDED not in sys.modules
    if absent:
        sys.modules[UNNEEDED] = cast(Any, None)  # whoever would import it if it is there does without it
    try:
        import nbformat
    finally:
        if absent:
            del sys.modules[UNNEEDED]
    return nbformat
