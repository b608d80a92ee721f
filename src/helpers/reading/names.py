"""Names of entities as tables write them: one name for spellings that differ in form alone, totals, near misses."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.reading.units import normalise_name

CLOSE = 0.75
# A sum or a mean of all others agrees with them to a few units of the last printed digit.
SUMS_TO = 2e-3
FEWEST_PARTS = 4

_TOTAL_WORDS = (
    *("total", "totals", "grandtotal", "subtotal", "sum", "all", "overall", "average", "mean", "median"),
    *("highest", "lowest", "maximum", "minimum", "world", "global", "national", "nationwide", "nationaltotal"),
    *("wholecountry", "countrytotal", "insgesamt", "gesamt", "ensemble", "totale", "totalgeneral", "cảnước"),
    *("toànquốc", "euroarea", "eurozone", "europeanunion", "eu27", "eu28", "eu27_2020", "eu15", "ea19", "ea20"),
    *("euu", "emu", "wld", "oecd", "oecdtotal", "oecd-total", "oecdaverage", "oecd-average", "oecdmembers"),
    *(
        "g7",
        "g20",
        "brics",
        "asean",
        "全国",
        "全国合计",
        "全国总计",
        "全国平均",
        "全国均值",
        "合计",
        "总计",
        "总和",
        "小计",
        "平均",
    ),
    *(
        "均值",
        "平均值",
        "全省",
        "全市",
        "全区",
        "全省合计",
        "全市合计",
        "各地区合计",
        "总体",
        "最大值",
        "最小值",
        "东部",
        "中部",
        "西部",
        "东北",
    ),
    *("东部地区", "中部地区", "西部地区", "东北地区", "世界", "全球"),
)
_TOTALS = frozenset(_TOTAL_WORDS)
_GROUP_CODE = re.compile(
    "AF[ERW]|ARB|C(E[ABU]|LA|ME|S[AS])|E(A[PRS]|C[AS]|MU|UU)|F(CS|XS)|H(IC|PC)|I(B[BDT]|D[ABX]|NX)|L(AC|C[NR]|DC|IC|M[CY]"
    "|TE)|M(DE|EA|IC|NA)|N(AC|RS|XS)|O(ED|SS)|P(RE|SS|ST)|S(AS|S[AFT]|XZ)|T(E[AC]|LA|MN|S[AS])|UMC|WLD|XZN"
)
CODED = 0.8
"""Share of names that are codes of three letters, from which a table is one of countries by code."""
_AGGREGATE = re.compile(
    r"(total|sum|average|mean)\s*[:,(/-].*|.*[\s,(/-](total|average|aggregate|合计|总计|小计|平均)\)?"
    r"|(european union|euro area|eurozone)\b.*"
    r"|((upper|lower)[ -])?(high|low|middle|upper|lower)([ -]middle)?[ -]income( countries| economies)?"
    r"|low & middle income|(east asia|europe|latin america|middle east|north america|south asia|sub-saharan africa"
    r"|africa|arab world|caribbean|central europe|pacific|other|small|fragile|heavily indebted|least developed|early"
    r"|late|pre-|post-|ida|ibrd)\b.*(&.*|and .*|small states|situations|\(hipc\)|un classification|dividend"
    r"|only|total|blend|excluding .*|ida|\(ida .*|\(excluding .*)|arab world|sub-saharan africa( .*)?|south asia( .*)?"
    r"|north america|latin america|oecd( .*)?|(advanced|emerging|developing) (economies|countries|markets?)\b.*"
    r"|emerging market and .*|major advanced .*|other advanced .*|(eastern|western|central|southern|northern) africa"
    r"|africa (eastern|western) and .*|all (countries|units|regions|provinces|cities|firms|industries|counties|states)",
    re.IGNORECASE,
)


def join_blanks(text: str) -> str:
    """A Chinese word without the blanks that yearbooks set it apart with."""
    return re.sub(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])", "", text)


def is_total(name: str) -> bool:
    """Whether a name is that of a total, a mean or a group of others, and of no unit."""
    plain = normalise_name(name).strip("()*:：")
    return plain in _TOTALS or bool(_AGGREGATE.fullmatch(" ".join(unicodedata.normalize("NFKC", name).split())))


def group_codes(names: Sequence[str]) -> list[str]:
    """Codes of the World Bank's groups of countries, in a table that names its countries by code."""
    codes = [name for name in names if re.fullmatch("[A-Z]{3}", name)]
    return [name for name in codes if _GROUP_CODE.fullmatch(name)] if len(codes) >= CODED * len(names) else []


