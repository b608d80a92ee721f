# %% [markdown]
# # 8 Identification
#
# What else could explain the estimate? An omitted variable, something that moves treatment and outcome at once, the
# outcome's own past, chance, or the choice of what to look at: each is put to the test.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
assignments: int = 49999
wild_draws: int = 99999

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.errors import StudyError, attempt
from helpers.identification import confounding, declared, oster, past, pictures, placebo, shown
from helpers.inference import detectable, family
from helpers.inference import shown as inference_shown
from helpers.regression import panel

# %%
run = notebook.open_run("08_identification", study=study, run_folder=run_folder, out=out)
choices, data = run.study, run.read("panel")
model = choices.model()
treatment, level = model.treatment, choices.specification.significance

# %% [markdown]
# ## What is there to explain?
#
# The primary specification, and the smallest effect that its t test would see in four of five samples.

# %%
model

# %% [markdown]
# Every question of this notebook is put to this one model, so it is fitted once.

# %%
fit = panel.fit(data, model)
primary = run.record("robustness.identification.primary", fit[treatment])
smallest = run.record(
    "robustness.identification.detectable", value=detectable.detectable_effect(fit[treatment], level=level)
)

# %% tags=["summary"]
run.say(
    "The effect is {effect} {effect:ci}, and by its t test different from zero ({effect:p}): what could explain it "
    "away?"
    if primary.p_value < level
    else "The effect is {effect} {effect:ci}, and by its t test cannot be told from zero ({effect:p}); an effect of "
    "{smallest} or more would have been seen in four of five samples, a smaller one more often missed.",
    effect=primary,
    smallest=smallest,
)

# %% [markdown]
# ## How strong would an omitted variable have to be?

# %%
selection = attempt(oster.oster_delta, data, model)
value = confounding.value_of(fit, treatment, alpha=level)
shown.record_robustness_value(run.record, value)

# %%
if not isinstance(selection, StudyError):
    shown.record_oster(run.record, selection)

# %%
run.say(
    "Oster's delta compares with the controls, and the primary specification has none."
    if isinstance(selection, StudyError)
    else {
        "nothing": "The effect cannot be told from zero, so that there is nothing for an omitted variable to explain "
        "away; neither Oster's delta nor the robustness value answers a question here.",
        "undefined": "Oster's delta or its bound has no finite value here.",
        "against": "To bring the effect to zero, selection on what is omitted would have to be "
        "{robustness.oster.delta} times as strong as that on the controls: it would have to work against them. If it "
        "were exactly as strong, the effect would be {robustness.oster.bound} (largest within R-squared "
        "{robustness.oster.r_max}).",
        "with": "To bring the effect to zero, selection on what is omitted would have to be {robustness.oster.delta} "
        "times as strong as that on the controls. If it were exactly as strong, the effect would be "
        "{robustness.oster.bound} (largest within R-squared {robustness.oster.r_max}).",
    }[shown.judge_selection(selection, primary.p_value, level)]
)

# %% [markdown]
# The robustness value asks the same of an omitted variable in shares of variance, without a benchmark:

# %%
run.say(
    "There is nothing to explain away: the treatment explains {robustness.robustness_value.partial_r2:.2%} of what is "
    "left of the outcome."
    if primary.p_value >= level
    else "An omitted variable that explains less than {robustness.robustness_value.estimate:.1%} of what is left of "
    "treatment and of outcome cannot bring the estimate to zero, one that explains as much of both can; by "
    "conventional errors it is not significant as it stands."
    if value.value_alpha == 0
    else "An omitted variable that explains less than {robustness.robustness_value.estimate:.1%} of what is left of "
    "treatment and of outcome cannot bring the estimate to zero, one that explains as much of both can; to make it "
    "insignificant by conventional errors {robustness.robustness_value.significance:.1%} of both are enough."
)

# %% [markdown]
# And with the controls as benchmarks: what would be left of the estimate.

# %%
bounds = shown.bound_table(fit, treatment, choices)
run.table(
    bounds, "confounder_bounds", caption="The estimate beside a variable as strong as a control, or several times"
)

# %%
run.figure(
    pictures.draw_contour(
        shown.contour_of(fit, treatment, bounds),
        bounds,
        label=run.text("effect of {treatment}", treatment=run.label(treatment)),
    ),
    "confounder_contour",
    caption="The estimate over the strength of an omitted variable; in colour: where it is zero",
    alt="Contour lines of the estimate with dots for variables as strong as the controls.",
)

