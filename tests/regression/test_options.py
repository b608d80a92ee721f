"""Options of the panel regression beside R: weights, one kind of effect alone, clusters that cut across entities.

The reference numbers are those of R 4.2.2 with sandwich 3.0-2, on ``reference.panels.gappy_grunfeld`` (155 rows of 10
firms) with the weights, regions and crossing groups of ``draw_groups`` as d:

    m = lm(inv ~ value + capital (+ firm) (+ year), d, weights = NULL or size); vcov(m), vcovHC(m, type = "HC0" or "HC1")
    vcovCL(m, cluster = firm, year, region, cross, type = "HC1")
    vcovCL(m, cluster = firm + year, firm + cross, firm + region, type = "HC0", cadjust = FALSE)
    lm without each firm, year or region in turn: sqrt((G - 1)/G sum (b_g - b)^2)

and of pyfixest 0.60.0 on ``reference.panels.rugged`` over its units. It is given formulas with spaces: without them, as in
"y~x|entity+year", it counts the wrong kind of effect as nested in the clusters, and which one hangs on the hash seed.
Tolerance: 1e-9 relative, thirteen digits were printed; 1e-6 for pyfixest, whose iterations stop at its own tolerance.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.inference.small_sample import cr3
from helpers.regression.panel import fit_panel
from helpers.study.model import Cluster
from outside import outside
from reference.panels import UNITS, gappy_grunfeld, rugged

FORMULA = ("inv", ["value", "capital"])
FORMS: dict[str, dict[str, Any]] = {
    "pooled": {},
    "entity": {"entity_effects": True},
    "time": {"time_effects": True},
    "two-way": {"entity_effects": True, "time_effects": True},
}


def draw_groups(data: pd.DataFrame, regions: Sequence[str], width: int) -> pd.DataFrame:
    """Weights of 1 to 3, regions of whole entities, and groups that hold parts of several entities."""
    places = [
        sum(map(ord, str(entity))) if isinstance(entity, str) else entity for entity in data.index.get_level_values(0)
    ]
    times = data.index.get_level_values(1)
    return data.assign(
        size=1 + np.arange(len(data)) * 7 % 5 * 0.5,
        region=[regions[place % len(regions)] for place in places],
        cross=[(place + time) % width for place, time in zip(places, times, strict=True)],
    )


def firms() -> pd.DataFrame:
    return draw_groups(gappy_grunfeld().sort_index(), "abc", 6)


# Effects, weighted: both estimates, R squared, standard errors of both under iid, HC0, HC1.
PLAIN = {
    ("pooled", False): [0.1120249442894, 0.2661159872049, 0.8184492453633, 0.006675596493321, 0.03012887720257,
                        0.006884273807908, 0.05505433741476, 0.006951878773249, 0.05559498217653],
    ("pooled", True): [0.1157058481273, 0.2364653811623, 0.8090536156277, 0.00667821290335, 0.03132739368023,
                       0.00736859455779, 0.05012262655973, 0.007440955651144, 0.05061484092045],
    ("entity", False): [0.1128010175386, 0.3377064664858, 0.9470805997973, 0.01341712803983, 0.01950328370852,
                        0.01957677302633, 0.04164498373726, 0.02038163106378, 0.04335713005655],
    ("entity", True): [0.1185994436175, 0.3090316422695, 0.9442108779989, 0.01281383264465, 0.02061419204343,
                       0.02118373903193, 0.03979056574299, 0.02205466411239, 0.04142647154881],
    ("time", False): [0.1118200838633, 0.2579546746843, 0.8274334641382, 0.007438450647988, 0.03974674398239,
                      0.006311412961811, 0.05987517430055, 0.006813442983809, 0.06463783763016],
    ("time", True): [0.1158251755578, 0.227745278466, 0.8216181654101, 0.007434435434227, 0.04133695143699,
                     0.006893259603031, 0.05276752602066, 0.007441571572329, 0.05696482421825],
    ("two-way", False): [0.1203319087955, 0.380746262542, 0.9553528883549, 0.01616016658939, 0.02613144439879,
                         0.01771918371713, 0.04901501253066, 0.01981064964865, 0.05480044996828],
    ("two-way", True): [0.1272351850895, 0.3487921630768, 0.9529916011754, 0.01577802480582, 0.02823459844484,
                        0.01903108800274, 0.04664805151365, 0.02127740322995, 0.05215410710122],
}  # fmt: skip


@pytest.mark.parametrize(("form", "weighted"), PLAIN)
def test_estimates_of_unrelated_errors_are_those_of_lm(form: str, weighted: bool) -> None:
    options: dict[str, Any] = {"weights": "size" if weighted else None, "cluster": None, **FORMS[form]}
    fits = {name: fit_panel(firms(), *FORMULA, convention=name, **options) for name in ("iid", "hc0", "hc1")}
    first = fits["iid"]
    errors = [error for found in fits.values() for error in found.std_errors[FORMULA[1]]]
    ours = [*first.estimates[FORMULA[1]], first.r_squared, *errors]
    outside(fit_panel, "R sandwich: lm and vcovHC, Grunfeld with gaps", ours, PLAIN[form, weighted], rtol=1e-9)


ONE_WAY: list[Cluster] = ["entity", "time", "region", "cross"]
TWO_WAY: list[Cluster] = [("entity", "time"), ("entity", "cross"), ("entity", "region")]

# Effects, weighted: both standard errors by firm, year, region, cross; factor 1: by two of them; jackknife: three.
CLUSTERED = {
    ("pooled", False): [0.01398664322356, 0.09013666750235, 0.006743172561794, 0.04330853775528, 0.009761007710639,
                        0.06010817871476, 0.00334583186426, 0.04199669673789, 0.01300075625905, 0.07710331307951,
                        0.01116180358207, 0.07495858313993, 0.007917908156597, 0.04875839182107, 0.01651343356847,
                        0.182372311563, 0.00692105045921, 0.05451193210674, 0.07254472895878, 0.1270960886927],
    ("pooled", True): [0.01447051684705, 0.08737552144183, 0.006892000753277, 0.03828036276843, 0.0092938094275,
                       0.06461011847806, 0.003773597767023, 0.03305695604333, 0.01327596542439, 0.07512362545973,
                       0.01140396994197, 0.07373119310489, 0.007538927501477, 0.0524102632906, 0.01838770354933,
                       0.1572996162817, 0.007137720024811, 0.04439462324229, 0.07425464848829, 0.1030387910659],
    ("entity", False): [0.01474205165417, 0.04812413227477, 0.017572808102, 0.03294027304821, 0.01936647593739,
                        0.04196203909568, 0.01060616781494, 0.03428319247593, 0.008413264601372, 0.03403427986753,
                        0.007833177540325, 0.03773349312017, 0.0152374617825, 0.03301555580392, 0.03480780639254,
                        0.1447115711301, 0.02005153902427, 0.04202537624125, 0.05321260150222, 0.1543980950226],
    ("entity", True): [0.01496217359097, 0.04626281284852, 0.01939730999431, 0.03211218558113, 0.01903335600024,
                       0.04338512417083, 0.01069563340783, 0.02815589265583, 0.008381465830048, 0.03339170029639,
                       0.008715135602608, 0.03687044819331, 0.01497536441756, 0.03413523315337, 0.03740797400878,
                       0.1166631594312, 0.023894927534, 0.03919648557815, 0.05701679623002, 0.133864490672],
    ("time", False): [0.01585724507907, 0.1034746184598, 0.00807826631668, 0.07027500535044, 0.01060436492732,
                      0.05381509768142, 0.002280297384794, 0.05787901513077, 0.01446217688977, 0.09375018633623,
                      0.0118653253002, 0.0814873985768, 0.008046453302493, 0.04083419171544, 0.01827950810158,
                      0.2138958125145, 0.007704032658372, 0.08051513482416, 0.06614356890704, 0.2004100540541],
    ("time", True): [0.01614534997552, 0.1031423105818, 0.0084114061788, 0.05895867414646, 0.008822811045111,
                     0.06476015329421, 0.001923632115602, 0.03935841217172, 0.01459948833895, 0.09130432400622,
                     0.01187533362399, 0.08017932084914, 0.006694633536074, 0.04913915665064, 0.01973886231273,
                     0.1889993225754, 0.007992458572881, 0.06263231907949, 0.06902254842027, 0.1753115201024],
    ("two-way", False): [0.01070280697584, 0.03900096799406, 0.01803045620516, 0.05949405474622, 0.01105427874701,
                         0.01273858713772, 0.01325987982177, 0.05211989059359, 0.004209573140957, 0.03751445910734,
                         0.005523844066512, 0.02860066540335, 0.008099072083153, 0.009333104205809, 0.0554840057187,
                         0.2585169889909, 0.01875534337568, 0.07711651950455, 0.07112583114495, 0.2626754105656],
    ("two-way", True): [0.01233187783276, 0.04266736243893, 0.02137269887074, 0.05514641738019, 0.0119003184538,
                        0.0128043582465, 0.0105196792513, 0.04287070476731, 0.00987113251041, 0.03833403751034,
                        0.003984113440027, 0.03173787501513, 0.008718934918825, 0.009381292329446, 0.06166012202334,
                        0.2251934418889, 0.02407136028447, 0.06271937227424, 0.07546161590936, 0.2326084246497],
}  # fmt: skip


@pytest.mark.parametrize(("form", "weighted"), CLUSTERED)
def test_clusters_of_every_kind_are_those_of_vcov_cl(form: str, weighted: bool) -> None:
    options: dict[str, Any] = {"weights": "size" if weighted else None, **FORMS[form]}
    named = [*((cluster, "areg") for cluster in ONE_WAY), *((cluster, "plm") for cluster in TWO_WAY)]
    fits = [fit_panel(firms(), *FORMULA, cluster=cluster, convention=name, **options) for cluster, name in named]
    ours = [error for found in fits for error in found.std_errors[FORMULA[1]]]
    theirs = CLUSTERED[form, weighted]
    outside(fit_panel, "R sandwich: vcovCL, Grunfeld with gaps", ours, theirs[: len(ours)], rtol=1e-9)
    jackknife = [cr3(found, name).std_error for found in fits[:3] for name in FORMULA[1]]
    outside(cr3, "R: lm without each cluster, Grunfeld with gaps", jackknife, theirs[len(ours) :], rtol=1e-9)


RUGGED: list[Cluster] = [*ONE_WAY, ("entity", "time"), ("entity", "region"), ("entity", "cross")]


# pyfixest calls pandas in a way that pandas 4 will not know, and takes the root of an intercept's negative variance.
@pytest.mark.filterwarnings("ignore:The inplace keyword", "ignore:invalid value encountered in sqrt")
@pytest.mark.parametrize("form", FORMS)
def test_the_default_factor_is_that_of_fixest_whatever_is_nested_in_what(form: str) -> None:
    from pyfixest.demeaners import MapDemeaner
    from pyfixest.estimation import feols

    data = draw_groups((rugged() / list(UNITS.values())).sort_index(), ["r0", "r1", "r2", "r3", "r4"], 7)
    absorbed = {"pooled": "", "entity": " | entity", "time": " | year", "two-way": " | entity + year"}[form]
    options: dict[str, Any] = {"fixef_rm": "none", "demeaner": MapDemeaner(fixef_tol=1e-10)}
    names = ["d", "w"]
    for cluster in RUGGED:
        by = [cluster] if isinstance(cluster, str) else list(cluster or ())
        vcov = {"CRV1": " + ".join("year" if name == "time" else name for name in by)}
        theirs = feols(f"y ~ d + w{absorbed}", data.reset_index(), vcov=vcov, **options)
        found = fit_panel(data, "y", names, cluster=cluster, **FORMS[form])
        ours = [*found.estimates[names], *found.std_errors[names]]
        numbers = [*theirs.coef()[names], *theirs.se()[names]]
        outside(fit_panel, "pyfixest: feols, CRV1, a rugged panel", ours, numbers, rtol=1e-6)
