# %% [markdown]
# # 10 Social quality
#
# For whom? The texts promise more than effective administration: services that are equal everywhere, government that
# serves, a livelier market and society; and they warn that government quality has risen without social quality, and
# that gaps widen. Promise and warning are put to the same tests.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
wild_draws: int = 99999
bootstrap_draws: int = 1999

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.index import build, dimensions
from helpers.inference import clear, family
from helpers.inference import shown as inference_shown
from helpers.inference.detectable import detectable_effect
from helpers.regression import pictures as drawings
from helpers.regression import specification
from helpers.society import equality, families, pictures, quality, shown

# %%
run = notebook.open_run("10_social_quality", study=study, run_folder=run_folder, out=out)
choices, asked, model = run.study, run.study.society, run.study.model()
treatment, outcome, level = model.treatment, model.outcome, choices.specification.significance
panel = run.read("panel")
data = dimensions.add_dimensions(panel, choices, shown.society_columns(choices))

# %% [markdown]
# ## What do the texts say?
#
# Where the study holds their tables: four transformations and three fusions; four dilemmas, each with its factor of
# social quality and its strategy.

# %%
run.framework("mod_transformations")

# %% [markdown]
# The three fusions:

# %%
run.framework("mod_fusions")

# %% [markdown]
# And the dilemmas, each with its factor of social quality:

# %%
run.framework("soq_factors")

# %%
run.framework("soq_values")

# %% [markdown]
# ## Are public services more equal?
#
# Three measures, which need not agree: the trend of the coefficient of variation, whether those that start low grow
# faster (absolute beta), and the change of the Gini with an interval by drawing units anew. Where first values hold
# chance, those that start low grow faster by that alone (regression to the mean): the second measure does not stand for
# the other two.

# %%
served = (asked.services, *shown.service_indicators(choices, asked.services))
named = {name: specification.keep_complete_entities(data[[name]].dropna())[name] for name in served}

# %%
run.figure(
    pictures.draw_equality({choices.label(name): values for name, values in named.items()}),
    "services",
    caption="How unequal public services are between units: the dimension (thick) and its indicators",
    alt="Two panels of lines by period: the coefficient of variation and the Gini.",
)

# %% [markdown]
# The three measures, for the dimension and for each indicator:

# %%
equal = {
    name: shown.equality(values, draws=bootstrap_draws, rng=run.rng(f"equality, {name}"))
    for name, values in named.items()
}

# %% [markdown]
# A dimension that has become more equal need not have done so in each of its parts:

# %%
run.table(
    shown.equality_table(equal),
    "services_equality",
    caption="Convergence of the dimension and of each indicator",
    digits=4,
)

# %%
sigma, beta, gini = (run.record(f"services.{name}", found) for name, found in equal[asked.services].items())
decisive = shown.equality_wilds(
    named[asked.services], equal[asked.services], draws=wild_draws, rng=run.rng("wild, equality")
)
sigma_wild, beta_wild = (run.record(f"services.{name}.wild", found) for name, found in decisive.items())

# %% tags=["summary"]
run.say(
    "{services}: units have become more equal. The Gini changed by {gini} {gini:ci}, the coefficient of variation by "
    "{sigma} in logarithms a {unit} ({sigma:p}; wild bootstrap {sigma_wild:p}), and those that began low grew faster "
    "(beta {beta}, {beta:p}; wild bootstrap {beta_wild:p})."
    if gini.ci_high < 0
    and max(sigma.estimate, beta.estimate) < 0
    and max(sigma.p_value, beta.p_value, sigma_wild.p_value, beta_wild.p_value) < level
    else "{services}: by the Gini units have become more equal ({gini} {gini:ci}); the other two measures do not both "
    "say so by both tests (sigma {sigma}, {sigma:p}, wild bootstrap {sigma_wild:p}; beta {beta}, {beta:p}, wild "
    "bootstrap {beta_wild:p})."
    if gini.ci_high < 0
    else "{services}: units have become less equal, the Gini changed by {gini} {gini:ci}."
    if gini.ci_low > 0
    else "{services}: whether units have become more equal is not clear. The Gini changed by {gini} {gini:ci}; a "
    "change of {smallest} or more would have been seen in four of five samples.",
    services=run.label(asked.services),
    smallest=run.record(f"{gini.key}.detectable", value=detectable_effect(gini, level=level)),
    gini=gini,
    sigma=sigma,
    beta=beta,
    sigma_wild=sigma_wild,
    beta_wild=beta_wild,
    unit=choices.time.unit,
)

