# %% [markdown]
# # 11 Policy and space
#
# Two questions that the primary specification cannot answer. Some units got a policy and others did not: did it move
# them? And does what the neighbours do help or harm? Both rest on assumptions that figures can make doubtful but cannot
# prove, and both end with what they do not show.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
wild_draws: int = 99999
assignments: int = 49999

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.inference import clear
from helpers.inference import shown as inference_shown
from helpers.inference.detectable import detectable_f
from helpers.policy import pictures, pilots, shown, space, spatial_tests
from helpers.regression import panel as regression

# %%
run = notebook.open_run("11_policy_and_space", study=study, run_folder=run_folder, out=out)
choices, model = run.study, run.study.model()
treatment, outcome, level = model.treatment, model.outcome, choices.specification.significance
label = {name: run.label(name) for name in (treatment, outcome)}
data, statistics = run.read("panel"), run.read("statistics")

# %% [markdown]
# ## Which policies, and over which years?
#
# Both indices are built anew over every year in which their figures are complete, so that there are years before the
# policy; scale and weights are those of the longer span, so the numbers are not those of the other notebooks.

# %%
sides = {"treatment": treatment, "outcome": outcome}
long = {side: pilots.build_long_panel(statistics, choices, column) for side, column in sides.items()}
rows = {side: run.record(f"policy.rows.{side}", value=len(panel), digits=0) for side, panel in long.items()}

# %%
run.say(
    "{treatment} can be built for {first} rows, {outcome} for {second}.",
    treatment=label[treatment],
    outcome=label[outcome],
    first=rows["treatment"],
    second=rows["outcome"],
)

# %% [markdown]
# What each policy was, and what its dates can and cannot tell:

# %%
run.table(
    shown.list_policies(choices.policies),
    "policies",
    caption="The policies, who got them when, and what to keep in mind",
)

# %% [markdown]
# ## Did the policy move the treatment, and the outcome?
#
# $$Y_{it} = \beta\, P_{it} + \gamma' X_{it} + \alpha_i + \lambda_t + \varepsilon_{it},$$
#
# $P_{it} = 1$ from the first whole year under the policy. The first stage asks it of the treatment, the reduced form of
# the outcome. Three p-values: clustered t, wild bootstrap, and dealing the policy out anew among the units.

# %%
found = {
    (name, side): shown.assess_policy(
        long[side], model, policy, sides[side], draws=wild_draws, assignments=assignments, rng=run.rng
    )
    for name, policy in choices.policies.items()
    for side in sides
}

# %% [markdown]
# Two rows per policy, the treatment first. Where the policy did not move it, the outcome cannot have moved through it;
# that it did not move is not shown by a test that does not reject.

# %%
for (name, side), item in found.items():
    shown.record_policy(run.record, name, side, item)
named = {(choices.label(name), choices.label(sides[side])): item for (name, side), item in found.items()}
run.table(
    shown.policy_table(named), "policy", caption="Difference in differences, and what stands against it", digits=4
)

# %% [markdown]
# For the policy that the study file names first, by the t test and the wild bootstrap together:

# %%
main = next(iter(choices.policies))
first, second = found[main, "treatment"], found[main, "outcome"]
moved = shown.read_policy(first.effect, second.effect, level)

# %%
run.say(
    {
        "both": "Where {policy} began, both {treatment} ({stage}, {stage:p}; wild bootstrap {stage_wild:p}) and "
        "{outcome} ({effect}, {effect:p}; wild bootstrap {wild:p}; dealt out anew {drawn:p}) rose more than elsewhere.",
        "treatment": "Where {policy} began, {treatment} rose more than elsewhere ({stage}, {stage:p}; wild bootstrap "
        "{stage_wild:p}), but not clearly {outcome} ({effect}, {effect:p}; wild bootstrap {wild:p}; dealt out anew "
        "{drawn:p}), on which an effect smaller than {least_effect} would have been missed in more than one of five "
        "samples.",
        "outcome": "Where {policy} began, {outcome} rose more than elsewhere ({effect}, {effect:p}; wild bootstrap "
        "{wild:p}; dealt out anew {drawn:p}); that {treatment} did too does not show ({stage}, {stage:p}; wild "
        "bootstrap {stage_wild:p}), nor then that the one came through the other. An effect on it smaller than "
        "{least_stage} would have been missed in more than one of five samples.",
        "against": "Where {policy} began, at least one of the two clearly rose less than elsewhere: {treatment} "
        "{stage} ({stage:p}; wild bootstrap {stage_wild:p}), {outcome} {effect} ({effect:p}; wild bootstrap {wild:p}; "
        "dealt out anew {drawn:p}).",
        "neither": "That {policy} moved either does not show: {treatment} {stage} ({stage:p}; wild bootstrap "
        "{stage_wild:p}), {outcome} {effect} ({effect:p}; wild bootstrap {wild:p}; dealt out anew {drawn:p}). An "
        "effect smaller than {least_stage} on the first or {least_effect} on the second would have been missed in more "
        "than one of five samples.",
    }[moved],
    least_stage=run.record(f"policy.{main}.treatment.detectable", value=first.effect.detectable(level)),
    least_effect=run.record(f"policy.{main}.outcome.detectable", value=second.effect.detectable(level)),
    policy=run.label(main),
    treatment=label[treatment],
    outcome=label[outcome],
    stage=run.results[f"policy.{main}.treatment"],
    stage_wild=run.results[f"policy.{main}.treatment.wild"],
    effect=run.results[f"policy.{main}.outcome"],
    wild=run.results[f"policy.{main}.outcome.wild"],
    drawn=run.results[f"policy.{main}.outcome.randomisation"],
)