# %% [markdown]
# A dot is a variable that would be as strong as a control that was observed, or twice, or three times. If dots lie
# beyond the line at zero, a variable of ordinary strength is enough to take the estimate away.

# %%
sure = primary.p_value < level and len(bounds) > 0
turning = shown.turning_benchmark(bounds, primary.estimate) if sure else None
named = {choices.label(name): run.label(name) for name in model.controls}
if sure:
    run.record("robustness.benchmark.most", value=float(bounds.index.get_level_values(1).max()), digits=0)
if turning:
    run.record("robustness.benchmark.times", value=turning[1], digits=0)
    run.record("robustness.benchmark.left", value=turning[2])

# %%
run.say(
    "No variable that is as strong as a control, or up to {robustness.benchmark.most} times as strong, turns the sign."
    if turning is None
    else "A variable as strong as {control} is enough to turn the sign: {robustness.benchmark.left} would be left."
    if turning[1] == 1
    else "A variable {robustness.benchmark.times} times as strong as {control} is enough to turn the sign: "
    "{robustness.benchmark.left} would be left.",
    **({"control": named[turning[0]]} if turning else {}),
) if sure else None

# %% [markdown] tags=["needs-instruments"]
# ## Does something move the treatment that has no other way to the outcome?
#
# The study file may declare instruments, each with the argument for it and its weakness. The effective F says how much
# they move the treatment; where they are weak, the estimate and its standard error mislead, and only the set of effects
# that the Anderson-Rubin test does not reject keeps its promise.

# %% tags=["needs-instruments"]
columns = declared.build_instruments(data, choices, run.read("statistics"), run.units)
instrumented = declared.fit_each(data, model, columns)
if instrumented:
    shown.record_instruments(run.record, instrumented, level)

# %% tags=["needs-instruments"]
(
    run.table(shown.argument_table(choices), "instruments_arguments", caption="Why each instrument, and why not")
    if instrumented
    else run.say("The study file declares no instrument (block `instruments`), so that none is tried.")
)

# %% [markdown] tags=["needs-instruments"]
# Each instrument alone, and all of them together:

# %% tags=["needs-instruments"]
(
    run.table(
        shown.instrument_table(instrumented),
        "instruments",
        caption="The primary specification with the declared instruments",
        note="Two-stage least squares, clustered standard errors; ar_low and ar_high are the outer ends of the "
        "Anderson-Rubin set, empty where it has none. The critical value is Montiel Olea and Pflueger's for a "
        "worst-case bias of a tenth at the five per cent level.",
    )
    if instrumented
    else run.say("Without instruments there is no such regression.")
)

# %% [markdown] tags=["needs-instruments"]
# Only what a strong set of instruments says is to be read as an estimate:

# %% tags=["needs-instruments"]
run.say(
    "Nothing is said of an effect by instruments."
    if not instrumented
    else {
        "weak": "None of {robustness.instrument.count} sets of instruments is strong by the effective F, so that no "
        "estimate with them is to be read; only their Anderson-Rubin sets are.",
        "clear": "{robustness.instrument.strong} of {robustness.instrument.count} sets of instruments are strong by "
        "the effective F, and with {robustness.instrument.rejecting} of them, each looked at alone, the Anderson-Rubin "
        "test rejects that there is no effect, if the instruments reach the outcome on no other way.",
        "open": "{robustness.instrument.strong} of {robustness.instrument.count} sets of instruments are strong by the "
        "effective F, and with none of these does the Anderson-Rubin test reject that there is no effect, which does "
        "not show that there is none: its set holds other effects too.",
    }[shown.judge_instruments(instrumented, level)]
)

# %% [markdown] tags=["needs-instruments"]
# An effective F above the critical value excludes a large bias of the estimate; it says nothing of whether the
# instrument reaches the outcome on another way, which no test with one instrument can.

# %% [markdown]
# ## Is it the outcome's own past?
#
# Where an outcome persists, its past belongs in the model, and least squares with unit effects is biased in a short
# panel. Difference and system GMM take earlier levels and differences as instruments; the declared instruments may join
# them.

# %%
before = past.fit_past(data, model, choices.time.window, columns)
shown.record_past(run.record, before)
run.table(
    shown.past_table(before, choices.label(choices.primary)),
    "dynamic",
    caption="The primary specification with the outcome of the period before",
)