def find_sums(figures: pd.DataFrame) -> list[str]:
    """Entities whose figures are the sum of those of all others, in every period and in half of the measures.

    Parameters
    ----------
    figures
        Measures by (entity, time); entities that are totals by name are gone.
    """
    entities = figures.index.unique(0)
    if len(entities) <= FEWEST_PARTS or figures.shape[1] == 0:
        return []
    votes: Counter[str] = Counter()
    for name in figures:
        wide = figures[name].unstack(0)
        values = wide.to_numpy(dtype=float)
        if np.isnan(values).mean() > 0.5 or (values[np.isfinite(values)] < 0).any():
            continue
        sums = np.nansum(values, axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            off = np.abs((sums - values) / values - 1)
        sure = np.isfinite(off).sum(axis=0) >= 2
        fits = sure & (np.nanmax(np.where(np.isfinite(off), off, -1.0), axis=0) <= SUMS_TO)
        votes.update(str(entity) for entity in wide.columns[fits])
    return [name for name, count in votes.items() if 2 * count >= figures.shape[1]]


def join_spellings(names: Sequence[str], times: Sequence[object]) -> tuple[dict[str, str], list[tuple[str, ...]]]:
    """One name for spellings that differ in Unicode form, width, case or blanks.

    Spellings that stand in the same period stay apart: they are two entities.

    Returns
    -------
    dict, list
        Spelling -> name (the one that most rows have); the spellings that were joined.
    """
    counts = Counter(names)
    groups: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        groups[normalise_name(name)].append(name)
    several = {word: group for word, group in groups.items() if len(group) > 1}
    chosen = {name: unicodedata.normalize("NFC", name) for name in counts}
    if not several:
        return chosen, []
    seen: dict[str, list[object]] = defaultdict(list)
    for name, time in zip(names, times, strict=True):
        seen[name].append(time)
    joined = []
    for group in several.values():
        together = [time for name in group for time in seen[name]]
        plain = {unicodedata.normalize("NFC", name) for name in group}
        if len(set(together)) < len(together) and len(plain) > 1 and all(_unique(seen[name]) for name in group):
            continue
        first = max(group, key=lambda name: (counts[name], -group.index(name)))
        chosen |= dict.fromkeys(group, unicodedata.normalize("NFC", first))
        joined.append(tuple(group))
    return chosen, joined


def near_misses(unknown: Iterable[str], absent: Collection[str]) -> dict[str, str]:
    """Names that are close to one of the names that are absent: the likely slips of the pen."""
    words = {normalise_name(name): name for name in absent}
    found = {}
    for name in unknown:
        word = normalise_name(name)
        if len(word) < 2 or (len(word) <= 3 and word.isascii()):
            continue  # codes of three letters are all alike
        # A name of two or three signs that shares all but one of them with a name that is absent is a slip of it.
        short = max(0.49, 0.99 - 1 / len(word)) if len(word) <= 3 else CLOSE
        likely = [other for other in words if len(word) > 3 or len(other) == len(word)]
        near = difflib.get_close_matches(word, likely, n=1, cutoff=short)
        if near:
            found[name] = words[near[0]]
    return found


def only_in_one(parts: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """The names that stand in one part only, by part."""
    counts = Counter(name for names in parts.values() for name in set(names))
    alone = {part: sorted(name for name in set(names) if counts[name] == 1) for part, names in parts.items()}
    return {part: names for part, names in alone.items() if names}


def _unique(items: Sequence[object]) -> bool:
    return len(set(items)) == len(items)
