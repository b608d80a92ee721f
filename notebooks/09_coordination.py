# %% [markdown]
# # 9 Coordination
#
# Does it fit together? The texts on holistic and on data-driven government say that technology pays only where the
# organisation changes with it, that investment without it comes apart from quality, and that the strong pull away. Each
# of these is a statement about how parts move together, and each can be wrong.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
wild_draws: int = 99999
bootstrap_draws: int = 1999
threshold_draws: int = 999

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.coordination import coupling, loop, moderation, pictures, returns, shown
from helpers.diagnostics import effects_tests as diagnostics
from helpers.disparity import shown as disparity_shown
from helpers.identification import past as dynamic
from helpers.identification import shown as dynamic_shown
from helpers.index import dimensions
from helpers.index import pictures as index_pictures
from helpers.index import shown as index_shown
from helpers.inference import clear, family, wald
from helpers.inference import shown as inference_shown
from helpers.inference.detectable import detectable_effect, detectable_f
from helpers.regression import specification, threshold
from helpers.regression.leverage import find_leverage

# %%
run = notebook.open_run("09_coordination", study=study, run_folder=run_folder, out=out)
choices, asked, model = run.study, run.study.coordination, run.study.model()
treatment, outcome, level = model.treatment, model.outcome, choices.specification.significance
label = {name: run.label(name) for name in (treatment, outcome)}
question = next(iter(asked.moderation.values()))

# %%
functions = dimensions.name_dimensions(choices, asked.functions)
parts = [*asked.systems, *shown.moderated_columns(asked), *functions]
data = dimensions.add_dimensions(run.read("panel"), choices, parts)
data, features = dimensions.add_features(data, choices, asked.features)

# %% [markdown]
# ## What do the texts say?
#
# Where the study holds their tables: five dimensions, each with its dilemma and its way out; the passage from stacking
# to integration; four features with their logics, problems and paths. The last columns name what measures a row here,
# or why nothing does.

# %%
run.framework("hol_dimensions")

# %% [markdown]
# From stacking to integration:

# %%
run.framework("hol_passage")

# %% [markdown]
# And the features, with their problems and paths:

# %%
run.framework("dat_matrix")

# %% [markdown]
# ## How well do the systems move together?
#
# With $U_1 \dots U_n$ the scores of the systems, each an index of its own in $[0, 1]$,
#
# $$C = \frac{n\,(U_1 \cdots U_n)^{1/n}}{U_1 + \dots + U_n}, \qquad T = \frac{U_1 + \dots + U_n}{n},
# \qquad D = \sqrt{C\,T}.$$
#
# $C$ is the geometric over the arithmetic mean: 1 where all systems are equal, 0 where one is 0. Beside it stands the
# modified degree of Wang et al. (2021), which counts the distances themselves and so does not crowd at the top.

# %%
coupled = coupling.couple_systems(data[list(asked.systems)].dropna())
shown.record_coupling(run.record, coupled, run.regions)
measures = coupling.describe_coupling(coupled, run.regions)
run.table(measures, "coordination", caption="Coupling, mean and coupling coordination degree: means")

# %%
named = {name: choices.label(name) for name in choices.grouping.order}
named |= {"coupling": "coupling C", "mean": "mean T", "degree": "degree D"}

# %% [markdown]
# By region, over the periods:

# %%
run.figure(
    pictures.draw_measures(coupling.measures_by_region(coupled, run.regions), choices.grouping.order, named),
    "coordination",
    caption="Coupling, mean and coupling coordination degree by region and period",
    alt="Three panels of lines by period, one line per region.",
)

# %% [markdown]
# The literature reads the degree in ten classes of equal width:

# %%
run.table(coupling.count_grades(coupled), "coordination_classes", caption="Units in each of ten classes of the degree")

# %% [markdown]
# And by unit:

# %%
degree = coupled.table["degree"]
tiles = index_shown.find_tiles(run.units, choices)
run.figure(
    index_pictures.draw_tiles(degree, *tiles),
    "degree_tiles",
    caption="Coupling coordination degree, first and last period",
    alt="A grid with one tile per unit, darker tiles are higher, at the first and at the last period.",
) if tiles else run.say("This study declares no map, so that none is drawn.")

# %% [markdown]
# Does the degree say anything that the treatment does not say already?

