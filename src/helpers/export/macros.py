r"""All results as LaTeX macros, one per result and field: ``\StudyBaselineHeadlineNumber``.

The name of a macro is ``Study``, then the words of the key with capitals and figures spelt out (``claims.emp_3a`` is
``ClaimsEmpThreea``), then the field: ``Number``, ``Interval``, ``P`` ("p = 0.031"), ``All`` (the three in one line),
``StdError``, ``Statistic``, ``Observations``, ``Entities``. Letters only, as TeX wants it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from helpers.display.prose import field_text
from helpers.errors import StudyError
from helpers.export.printed import latex_figures, latex_p, print_result
from helpers.results.results import Result

SPELT = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
FIGURES = {str(figure): word for figure, word in enumerate(SPELT)}
FIELDS = {"std_error": "StdError", "statistic": "Statistic", "n_obs": "Observations", "n_entities": "Entities"}


def macro_name(key: str, field: str) -> str:
    r"""Name of the macro of a result's field, without its backslash."""
    words = re.split(r"[._]", key)
    spelt = ("".join(FIGURES.get(sign, sign) for sign in word) for word in words)
    return "Study" + "".join(word[:1].upper() + word[1:] for word in spelt) + field


def write_macros(results: Mapping[str, Result]) -> str:
    r"""The text of ``results.tex``.

    Raises
    ------
    StudyError
        Two results whose macros would have one name.
    """
    lines = ["% \\input this file in the preamble; \\newcommand stops at a name that is already taken."]
    owners: dict[str, str] = {}
    for key, result in results.items():
        lines.append(f"% {key}: {', '.join(filter(None, (result.notebook, result.cell)))}")
        for field, text in _fields(result):
            name = macro_name(key, field)
            if owners.setdefault(name, key) != key:
                rule = f"its macro \\{name} is also that of {owners[name]!r}"
                raise StudyError(f"result {key!r}", rule, "give one of the two results another key")
            lines.append(f"\\newcommand{{\\{name}}}{{{text}}}")
    return "\n".join(lines) + "\n"


def _fields(result: Result) -> Iterator[tuple[str, str]]:
    printed = print_result(result)
    yield "Number", latex_figures(printed.number)
    if printed.interval:
        yield "Interval", latex_figures(printed.interval)
    if printed.p:
        yield "P", latex_p(printed.p)
    if printed.interval or printed.p:
        yield "All", printed.latex
    for field, name in FIELDS.items():
        if getattr(result, field) is not None:
            yield name, latex_figures(field_text(result, field))
