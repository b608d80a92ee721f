# %% [markdown]
# # 4 Robustness
#
# Does the result survive? First the primary specification is changed in one respect at a time; the rows are declared in
# the study file before they are run. Then small sets of units are left out.

# %% [markdown] tags=["needs-indices"]
# Last, the index is treated as the estimate that it is.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
wild_draws: int = 99999
bootstrap_draws: int = 1999
fragility_most: int = 3

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.errors import StudyError, attempt
from helpers.regression import panel
from helpers.regression.pictures import MOST_DRAWN, draw_leave_one_out, draw_rows
from helpers.robustness import changes, imputed, pictures, shown

# %%
run = notebook.open_run("04_robustness", study=study, run_folder=run_folder, out=out)
choices, data = run.study, run.read("panel")
model = choices.model()
effect = run.text("effect of {treatment}", treatment=run.label(model.treatment))

# %% [markdown]
# The specification that every row starts from:

# %%
model

# %% [markdown]
# ## What does each change ask, and what does it find?

# %%
checks = changes.check_robustness(
    data, run.units, choices, draws=wild_draws, rng=run.rng("wild, primary specification")
)
shown.record_checks(run.record, checks, model.treatment, choices.specification.significance)

# %% [markdown]
# In words first: the question of each row and what was found, then the numbers.

# %%
run.table(
    shown.robustness_table(checks, choices),
    "robustness",
    caption="One change at a time: the question and the finding",
    note="Detectable: the effect that a t test with this standard error would see in four of five samples; the wild "
    "bootstrap, which must reject as well, may need more. A row that is not significant does not exclude effects below "
    "it.",
)

# %% tags=["summary"]
run.figure(
    draw_rows(shown.row_estimates(checks, choices), label=effect),
    "robustness",
    caption="The effect under each change, 95 % intervals",
    alt="Estimates with intervals, one row per robustness check, and a line at zero.",
)

# %% [markdown] tags=["needs-indices"]
# Rows that make the index anew change its scale, so that their estimates compare in sign and precision rather than in
# size. Rows that leave out units or periods keep the index as it was built.

# %% [markdown]
# How many of the rows speak clearly, and in which direction:

# %%
run.say(
    "Of {robustness.rows} rows, {robustness.positive_significant} are positive and {robustness.negative_significant} "
    "negative with a p-value below {robustness.significance} by the row's own test and by the wild bootstrap."
)

# %% [markdown]
# ## What would the missing figures have added?
#
# Where the study file asks for it, figures that no source prints are drawn many times from what is known, the primary
# specification is fitted on every completed panel, and the fits are pooled.

# %%
completed = attempt(imputed.fit_imputed_study, run.read("statistics"), choices, run.rng("multiple imputation"))
words = {} if isinstance(completed, StudyError) else shown.record_imputed(run.record, completed, model.treatment)

# %%
run.say(
    {
        "left_out": "The rows with a gap are left out; the study file declares no multiple imputation.",
        "complete": "No figure that the model needs is missing, so there is nothing to impute.",
    }[imputed.judge_gaps(choices)]
    if isinstance(completed, StudyError)
    else "With {robustness.multiple_imputation.cells} missing figures drawn {robustness.multiple_imputation.panels} "
    "times over, {robustness.multiple_imputation.rows_added} rows join the sample "
    "({robustness.multiple_imputation.rows_left_out} stay out, since nothing tells their level); the pooled effect is "
    "{pooled} {pooled:ci}, {pooled:p}, and {robustness.multiple_imputation.missing_information:.1%} of the information "
    "on it is missing.",
    **words,
)

# %% [markdown]
# ## Does one unit carry the result?

# %%
fit = panel.fit(data, model)
left_out = changes.leave_one_out(data, model)
indexed = bool(set(choices.indices) & set(model.columns))
low, high = shown.record_range(run.record, left_out)