# %%
alike = degree.corr(data[treatment], method="spearman")
ranks = run.record("coordination.degree.rank_correlation", value=alike, n_obs=len(degree), digits=3)

# %%
run.say(
    "Over all rows the degree ranks units much as {treatment} does (rank correlation {ranks}): it holds little beside "
    "that. Coupling given the level of the systems is what is put to the test below."
    if alike > 0.9
    else "Over all rows the degree and {treatment} rank units differently (rank correlation {ranks}). That alone does "
    "not say that coordination adds anything to the level of the systems; coupling given the level is put to the test "
    "below.",
    treatment=label[treatment],
    ranks=ranks,
)

# %% [markdown]
# ## Stacking or integration?
#
# An arrow is one unit from the first to the last period; the dotted lines are the medians over all rows. To the right
# below, the first system has been stacked up without the second; to the right above, both have grown.

# %%
run.figure(
    pictures.draw_quadrants(
        data,
        (question.of, question.by),
        (choices.label(question.of), choices.label(question.by)),
        ("stacked", "integrated", "second alone", "neither"),
    ),
    "stacking",
    caption="Where every unit stands between the two systems, first and last period",
    alt="Arrows from the first to the last period of each unit, in four quadrants.",
)

# %% [markdown]
# ## Does the one pay only with the other?
#
# $$Y_{it} = \beta_1 T_{it} + \beta_2 O_{it} + \beta_3\, T_{it} O_{it} + \gamma' X_{it} + \alpha_i + \lambda_t +
# \varepsilon_{it}$$
#
# both centred at their means. The claim is $\beta_3 > 0$.

# %%
setting = moderation.moderate(data, model, question.of, question.by, question.beside)
setting.model

# %% [markdown]
# By the t test and by the wild bootstrap, with and without period effects:

# %%
interaction = clear.fit_clear(setting.data, setting.model, draws=wild_draws, rng=run.rng("wild, interaction"))
clear.record_clear(run.record, "coordination.interaction", interaction)
run.coefficients(interaction.fit, "interaction_coefficients", caption="{outcome}: every coefficient")

# %%
shown.record_marginal(run.record, interaction, setting)
run.figure(
    pictures.draw_marginal(
        moderation.marginal_curve(interaction.fit, setting),
        setting.values,
        label=run.text("effect of {treatment}", treatment=run.label(question.of)),
        moderator=f"{choices.label(question.by)}, less its mean",
    ),
    "marginal_effect",
    caption="The effect of the one system over the level of the other, 95 % intervals; ticks are rows",
    alt="A line with a band over the moderator, a line at zero, and ticks where the rows lie.",
)

# %% [markdown]
# Where there are no ticks the line is drawn beyond the data. The same question can be put in other forms, which do not
# share the assumption of a straight line, or do not let a unit's level make the product.

# %%
leverage = find_leverage(interaction.fit, moderation.PRODUCT).shares
others = {
    name: clear.fit_clear(rows, form, term, draws=wild_draws, rng=run.rng(f"wild, interaction, {name}"))
    for name, (rows, form, term) in moderation.put_otherwise(setting, leverage.index[0], asked.groups).items()
}

# %% [markdown]
# The study file may name further pairs of systems. Each is put in the same way:

# %%
further = {
    name: clear.fit_clear(pair.data, pair.model, draws=wild_draws, rng=run.rng(f"wild, {name}"))
    for name, pair in shown.further_pairs(data, model, asked).items()
}

# %% [markdown]
# All forms side by side. An interaction that only one of them shows hangs on that form.

# %%
shown.record_forms(run.record, others)
for name, found in further.items():
    clear.record_clear(run.record, f"coordination.interaction.{name}", found)
forms = {shown.FORMS[name]: found for name, found in {"two_way": interaction, **others}.items()}
forms |= {asked.moderation[name].label.en: found for name, found in further.items()}
run.table(
    inference_shown.clear_table(forms),
    "interaction",
    caption="The interaction, in every form of the question",
    draws={"without_times_wild_p_value": wild_draws},
)

