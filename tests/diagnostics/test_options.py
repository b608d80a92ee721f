"""Options of the specification tests beside R: time effects in the null, regressions of every entity by itself, gaps.

The reference numbers are those of R 4.2.2 with plm 2.6-2 on ``reference.panels.gappy_grunfeld`` (155 rows of 10 firms) as
p and on ``reference.panels.rugged`` over its units (189 rows of 23 entities, two of them seen once) as q:

    anova(lm(inv ~ value + capital (+ firm) (+ year), p), lm(inv ~ (value + capital) * firm (+ year), p))
    plmtest(plm(inv ~ value + capital + factor(year), p, model = "pooling")); plmtest(y ~ d + w, q)
    pcdtest(inv ~ value + capital, p), one regression for each firm; pcdtest(plm(model = "pooling" or "within"))
    pFtest of the models with effects of both kinds, of firms, of years, and without
    plm(y ~ d + w + factor(year), q, model = "random"), vcovHC(type = "sss"); Hausman's statistic of d and w by its vcov
    pFtest(plm(y ~ d + w, q, model = "within", effect), plm(model = "pooling"))

    Greene's statistic by tapply on resid(lm(inv ~ value + capital (+ firm) (+ year), p))^2; vif of car 3.1-1 and
        kappa(exact = TRUE) of the columns of unit length that lm(~ firm + year) leaves

and of StatsPAI 1.40.2, sp.xtserial, which takes differences between consecutive years alone. (plm's pwfdtest and pwartest
take the row before, whatever year it is of: other numbers in a panel with gaps.)
Tolerance: 1e-9 relative; thirteen digits were printed, and the least exact of these statistics loses four.
"""

from typing import Any

import pandas as pd
import pytest

from helpers.diagnostics.effects_tests import (
    Diagnostic,
    breusch_pagan_lm,
    condition_number,
    f_test_effects,
    honda,
    poolability,
    vif,
)
from helpers.diagnostics.random_effects import fit_random_effects, fit_two_way_random, hausman
from helpers.diagnostics.residual_tests import modified_wald, pesaran_cd, wooldridge_serial_correlation
from helpers.errors import StudyError
from outside import outside
from reference.panels import UNITS, gappy_grunfeld, grunfeld, rugged

FIRMS = ("inv", ["value", "capital"])
FORMULA = ("y", ["d", "w"])


def plain_rugged() -> pd.DataFrame:
    return rugged() / list(UNITS.values())


def numbers(found: Diagnostic, *, df: bool = True) -> list[float]:
    return [found.statistic, *(found.df if df else ()), found.p_value]


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ({"entity_effects": False}, [19.76032495697, 27, 125, 3.454830597436e-33]),
        ({"time_effects": True}, [4.148000027779, 18, 106, 1.677268281689e-06]),
        ({"entity_effects": False, "time_effects": True}, [21.93660787689, 27, 106, 4.933028646883e-32]),
    ],
)
def test_poolability_is_that_of_the_two_regressions(options: dict[str, Any], printed: list[float]) -> None:
    found = poolability(gappy_grunfeld(), *FIRMS, **options)
    outside(poolability, "R: anova of two lm, Grunfeld with gaps", numbers(found), printed, rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ({"entity_effects": False}, [0.3644364251166, 19, 133, 0.9932244336213]),
        ({"against": "entity"}, [1.209206272021, 19, 124, 0.2608890030661]),
        ({"against": "time"}, [39.47501496466, 9, 124, 2.576342534396e-32]),
    ],
)
def test_f_tests_of_one_kind_of_effects_are_those_of_plm(options: dict[str, Any], printed: list[float]) -> None:
    found = f_test_effects(gappy_grunfeld(), *FIRMS, **options)
    outside(f_test_effects, "R plm: pFtest, Grunfeld with gaps", numbers(found), printed, rtol=1e-9)


def test_f_tests_of_a_rugged_panel_are_those_of_plm() -> None:
    ours = [
        *numbers(f_test_effects(plain_rugged(), *FORMULA, time_effects=False)),
        *numbers(f_test_effects(plain_rugged(), *FORMULA, entity_effects=False)),
    ]
    printed = [1.464097350247, 22, 164, 0.09300250632175, 0.5165783444292, 11, 175, 0.8904725075111]
    outside(f_test_effects, "R plm: pFtest, a rugged panel", ours, printed, rtol=1e-9)


def test_multiplier_tests_beside_time_effects_are_those_of_plm_with_dummies() -> None:
    source = "R plm: plmtest beside dummies of years, Grunfeld with gaps"
    for method, printed in (
        (breusch_pagan_lm, [603.2049891004, 3.362725902498e-133]),
        (honda, [24.5602318617, 1.681362951249e-133]),
    ):
        found = method(gappy_grunfeld(), *FIRMS, time_effects=True)
        outside(method, source, numbers(found, df=False), printed, rtol=1e-9)


