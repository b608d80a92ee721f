"""A study checked without running anything: its files, its figures, its rules and its claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers import cleaning, reading, sample
from helpers.claims_file import load_claims
from helpers.units import read_units

if TYPE_CHECKING:
    from helpers.study import Study


def check_study(study: Study) -> str:
    """Read everything that the notebooks will read, and derive what they will derive.

    Returns
    -------
    str
        What was found, in words.

    Raises
    ------
    StudyError
        The first file, figure, rule, formula or claim that is not as the study file declares it.
    """
    claims = load_claims(study.folder)
    reading.read_codebook(study.folder / "codebook.csv", study.columns)
    units = read_units(study.folder / study.entity.units, study.entity)
    raw = reading.read_raw(study.folder, study.columns, units, study.entity, study.time)
    gaps = cleaning.check_coverage(raw, study.columns, study.time)
    statistics, filled = cleaning.apply_missing_rules(raw, study.missing, gaps, study.sample.missing)
    cleaning.check_ranges(statistics, study.columns)
    marked = sample.mark_sample(statistics, study)
    chosen = sample.select_sample(cleaning.derive(statistics, study.formulas, marked), marked, study)
    cleaning.check_panel(chosen.panel, units, study)
    rows, entities = len(chosen.panel), chosen.panel.index.unique(0).size
    return f"{rows} rows of {entities} entities, {len(filled)} figures filled by rule, {len(claims.claims)} claims"