# %% tags=["summary"]
run.say(
    {
        "above": "{of} pays more where {by} is higher: interaction {effect} ({effect:p}; wild bootstrap {wild:p}).",
        "below": "{of} pays less, not more, where {by} is higher: interaction {effect} ({effect:p}; wild bootstrap "
        "{wild:p}). That is the opposite of the claim.",
        "above_without_times": "That {of} pays more where {by} is higher is clear only while what all units share in a "
        "period is not held constant; with period effects the interaction is {effect} ({effect:p}; wild bootstrap "
        "{wild:p}), and one "
        "smaller than {smallest} would have been missed in more than one of five samples.",
        "below_without_times": "That {of} pays less where {by} is higher is clear only while what all units share in a "
        "period is not held constant; with period effects the interaction is {effect} ({effect:p}; wild bootstrap "
        "{wild:p}), and one "
        "smaller than {smallest} would have been missed in more than one of five samples.",
        "unclear": "That {of} pays more where {by} is higher does not show: interaction {effect} ({effect:p}; wild "
        "bootstrap {wild:p}). An interaction of {smallest} or more would have been seen in four of five samples.",
        "unseen": "That {of} pays more where {by} is higher does not show: interaction {effect} ({effect:p}; wild "
        "bootstrap {wild:p}). The bootstrap's interval has no end, so that no interaction, however large, would surely "
        "have been seen.",
    }[inference_shown.read_effect(interaction, level)],
    of=run.label(question.of),
    by=run.label(question.by),
    effect=run.results["coordination.interaction"],
    wild=run.results["coordination.interaction.wild"],
    smallest=run.record("coordination.interaction.detectable", value=interaction.detectable(level)),
)

# %% [markdown]
# How much of it rests on one unit?

# %%
heaviest = run.record("coordination.interaction.leverage", value=float(leverage.iloc[0]), digits=3)
run.say(
    "One unit, {unit}, holds {share:.0%} of the variation of the product that identifies this interaction.",
    unit=run.label(str(leverage.index[0])),
    share=heaviest,
)

# %% [markdown]
# ## Does coordination help beyond the level?
#
# $D = \sqrt{C\,T}$ contains the level $T$, so $D$ cannot show what coordination adds. Coupling given the level can:
#
# $$Y_{it} = \beta\, C_{it} + \delta\, T_{it} + \gamma' X_{it} + \alpha_i + \lambda_t + \varepsilon_{it}.$$

# %%
beside = data.assign(coupling=coupled.table["coupling"], mean_of_systems=coupled.table["mean"])
controls = tuple(name for name in model.controls if name not in asked.without)
given = model.with_(treatment="coupling", controls=("mean_of_systems", *controls))
given

# %%
together = clear.fit_clear(beside[list(given.columns)].dropna(), given, draws=wild_draws, rng=run.rng("wild, coupling"))
clear.record_clear(run.record, "coordination.coupling_given_mean", together)
run.coefficients(together.fit, "coupling_given_mean_coefficients", caption="{outcome}: every coefficient")

# %%
run.say(
    {
        "above": "At the same level, better coordinated systems go with a higher outcome: {effect} ({effect:p}; wild "
        "bootstrap {wild:p}).",
        "below": "At the same level, better coordinated systems go with a lower outcome: {effect} ({effect:p}; wild "
        "bootstrap {wild:p}).",
        "above_without_times": "At the same level, better coordinated systems go with a higher outcome clearly only "
        "without period effects; with them the estimate is {effect} ({effect:p}; wild bootstrap {wild:p}), and one "
        "smaller than {smallest} would have been missed in more than one of five samples.",
        "below_without_times": "At the same level, better coordinated systems go with a lower outcome clearly only "
        "without period effects; with them the estimate is {effect} ({effect:p}; wild bootstrap {wild:p}), and one "
        "smaller than {smallest} would have been missed in more than one of five samples.",
        "unclear": "That coordination helps beyond the level does not show: {effect} ({effect:p}; wild bootstrap "
        "{wild:p}). An effect of {smallest} or more would have been seen in four of five samples.",
        "unseen": "That coordination helps beyond the level does not show: {effect} ({effect:p}; wild bootstrap "
        "{wild:p}). The bootstrap's interval has no end, so that no effect, however large, would surely have been "
        "seen.",
    }[inference_shown.read_effect(together, level)],
    effect=run.results["coordination.coupling_given_mean"],
    wild=run.results["coordination.coupling_given_mean.wild"],
    smallest=run.record("coordination.coupling_given_mean.detectable", value=together.detectable(level)),
)

# %% [markdown]
# ## Do investment and quality come apart?
#
# Between units the two may go together because both go with wealth. Within a unit, and beside what all share in a
# period, is where investment would have to show. "Weak" is a claim about size: it needs an interval that lies between
# two bounds, which the study file sets, not a test that fails to reject.