# %% [markdown]
# ## Does the treatment speed that?
#
# $$\Delta \ln P_{it} = b \ln P_{i,t-1} + c\, D_{i,t-1} + d\,(\ln P \times D)_{i,t-1} + \lambda_t + \varepsilon_{it}$$
#
# The claim is about equality between units, so units are held against each other (no unit effects) and $d < 0$ would
# say that a unit of more treatment closes its distance faster. With unit effects the same equation asks whether a unit
# returns to its own path, which says nothing about equality. The first decides; the others stand beside it.

# %%
growth = equality.speed_panel(data, asked.speed or asked.services, model, choices.time.window)
readings = equality.speed_models(model)
readings["absolute"]

# %% [markdown]
# Each reading is fitted on the same rows:

# %%
speeds = {
    name: clear.fit_clear(growth, reading, draws=wild_draws, rng=run.rng(f"wild, speed, {name}"))
    for name, reading in readings.items()
}

# %% [markdown]
# The product with the level before is what says whether convergence goes faster:

# %%
speed = clear.record_clear(run.record, f"services.speed.{treatment}", speeds["absolute"])
clear.record_clear(run.record, f"services.speed_conditional.{treatment}", speeds["conditional"])
own = clear.record_clear(run.record, f"services.speed_twoway.{treatment}", speeds["own_path"])
run.table(inference_shown.clear_table(speeds), "services_speed", caption="Does convergence go faster: three readings")

# %%
run.say(
    {
        "below": "{measure}: units converge faster where the treatment is higher, {speed} ({speed:p}; wild bootstrap "
        "{wild:p}).",
        "above": "{measure}: units converge slower where the treatment is higher, {speed} ({speed:p}; wild bootstrap "
        "{wild:p}).",
        "unclear": "{measure}: that the treatment speeds convergence between units does not show: {speed} ({speed:p}; "
        "wild bootstrap {wild:p}). A product of {smallest} or more, on either side of zero, would have been seen in "
        "four of five samples. With unit effects, where it is about each unit's own path, the product is {own} "
        "({own:p}; wild bootstrap {own_wild:p}).",
        "unseen": "{measure}: that the treatment speeds convergence between units does not show: {speed} ({speed:p}; "
        "wild bootstrap {wild:p}). The bootstrap's interval has no end, so that no product, however large, would "
        "surely have been seen. With unit effects, where it is about each unit's own path, the product is {own} "
        "({own:p}; wild bootstrap {own_wild:p}).",
    }[inference_shown.read_effect(speeds["absolute"], level)],
    measure=run.label(asked.speed or asked.services),
    speed=speed,
    wild=run.results[f"services.speed.{treatment}.wild"],
    smallest=run.record(f"services.speed.{treatment}.detectable", value=speeds["absolute"].detectable(level)),
    own=own,
    own_wild=run.results[f"{own.key}.wild"],
)

# %% [markdown]
# ## Do gaps between town and country narrow or widen?
#
# One text says that infrastructure narrows them (notebook 5 asks that of the same outcomes), another that digitisation
# widens them. A ratio of incomes or of consumption that falls is a gap that narrows; rural access that rises is one.