# %% [markdown]
# ## Were trends parallel before, and what came after?
#
# Effects by period since the start; the period before it is the base. Estimates before the start should be near zero.
# That the joint test does not reject is no proof: with few units it rejects seldom.

# %%
run.figure(
    pictures.draw_courses({place: item.events.course for place, item in named.items()}),
    "policy_events",
    caption="Effects by period since the start, 95 % intervals; dashed: the policy begins",
    alt="Panels by policy and column with estimates and intervals over the periods since the start.",
)

# %% [markdown]
# Did the two groups move apart before the start?

# %%
before, before_wild = run.results[f"policy.{main}.pretrend"], run.results[f"policy.{main}.pretrend.wild"]
early = second.events.before
strong = detectable_f(early.df, early.df_denominator, level=level)
run.say(
    "Before the start {outcome} moved differently where {policy} was to come: F = {before}, {before:p}; wild bootstrap "
    "{wild:p}. A difference after it is then not to be read as an effect of the policy."
    if max(before.p_value, before_wild.p_value) < level
    else "Of the two joint tests one sees different trends of {outcome} before {policy} (F = {before}, {before:p}; "
    "wild bootstrap {wild:p}): a difference after it may be their continuation."
    if min(before.p_value, before_wild.p_value) < level
    else "No joint test sees different trends of {outcome} before {policy} (F = {before}, {before:p}; wild bootstrap "
    "{wild:p}), which is no proof that they were parallel: trends that give an F smaller than {strong} on average "
    "would have been missed in more than one of five samples.",
    outcome=label[outcome],
    policy=run.label(main),
    before=before,
    wild=before_wild,
    strong=run.record(f"policy.{main}.pretrend.detectable", value=strong, digits=2),
)

# %% [markdown]
# ## How different may trends be before the effect is gone?
#
# $M$ says how much larger the departure from parallel trends may become, from one period to the next after the start,
# than the largest one seen before it (Rambachan and Roth 2023). At $M = 0$ trends are parallel; at $M = 1$ they may go
# wrong as much as they did before.

# %%
run.table(shown.bounds_table(named), "policy_bounds", caption="The mean effect under bounded departures", digits=4)

# %%
run.figure(
    pictures.draw_bounds(
        {choices.label(name): item.bounds.table for (name, side), item in found.items() if side == "outcome"}
    ),
    "policy_bounds",
    caption="The mean effect on the outcome over M: thick what the estimates allow, thin with their sampling error",
    alt="Vertical intervals over M, one panel per policy, and a line at zero.",
)

# %% [markdown]
# How far may trends differ until the first policy's effect is gone?

# %%
breakdown = run.results[f"policy.{main}.outcome.breakdown"]
run.say(
    "Already under parallel trends the interval holds zero: no effect is told from zero, so that none can be lost."
    if breakdown.value == 0
    else "The effect is told from zero even where departures after the start are {breakdown} times the largest before "
    "it, the most that is tried."
    if breakdown.value >= shown.LARGEST_BOUND
    else "The effect is told from zero until departures after the start are {breakdown} times the largest before it.",
    breakdown=breakdown,
)

# %% [markdown]
# ## Does the comparison of early with late units matter?
#
# Where cohorts begin at different times, the two-way regression also compares late with early units. Callaway and
# Sant'Anna (2021) compare a cohort with units that never get the policy alone; below the largest cohort of each policy.

# %%
run.figure(
    pictures.draw_courses({place: item.cohort.by_time for place, item in named.items()}, start=False),
    "policy_cohorts",
    caption="The largest cohort against units that never get the policy, by period, 95 % intervals",
    alt="Panels by policy and column with estimates and intervals by period.",
)