# %%
run.figure(
    pictures.draw_within_between(data, treatment, outcome, (choices.label(treatment), choices.label(outcome))),
    "within_between",
    caption="Treatment and outcome between units, and within units and periods",
    alt="Two scatters with lines: means of the units, and deviations from unit and period means.",
)

# %% [markdown]
# How strong is the tie within units, and how sure is that?

# %%
tie = returns.within_correlation(data, treatment, outcome, draws=bootstrap_draws, rng=run.rng("within correlation"))
wide = run.record("returns.within_correlation", tie.wide, digits=2)
narrow = run.record("returns.within_correlation.narrow", tie.narrow, digits=2)
between = run.record("returns.between_correlation", value=tie.between, n_entities=tie.wide.n_entities, digits=2)

# %%
weak = run.record("returns.weak_bound", value=asked.weak, digits=1)
run.say(
    "Within units the two are weakly correlated: {wide}, and the interval of two one-sided tests {narrow:ci} lies "
    "inside plus or minus {weak}. Between units the correlation is {between}."
    if tie.is_weak(asked.weak)
    else "Within units the one falls where the other rises: {wide} (95 % interval {wide:ci}). Between units the "
    "correlation is {between}."
    if tie.wide.ci_high < -asked.weak
    else "Within units the correlation is {wide} (95 % interval {wide:ci}), but the interval of two one-sided tests "
    "{narrow:ci} reaches beyond plus or minus {weak}: it is not shown to be weak, and not shown to be strong. Between "
    "units it is {between}."
    if tie.wide.ci_low <= asked.weak
    else "Within units the two go together: {wide} (95 % interval {wide:ci}). Between units the correlation is "
    "{between}.",
    wide=wide,
    narrow=narrow,
    between=between,
    weak=weak,
)

# %% [markdown]
# ## Do returns diminish?
#
# A square bends the line; that it turns inside the data needs a rising slope at the lower end and a falling one at the
# upper (Lind and Mehlum 2010). The treatment is centred at its mean before it is squared, so that its own coefficient
# is the slope there. A threshold lets the slope jump where the data put it (Hansen 1999).

# %%
bent = returns.square_treatment(data, model)
square = clear.fit_clear(bent.data, bent.model, draws=wild_draws, rng=run.rng("wild, square"))
clear.record_clear(run.record, "returns.square", square)
run.coefficients(square.fit, "square_coefficients", caption="{outcome}: every coefficient")

# %%
plain = {
    name: returns.square_treatment(data.dropna(subset=name), model.with_(treatment=name)) for name in asked.levels[:1]
}
squares = {
    name: clear.fit_clear(one.data, one.model, draws=wild_draws, rng=run.rng(f"wild, square, {name}"))
    for name, one in plain.items()
}
for name, found in squares.items():
    clear.record_clear(run.record, f"returns.square.{name}", found)
run.table(
    inference_shown.clear_table({choices.label(name): found for name, found in {treatment: square, **squares}.items()}),
    "squares",
    caption="The square of the treatment, and of the column that stands behind it",
) if squares else run.say("No further column stands behind the treatment.")

# %% [markdown]
# The slope at both ends of the data:

# %%
ends = returns.end_slopes(bent)
slopes = returns.wild_slopes(square.fit, bent, ends, draws=wild_draws, rng=run.rng("wild, slopes at the ends"))
run.record("returns.turning", value=ends.turning_point, p_value=ends.p_value, convention="Lind and Mehlum (2010)")
low, high = run.record("returns.slope_low", ends.low), run.record("returns.slope_high", ends.high)
low_wild, high_wild = (run.record(f"returns.slope_{end}.wild", slopes[end]) for end in ("low", "high"))