# %% [markdown]
# Four things may speak against such a fit: Hansen's J rejects (the instruments contradict each other), the differenced
# residuals are correlated at second order, they are not at first order (as differencing makes them), or the lag lies
# outside what least squares with and without unit effects gives, which bound it. That none of them does is no proof:
# with few units each has little power.

# %%
told = {
    "refused": "{name} could not be made; the table says why.",
    "rejected": "{name} gives {effect} ({effect:p}), but a test rejects it: Hansen's J has {hansen:p}, correlation of "
    "second order {ar2:p}.",
    "outside": "{name} gives {effect} ({effect:p}), but its lag, {lag}, lies outside the bounds of least squares, "
    "{within} and {pooled}.",
    "no_ar1": "{name} gives {effect} ({effect:p}), but does not find the first-order correlation that differencing "
    "makes ({ar1:p}): the data hardly speak.",
    "many": "{name} gives {effect} ({effect:p}), with as many instruments as entities, so that its tests say little.",
    "untested": "{name} gives {effect} ({effect:p}); not all of the four could be looked at, so that what the others "
    "let pass is no support.",
    "open": "{name} gives {effect} ({effect:p}); none of the four speaks against it.",
}
run.say(told[before.verdict("difference", level)], **shown.gmm_words("difference", run.results))

# %%
run.say(told[before.verdict("system", level)], **shown.gmm_words("system", run.results))

# %% [markdown]
# ## Could chance do as well?
#
# The histories of the treatment are dealt out to other units: what is then found is chance. The test counts how often
# the t statistic is as far from zero as the true one; how often that test rejects when there is nothing to find is
# measured on outcomes without an effect.

# %%
dealt = attempt(
    placebo.deal_histories, data, model, draws=assignments, level=level, rng=run.rng("placebo permutations")
)
if not isinstance(dealt, StudyError):
    shown.record_placebo(run.record, dealt)

# %%
run.say(
    "No permutation was made: too few units have a row in every period."
    if isinstance(dealt, StudyError)
    else "Dealt out to other units at random {robustness.placebo.draws} times, among the "
    "{robustness.placebo.permutation:n_entities} complete ones, the treatment histories give a statistic as far from "
    "zero as the true one with {robustness.placebo.permutation:p}."
)

# %% [markdown]
# And can that test be trusted?

# %%
run.say(
    "Without a permutation there is nothing to measure."
    if isinstance(dealt, StudyError)
    else {
        "level": "When there is no effect this test rejects in {robustness.placebo.size.statistic:.1%} of "
        "{robustness.placebo.size.simulations} simulated outcomes, as it promises within what so many can tell; one by "
        "the estimate in place of its t in {robustness.placebo.size.estimate:.1%}.",
        "seldom": "When there is no effect this test rejects in {robustness.placebo.size.statistic:.1%} of "
        "{robustness.placebo.size.simulations} simulated outcomes, less often than it promises, so that it misses "
        "much: that it does not reject shows little. One by the estimate in place of its t rejects in "
        "{robustness.placebo.size.estimate:.1%}.",
        "often": "When there is no effect this test rejects in {robustness.placebo.size.statistic:.1%} of "
        "{robustness.placebo.size.simulations} simulated outcomes, more often than it promises, so that a small p "
        "shows little. One by the estimate in place of its t rejects in {robustness.placebo.size.estimate:.1%}.",
    }[dealt.size.verdict]
)

# %% [markdown] tags=["asks"]
# The true estimate among those of chance:

# %%
(
    None
    if isinstance(dealt, StudyError)
    else run.figure(
        pictures.draw_null(
            dealt.test.estimates,
            dealt.test.estimate,
            label=run.text("effect of {treatment}", treatment=run.label(treatment)),
        ),
        "placebo",
        caption="The estimate when histories of the treatment are dealt out to other units; in colour: the true one",
        alt="A histogram of placebo estimates with a line at the true estimate.",
    )
)

# %% [markdown]
# ## Could the future do as well?
#
# The treatment of the next period, put beside the present one, must find nothing.

# %%
led = attempt(placebo.fit_lead, data, model, choices.time.window)
if not isinstance(led, StudyError):
    run.record("robustness.placebo.lead", led[placebo.LEAD])
    run.record("robustness.placebo.present", led[treatment])

# %% [markdown]
# It passes only where its interval leaves out an effect as large as the one that is claimed: that it cannot be told
# from zero is no pass.