# %%
between = asked.of("gaps")
gaps = shown.fit_families(data, model, between, draws=wild_draws, rng=run.rng("family, gaps"), level=level)
shown.record_families(run.record, gaps, between, model)

# %% [markdown]
# One row per outcome; which sign narrows a gap depends on the outcome, as said above.

# %%
run.table(
    inference_shown.family_table(shown.label_families(gaps, between, model)),
    "gaps",
    caption="Gaps between town and country on the treatment; p counts all outcomes of a family",
) if gaps else run.say("This study has no figures of gaps between town and country.")

# %% [markdown]
# Which of them move clearly?

# %%
sides = {name: inference_shown.read_family(found, level) for name, found in gaps.items()}
moved = [name for found in sides.values() for name, where in found.items() if where != "unclear"]

# %%
run.say(
    "Whether gaps narrow or widen is not asked of this study."
    if not gaps
    else "No gap moves clearly once all outcomes of a family are counted: on what is asked here they neither "
    "narrow nor widen clearly. In standard deviations of the outcome per one of what is held to move it, an effect "
    "smaller than {least} on any, or than {most} on the worst measured, would have been missed in more than one of "
    "five samples."
    if not moved
    else "What moves clearly once all outcomes are counted: {names}. The sign in the table says which way.",
    names=run.labels(dict.fromkeys(moved)) or "none",
    **inference_shown.record_detectable(run.record, "gaps", shown.list_answers(gaps), level),
)

# %% [markdown]
# ## Which functions of government respond?
#
# The claim is that the effect reaches beyond the economy and the market to services and society. A contrast of
# standardised functions is an outcome of its own, so that its coefficient is the difference and every test applies.

# %%
every = asked.of("functions") | asked.of("reached")
functions = shown.fit_families(data, model, every, draws=wild_draws, rng=run.rng("family, functions"), level=level)
shown.record_families(run.record, functions, every, model)

# %% [markdown]
# One row per function; p counts all of a family.

# %%
run.table(
    inference_shown.family_table(shown.label_families(functions, every, model)),
    "functions",
    caption="Each function of government, and whatever else is declared beside, on what is held to move it",
)

# %% [markdown]
# Does it reach beyond the economy and the market? The one group of functions less the other is the outcome:

# %%
contrast, parts = next(iter(asked.contrast.items()))
beyond = data.assign(**{contrast: families.contrast_of(data, parts)})
reach = clear.fit_clear(beyond, model.with_(outcome=contrast), draws=wild_draws, rng=run.rng("wild, contrast"))
clear.record_clear(run.record, f"functions.{contrast}.{treatment}", reach)
run.coefficients(reach.fit, "contrast_coefficients", caption="{outcome}: every coefficient")

# %% [markdown]
# Which functions respond, and is one group ahead of the other?

# %%
above, below = shown.count_sides(functions["functions"], level)
gap = run.results[f"functions.{contrast}.{treatment}"]

# %%
run.say(
    "No function responds clearly once all are counted. {contrast}: {gap} ({gap:p}; wild bootstrap {wild:p})."
    if not above + below and reach.is_clear(level)
    else "No function responds clearly once all are counted, nor does {contrast}: {gap} ({gap:p}; wild bootstrap "
    "{wild:p}). A difference smaller than {smallest}, or an effect smaller than {least} standard deviations per "
    "standard deviation of the treatment on any function, or than {most} on the worst measured, would have been missed "
    "in more than one of five samples."
    if not above + below
    else "Clear once all are counted: up {up}; down {down}. {contrast}: {gap} ({gap:p}; wild bootstrap {wild:p}).",
    contrast=run.label(contrast),
    up=run.labels(above) or "nothing",
    down=run.labels(below) or "nothing",
    gap=gap,
    smallest=run.record(f"{gap.key}.detectable", value=reach.detectable(level)),
    **inference_shown.record_detectable(run.record, "functions", shown.list_answers(functions, "functions"), level),
    wild=run.results[f"functions.{contrast}.{treatment}.wild"],
)