# %%
run.say(
    {
        "above": "The slope rises with the treatment, it does not fall: the square is {square} ({square:p}; wild "
        "bootstrap {wild:p}), the slope goes from {low} at the lower end to {high} at the upper.",
        "diminish": "Returns diminish: the square is {square} ({square:p}; wild bootstrap {wild:p}), the slope goes "
        "from {low} ({low:p}; wild bootstrap {low_wild:p}) at the lower end to {high} ({high:p}; wild bootstrap "
        "{high_wild:p}) at the upper.",
        "below": "The slope falls as the treatment rises (square {square}, {square:p}; wild bootstrap {wild:p}), but "
        "that there are returns which could diminish does not show: it goes from {low} ({low:p}; wild bootstrap "
        "{low_wild:p}) at the lower end to {high} ({high:p}; wild bootstrap {high_wild:p}) at the upper.",
        "above_without_times": "With period effects the square is {square} ({square:p}; wild bootstrap {wild:p}); only "
        "without them does the slope clearly rise with the treatment. A square smaller than "
        "{smallest} would have been missed in more than one of five samples.",
        "below_without_times": "With period effects the square is {square} ({square:p}; wild bootstrap {wild:p}); only "
        "without them does the slope clearly fall as the treatment rises. A square smaller than "
        "{smallest} would have been missed in more than one of five samples.",
        "unclear": "That returns bend is not clear: the square is {square} ({square:p}; wild bootstrap {wild:p}), the "
        "slope {low} ({low:p}; wild bootstrap {low_wild:p}) at the lower end and {high} ({high:p}; wild bootstrap "
        "{high_wild:p}) at the upper. A square of {smallest} or more, on either side of zero, would have been seen in "
        "four of five samples.",
        "unseen": "That returns bend is not clear: the square is {square} ({square:p}; wild bootstrap {wild:p}), the "
        "slope {low} ({low:p}; wild bootstrap {low_wild:p}) at the lower end and {high} ({high:p}; wild bootstrap "
        "{high_wild:p}) at the upper. The bootstrap's interval has no end, so that no square, however large, would "
        "surely have been seen.",
    }[shown.read_returns(square, ends.low, slopes["low"], level)],
    square=run.results["returns.square"],
    wild=run.results["returns.square.wild"],
    smallest=run.record("returns.square.detectable", value=square.detectable(level)),
    low=low,
    high=high,
    low_wild=low_wild,
    high_wild=high_wild,
)

# %% [markdown]
# Where might the slope jump? In the treatment, or in the variables that the study file names:

# %%
variables = asked.thresholds or (treatment,)
whole = specification.keep_complete_entities(data[list(dict.fromkeys([*model.columns, *variables]))].dropna())

# %% [markdown]
# The threshold is looked for twice: with unit and period effects, and with unit effects alone, as in Hansen's own
# model. The variable's own level is held, as there.

# %%
steps = {
    (variable, ending): threshold.panel_threshold(
        whole,
        threshold.hold_own_level(whole, model.with_(effects=effects), variable),
        variable,
        draws=threshold_draws,
        rng=run.rng(f"threshold{ending}, {variable}"),
    )
    for variable in variables
    for ending, effects in (("", model.effects), (".without_years", ("entity",)))
}

# %%
for (variable, ending), step in steps.items():
    shown.record_threshold(run.record, f"returns.threshold.{variable}{ending}", step)

# %% [markdown]
# How much worse every other value fits than the best one:

# %%
titles = {"": "unit and period effects", ".without_years": "unit effects"}
chosen = variables[0]

# %%
run.figure(
    pictures.draw_likelihood_ratio(
        {titles[ending]: step.profile for (variable, ending), step in steps.items() if variable == chosen},
        0.95,
        label=choices.label(chosen),
    ),
    "returns_threshold",
    caption="Where the slope would jump: likelihood ratio over every candidate; the interval lies below the line",
    alt="Two lines over candidate thresholds with a dashed line at the critical value.",
)

# %% [markdown]
# Is there a jump at all? Its test draws the largest statistic under a straight line:

# %%
jump = run.results[f"returns.threshold.{chosen}"]
run.say(
    "With unit and period effects no threshold in {variable} is seen (F = {jump:statistic:.2f}, {jump:p} by "
    "bootstrap); that is no proof that the slope is the same everywhere, since how large a jump would have been seen "
    "is not known here."
    if jump.p_value >= level
    else "The slope changes where {variable} is {jump} (interval {jump:ci}; F = {jump:statistic:.2f}, {jump:p}): "
    "{below} below and {above} above.",
    variable=run.label(chosen),
    jump=jump,
    below=run.results[f"returns.threshold.{chosen}.low"],
    above=run.results[f"returns.threshold.{chosen}.high"],
)

# %% [markdown]
# ## Do those that are ahead pull away?
#
# In the text the strong are departments; units are an analogue. Relative gaps (coefficient of variation, Gini) and
# absolute ones (points) can move in opposite ways, and then both must be told. Groups are by the first value: where it
# holds chance, the lower group gains on average by that alone (regression to the mean), so that its gain says less than
# a spread that falls.