# %%
run.say(
    "Without one unit, and the indices as they were built, the estimate lies between "
    "{robustness.leave_one_out.smallest} (without unit {low}) and {robustness.leave_one_out.largest} (without unit "
    "{high})."
    if indexed
    else "Without one unit the estimate lies between {robustness.leave_one_out.smallest} (without unit {low}) and "
    "{robustness.leave_one_out.largest} (without unit {high}).",
    low=run.label(low),
    high=run.label(high),
)

# %%
run.figure(
    draw_leave_one_out(left_out.table, fit.estimates[model.treatment], label=effect),
    "leave_one_out",
    caption="The effect without each unit in turn; dashed: with all units"
    if len(left_out.table) <= MOST_DRAWN
    else "The effect without one unit, the lowest and the highest; dashed: with all units",
    alt="Estimates with intervals, one row per unit left out, in rising order.",
)

# %% [markdown]
# A dot far from the dashed line is a unit that moves the result; its row tells by how much, and how sure it leaves us.

# %%
run.table(left_out.table, "leave_one_out", caption="The primary specification without each unit in turn")

# %% [markdown]
# ## How few units would have to be left out to change the answer?
#
# One unit at a time may hide what two or three do together. So every set of units is left out, up to the size that the
# parameters set, and what is made from all rows, such as an index, is derived anew from those that stay. Where units
# are too many for all sets, the sets are smaller, and where they are too many even one at a time, those are left out
# whose rows move the estimate most.

# %%
fragility = shown.fit_fragility(data, choices, most=fragility_most)
shown.record_fragility(run.record, fragility)
run.figure(
    pictures.draw_fragility(fragility.table, fragility.estimate, label=effect),
    "fragility",
    caption="The effect without every set of units, by size of the set; dashed: with all units",
    alt="Histograms of the estimates without one, two and more units, coloured where the verdict changes.",
)

# %% [markdown]
# The smallest set that turns the sign, and the smallest that changes the verdict: of several of one size, the one that
# goes furthest.

# %%
refitted = run.text("fitted again with the indices derived anew") if indexed else run.text("fitted again")

# %% tags=["summary"]
run.say(
    "None of {robustness.fragility.refits} sets of units, {robustness.fragility.most} at most in each, turns the sign "
    "when it is left out."
    if fragility.smallest_sign is None
    else "Of {robustness.fragility.refits} sets of units, {robustness.fragility.most} at most in each, the smallest "
    "that turns the sign when it is left out has the size {robustness.fragility.smallest_set_sign.size}: "
    "{robustness.fragility.smallest_set_sign} ({refitted}: {robustness.fragility.smallest_set_sign.refit}, "
    "{robustness.fragility.smallest_set_sign.refit:p} by the clustered t test)."
    if fit[model.treatment].p_value < choices.specification.significance
    else "The estimate with all units cannot be told from zero, so that its sign is not sure to begin with. Of "
    "{robustness.fragility.refits} sets of units, {robustness.fragility.most} at most in each, the smallest that turns "
    "it when it is left out has the size {robustness.fragility.smallest_set_sign.size}: "
    "{robustness.fragility.smallest_set_sign} ({refitted}: {robustness.fragility.smallest_set_sign.refit}, "
    "{robustness.fragility.smallest_set_sign.refit:p} by the clustered t test).",
    refitted=refitted,
)

# %%
run.say(
    "None of {robustness.fragility.refits} sets of units, {robustness.fragility.most} at most in each, changes the "
    "verdict when it is left out."
    if fragility.smallest_verdict is None
    else "Of {robustness.fragility.refits} sets of units, {robustness.fragility.most} at most in each, the smallest "
    "that changes the verdict when it is left out has the size {robustness.fragility.smallest_set_verdict.size}: "
    "{robustness.fragility.smallest_set_verdict} ({refitted}: "
    "{robustness.fragility.smallest_set_verdict.refit}, {robustness.fragility.smallest_set_verdict.refit:p} by the "
    "clustered t test).",
    refitted=refitted,
)

# %% [markdown]
# How far the estimate moves, and how often the answer changes, as the sets grow:

# %%
run.table(
    fragility.by_size,
    "fragility_by_size",
    caption="Refits by the number of units left out",
    labels={"size": "Units left out"},
)