# %% [markdown]
# **What this does not show.** Units were chosen, not drawn; what made them eligible may also have moved the outcome.
# The policy may have reached others too (learning, moving), which makes the difference too small. One policy was not
# alone in its years. And a pilot that did not move the treatment says nothing about what the treatment does.

# %% [markdown]
# ## Do neighbours matter?
#
# $$Y_{it} = \beta\, D_{it} + \theta \sum_j w_{ij} D_{jt} + \gamma' X_{it} + \alpha_i + \lambda_t + \varepsilon_{it}$$
#
# with the rows of $W$ summing to one. The claim is $\theta > 0$ for common borders.

# %%
weights = {
    name: space.build_weights(item, data, run.units, choices.folder / choices.map.contiguity)
    for name, item in choices.space.weights.items()
}
closest = next(iter(weights))
run.table(shown.weights_table(weights), "spatial_weights", caption="Weights: who is whose neighbour")

# %%
joined, beside = shown.neighbour_model(data, model, weights[closest])
beside

# %%
spill = clear.fit_clear(joined, beside, draws=wild_draws, rng=run.rng("wild, neighbours"))
clear.record_clear(run.record, f"spatial.neighbours.{treatment}", spill)
run.coefficients(spill.fit, "neighbours_coefficients", caption="{outcome}: every coefficient")

# %% [markdown]
# The same model under every other kind of weights, and with the neighbours' controls:

# %%
others = {
    name: clear.fit_clear(*shown.neighbour_model(data, model, item), draws=wild_draws, rng=run.rng(f"wild, {name}"))
    for name, item in weights.items()
    if name != closest
}
for name, test in others.items():
    clear.record_clear(run.record, f"spatial.neighbours.{treatment}.{name}", test)

# %%
more = clear.fit_clear(
    *shown.neighbour_model_with_controls(data, model, weights[closest]), draws=wild_draws, rng=run.rng("wild, controls")
)
controlled = clear.record_clear(run.record, f"spatial.neighbours.{treatment}.with_controls", more)

# %% [markdown]
# A neighbours' effect that one kind of weights alone shows hangs on who counts as a neighbour.

# %%
run.table(
    inference_shown.clear_table(
        {closest: spill, run.text("{weights}, neighbours' controls", weights=run.label(closest)): more, **others}
    ),
    "neighbours_treatment",
    caption="The neighbours' treatment under every kind of weights",
)

# %% tags=["summary"]
run.say(
    {
        "above": "By the first weights ({weights}), where neighbours' {treatment} is higher the outcome is higher: "
        "{effect} ({effect:p}; wild bootstrap {wild:p}).",
        "below": "By the first weights ({weights}), where neighbours' {treatment} is higher the outcome is lower: "
        "{effect} ({effect:p}; wild bootstrap {wild:p}).",
        "above_without_times": "By the first weights ({weights}), neighbours' {treatment} goes with a higher outcome "
        "clearly only without period effects; with them: {effect} ({effect:p}; wild bootstrap {wild:p}), and one "
        "smaller than {smallest} would have been missed in more than one of five samples.",
        "below_without_times": "By the first weights ({weights}), neighbours' {treatment} goes with a lower outcome "
        "clearly only without period effects; with them: {effect} ({effect:p}; wild bootstrap {wild:p}), and one "
        "smaller than {smallest} would have been missed in more than one of five samples.",
        "unclear": "That neighbours' {treatment} matters does not show by the first weights ({weights}): {effect} "
        "({effect:p}; wild bootstrap {wild:p}). An effect of {smallest} or more would have been seen in four of five "
        "samples.",
        "unseen": "That neighbours' {treatment} matters does not show by the first weights ({weights}): {effect} "
        "({effect:p}; wild bootstrap {wild:p}). The bootstrap's interval has no end, so that no effect, however large, "
        "would surely have been seen.",
    }[inference_shown.read_effect(spill, level)],
    weights=run.label(closest),
    treatment=label[treatment],
    effect=run.results[f"spatial.neighbours.{treatment}"],
    wild=run.results[f"spatial.neighbours.{treatment}.wild"],
    smallest=run.record(f"spatial.neighbours.{treatment}.detectable", value=spill.detectable(level)),
)

# %% [markdown]
# ## Are the residuals of neighbours alike?
#
# Moran's I with whole residual series dealt out among the units; and Lagrange multiplier tests against a spatial lag
# and a spatial error, each also robust to the other. These take errors as independent over time.

# %%
primary = regression.fit(data, model)
patterns = {
    name: spatial_tests.examine_residuals(primary, item, draws=assignments, rng=run.rng(f"residuals, {name}"))
    for name, item in weights.items()
}

# %%
for name, item in patterns.items():
    run.record(f"spatial.moran.{name}", value=item.moran, p_value=item.moran_p_value, draws=item.draws, digits=3)