# %%
measured = asked.levels or (treatment,)
courses = {name: specification.keep_complete_entities(data[[name]].dropna())[name] for name in measured}
course = courses[measured[0]]
apart = shown.divergence_estimates(course, asked.groups, draws=bootstrap_draws, rng=run.rng("divergence"))
sigma, gini, points = (run.record(f"divergence.{name}", found) for name, found in apart.items())
wilds = shown.divergence_wilds(course, asked.groups, apart, draws=wild_draws, rng=run.rng("wild, divergence"))
for name, found in wilds.items():
    run.record(f"divergence.{name}.wild", found)

# %% [markdown]
# Two relative measures and one in points, each with its interval:

# %%
run.table(
    inference_shown.estimate_rows(apart).assign(
        p_value=[found.p_value for found in apart.values()],
        wild_p_value=[wilds[name].p_value if name in wilds else None for name in apart],
    ),
    "divergence",
    caption="{column}: trend of the log coefficient of variation, change of the Gini, points gained by upper less "
    "lower group",
    words={"column": run.label(measured[0])},
    digits=4,
)

# %%
others = {
    name: shown.divergence_estimates(one, asked.groups, draws=bootstrap_draws, rng=run.rng(f"divergence, {name}"))
    for name, one in list(courses.items())[1:]
}
shown.record_divergences(run.record, others)
run.table(
    shown.divergence_table(others, choices),
    "divergence_others",
    caption="The same of the other columns that the study names",
    digits=4,
) if others else run.say("The study names no further column by which units might pull apart.")

# %% [markdown]
# How much of the inequality lies between regions, and how much within them?

# %%
gaps = disparity_shown.gap_table(course, run.groups_of(asked.divided))
run.table(gaps, "divergence_regions", caption="Theil and Gini with their regional parts, by period")

# %%
run.say(
    {
        "apart_apart": "Units pull apart: the Gini changed by {gini} {gini:ci}, and in points too those that began in "
        "the upper group gained on those of the lower: {points} ({points:p}; wild bootstrap {wild:p}).",
        "apart_together": "In relative terms units pull apart (the Gini changed by {gini} {gini:ci}), while in points "
        "those that began in the lower group gained on those of the upper: {points} ({points:p}; wild bootstrap "
        "{wild:p}).",
        "apart_unclear": "In relative terms units pull apart: the Gini changed by {gini} {gini:ci}. In points it is "
        "not clear which group gained on the other: {points} ({points:p}; wild bootstrap {wild:p}).",
        "together_apart": "In relative terms units come together (the Gini changed by {gini} {gini:ci}), while in "
        "points those that began in the upper group gained on those of the lower: {points} ({points:p}; wild bootstrap "
        "{wild:p}).",
        "together_together": "Units come together: the Gini changed by {gini} {gini:ci}, and in points too those that "
        "began in the lower group gained on those of the upper: {points} ({points:p}; wild bootstrap {wild:p}).",
        "together_unclear": "In relative terms units come together: the Gini changed by {gini} {gini:ci}. In points "
        "it is not clear which group gained on the other: {points} ({points:p}; wild bootstrap {wild:p}).",
        "unclear_apart": "In relative terms it is not clear whether units pull apart: the Gini changed by {gini} "
        "{gini:ci}. In points those that began in the upper group gained on those of the lower: {points} ({points:p}; "
        "wild bootstrap {wild:p}).",
        "unclear_together": "In relative terms it is not clear whether units pull apart: the Gini changed by {gini} "
        "{gini:ci}. In points those that began in the lower group gained on those of the upper: {points} ({points:p}; "
        "wild bootstrap {wild:p}).",
        "unclear_unclear": "Whether units pull apart is not clear: the Gini changed by {gini} {gini:ci}, and in "
        "points the upper group gained {points} more than the lower ({points:p}; wild bootstrap {wild:p}).",
    }[disparity_shown.read_divergence(apart["gini_change"], apart["points"], wilds["points"], level)],
    gini=gini,
    points=points,
    wild=run.results["divergence.points.wild"],
)

# %% [markdown]
# And which changes could not have been seen?