# %% [markdown]
# Which units are in the sets that change it:

# %%
run.table(fragility.by_entity, "fragility_by_unit", caption="Each unit: what leaving it out does, alone and in sets")

# %% [markdown]
# *Flips* counts the sets in which the sign, or the verdict at the declared level, is another than with all units. A
# result that one or two units decide is a result about those units. A set of which a part does the same is not listed.

# %%
flips = shown.flipping_table(fragility)
(
    run.say("No set that was left out changes the sign or the verdict.")
    if flips.empty
    else run.table(
        flips,
        "fragility_flips",
        caption="The smallest sets that change the answer",
        labels={"left_out": "Units left out", "size": "Number"},
    )
)

# %%
shown.write_refits(fragility, run.out / "tables")
run.say("Every refit: [tables/fragility.csv](tables/fragility.csv), {robustness.fragility.refits} rows.")

# %% [markdown] tags=["needs-indices"]
# ## How sure is the estimate when the index is an estimate too?
#
# The usual interval takes the indices as given, though their scales and weights come from the same rows. Here units
# are drawn with replacement and the indices are built anew in each sample before the regression is fitted.

# %% tags=["needs-indices"]
carried = attempt(
    shown.bootstrap_indices, data, choices, draws=bootstrap_draws, rng=run.rng("indices in the regression")
)
words = {} if isinstance(carried, StudyError) else shown.record_index_bootstrap(run.record, carried, choices)

# %% tags=["needs-indices"]
run.say(
    "No index stands in a declared regression, so that there is no uncertainty of an index to carry over."
    if isinstance(carried, StudyError)
    else "With the indices derived anew in each sample the estimate {anew} has the percentile interval {anew:ci} and "
    "the standard error {anew:std_error}: {ratio} times that of the same bootstrap with the indices as given, and "
    "{usual} times the usual clustered one. Draws without an estimate: {failed}."
    if carried.fit.regressors[0] == model.treatment
    else "With {instead} in the treatment's place and the indices derived anew in each sample the estimate {anew} has "
    "the percentile interval {anew:ci} and the standard error {anew:std_error}: {ratio} times that of the same "
    "bootstrap with the indices as given, and {usual} times the usual clustered one. Draws without an estimate: "
    "{failed}.",
    **words,
)

# %% [markdown] tags=["needs-indices"]
# The same coefficient with its conventional interval, and with those of the two bootstraps by percentiles and by BCa:

# %% tags=["needs-indices"]
(
    run.say("Without an index in a regression there is no such interval.")
    if isinstance(carried, StudyError)
    else run.table(
        carried.table.rename_axis("interval"), "index_bootstrap", caption="One estimate, five intervals", digits=4
    )
)

# %% tags=["needs-indices"]
(
    run.say("Without an index in a regression there is no such picture.")
    if isinstance(carried, StudyError)
    else run.figure(
        pictures.draw_densities(
            {"indices as given": carried.fixed_draws, "indices derived anew": carried.rederived_draws},
            carried.estimate,
            label=run.text("effect of {treatment}", treatment=run.label(carried.fit.regressors[0])),
        ),
        "index_bootstrap",
        caption="The estimate in samples of units, with the indices as given and derived anew; dashed: the estimate",
        alt="Two outlines of distributions around the estimate, and a line at zero.",
    )
)

# %% [markdown] tags=["needs-indices"]
# Where the two distributions differ, the index is part of the uncertainty (wider) or moves with the sample in a way
# that steadies the estimate (narrower). The conventional interval knows of neither.

# %% [markdown]
# ## Checks

# %%
run.check("every declared row was fitted", set(checks) == set(choices.robustness))
run.check("the map of refits starts from the primary estimate", shown.refit_gap(fragility, fit) < 1e-8)
run.check("without each unit in turn, each unit was left out once", left_out.table.index.is_unique)

# %% tags=["nbval-check-output"]
print([(name, check.effect.n_obs, check.effect.n_entities) for name, check in checks.items()])

# %% [markdown]
# ## Save

# %%
run.save()
