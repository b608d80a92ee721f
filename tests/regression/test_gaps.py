"""A panel with gaps beside R: what is printed for Grunfeld's data without a quarter of its rows.

The reference numbers are those of R 4.2.2 with plm 2.6-2, clubSandwich 0.5.8, AER 1.2-10 and sandwich 3.0-2, on
``reference.panels.gappy_grunfeld`` (155 rows of 10 firms), d a data frame of it, p its pdata.frame:

    vcovCR(lm(inv ~ value + capital + firm + year, d), cluster = d$firm, type = "CR2"), coef_test, Wald_test
    plmtest, pFtest, pcdtest, vcovSCC, vcovNW, vcovDC, vcovHC, plm(model = "random"), phtest, pooltest
    summary(ivreg(inv ~ capital + firm | value + square + firm, data = d), diagnostics = TRUE), square = value^2

The robust Hausman test is written out in R, since plm keeps an intercept of ones beside columns of which each firm
loses its own share of its mean: lm of those columns, the intercept among them, and vcovCL(type = "HC0").
Tolerance: 1e-9 relative; R prints fifteen digits, and the least exact of these statistics loses five.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.diagnostics.effects_tests import breusch_pagan_lm, f_test_effects, honda, poolability
from helpers.diagnostics.random_effects import fit_random_effects, fit_two_way_random, hausman
from helpers.diagnostics.residual_tests import pesaran_cd, wooldridge_serial_correlation
from helpers.disparity.divergence import beta_slope, welch_gap
from helpers.errors import StudyError
from helpers.identification.dynamic import fit_dynamic
from helpers.identification.instruments import fit_instrumented
from helpers.inference.passport import standard_error_passport
from helpers.inference.small_sample import cr2, htz_wald
from helpers.regression.panel import fit_panel
from helpers.regression.specification import shift_column
from helpers.study.model import Model
from outside import outside
from reference.panels import gappy_grunfeld

FORMULA = ("inv", ["value", "capital"])
FORMS: dict[str, dict[str, Any]] = {
    "pooled": {},
    "firm": {"entity_effects": True},
    "two-way": {"entity_effects": True, "time_effects": True},
}

# Effects, cluster: standard errors of both coefficients, degrees of freedom, p-values; F, df and p of both together.
CR2 = {
    ("pooled", "firm"): [0.0153783301528164, 0.126286003221551, 2.16016232386798, 2.42248040520942, 0.0147917831613153,
                         0.147013680134385, 31.3301904858933, 1.16564854852459, 0.0970064651429019],
    ("pooled", "year"): [0.0068059729128746, 0.0481201048321521, 13.5647253879957, 8.36268188712167,
                         2.36054195148512e-10, 0.000473983894833437, 182.325815382457, 8.9647912923169,
                         5.48316178389935e-08],
    ("firm", "firm"): [0.0202256036877937, 0.0789721114915053, 1.74590822491309, 1.6322731858449, 0.0411395450405371,
                       0.0714001737158268, 6.65319761331305, 0.649010557483409, 0.369487483847862],
    ("firm", "year"): [0.0183829056973037, 0.0362800893521845, 9.74968992851085, 7.79462848423965,
                       0.000122762992214655, 1.71693250443758e-05, 89.7420533848756, 6.00594226367592,
                       3.36012472515181e-05],
    ("two-way", "firm"): [0.0210355475853319, 0.0902026270962806, 2.48131911504875, 1.89720439857695,
                          0.0174356982838387, 0.0567432264642896, 14.792372506583, 1.08116233771895, 0.163931588249143],
    ("two-way", "year"): [0.0173500827459469, 0.0636993683555952, 9.9638070313737, 6.53122918518553,
                          4.09127360091076e-05, 0.000719848136041242, 53.5084745521978, 6.12237724379065,
                          0.000132559929025572],
}  # fmt: skip


@pytest.mark.parametrize(("form", "cluster"), CR2)
def test_cr2_and_htz_are_those_of_club_sandwich(form: str, cluster: str) -> None:
    fit = fit_panel(gappy_grunfeld(), *FORMULA, cluster=cluster, **FORMS[form])
    tests = [cr2(fit, name) for name in FORMULA[1]]
    ours = [getattr(test, field) for field in ("std_error", "df", "p_value") for test in tests]
    outside(cr2, "R clubSandwich: vcovCR and coef_test, Grunfeld with gaps", ours, CR2[form, cluster][:6], rtol=1e-9)
    joint = htz_wald(fit, FORMULA[1])
    numbers = [joint.statistic, joint.df[1], joint.p_value]
    source = "R clubSandwich: Wald_test(test = 'HTZ'), Grunfeld with gaps"
    outside(htz_wald, source, numbers, CR2[form, cluster][6:], rtol=1e-9)


# Statistic and p-value of plmtest(type = "bp") and (type = "honda").
MULTIPLIERS = {
    "entity": [595.932149575189, 1.28408521744234e-131, 24.4117215610696, 6.42042608721175e-132],
    "time": [4.3277334145556, 0.0374961450155544, -2.08032050765155, 0.981251927492223],
    "twoway": [600.259882989745, 4.52087557942929e-131, 15.7906851182683, 1.80320772180004e-56],
}


@pytest.mark.parametrize("effect", MULTIPLIERS)
def test_multiplier_tests_are_those_of_plm(effect: str) -> None:
    for method, numbers in ((breusch_pagan_lm, MULTIPLIERS[effect][:2]), (honda, MULTIPLIERS[effect][2:])):
        found = method(gappy_grunfeld(), *FORMULA, effect=effect)
        outside(method, "R plm: plmtest, Grunfeld with gaps", [found.statistic, found.p_value], numbers, rtol=1e-9)


def test_f_tests_are_those_of_plm() -> None:
    tests: list[tuple[Any, dict[str, Any], list[float]]] = [
        (f_test_effects, {"time_effects": False}, [38.6211727721401, 9, 143, 4.74654841169742e-34]),
        (f_test_effects, {}, [13.5795472423697, 28, 124, 5.86430983137577e-26]),
        (poolability, {}, [3.71953024085348, 18, 125, 6.46192992068418e-06]),
    ]
    for method, options, numbers in tests:
        found = method(gappy_grunfeld(), *FORMULA, **options)
        source = f"R plm: {'pFtest' if method is f_test_effects else 'pooltest'}, Grunfeld with gaps"
        outside(method, source, [found.statistic, *found.df, found.p_value], numbers, rtol=1e-9)


def test_cross_section_dependence_is_that_of_plm() -> None:
    for form, numbers in {"firm": [3.91223374991986, 9.14463336071169e-05],
                          "two-way": [0.166265538408151, 0.867947984897261]}.items():  # fmt: skip
        found = pesaran_cd(gappy_grunfeld(), *FORMULA, **FORMS[form])
        outside(pesaran_cd, "R plm: pcdtest, Grunfeld with gaps", [found.statistic, found.p_value], numbers, rtol=1e-9)


# Standard errors of both coefficients: vcovSCC and vcovNW with two lags, vcovDC, vcovHC, all of type HC0.
ERRORS = {
    "firm": {
        "driscoll_kraay_plm": [0.0175466993302295, 0.0354136789761491],
        "newey_west_plm": [0.0223741780279594, 0.0469480985093494],
        "two_way_plm": [0.00841326460137209, 0.0340342798675288],
        "plm": [0.0134768018079697, 0.0439938353264521],
    },
    "two-way": {
        "driscoll_kraay_plm": [0.0194769674941231, 0.0559158605708183],
        "newey_west_plm": [0.0205963244925535, 0.0520593399899178],
        "two_way_plm": [0.00420957314095299, 0.0375144591073356],
        "plm": [0.00911107097760478, 0.0332006910328728],
    },
}


@pytest.mark.parametrize("form", ERRORS)
def test_standard_errors_are_those_of_plm(form: str) -> None:
    fit = fit_panel(gappy_grunfeld(), *FORMULA, **FORMS[form])
    passports = {name: standard_error_passport(fit, name, lag=2)["std_error"] for name in FORMULA[1]}
    for line, numbers in ERRORS[form].items():
        ours = [passports[name][line] for name in FORMULA[1]]
        source = "R plm: vcovSCC, vcovNW, vcovDC and vcovHC, Grunfeld with gaps"
        outside(standard_error_passport, source, ours, numbers, rtol=1e-9)


def test_random_effects_and_hausman_are_those_of_plm() -> None:
    found = fit_random_effects(gappy_grunfeld(), *FORMULA)
    order = ["const", *FORMULA[1]]
    ours = [*found.estimates[order], *found.std_errors[order], found.variance_idiosyncratic, found.variance_entity]
    numbers = [-63.7276059604004, 0.1108735200053, 0.336117324163503, 29.4419677056729, 0.0115044298433348,
               0.0192198331866147, 2958.87109629386, 7171.0351365719]  # fmt: skip
    outside(fit_random_effects, "R plm: model = 'random', Grunfeld with gaps", ours, numbers, rtol=1e-9)
    plain = hausman(gappy_grunfeld(), *FORMULA)
    outside(hausman, "R plm: phtest, Grunfeld with gaps", [plain.statistic, plain.p_value],
            [2.07475015143343, 0.354383692494228], rtol=1e-9)  # fmt: skip
    robust = hausman(gappy_grunfeld(), *FORMULA, robust=True)
    source = "R sandwich: lm of quasi-demeaned columns, vcovCL, Grunfeld with gaps"
    outside(hausman, source, [robust.statistic, robust.p_value], [10.995299230775, 0.00409638822030872], rtol=1e-9)


# Estimate, standard error, F of the first stage, Sargan with p-value, clustered standard error (factor 1).
INSTRUMENTED = {
    "pooled": [1.15663622974176, 0.123769753674515, 32.0674583905106, 4.90878426515538, 0.0267204418328612,
               0.0996994329134103],
    "firm": [0.738264406511778, 0.0804422411478508, 17.1855548823778, 0.0758214925865436, 0.783041955474879,
             0.0255512721519884],
    "two-way": [0.663207297668746, 0.0675839026805289, 24.805005152177, 17.0501351134254, 3.64057846118181e-05,
                0.0747339858192313],
}  # fmt: skip


@pytest.mark.parametrize("form", INSTRUMENTED)
def test_instruments_are_those_of_ivreg(form: str) -> None:
    data = gappy_grunfeld().assign(square=lambda rows: rows["value"] ** 2)
    effects: dict[str, tuple[str, ...]] = {"pooled": (), "firm": ("entity",), "two-way": ("entity", "time")}
    model = Model("inv", "capital", effects=effects[form], cluster=None)
    plain = fit_instrumented(data, model, ["value", "square"], convention="iid")
    clustered = fit_instrumented(data, model.with_(cluster="entity"), ["value", "square"], convention="plm")
    ours = [
        plain.estimates["capital"], plain.std_errors["capital"], plain.first_stage.f_plain, plain.hansen_j,
        plain.hansen_p_value, clustered.std_errors["capital"],
    ]  # fmt: skip
    source = "R AER: ivreg with its diagnostics, Grunfeld with gaps"
    outside(fit_instrumented, source, ours, INSTRUMENTED[form], rtol=1e-9)


def test_the_slope_under_independence_is_that_of_demeaned_errors() -> None:
    # Independent errors: the expected products of demeaned ones, row by row, and the test at that slope.
    rng = np.random.default_rng(3)
    sizes = [2, 3, 3, 5, 8, 8, 9]
    index = pd.MultiIndex.from_tuples([(f"e{n}", time) for n, size in enumerate(sizes) for time in range(size)])
    data = pd.DataFrame(rng.normal(size=(len(index), 2)), index=index, columns=["y", "x"])
    cross = square = 0.0
    now: list[float] = []
    before: list[float] = []
    group: list[int] = []
    y, x = (data - data.groupby(level=0).transform("mean")).to_numpy().T
    left = pd.Series(y - x * (x @ y) / (x @ x), index=index)
    for n, size in enumerate(sizes):
        leaves = np.eye(size) - 1 / size
        cross += np.trace(leaves, offset=1)
        square += np.trace(leaves[:-1, :-1])
        own = left.loc[f"e{n}"].to_numpy()
        now, before, group = [*now, *own[1:]], [*before, *own[:-1]], [*group, *[n] * (size - 1)]
    columns = np.column_stack([before, np.ones(len(before))])
    bread = np.linalg.inv(columns.T @ columns)
    slopes = bread @ columns.T @ np.array(now)
    rest = columns * (np.array(now) - columns @ slopes)[:, None]
    scores = pd.DataFrame(rest).groupby(np.array(group)).sum().to_numpy()
    variance = (bread @ scores.T @ scores @ bread)[0, 0]
    expected = (slopes[0] - cross / square) ** 2 / variance
    found = wooldridge_serial_correlation(data, "y", ["x"], form="within")
    source = "written out: products of demeaned errors, row by row"
    outside(wooldridge_serial_correlation, source, found.statistic, expected, rtol=1e-9)


def short_panel(seed: int) -> pd.DataFrame:
    """A panel with few times, whose two-way covariance can have negative variances."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(9), range(4)], names=["entity", "time"])
    return pd.DataFrame(rng.normal(size=(36, 3)), index=index, columns=["y", "x", "z"])