# %%
run.say(
    "A change of the Gini smaller than {least_gini}, or a difference in points gained smaller than {least_points}, "
    "would have been missed in more than one of five samples.",
    least_gini=run.record(
        "divergence.gini_change.detectable", value=detectable_effect(apart["gini_change"], level=level)
    ),
    least_points=run.record(
        "divergence.points.detectable", value=clear.detectable_by_both(apart["points"], wilds["points"], level)
    ),
)

# %% [markdown]
# ## Do the functions of one government drift apart as it digitises?
#
# The spread is the standard deviation over the functions' z-scores in one unit and period.

# %%
uneven = data.assign(function_spread=loop.spread_of(data, functions)).dropna(subset="function_spread")
drift = model.with_(outcome="function_spread")
drift

# %%
spread = clear.fit_clear(uneven, drift, draws=wild_draws, rng=run.rng("wild, function spread"))
clear.record_clear(run.record, "coordination.function_spread", spread)
run.coefficients(spread.fit, "function_spread_coefficients", caption="{outcome}: every coefficient")

# %%
run.say(
    {
        "above": "Functions drift apart where the treatment rises: {effect} ({effect:p}; wild bootstrap {wild:p}).",
        "below": "Functions come together where the treatment rises: {effect} ({effect:p}; wild bootstrap {wild:p}).",
        "above_without_times": "Functions drift apart where the treatment rises clearly only without period effects; "
        "with them: {effect} ({effect:p}; wild bootstrap {wild:p}), and one "
        "smaller than {smallest} would have been missed in more than one of five samples.",
        "below_without_times": "Functions come together where the treatment rises clearly only without period effects; "
        "with them: {effect} ({effect:p}; wild bootstrap {wild:p}), and one "
        "smaller than {smallest} would have been missed in more than one of five samples.",
        "unclear": "Whether functions drift apart is not clear: {effect} ({effect:p}; wild bootstrap {wild:p}). An "
        "effect of {smallest} or more would have been seen in four of five samples.",
        "unseen": "Whether functions drift apart is not clear: {effect} ({effect:p}; wild bootstrap {wild:p}). The "
        "bootstrap's interval has no end, so that no effect, however large, would surely have been seen.",
    }[inference_shown.read_effect(spread, level)],
    effect=run.results["coordination.function_spread"],
    wild=run.results["coordination.function_spread.wild"],
    smallest=run.record("coordination.function_spread.detectable", value=spread.detectable(level)),
)

# %% [markdown]
# ## Which features carry it?
#
# All features stand in one model, so that each is what it adds to the others. p-values count how many are looked at
# (Romano and Wolf); the joint test asks whether any does.

# %%
known = data[[*model.columns, *features]].loc[:, lambda frame: ~frame.columns.duplicated()].dropna()
factors = diagnostics.vif(known, [*features, *model.controls]).rename(index=choices.label).rename_axis("regressor")
run.table(factors.to_frame("vif"), "features_vif", caption="Variance inflation of features and controls", digits=2)

# %% [markdown]
# Each feature, given the others:

# %%
four = family.fit_clear_family(
    shown.feature_questions(known, model, features), draws=wild_draws, rng=run.rng("family, features"), level=level
)
family.record_family(run.record, {name: f"features.{name}" for name in features}, four)
run.table(
    inference_shown.family_table({outcome: four}, ("outcome", "regressor")),
    "features",
    caption="Every feature, given the others",
)

# %% [markdown]
# Does any feature matter? All of them at once:

# %%
first = four.answers[features[0]].fit
joint = wald.joint_wald(first, features, draws=wild_draws, rng=run.rng("joint, features"))
joint_f = run.record("features.joint", joint.estimate(first), digits=2)
joint_wild = run.record("features.joint.wild", joint.wild(first), digits=2)
strong = detectable_f(joint.df, joint.df_denominator, level=level)

# %%
clearly = [name for name, where in inference_shown.read_family(four, level).items() if where != "unclear"]
run.say(
    "No feature stands out once all are looked at, but together they differ from zero: F = {joint} ({joint:p}; wild "
    "bootstrap {wild:p}). An effect of one smaller than {least} standard deviations per standard deviation would have "
    "been missed in more than one of five samples."
    if not clearly and max(joint_f.p_value, joint_wild.p_value) < level
    else "No feature stands out once all are looked at, nor do they together by both tests: F = {joint} ({joint:p}; "
    "wild bootstrap {wild:p}). An effect of one smaller than {least} standard deviations per standard deviation, or of "
    "all that gives an F smaller than {strong} on average, would have been missed in more than one of five samples."
    if not clearly
    else "What stands out once all are looked at: {names}; together the features have F = {joint} ({joint:p}; wild "
    "bootstrap {wild:p}).",
    names=run.labels(clearly) or "none",
    joint=joint_f,
    wild=joint_wild,
    strong=run.record("features.joint.detectable", value=strong, digits=2),
    **inference_shown.record_detectable(run.record, "features", four.answers.values(), level),
)

