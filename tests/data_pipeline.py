"""The project's own way from statistics to verdicts, without notebooks: indices, tests, results, rules."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers.claims.file import Claims, load_claims
from helpers.claims.verdicts import claim_words, judge_claims
from helpers.cleaning import gaps, sample
from helpers.coordination import coupling, loop, moderation
from helpers.heterogeneity import growth, heterogeneity
from helpers.heterogeneity import shown as heterogeneity_shown
from helpers.heterogeneity.groups import read_grouping
from helpers.index import build, dimensions
from helpers.inference.clear import fit_clear, record_clear
from helpers.policy import shown as policy_shown
from helpers.policy import space
from helpers.reading import statistics as reading
from helpers.reading.units import read_units
from helpers.results.results import Results
from helpers.society import equality, families
from helpers.study.model import Model
from helpers.study.study import Study, load_study

FOLDER = Path(__file__).resolve().parents[1] / "data" / "provinces"
JUDGED = (
    "EMP-1", "EMP-5", "EMP-7a", "EMP-7b", "EMP-9", "EMP-11", "MOD-1b", "MOD-4", "HOL-1", "HOL-3b", "HOL-4", "DAT-6",
)  # fmt: skip


@cache
def study() -> Study:
    return load_study(FOLDER)


@cache
def claims() -> Claims:
    found = load_claims(FOLDER)
    return found.model_copy(update={"claims": {name: found.claims[name] for name in JUDGED}})


@cache
def units() -> pd.DataFrame:
    return read_units(FOLDER / study().entity.units, study().entity)


@cache
def statistics() -> pd.DataFrame:
    """The statistics of the study with the gaps filled that a rule fills."""
    asked = study()
    raw = reading.read_raw(asked.folder, asked.columns, units(), asked.entity, asked.time)
    missing = gaps.check_coverage(raw, asked.columns, asked.time)
    return gaps.apply_missing_rules(raw, asked.missing, missing, asked.sample.missing)[0]


def regions() -> pd.Series:
    grouping = study().grouping
    return units()[grouping.column].map(grouping.group)


def judge(figures: pd.DataFrame, cluster: str = "entity", *, draws: int = 999, seed: int = 1) -> dict[str, str]:
    """Claim -> verdict."""
    asked = study()
    marked = sample.mark_sample(figures, asked)
    panel = sample.select_sample(gaps.derive(figures, asked.formulas, marked), marked, asked).panel
    data = build.model_panel(panel, build.index_values(build.build_indices(panel, asked)))
    results = Results(study=asked.name, notebook="planted")
    _record(results, data, asked, asked.model().with_(cluster=cluster), draws, np.random.default_rng(seed))
    found = judge_claims(claims(), results, claim_words(asked))
    return {name: verdict.verdict for name, verdict in found.items()}


def _record(
    results: Results, data: pd.DataFrame, asked: Study, model: Model, draws: int, rng: np.random.Generator
) -> None:
    assert asked.coordination is not None
    assert asked.society is not None
    functions = dimensions.name_dimensions(asked, asked.coordination.functions)
    data = dimensions.add_dimensions(data, asked, [*asked.coordination.systems, *functions, asked.society.services])
    kept: dict[str, Any] = {"draws": draws, "rng": rng}
    dose = model.treatment

    def told(key: str, rows: pd.DataFrame, form: Model) -> None:
        needed = list(dict.fromkeys(form.columns))
        record_clear(results.record, key, fit_clear(rows[needed].dropna(), form, **kept))

    told(f"baseline.{asked.primary}.{dose}", data, model)
    told(f"baseline.province_fe_controls.{dose}", data, model.with_(effects=("entity",)))
    question = next(iter(asked.coordination.moderation.values()))
    setting = moderation.moderate(data, model, question.of, question.by, question.beside)
    told("coordination.interaction", setting.data, setting.model)
    coupled = coupling.couple_systems(data[list(asked.coordination.systems)].dropna()).table
    beside = data.assign(coupling=coupled["coupling"], mean_of_systems=coupled["mean"])
    given = model.with_(treatment="coupling", controls=("mean_of_systems", *model.controls))
    told("coordination.coupling_given_mean", beside, given)
    uneven = data.assign(function_spread=loop.spread_of(data, functions))
    told("coordination.function_spread", uneven, model.with_(outcome="function_spread"))
    poor = model.with_(outcome="rural_poor", treatment="digital_infrastructure")
    told("gaps.rural_poor.digital_infrastructure", data[data.index.get_level_values(1) <= 2019], poor)
    for name, (rows, way) in loop.cross_lagged(data, model, asked.time.window).items():
        told(f"loop.{name}", rows, way)
    assert asked.society.crisis is not None
    told("crisis.growth", *families.crisis_panel(data, model, asked.society.crisis))
    rows = equality.speed_panel(data, asked.society.services, model, asked.time.window)
    readings = equality.speed_models(model)
    told(f"services.speed.{dose}", rows, readings["absolute"])
    told(f"services.speed_twoway.{dose}", rows, readings["own_path"])
    _record_places(results, data, asked, model, kept)


def _record_places(results: Results, data: pd.DataFrame, asked: Study, model: Model, kept: dict[str, Any]) -> None:
    assert asked.space is not None
    assert asked.map is not None
    inside = units()[units().index.isin(data.index.get_level_values(0))]
    near = space.build_weights(asked.space.weights["contiguity"], data, units(), asked.folder / asked.map.contiguity)
    joined, form = policy_shown.neighbour_model(data, model, near)
    found = fit_clear(joined, form, **kept)
    record_clear(results.record, f"spatial.neighbours.{model.treatment}", found)
    places, order = regions().reindex(inside.index), asked.grouping.order
    means, gaps_of = heterogeneity.region_means(
        data, model.treatment, places, order=order, wild_draws=kept["draws"], rng=kept["rng"]
    )
    heterogeneity_shown.record_means(results.record, means, gaps_of, model.treatment)
    grouping = read_grouping(data, places, order)
    measures = growth.measure_entities(data[model.treatment])
    compared = {name: growth.compare_groups(measures[name], grouping, **kept) for name in ("first", "growth")}
    heterogeneity_shown.record_growth(
        results.record, {name: one for name, one in compared.items() if one is not None}, model.treatment
    )
