"""The specification explorer: choose options for each decision and see which universes remain, without a script.

Every universe of the thinned table is one dot whose classes name its options; a choice hides the others, and counters
of the page count what is left. The counts over all universes stand beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from helpers.report.language import Translator
from helpers.report.origins import key_label
from helpers.results.rounding import tie
from helpers.study.data import Label

if TYPE_CHECKING:
    from helpers.study.study import Study


FILE = "multiverse_explorer.csv"
NUMBERS = ("row", "estimate", "std_error", "p_value", "standardised", "universes")
MOST = 12
"""Options of a decision that can be chosen; one with more (an indicator left out) is not offered."""


@dataclass(frozen=True)
class Decision:
    """One decision that a reader may fix.

    Attributes
    ----------
    name
        The column of the table.
    options
        Code and text of each option.
    """

    name: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Explorer:
    """What the page needs of the explorer.

    Attributes
    ----------
    decisions
        The decisions with their options.
    rules
        Style rules: a chosen option hides the universes that have another.
    dots
        One element per universe, in the order of the estimates.
    low, high
        Ends of the vertical axis.
    zero
        Place of zero, per cent from the top.
    shown, stand_for
        How many universes are drawn, and how many of the whole they stand for.
    """

    decisions: tuple[Decision, ...]
    rules: str
    dots: str
    low: float
    high: float
    zero: float
    shown: int
    stand_for: int


def read_explorer(run_folder: Path, level: float, primary: Mapping[str, str]) -> Explorer | None:
    """The explorer of a run; None where no notebook wrote its table.

    Parameters
    ----------
    run_folder
        Holds ``tables/multiverse_explorer.csv``: one column per decision, estimate, p_value and universes.
    level
        Significance of the colours and counts.
    primary
        Options of the primary specification by decision, as far as they are known; its dots are ringed.
    """
    path = run_folder / "tables" / FILE
    if not path.is_file():
        return None
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table[["estimate", "p_value", "universes"]] = table[["estimate", "p_value", "universes"]].astype(float)
    table = table.sort_values("estimate", kind="stable", key=tie).reset_index(drop=True)
    decisions = tuple(
        Decision(name, tuple((f"x{place}-{number}", option) for number, option in enumerate(sorted(set(table[name])))))
        for place, name in enumerate(column for column in table.columns if column not in NUMBERS)
        if 1 < table[name].nunique() <= MOST
    )
    low, high = float(min(table["estimate"].min(), 0)), float(max(table["estimate"].max(), 0))
    span = (high - low) or 1.0
    return Explorer(
        decisions,
        "".join(_rule(decision) for decision in decisions),
        "".join(_dots(table, decisions, level, primary, (high, span))),
        low,
        high,
        round(100 * high / span, 2),
        len(table),
        round(float(table["universes"].sum())),
    )


def _rule(decision: Decision) -> str:
    codes = [code for code, _ in decision.options]
    return "".join(f'.explorer:has(option[value="{code}"]:checked) .u:not(.{code}){{display:none}}' for code in codes)


def _dots(
    table: pd.DataFrame,
    decisions: tuple[Decision, ...],
    level: float,
    primary: Mapping[str, str],
    axis: tuple[float, float],
) -> list[str]:
    high, span = axis
    codes = {decision.name: {option: code for code, option in decision.options} for decision in decisions}
    across = np.linspace(0.3, 99.7, len(table))
    dots = []
    for place, row in zip(across, table.to_dict("records"), strict=True):
        classes = [codes[name][str(row[name])] for name in codes]
        if row["p_value"] < level:
            classes.append("sp" if row["estimate"] > 0 else "sn")
        if row["estimate"] > 0:
            classes.append("up")
        if primary and all(str(row.get(name)) == option for name, option in primary.items()):
            classes.append("own")
        top = 100 * (high - row["estimate"]) / span
        dots.append(f'<i class="u {" ".join(classes)}" style="left:{place:.1f}%;top:{top:.1f}%"></i>')
    return dots


def option_line(text: str, study: Study, translator: Translator) -> str:
    """An option of a decision in both languages, in one line, since an option of a form holds no elements."""
    words = _option_words(text, study, translator)
    return words.en if words.zh == words.en else f"{words.en} / {words.zh}"


def _option_words(text: str, study: Study, translator: Translator) -> Label:
    plain = text.replace("_", " ")
    label = None if translator.knows(plain) else key_label(study, text)
    return label or Label(en=plain, zh=translator.text(plain, where="explorer") or plain)


def list_options(decision: Decision, study: Study, translator: Translator) -> Label:
    """All options of a decision in a row, after its name."""
    words = [_option_words(option, study, translator) for _, option in decision.options]
    return Label(en=f": {'; '.join(word.en for word in words)}", zh=f"：{'；'.join(word.zh for word in words)}")


def own_choices(study: Study) -> dict[str, str]:
    """The primary specification's options in the words of the explorer's table."""
    own = study.ladder[study.primary]
    controls = study.specification.controls if own.controls else ()
    return {
        "effects": " + ".join(own.effects) or "none",
        "controls": " + ".join(controls) or "none",
        "sample": "all",
        "lag": "0",
    }