# %% [markdown]
# ## From administering to serving?
#
# The shares of administration and of services in spending, and administrative staff per person.

# %%
turn = asked.of("shift")
shift = shown.fit_families(data, model, turn, draws=wild_draws, rng=run.rng("family, shift"), level=level)
shown.record_families(run.record, shift, turn, model)

# %% [markdown]
# A turn to serving would raise the share of services and lower that of administration:

# %%
run.table(
    inference_shown.family_table(shown.label_families(shift, turn, model)),
    "shift",
    caption="Spending and staff on the treatment, in the years of these statistics",
    digits=4,
) if shift else run.say("This study has no figures of spending and staff.")

# %% [markdown]
# Does a turn show?

# %%
more, less = shown.count_sides(shift["shift"], level) if shift else ([], [])
run.say(
    "A turn from administering to serving is not asked of this study."
    if not shift
    else "None of these moves clearly once all are counted: a turn from administering to serving does not show. An "
    "effect smaller than {least} standard deviations per standard deviation of the treatment on any of them, or than "
    "{most} on the worst measured, would have been missed in more than one of five samples."
    if not more + less
    else "Clear once all are counted: up {more}; down {less}.",
    more=run.labels(more) or "nothing",
    less=run.labels(less) or "nothing",
    **inference_shown.record_detectable(run.record, "shift", shown.list_answers(shift), level),
)

# %% [markdown]
# ## Who came through the crisis better?
#
# $$G_{it} = \sum_k \beta_k\, z(D_i)\, 1(t = k) + \alpha_i + \lambda_t + \varepsilon_{it},$$
#
# $z(D_i)$ the treatment at the last time before the crisis, $k$ its times. No controls: the crisis moves them.

# %%
if asked.crisis is None:
    told = run.say("This study declares no crisis.")
else:
    shock, course = families.crisis_panel(data, model, asked.crisis)
    crisis = clear.fit_clear(shock, course, draws=wild_draws, rng=run.rng("wild, crisis"))
    shown.record_crisis(run.record, asked.crisis, crisis)
    told = run.coefficients(crisis.fit, "crisis_coefficients", caption="{outcome}: every coefficient")
told

# %% [markdown]
# The outcome itself, before, during and after:

# %%
run.figure(
    pictures.draw_crisis(data, asked.crisis, treatment, label=choices.label(asked.crisis.outcome)),
    "crisis",
    caption="The outcome by period, units above and below the median of the treatment before the crisis",
    alt="Two lines by period.",
) if asked.crisis else run.say("This study declares no crisis.")

# %%
run.say("How units came through a crisis is not asked of this study.") if asked.crisis is None else run.say(
    {
        "above": "In the first period of the crisis units with more {treatment} did better: {effect} per standard "
        "deviation ({effect:p}; wild bootstrap {wild:p}).",
        "below": "In the first period of the crisis units with more {treatment} did worse: {effect} per standard "
        "deviation ({effect:p}; wild bootstrap {wild:p}).",
        "above_without_times": "In the first period of the crisis units with more {treatment} did better clearly only "
        "without period effects; with them: {effect} ({effect:p}; wild bootstrap {wild:p}), and one "
        "smaller than {smallest} would have been missed in more than one of five samples.",
        "below_without_times": "In the first period of the crisis units with more {treatment} did worse clearly only "
        "without period effects; with them: {effect} ({effect:p}; wild bootstrap {wild:p}), and one "
        "smaller than {smallest} would have been missed in more than one of five samples.",
        "unclear": "That units with more {treatment} did better does not show in the first period of the crisis: "
        "{effect} per standard deviation ({effect:p}; wild bootstrap {wild:p}). A difference of {smallest} or more "
        "would have been seen in four of five samples.",
        "unseen": "That units with more {treatment} did better does not show in the first period of the crisis: "
        "{effect} per standard deviation ({effect:p}; wild bootstrap {wild:p}). The bootstrap's interval has no end, "
        "so that no difference, however large, would surely have been seen.",
    }[inference_shown.read_effect(crisis, level)],
    treatment=run.label(treatment),
    effect=run.results[f"crisis.{asked.crisis.outcome}"],
    wild=run.results[f"crisis.{asked.crisis.outcome}.wild"],
    smallest=run.record(f"crisis.{asked.crisis.outcome}.detectable", value=crisis.detectable(level)),
)