@pytest.mark.parametrize(
    ("effect", "multiplier", "one_sided"),
    [
        ("entity", [2.244168542294, 0.1341189822079], [1.498054919652, 0.06705949110395]),
        ("time", [1.601544764203, 0.2056844324529], [-1.265521538419, 0.8971577837735]),
        ("twoway", [3.845713306497, 0.1461887544972], [0.1644259307222, 0.4346979258039]),
    ],
)
def test_multiplier_tests_of_a_rugged_panel_are_those_of_plm(
    effect: str, multiplier: list[float], one_sided: list[float]
) -> None:
    for method, printed in ((breusch_pagan_lm, multiplier), (honda, one_sided)):
        found = method(plain_rugged(), *FORMULA, effect=effect)
        outside(method, "R plm: plmtest, a rugged panel", numbers(found, df=False), printed, rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ({"heterogeneous": True}, [3.859372108979, 0.0001136787299331]),
        ({"entity_effects": False}, [2.030618425524, 0.04229371713538]),
        ({"entity_effects": False, "time_effects": True}, [2.981493626832, 0.002868460171157]),
    ],
)
def test_cross_section_dependence_of_every_residual_is_that_of_plm(
    options: dict[str, Any], printed: list[float]
) -> None:
    found = pesaran_cd(gappy_grunfeld(), *FIRMS, **options)
    outside(pesaran_cd, "R plm: pcdtest, Grunfeld with gaps", numbers(found, df=False), printed, rtol=1e-9)


def test_cross_section_dependence_of_entities_that_hardly_meet_is_that_of_plm() -> None:
    # A third of the pairs have fewer than two common years.
    ours = [
        *numbers(pesaran_cd(plain_rugged(), *FORMULA), df=False),
        *numbers(pesaran_cd(plain_rugged(), *FORMULA, entity_effects=False, time_effects=True), df=False),
    ]
    printed = [0.2097042648318, 0.8338984966939, -2.212978828195, 0.02689910532973]
    outside(pesaran_cd, "R plm: pcdtest, a rugged panel", ours, printed, rtol=1e-9)


def test_serial_correlation_skips_years_that_are_missing() -> None:
    for data, formula, printed in (
        (gappy_grunfeld(), FIRMS, [282.8646722138, 1, 9, 4.160126120088e-08]),
        (plain_rugged(), FORMULA, [1.982243618775, 1, 17, 0.1771781915157]),
    ):
        found = wooldridge_serial_correlation(data, *formula)
        outside(wooldridge_serial_correlation, "StatsPAI: xtserial", numbers(found), printed, rtol=1e-9)


def test_random_effects_beside_dummies_of_years_are_those_of_plm() -> None:
    names = ["const", *FORMULA[1]]
    found = fit_random_effects(plain_rugged(), *FORMULA, time_effects=True)
    clustered = fit_random_effects(plain_rugged(), *FORMULA, time_effects=True, cluster=True)
    ours = [
        *found.estimates[names], *found.std_errors[names], *clustered.std_errors[names],
        found.variance_idiosyncratic, found.variance_entity,
    ]  # fmt: skip
    printed = [
        0.6572418221211, 1.110659410864, 0.3593972809947,
        0.589759514801, 0.1090637219213, 0.1647658909618,
        0.4400159133067, 0.101124875041, 0.1656348990656,
        4.944576259982, 0.3490851732992,
    ]  # fmt: skip
    source = "R plm: model = 'random' beside dummies of years, a rugged panel"
    outside(fit_random_effects, source, ours, printed, rtol=1e-9)
    tested = hausman(plain_rugged(), *FORMULA, time_effects=True)
    source = "R plm: vcov of both models beside dummies of years, a rugged panel"
    outside(hausman, source, numbers(tested, df=False), [8.137993911263, 0.0170945264795], rtol=1e-9)


def test_clustered_random_effects_are_those_of_plm() -> None:
    found = fit_random_effects(plain_rugged(), *FORMULA, cluster=True)
    names = ["const", *FORMULA[1]]
    ours = [*found.estimates[names], *found.std_errors[names]]
    printed = [0.6115863745969, 1.192813367966, 0.3767622888824, 0.2010366626417, 0.09519031189663, 0.1598850182439]
    outside(fit_random_effects, "R plm: vcovHC(type = 'sss'), a rugged panel", ours, printed, rtol=1e-9)


def test_a_part_of_a_panel_names_its_own_entities() -> None:
    # The index of a part keeps the entities of the whole among its levels.
    names = grunfeld().index.unique(0).sort_values()[4:]
    part = grunfeld()[grunfeld().index.get_level_values(0).isin(names)]
    assert list(fit_random_effects(part, *FIRMS).theta.index) == list(names)
    assert list(fit_two_way_random(part, *FIRMS).theta.index) == list(names)
    whole = plain_rugged()
    alone = whole[whole.index.get_level_values(0) != 0]
    with pytest.raises(StudyError, match="modified Wald test, 1: "):
        modified_wald(alone, *FORMULA)


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ({}, 10673787.675897),
        ({"time_effects": True}, 2021.117594201),
        ({"entity_effects": False}, 90342.978130527),
    ],
)
def test_groupwise_heteroskedasticity_of_firms_with_gaps_is_that_of_greene(
    options: dict[str, Any], printed: float
) -> None:
    found = modified_wald(gappy_grunfeld(), *FIRMS, **options)
    outside(modified_wald, "R: Greene's statistic, Grunfeld with gaps", found.statistic, printed, rtol=1e-9)


def test_collinearity_beside_both_effects_is_that_of_what_they_leave() -> None:
    both = {"entity_effects": True, "time_effects": True}
    factors = vif(gappy_grunfeld(), FIRMS[1], **both)
    outside(vif, "R car: vif, Grunfeld with gaps", factors, [1.0925593849974] * 2, rtol=1e-9)
    ours = [condition_number(gappy_grunfeld(), FIRMS[1], **both), condition_number(gappy_grunfeld(), FIRMS[1])]
    outside(condition_number, "R: kappa, Grunfeld with gaps", ours, [1.3494913945141, 2.8873483265412], rtol=1e-9)