run.table(shown.residual_table(patterns), "spatial_residuals", caption="Spatial pattern in the primary residuals")

# %% [markdown]
# ## What are the effects at home and abroad?
#
# $$y_t = \rho W y_t + X_t \beta + W X_t \theta + \alpha + \lambda_t \iota + \varepsilon_t$$
#
# (spatial lag: $\theta = 0$; spatial Durbin otherwise), by the transformed likelihood of Lee and Yu (2010), which takes
# both effects out without a bias to correct. Coefficients are not effects, since neighbours answer back: the direct
# effect is on the unit itself, the indirect one on all others together, the total their sum (LeSage and Pace 2009).

# %%
models, refused = shown.spatial_models(data, model, weights)

# %% [markdown]
# One row per model and kind of weights:

# %%
shown.record_neighbours(run.record, models, treatment)
run.table(
    shown.spatial_table(models, treatment, refused),
    "spatial_models",
    caption="Spatial lag and Durbin models: the treatment",
)

# %% [markdown]
# The three effects of the Durbin model side by side:

# %%
run.figure(
    pictures.draw_effects(
        shown.effect_rows(models, treatment, choices.label),
        label=run.text("effect of {treatment}", treatment=label[treatment]),
    ),
    "spatial_effects",
    caption="Effects in the spatial Durbin model under every kind of weights, 95 % intervals",
    alt="Three panels, direct, indirect and total, one row with its interval per kind of weights.",
)

# %% [markdown]
# Does the indirect effect depend on who counts as a neighbour?

# %%
indirect = {name: item.effects[treatment, "indirect"] for (kind, name), item in models.items() if kind == "durbin"}
run.say(
    {
        "unknown": "No Durbin model could be had, so that nothing is said of an indirect effect.",
        "none": "No kind of weights shows a clear indirect effect, each looked at alone. One smaller than {least} "
        "would have been missed in more than one of five samples under all of them, one smaller than {most} under that "
        "which measures it worst.",
        "some": "Kinds of weights with a clear indirect effect, each looked at alone: {clear} of {all} ({names}); no "
        "two of them differ in sign. That the others do not is no proof that it is another there: one "
        "smaller than {most} would have been missed in more than one of five samples under the least exact.",
        "opposite": "Kinds of weights show clear indirect effects of opposite signs: what is found depends on who "
        "counts as a neighbour.",
        "every": "Every kind of weights shows a clear indirect effect of the same sign, each looked at alone.",
    }[shown.read_indirect(indirect, level)],
    **shown.indirect_words(run.record, run.labels, indirect, level),
)

# %% [markdown]
# ## How far does it reach?
#
# The mean treatment of the units in rings of rising distance, all rings in one regression.

# %%
far = space.measure_distance(run.units, data.index.unique(0).sort_values())
curve = shown.distance_curve(data, model, far, choices.space.rings_km)

# %% [markdown]
# An effect that is of neighbours should fade with distance:

# %%
for ring, (_, row) in zip(choices.space.rings_km, curve.iterrows(), strict=True):
    run.record(f"spatial.ring.{ring}", estimate=row["estimate"], std_error=row["std_error"], p_value=row["p_value"])
run.figure(
    pictures.draw_curve(curve, label=run.text("effect of the ring's {treatment}", treatment=label[treatment])),
    "distance_curve",
    caption="The effect of the treatment of others by their distance, 95 % intervals",
    alt="Estimates with intervals over rings of rising distance, and a line at zero.",
)

# %% [markdown]
# **What this does not show.** Neighbours are alike for many reasons: shared shocks, shared markets, a shared past. A
# coefficient of the neighbours' treatment cannot tell learning from a shock that hit both. The weights are a choice,
# and the standard errors of the spatial models take errors as independent over time, which panels of this kind are not;
# the first table of this section, clustered and bootstrapped, is the one to rely on.

# %% [markdown]
# ## Checks

# %%
run.check(
    "every row of the weights sums to one",
    all(abs(item.matrix.sum(axis=1) - 1).max() < 1e-12 for item in weights.values()),
)
run.check(
    "direct and indirect effects sum to the total",
    all(
        abs(item.effects[treatment, "direct"].estimate + item.effects[treatment, "indirect"].estimate
            - item.effects[treatment, "total"].estimate) < 1e-9
        for item in models.values()
    ),
)  # fmt: skip
run.check(
    "the panel ends with the window", all(panel.index.unique(1).max() == choices.time.last for panel in long.values())
)

# %% tags=["nbval-check-output"]
print(len(choices.policies), "policies,", len(weights), "kinds of weights")

# %% [markdown]
# ## Save

# %%
run.save()
