"""Every label that a page prints in Chinese: of the study's files, its codebook, its units, and the keys of results."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING

import pandas as pd

from helpers.claims.file import load_claims
from helpers.claims.frameworks import load_frameworks
from helpers.claims.verdicts import VERDICT_LABELS
from helpers.report.language import collect_labels, territory_names
from helpers.report.origins import key_label, spell_key, spell_part
from helpers.results.results import Result

if TYPE_CHECKING:
    from helpers.study.study import Study

CODEBOOK_WORDS = (("name_en", "indicator_zh"), ("unit", "unit_zh"), ("note", "note_zh"))
CHINESE = r"[\u4e00-\u9fff]+"


def study_labels(study: Study) -> dict[str, str]:
    """Every label of the study's files, English -> Chinese: the study file, its claims and its frameworks."""
    found = [load_claims(study.folder)] if (study.folder / "claims.yml").is_file() else []
    labels = collect_labels(study, *found, load_frameworks(study.folder), VERDICT_LABELS)
    return _codebook_words(study) | labels | unit_names(study)


def _codebook_words(study: Study) -> dict[str, str]:
    """Names, units and remarks of the codebook in Chinese, where it has a column of them."""
    path = study.folder / "codebook.csv"
    book = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8") if path.is_file() else pd.DataFrame()
    pairs = [pair for pair in CODEBOOK_WORDS if set(pair) <= set(book)]
    return {en: zh for pair in pairs for en, zh in zip(*(book[name] for name in pair), strict=True) if en and zh}


def unit_names(study: Study) -> dict[str, str]:
    """Names of the units in Chinese: from the first column of the units file that spells them so, or of countries.

    A name of which neither knows the Chinese stays as it is, also in a sentence.
    """
    units = read_units_file(study)
    spelt = [name for name in study.entity.aliases if name in units and units[name].str.fullmatch(CHINESE).all()]
    keys = units[study.entity.key]
    as_written = dict(zip(keys, keys, strict=True))
    return dict(zip(keys, units[spelt[0]], strict=True)) if spelt else as_written | territory_names(keys)


def read_units_file(study: Study) -> pd.DataFrame:
    """The units file as text; without a row where there is none."""
    path = study.folder / study.entity.units
    if not path.is_file():
        return pd.DataFrame(columns=[study.entity.key], dtype=str)
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")


def key_labels(study: Study, results: Mapping[str, Result]) -> dict[str, str]:
    """Chinese of every result's key and of its parts of several words, for tables that name results by them."""
    label = cache(partial(key_label, study))
    parts = {part for key in results for part in key.split(".") if "_" in part}
    parts |= {part.replace("left_out", "rank_shift", 1) for part in parts if part.startswith("left_out_")}
    spelled = {part: spell_part(part, label).zh for part in sorted(parts)}
    return spelled | {key: spell_key(result, label).zh for key, result in results.items()}