# %%
run.say(
    "The treatment of the next period cannot be put beside the present one."
    if isinstance(led, StudyError)
    else {
        "clear": "The treatment of the next period has the estimate {robustness.placebo.lead} "
        "({robustness.placebo.lead:p}): by the clustered t test it differs from zero, which speaks against a causal "
        "reading.",
        "bounded": "The treatment of the next period has the estimate {robustness.placebo.lead} "
        "{robustness.placebo.lead:ci}: it cannot be told from zero, and an effect as large as that of the primary "
        "specification ({robustness.identification.primary}) is excluded, as it should be.",
        "open": "The treatment of the next period has the estimate {robustness.placebo.lead} "
        "{robustness.placebo.lead:ci}: it cannot be told from zero, but neither from effects as large as that of the "
        "primary specification ({robustness.identification.primary}), so that this placebo shows nothing.",
    }[placebo.judge_lead(led[placebo.LEAD], primary.estimate, level)]
)

# %% [markdown] tags=["needs-outcome_dimensions"]
# ## Which parts of the outcome respond?
#
# Whoever looks at several outcomes finds one by chance. The p-values below are adjusted for all that are looked at, by
# Holm's method and by that of Romano and Wolf, which uses how the tests move together and, here, the wild bootstrap.

# %% tags=["needs-outcome_dimensions"]
questions = shown.ask_dimensions(data, choices, model)
answers = (
    family.fit_family(questions, draws=wild_draws, rng=run.rng("family, functions"), level=level) if questions else {}
)
if answers:
    shown.record_dimensions(run.record, answers, wild_draws, level)

# %% tags=["needs-outcome_dimensions"]
(
    run.table(
        shown.dimension_table(answers),
        "outcome_dimensions",
        caption="The effect on each dimension of the outcome, each an index of its own",
        note="Standard errors clustered by entity. The wild and the Romano-Wolf p-value come from the same draws; "
        "Holm's is of the t tests.",
    )
    if answers
    else run.say("The outcome is no index of several dimensions, so that there is no family of outcomes to adjust for.")
)

# %% [markdown] tags=["needs-outcome_dimensions"]
# How many of them respond depends on how the looking is counted:

# %% tags=["needs-outcome_dimensions"]
run.say(
    "There are no parts of the outcome to look at."
    if not answers
    else "Of {robustness.dimension.count.all} dimensions of the outcome, each looked at alone, "
    "{robustness.dimension.count.alone} respond by the clustered t test and {robustness.dimension.count.alone_wild} by "
    "the wild bootstrap; counting that all are looked at, {robustness.dimension.count.holm} do by Holm's method for "
    "the t tests and {robustness.dimension.count.significant} by that of Romano and Wolf for the bootstrap. Where no "
    "other responds, that method would have missed an effect smaller than {least} standard deviations per standard "
    "deviation of the treatment in more than one of five samples, on the worst measured one smaller than {most}.",
    **inference_shown.record_detectable(run.record, "robustness.dimension", answers.values(), level),
)

# %% [markdown] tags=["needs-outcome_dimensions"]
# And in which direction:

# %% tags=["needs-outcome_dimensions"]
rise, fall = shown.sort_dimensions(answers, choices, level)
run.say(
    "Without dimensions there are no signs to tell apart."
    if not answers
    else "By the clustered t test none of the dimensions responds even when it is looked at alone."
    if rise is None and fall is None
    else "By the clustered t test, each looked at alone, the effect is positive on {rise} and negative on {fall}: "
    "taken at their estimates, these work against each other in the whole index; how many of them the wild bootstrap "
    "bears out is said above."
    if rise and fall
    else "By the clustered t test, each looked at alone, the effect is positive on {rise} and negative on none."
    if rise
    else "By the clustered t test, each looked at alone, the effect is negative on {fall} and positive on none.",
    **{name: words for name, words in (("rise", rise), ("fall", fall)) if words},
)

# %% [markdown]
# ## Checks

# %%
run.check("every declared instrument was tried", set(choices.instruments) <= set(instrumented))
run.check(
    "no p-value that counts all dimensions is smaller than its own",
    all(answer.adjusted.p_value >= answer.wild.p_value for answer in answers.values()),
)

# %% tags=["nbval-check-output"]
print(fit.n_obs, fit.n_entities, list(fit.regressors))

# %% [markdown]
# ## Save

# %%
run.save()
