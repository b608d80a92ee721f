"""A panel with rough edges beside other programs: entities seen once, gaps, rounded figures, units from 1e-5 to 1e9.

The reference numbers are those of StatsPAI 1.40.2, ivmodels 0.10.0, R 4.2.2 with estimatr 1.0.0, on
``reference.panels.rugged`` (189 rows of 23 entities) with every column over its unit in ``UNITS``, d a data frame of it:

    sp.oster_bounds(d, "y", "d", ["w", "m"], absorb=effects, r_max or delta); after effects as Stata's psacalc, xtreg, fe
    sp.effective_f_test(d, "d", ["z1", "z2"], ["w"], vcov="classic" or "HC1", absorb=effects, cluster="entity"), its
        simplified critical values; "HC1" and clustered without the two entities seen once, which it leaves out
    sp.weakrobust(d, "y", "d", ["z1", "z2"], ["w"]), kp_rk_f: Kleibergen and Paap's rk F, robust and clustered
    anderson_rubin_test and inverse_anderson_rubin_test, critical_values="f", effects as dummies in C
    lm_robust(y ~ d + w + m + dummies, d, clusters, se_type = "CR2"); of Grunfeld with gaps too

StatsPAI charges one effect less than reghdfe under two kinds of effects, one nested in the clusters: left out.
Tolerance: 1e-9 relative; thirteen digits were printed, and the least exact of these statistics loses four.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.identification.anderson_rubin import invert_anderson_rubin
from helpers.identification.first_stage import measure_first_stage
from helpers.identification.instruments import InstrumentedFit, fit_instrumented
from helpers.identification.oster import oster_delta
from helpers.inference.small_sample import cr2, htz_wald
from helpers.regression.panel import fit_panel
from helpers.study.model import Cluster, Model
from outside import outside
from reference.panels import UNITS, gappy_grunfeld, rugged

EFFECTS: dict[str, tuple[str, ...]] = {"pooled": (), "entity": ("entity",), "two-way": ("entity", "time")}
UNIT = UNITS["y"] / UNITS["d"]
"""Unit of the coefficient of d."""

# Effects: both estimates, both R2, delta; bound at delta 1, and at delta -0.7, 0.5 and 2; delta and bound at R2 of 0.99.
OSTER = {
    "pooled": [1.266055967152, 1.026188734085, 0.479994129567, 0.5037079853936, 0.6945018276265, -1.561749510131,
               1.425225751837, 0.3295011863264, 1.46211210704, 0.3214888305192, -7.562802318347],
    "entity": [0.9552257893637, 0.6996765637253, 0.2568867264838, 0.292090473029, 0.7382341350303, -0.5708927122648,
               1.1123093223, 0.2665907233295, 1.35948416313, 0.131850272096, -11.72667260581],
    "two-way": [0.9178096510664, 0.6633846103369, 0.2343331968603, 0.2653949985873, 0.6569570130354, -0.8316119285595,
                1.0524276288, 0.1848263541314, 1.262694468025, 0.09886154280066, -15.99869130098],
}  # fmt: skip


@pytest.mark.parametrize("form", OSTER)
def test_delta_and_bounds_are_those_of_psacalc(form: str) -> None:
    model = Model("y", "d", ("w", "m"), EFFECTS[form])
    options: list[dict[str, Any]] = [{}, {"delta": -0.7}, {"delta": 0.5}, {"delta": 2.0}, {"r_max": 0.99}]
    one, *others = found = [oster_delta(rugged(), model, r_squared="psacalc", **given) for given in options]
    ours = [
        one.estimate_short / UNIT, one.estimate_full / UNIT, one.r_squared_short, one.r_squared_full, one.delta,
        *(each.bound / UNIT for each in found[:4]), others[-1].delta, others[-1].bound / UNIT,
    ]  # fmt: skip
    outside(oster_delta, "StatsPAI: oster_bounds, a rugged panel", ours, OSTER[form], rtol=1e-9)


def test_after_effects_the_variance_explained_is_that_of_psacalc_only_where_it_is_asked_for() -> None:
    model = Model("y", "d", ("w", "m"), ("entity",))
    own, mixed = (oster_delta(rugged(), model, r_squared=kind).delta for kind in ("within", "psacalc"))
    assert own > 1.2 * mixed
    # Without effects every definition is the same.
    plain = [oster_delta(rugged(), model.with_(effects=()), r_squared=kind).delta for kind in ("within", "psacalc")]
    assert plain[0] == pytest.approx(plain[1], rel=1e-12)


# Effects, convention: effective F, its critical values at a bias of 5, 10, 20 and 30 %.
STRENGTH = {
    ("pooled", "iid"): [15.98874813796, 32.31746178546, 19.29434344996, 12.17207500736, 9.574647725463],
    ("pooled", "hc1"): [14.47299301539, 32.72318554764, 19.59009440689, 12.38643299894, 9.750794046568],
    ("pooled", "stata"): [23.82250448261, 32.95339352172, 19.75853454298, 12.5093261153, 9.852399406604],
    ("entity", "iid"): [26.95867358821, 32.31746178546, 19.29434344996, 12.17207500736, 9.574647725463],
    ("entity", "hc1"): [30.0097553542, 32.57567845718, 19.48240426724, 12.30816841196, 9.686319321633],
    ("entity", "stata"): [34.62369066547, 34.64469293344, 21.00948559299, 13.43935994991, 10.63461943395],
    ("two-way", "iid"): [26.22299581999, 32.31746178546, 19.29434344996, 12.17207500736, 9.574647725463],
    ("two-way", "hc1"): [29.0521486497, 32.85732861609, 19.68819017147, 12.45793278751, 9.80985482798],
}  # fmt: skip


def instrumented(form: str, convention: str, *, several: bool = False) -> InstrumentedFit:
    """Two stages for d by z1 and z2 beside w; `several`: without the entities that are seen once."""
    data = rugged()
    data = data[data.groupby(level=0)["y"].transform("size") > 1] if several else data
    cluster = "entity" if convention == "stata" else None
    return fit_instrumented(data, Model("y", "d", ("w",), EFFECTS[form], cluster), ["z1", "z2"], convention=convention)


@pytest.mark.parametrize(("form", "convention"), STRENGTH)
def test_the_effective_f_and_what_it_must_exceed(form: str, convention: str) -> None:
    stage = instrumented(form, convention, several=convention != "iid").first_stage
    ours = [stage.f_effective, *stage.critical_values]
    source = "StatsPAI: effective_f_test, a rugged panel"
    outside(measure_first_stage, source, ours, STRENGTH[form, convention], rtol=1e-9)


def test_the_robust_f_of_one_treatment_is_that_of_kleibergen_and_paap() -> None:
    ours = [instrumented("pooled", convention).first_stage.f_robust for convention in ("hc1", "stata")]
    source = "StatsPAI: weakrobust, rk F of Kleibergen and Paap"
    outside(measure_first_stage, source, ours, [15.238012345005, 25.512314439595], rtol=1e-9)


# Effects: statistic and p-value of no effect, ends of the set.
ANDERSON_RUBIN = {
    "pooled": [2.133459572626, 0.1213316049019, -0.2897105178816, 0.9071927865493],
    "entity": [4.930776338986, 0.008334304740436, 0.4312206709066, 0.7956685465199],
    "two-way": [4.887057627032, 0.008770536298703, 0.3891084393327, 0.9061841132794],
}


@pytest.mark.parametrize("form", ANDERSON_RUBIN)
def test_the_set_of_anderson_and_rubin_is_that_of_ivmodels(form: str) -> None:
    found = instrumented(form, "iid").anderson_rubin
    ours = [found.statistic, found.p_value, *(np.array(found.intervals[0]) / UNIT)]
    source = "ivmodels: anderson_rubin_test and its inverse, a rugged panel"
    outside(invert_anderson_rubin, source, ours, ANDERSON_RUBIN[form], rtol=1e-9)


# Effects, cluster: standard error, degrees of freedom and p-value of d, w and m.
REDUCED = {
    ("pooled", "entity"): [0.098887982058212, 15.1359926893447, 2.80836683966461e-08, 0.155977503468393,
                           15.6122024926965, 1.12669284828723e-02, 0.137694802890596, 15.9627903728246,
                           5.05629353897648e-02],
    ("entity", "entity"): [0.145965577821630, 14.7379833979802, 0.000248561690228368, 0.156322307194885,
                           15.0382456661962, 0.027596417086463390, 0.152725822102833, 15.3876293748529,
                           0.029732687574000827],
    ("two-way", "year"): [0.120914278482124, 9.47149130399270, 0.000323322418935269, 0.165673969072065,
                          9.89206983706479, 0.047033825398427112, 0.224624484879896, 9.12254570629656,
                          0.156876596084629061],
}  # fmt: skip


@pytest.mark.parametrize(("form", "cluster"), REDUCED)
def test_cr2_is_that_of_estimatr(form: str, cluster: str) -> None:
    effects: dict[str, Any] = {"entity_effects": "entity" in EFFECTS[form], "time_effects": "time" in EFFECTS[form]}
    fit = fit_panel(rugged(), "y", ["d", "w", "m"], cluster=cluster, **effects)
    tests = [(cr2(fit, name), UNITS["y"] / UNITS[name]) for name in ("d", "w", "m")]
    ours = [number for test, unit in tests for number in (test.std_error / unit, test.df, test.p_value)]
    outside(cr2, "R estimatr: lm_robust(se_type = 'CR2'), a rugged panel", ours, REDUCED[form, cluster], rtol=1e-9)


def test_cr2_of_grunfeld_with_gaps_is_that_of_estimatr() -> None:
    fit = fit_panel(gappy_grunfeld(), "inv", ["value", "capital"], cluster="year", entity_effects=True)
    tests = [cr2(fit, name) for name in ("value", "capital")]
    ours = [number for test in tests for number in (test.std_error, test.df, test.p_value)]
    numbers = [0.0183829056973038, 9.74968992851086, 1.22762992214657e-04,
               0.0362800893521845, 7.79462848423966, 1.71693250443754e-05]  # fmt: skip
    outside(cr2, "R estimatr: lm_robust(fixed_effects), Grunfeld with gaps", ours, numbers, rtol=1e-9)


# Effects, errors: F of both instruments in the reduced form of y with its p-value, and F in that of y - 0.5 d; R 4.2.2,
# b'V^-1 b / 2 of lm(y ~ z1 + z2 + w + m (+ entity) (+ year)), V by vcov, vcovHC or vcovCL(type = "HC1") of sandwich 3.0-2.
REDUCED_FORM = {
    ("pooled", "hc1"): [0.9673966652922, 0.3819957234603, 2.938925784795],
    ("pooled", "iid"): [0.9477072035499, 0.389512538043, 2.767651323089],
    ("pooled", "entity"): [1.166260422525, 0.3300588209885, 3.886319213175],
    ("pooled", "region"): [1.808805590431, 0.2757289579454, 21.98797298724],
    ("entity", "hc1"): [1.328879376185, 0.2676443025077, 2.00747912239],
    ("entity", "iid"): [1.755159891519, 0.1761509045942, 2.482346649459],
    ("entity", "entity"): [1.101971751552, 0.3498662525067, 2.606591520159],
    ("entity", "region"): [0.8536476917471, 0.4912010451532, 3.642800057053],
    ("two-way", "hc1"): [1.576160492436, 0.2101499948195, 1.974760537201],
    ("two-way", "iid"): [2.149853001388, 0.1200540142709, 2.518709004638],
    ("two-way", "entity"): [1.24717866833, 0.3068477527926, 2.553240152939],
    ("two-way", "region"): [1.038026709094, 0.4333879340473, 5.354358265053],
}


@pytest.mark.parametrize(("form", "errors"), REDUCED_FORM)
def test_anderson_and_rubin_under_every_covariance_is_the_f_of_the_reduced_form(form: str, errors: str) -> None:
    data = rugged().assign(region=[f"r{entity % 5}" for entity in rugged().index.get_level_values(0)])
    plain = errors in ("iid", "hc1")
    model = Model("y", "d", ("w", "m"), EFFECTS[form], cluster=None if plain else errors)
    found = fit_instrumented(data, model, ["z1", "z2"], convention=errors if plain else "areg").anderson_rubin
    ours = [found.statistic, found.p_value, found.statistic_at(0.5 * UNIT)]
    source = "R sandwich: reduced form, a rugged panel"
    outside(invert_anderson_rubin, source, ours, REDUCED_FORM[form, errors], rtol=1e-9)


@pytest.mark.parametrize("form", EFFECTS)
@pytest.mark.parametrize("cluster", ["time", "region", ("entity", "time"), ("entity", "cross")])
def test_two_stages_with_clusters_of_every_kind_are_those_of_linearmodels(form: str, cluster: Cluster) -> None:
    from linearmodels.iv import IV2SLS

    data = rugged() / list(UNITS.values())
    places = {level: data.index.get_level_values(level) for level in (0, 1)}
    data = data.assign(region=places[0] % 5, cross=(3 * places[0] + places[1]) % 7)
    kinds = {"entity": places[0], "time": places[1], "region": data["region"], "cross": data["cross"]}
    absorbed = [pd.get_dummies(pd.Series(kinds[kind], data.index), dtype=float) for kind in EFFECTS[form]]
    constant = pd.DataFrame({"const": 1.0}, data.index)
    # The dummies of the second kind lose one, which those of the first span.
    dummies = [part.iloc[:, at:].add_prefix(f"{at} ") for at, part in enumerate(absorbed)]
    others = pd.concat([data[["w", "m"]], *(dummies or [constant])], axis=1)
    names = [cluster] if isinstance(cluster, str) else list(cluster or ())
    codes = np.column_stack([pd.factorize(np.asarray(kinds[name]))[0] for name in names])
    theirs = IV2SLS(data["y"], others, data["d"], data[["z1", "z2"]]).fit(cov_type="clustered", clusters=codes)
    model = Model("y", "d", ("w", "m"), EFFECTS[form], cluster=cluster)
    found = fit_instrumented(data, model, ["z1", "z2"], convention="plm")
    terms = ["d", "w", "m"]
    ours = [*found.estimates[terms], *found.std_errors[terms]]
    # A dummy may have a negative variance.
    numbers = [*theirs.params[terms], *np.sqrt(np.diag(theirs.cov.loc[terms, terms]))]
    outside(fit_instrumented, "linearmodels: IV2SLS, clustered, a rugged panel", ours, numbers, rtol=1e-9)


# Effects, clusters: standard errors of d and w, degrees of freedom, p-values; F, df and p of both; R clubSandwich 0.5.8,
# vcovCR(lm(y ~ d + w + m (+ entity) (+ year)), cluster, type = "CR2"), coef_test, Wald_test(test = "HTZ").
OTHER_CLUSTERS = {
    ("pooled", "region"): [
        0.1018637692253,
        0.1608912902569,
        3.944898321369,
        3.845330069057,
        0.0005855717095258,
        0.05183516203377,
        37.84068929694,
        2.932587303504,
        0.008049481673009,
    ],
    ("pooled", "cross"): [
        0.1011179317911,
        0.1526931634506,
        5.109141577392,
        5.718212296254,
        0.0001406504164695,
        0.02766501232774,
        42.93353129478,
        4.529212818242,
        0.001136899907967,
    ],
    ("pooled", "time"): [
        0.1067953570729,
        0.1445819282786,
        10.01421782168,
        10.26328803917,
        2.26401390596e-06,
        0.01094402658542,
        88.21512441394,
        9.031794667776,
        1.182961522056e-06,
    ],
    ("entity", "region"): [
        0.175025850175,
        0.1582006256099,
        3.733969734347,
        3.788980865761,
        0.01849321996612,
        0.07712165044773,
        9.785156989258,
        2.839529273629,
        0.05323507384079,
    ],
    ("entity", "cross"): [
        0.08844811853965,
        0.1333160846485,
        5.768864347863,
        5.730898581179,
        0.0002630117080373,
        0.03032209071931,
        42.82925985702,
        4.760096777599,
        0.0009052530345914,
    ],
    ("entity", "time"): [
        0.1092743893171,
        0.1507126271368,
        10.00828784155,
        10.06953104442,
        7.774055740042e-05,
        0.02973720227221,
        34.33148535853,
        9.172080588051,
        5.50694390408e-05,
    ],
    ("two-way", "region"): [
        0.1802976035596,
        0.2019274453097,
        3.693424335324,
        3.760167146842,
        0.02437881387691,
        0.1408702822002,
        8.584507990884,
        2.838842334595,
        0.06255278287344,
    ],
    ("two-way", "cross"): [
        0.1461237199058,
        0.1618786050877,
        5.635945440847,
        5.799510505025,
        0.004596981598328,
        0.06086362864241,
        22.37297064031,
        4.710892744637,
        0.003933682557572,
    ],
    ("two-way", "time"): [
        0.1209142784821,
        0.1656739690721,
        9.471491303993,
        9.892069837065,
        0.0003233224189353,
        0.04703382539843,
        23.76468346209,
        9.097662893782,
        0.0002442308399777,
    ],
}


@pytest.mark.parametrize(("form", "cluster"), OTHER_CLUSTERS)
def test_cr2_and_htz_by_regions_and_crossing_groups_are_those_of_club_sandwich(form: str, cluster: str) -> None:
    entities, years = (rugged().index.get_level_values(level) for level in (0, 1))
    data = rugged().assign(region=entities % 5, cross=(3 * entities + years) % 7)
    effects: dict[str, Any] = {f"{kind}_effects": True for kind in EFFECTS[form]}
    found = fit_panel(data, "y", ["d", "w", "m"], cluster=cluster, **effects)
    tests = [cr2(found, name) for name in ("d", "w")]
    errors = [test.std_error * UNITS[name] / UNITS["y"] for test, name in zip(tests, ("d", "w"), strict=True)]
    ours = [*errors, *(test.df for test in tests), *(test.p_value for test in tests)]
    numbers = OTHER_CLUSTERS[form, cluster]
    outside(cr2, "R clubSandwich: vcovCR and coef_test, a rugged panel", ours, numbers[:6], rtol=1e-9)
    joint = htz_wald(found, ["d", "w"])
    ours = [joint.statistic, joint.df[1], joint.p_value]
    outside(htz_wald, "R clubSandwich: Wald_test(test = 'HTZ'), a rugged panel", ours, numbers[6:], rtol=1e-9)