# %% [markdown]
# ## Do market and society come alive?

# %%
lively = asked.of("vitality")
vitality = shown.fit_families(data, model, lively, draws=wild_draws, rng=run.rng("family, vitality"), level=level)
shown.record_families(run.record, vitality, lively, model)

# %% [markdown]
# More of each would be a livelier market, or society:

# %%
run.table(
    inference_shown.family_table(shown.label_families(vitality, lively, model)),
    "vitality",
    caption="Measures of market and society on the treatment",
) if vitality else run.say("This study has no figures of firms and social organisations.")

# %% [markdown]
# Which of them come alive?

# %%
up, down = shown.count_sides(vitality["vitality"], level) if vitality else ([], [])
run.say(
    "Whether market and society come alive is not asked of this study."
    if not vitality
    else "No measure of market or society moves clearly once all are counted. An effect smaller than {least} standard "
    "deviations per standard deviation of the treatment on any of them, or than {most} on the worst measured, would "
    "have been missed in more than one of five samples."
    if not up + down
    else "Clear once all are counted: up {up}; down {down}.",
    up=run.labels(up) or "nothing",
    down=run.labels(down) or "nothing",
    **inference_shown.record_detectable(run.record, "vitality", shown.list_answers(vitality), level),
)

# %% [markdown]
# ## What is social quality made of?
#
# What weighs most in an index need not be what matters most; so the factors stand apart below, and beside an index
# stands one in which every factor weighs the same. Where a proxy stands in for a factor, its name says so.

# %%
data, society = shown.add_quality(data, asked)
indexed = society in choices.indices

# %%
run.table(
    shown.quality_table(build.build_index(panel, choices.indices[society])),
    "social_quality",
    caption="Social quality: indicators, factors and weights",
) if indexed else run.say(
    "The mean of these columns stands for social quality: {names}.",
    names=run.labels(asked.quality) or "none",
)

# %%
factors = dimensions.name_dimensions(choices, asked.quality)
both = quality.compare_qualities(data, outcome, society)

# %% [markdown]
# Has every factor moved as the outcome has?

# %%
run.figure(
    pictures.draw_factors(both, {name: choices.label(name) for name in (outcome, *factors)}),
    "factors",
    caption="The outcome (thick) and the factors of social quality, change since the first period",
    alt="Lines by period, in standard deviations of the first period.",
)

# %% [markdown]
# ## Does social quality follow government quality?
#
# Both in standard deviations over the same rows; the third outcome is their difference.

# %%
versions = {"entropy": both}
if indexed:
    evenly = both.assign(even=shown.equal_weighted(panel, choices, society))
    versions["equal"] = quality.compare_qualities(evenly, outcome, "even")

# %%
tests = {
    (version, name): clear.fit_clear(
        rows, model.with_(outcome=name), draws=wild_draws, rng=run.rng(f"wild, {version}, {name}")
    )
    for version, rows in versions.items()
    for name in (quality.GOVERNMENT, quality.SOCIAL, quality.GAP)
    if (version, name) != ("equal", quality.GOVERNMENT)
}

# %% [markdown]
# Each on the treatment. The last row of a pair, the difference, is the claim:

# %%
for (version, name), found in tests.items():
    key = f"society.{name}.{treatment}" if version == "entropy" else f"society.{name}_equal.{treatment}"
    clear.record_clear(run.record, key, found)