@pytest.mark.parametrize("form", FORMS)
def test_a_repaired_two_way_covariance_does_not_depend_on_units_or_origins(form: str) -> None:
    repaired = 0
    for seed in range(60):
        data = short_panel(seed)
        moved = data * [1e-6, 1e5, 1e-3] + [0.0, 1e4, -7e-2]
        fits = [
            fit_panel(rows, "y", names, cluster=("entity", "time"), **FORMS[form])
            for rows, names in ((data, ["x", "z"]), (moved, ["z", "x"]))
        ]
        if "negative eigenvalues" not in " ".join(fits[0].notes):
            continue
        repaired += 1
        np.testing.assert_allclose(fits[1].statistics[["x", "z"]], fits[0].statistics[["x", "z"]], rtol=1e-8)
        assert (np.diag(fits[0].covariance) >= 0).all()
    assert repaired > 2


def rows_of(entities: int, times: int) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([range(entities), range(times)], names=["entity", "time"])
    return pd.DataFrame(np.random.default_rng(2).normal(size=(len(index), 3)), index=index, columns=["y", "x", "z"])


@pytest.mark.parametrize(
    ("run", "rule"),
    [
        (lambda: fit_random_effects(rows_of(9, 1), "y", ["x"]), "9 rows of 9 entities leave nothing"),
        (lambda: fit_two_way_random(rows_of(9, 5) * [0.0, 1.0, 1.0], "y", ["x"]), "no variation of its own"),
        (lambda: fit_panel(rows_of(9, 5) * [0.0, 1.0, 1.0] + 3.0, "y", ["x"]), "no variation of its own"),
        (lambda: breusch_pagan_lm(rows_of(9, 1), "y", ["x"]), "its groups are one, or hold one row each"),
        (lambda: honda(rows_of(9, 1), "y", ["x"], effect="time"), "its groups are one, or hold one row each"),
        (lambda: poolability(rows_of(1, 9), "y", ["x"], entity_effects=False), "not smaller"),
        (lambda: fit_dynamic(rows_of(2, 9), Model("y", "x", ("z",), ("entity",))), "2 entities for 3 coefficients"),
        (lambda: welch_gap(np.ones(4), np.zeros(4)), "its figures do not vary"),
        (lambda: beta_slope(rows_of(9, 1)["y"].abs()), "it is seen at 1 times"),
        (lambda: shift_column(rows_of(3, 5), "y", 1, range(4)), "it is not in the window"),
    ],
)
def test_rows_that_cannot_carry_a_statistic_are_refused(run: Callable[[], object], rule: str) -> None:
    with pytest.raises(StudyError, match=rule):
        run()