# %% [markdown]
# ## Is there a loop?
#
# Each variable on the past of both. Unit effects and an own past in one short panel bias least squares by about one
# over the number of periods (Nickell 1981); the cross term is what is asked for.

# %%
ways = {
    name: clear.fit_clear(rows, way, draws=wild_draws, rng=run.rng(f"wild, loop, {name}"))
    for name, (rows, way) in loop.cross_lagged(data, model, choices.time.window).items()
}

# %% [markdown]
# What the past of the one adds to the present of the other:

# %%
forth, back = (clear.record_clear(run.record, f"loop.{name}", found) for name, found in ways.items())
run.table(inference_shown.clear_table(ways), "loop", caption="The past of the one in the present of the other")

# %% [markdown]
# The own past is estimated in several ways. How far they differ shows the bias only as far as the fits hold; what
# speaks against them stands in the notebook on identification:

# %%
past = dynamic.fit_past(data, model, choices.time.window)
run.table(
    dynamic_shown.past_table(past, choices.label(choices.primary)),
    "loop_dynamic",
    caption="The outcome on its own past, by least squares and by GMM",
)

# %% [markdown]
# Does each feed the other?

# %%
least = [found.detectable(level) for found in ways.values()]
run.say(
    {
        "both": "Each goes before the other: {forth} ({forth:p}; wild bootstrap {forth_wild:p}) from {treatment} to "
        "{outcome} and {back} ({back:p}; wild bootstrap {back_wild:p}) back.",
        "forth": "Only the way from {treatment} to {outcome} is clear and positive: {forth} ({forth:p}; wild bootstrap "
        "{forth_wild:p}), and {back} ({back:p}; wild bootstrap {back_wild:p}) back, where an effect smaller than "
        "{least_back} would have been missed in more than one of five samples.",
        "back": "Only the way back, from {outcome} to {treatment}, is clear and positive: {back} ({back:p}; wild "
        "bootstrap {back_wild:p}), and {forth} ({forth:p}; wild bootstrap {forth_wild:p}) forth, where an effect "
        "smaller than {least_forth} would have been missed in more than one of five samples.",
        "against": "At least one way of the loop is clear and negative, the opposite of a loop that feeds itself: "
        "{forth} ({forth:p}; wild bootstrap {forth_wild:p}) from {treatment} to {outcome}, {back} ({back:p}; wild "
        "bootstrap {back_wild:p}) back.",
        "neither": "Neither way of the loop is clear: {forth} ({forth:p}; wild bootstrap {forth_wild:p}) from "
        "{treatment} to {outcome}, {back} ({back:p}; wild bootstrap {back_wild:p}) back. An effect smaller than "
        "{least_forth} forth or {least_back} back would have been missed in more than one of five samples.",
    }[shown.read_loop(*ways.values(), level=level)],
    least_forth=run.record(f"{forth.key}.detectable", value=least[0]),
    least_back=run.record(f"{back.key}.detectable", value=least[1]),
    forth=forth,
    back=back,
    forth_wild=run.results[f"{forth.key}.wild"],
    back_wild=run.results[f"{back.key}.wild"],
    treatment=label[treatment],
    outcome=label[outcome],
)

# %% [markdown]
# ## Checks

# %%
table = coupled.table
run.check(
    "the degree squared is coupling times mean",
    (table["degree"] ** 2 - table["coupling"] * table["mean"]).abs().max() < 1e-12,
)
run.check(
    "no coupling lies outside 0 to 1", table["coupling"].between(0, 1).all(), f"{len(coupled.zeros)} rows with a 0"
)
run.check("the product has the two parts beside it", {question.of} <= set(setting.model.controls))

# %% tags=["nbval-check-output"]
print(len(table), "rows,", len(asked.systems), "systems,", len(features), "features")

# %% [markdown]
# ## Save

# %%
run.save()