table = {f"{name} ({version} weights)": found for (version, name), found in tests.items()}
run.table(inference_shown.clear_table(table), "qualities", caption="Government against social quality")

# %% [markdown]
# Is the difference told from zero by both tests?

# %%
ahead = tests["entropy", quality.GAP]
run.say(
    {
        "above": "The effect on {outcome} is above that on social quality: the difference is {gap} standard "
        "deviations ({gap:p}; wild bootstrap {wild:p}).",
        "below": "The effect on {outcome} is below that on social quality: the difference is {gap} standard "
        "deviations ({gap:p}; wild bootstrap {wild:p}).",
        "above_without_times": "The effect on {outcome} is above that on social quality clearly only without "
        "period effects; with them the difference is {gap} ({gap:p}; wild bootstrap {wild:p}), and one "
        "smaller than {smallest} would have been missed in more than one of five samples.",
        "below_without_times": "The effect on {outcome} is below that on social quality clearly only without "
        "period effects; with them the difference is {gap} ({gap:p}; wild bootstrap {wild:p}), and one "
        "smaller than {smallest} would have been missed in more than one of five samples.",
        "unclear": "That {outcome} responds and social quality does not follow does not show: the difference "
        "is {gap} standard deviations ({gap:p}; wild bootstrap {wild:p}). A difference of {smallest} or more would "
        "have been seen in four of five samples.",
        "unseen": "That {outcome} responds and social quality does not follow does not show: the difference "
        "is {gap} standard deviations ({gap:p}; wild bootstrap {wild:p}). The bootstrap's interval has no end, so that "
        "no difference, however large, would surely have been seen.",
    }[inference_shown.read_effect(ahead, level)],
    outcome=run.label(outcome),
    gap=run.results[f"society.gap.{treatment}"],
    wild=run.results[f"society.gap.{treatment}.wild"],
    smallest=run.record(f"society.gap.{treatment}.detectable", value=ahead.detectable(level)),
)

# %% [markdown]
# ## Which factors lag?
#
# Two questions: has the outcome moved further than the factor (in standard deviations of the first period), and does
# the factor respond to the treatment?

# %%
ends = specification.keep_complete_entities(both)
lags = quality.trend_gaps(ends, outcome, factors)
lag_wilds = quality.wild_trend_gaps(ends, outcome, factors, lags, draws=wild_draws, rng=run.rng("wild, trend gaps"))
for name, found in lags.items():
    run.record(f"society.trend_gap.{name}", found)
    run.record(f"society.trend_gap.{name}.wild", lag_wilds[name])

# %% [markdown]
# By how much the outcome has run ahead of each factor:

# %%
run.figure(
    drawings.draw_rows(
        inference_shown.estimate_rows({choices.label(name): found for name, found in lags.items()}),
        label="outcome less factor, change in sd of the first period",
    ),
    "trend_gaps",
    caption="How much further the outcome has moved than each factor, 95 % intervals",
    alt="One estimate with its interval per factor, and a line at zero.",
)

# %%
told_apart = [name for name in factors if max(lags[name].p_value, lag_wilds[name].p_value) < level]
behind = [name for name in told_apart if lags[name].estimate > 0]
forward = [name for name in told_apart if lags[name].estimate < 0]
seen = [clear.detectable_by_both(lags[name], lag_wilds[name], level) for name in factors]

# %%
run.say(
    "No factor has clearly moved less, or more, than the outcome; a gap smaller than {smallest} would have been missed "
    "in more than one of five samples, whichever the factor."
    if not behind + forward
    else "Moved less than the outcome: {behind}. Moved more: {forward}.",
    smallest=run.record("society.trend_gap.detectable", value=min(seen), digits=2),
    behind=run.labels(behind) or "none",
    forward=run.labels(forward) or "none",
)

# %% [markdown]
# Does each factor respond to the treatment? p counts them all.

# %%
answers = family.fit_clear_family(
    {name: family.Question(both, model.with_(outcome=name), treatment) for name in factors},
    draws=wild_draws,
    rng=run.rng("family, factors"),
    level=level,
)
family.record_family(run.record, {name: f"society.factor.{name}.{treatment}" for name in factors}, answers)
run.table(inference_shown.family_table({treatment: answers}), "factors", caption="Each factor on the treatment")

# %% [markdown]
# ## Is social quality the ground of digital government?
#
# $$z(D_{it}) = \sum_k \beta_k\, z(F_{k,i,t-1}) + \gamma' X_{it} + \alpha_i + \lambda_t + \varepsilon_{it}$$
#
# "First" means ahead of every other: the difference that is hardest to tell from none decides.

# %%
if asked.ground is None:
    told = run.say("This study declares no factor that is held to come first.")
else:
    ground, base = quality.ground_panel(both, model, factors, choices.time.window)
    grounds = clear.fit_clear(ground, base, asked.ground, draws=wild_draws, rng=run.rng("wild, ground"))
    rest = [name for name in factors if name != asked.ground]
    least, leads = quality.least_lead(grounds.fit, asked.ground, rest)
    led = quality.wild_lead(grounds.fit, asked.ground, leads, draws=wild_draws, rng=run.rng("wild, lead"))
    shown.record_ground(run.record, asked.ground, grounds, (least, led), leads)
    told = run.coefficients(grounds.fit, "ground_coefficients", caption="{outcome}: every coefficient")
told

# %%
run.say("Whether social quality is the ground is not asked of this study.") if asked.ground is None else run.say(
    "{ground} comes first: it goes before the treatment ({effect}, {effect:p}; wild bootstrap {wild:p}) and is ahead "
    "of every other factor (the least by {least}, {least:p}; wild bootstrap {led:p})."
    if grounds.is_clear(level)
    and min(grounds.effect.estimate, least.estimate) > 0
    and max(least.p_value, led.p_value) < level
    else "{ground} goes before the treatment ({effect}, {effect:p}; wild bootstrap {wild:p}); that it comes first is "
    "not shown (the least lead is {least}, {least:p}; wild bootstrap {led:p})."
    if grounds.is_clear(level) and grounds.effect.estimate > 0
    else "{ground} goes before a lower treatment: {effect} ({effect:p}; wild bootstrap {wild:p}). That is the opposite "
    "of the claim."
    if grounds.is_clear(level)
    else "That {ground} goes before the treatment does not show: {effect} ({effect:p}; wild bootstrap {wild:p}). An "
    "effect of {smallest} or more would have been seen in four of five samples."
    if grounds.is_bounded
    else "That {ground} goes before the treatment does not show: {effect} ({effect:p}; wild bootstrap {wild:p}). The "
    "bootstrap's interval has no end, so that no effect, however large, would surely have been seen.",
    ground=run.label(asked.ground),
    effect=run.results[f"society.ground.{asked.ground}"],
    wild=run.results[f"society.ground.{asked.ground}.wild"],
    smallest=run.record(f"society.ground.{asked.ground}.detectable", value=grounds.detectable(level)),
    least=run.results[f"society.ground.{asked.ground}_minus_others"],
    led=run.results[f"society.ground.{asked.ground}_minus_others.wild"],
)

# %% [markdown]
# ## Checks

# %%
parts_of = {name: tests["entropy", name].effect.estimate for name in (quality.GOVERNMENT, quality.SOCIAL, quality.GAP)}
run.check(
    "the coefficient of the difference is the difference of the coefficients",
    abs(parts_of["government"] - parts_of["social"] - parts_of["gap"]) < 1e-9,
)
run.check("both qualities stand on the same rows", both[[outcome, society]].notna().all(axis=None))

# %% tags=["nbval-check-output"]
print(len(both), "rows with both qualities,", len(factors), "factors")

# %% [markdown]
# ## Save

# %%
run.save()
