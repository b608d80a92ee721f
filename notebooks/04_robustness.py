# %% [markdown]
# # 4 Robustness
#
# Does the result survive? First the primary specification is changed in one respect at a time; the rows are declared in
# the study file before they are run. Then small sets of units are left out, and the index is treated as the estimate
# that it is.

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
from helpers.regression import pictures
from helpers.robustness import changes as robustness
from helpers.robustness import imputed as imputed_fit
from helpers.robustness import pictures as drawings
from helpers.robustness import shown as fragility_report

# %%
run = notebook.open_run("04_robustness", study=study, run_folder=run_folder, out=out)
choices, results = run.study, run.results
treatment = choices.specification.treatment
effect = f"effect of {choices.label(treatment).lower()}"
data = run.read("panel")

# %% [markdown]
# ## What does each change ask, and what does it find?

# %%
checks = robustness.check_robustness(
    data, run.units, choices, draws=wild_draws, rng=run.rng("wild, primary specification")
)
robustness.record_checks(results, checks, treatment)
table = robustness.robustness_table(checks, choices)
run.table(table, "robustness", caption="One change at a time: the question and the finding")

# %% tags=["summary"]
run.figure(
    pictures.draw_rows(robustness.row_estimates(checks, choices), label=effect),
    "robustness",
    caption="The effect under each change, 95 % intervals",
    alt="Estimates with intervals, one row per robustness check, and a line at zero.",
)

# %% [markdown]
# Rows that make the index anew change its scale, so that their estimates compare in sign and precision rather than in
# size. Rows that leave out units or periods keep the index as it was built.

# %%
run.say(robustness.say_share(results, checks, choices))

# %% [markdown]
# ## What would the missing figures have added?
#
# Where the study file asks for it, figures that no source prints are drawn many times from what is known, the primary
# specification is fitted on every completed panel, and the fits are pooled.

# %%
imputed = imputed_fit.fit_imputed_study(run.read("statistics"), choices, run.rng("multiple imputation"))
run.say(imputed_fit.say_imputed(results, imputed, choices))

# %% [markdown]
# ## Does one unit carry the result?

# %%
primary = robustness.specify(data, choices)
left_out = robustness.leave_one_out(primary)
run.say(robustness.say_range(results, left_out, primary))

# %%
full = primary.fit().estimates[treatment]
run.figure(
    pictures.draw_leave_one_out(left_out.table, full, label=effect),
    "leave_one_out",
    caption="The effect without each unit in turn; dashed: with all units",
    alt="Estimates with intervals, one row per unit left out, in rising order.",
)

# %%
run.table(left_out.table, "leave_one_out", caption="The primary specification without each unit in turn")

# %% [markdown]
# ## How few units would have to be left out to change the answer?
#
# One unit at a time may hide what two or three do together. So every set of up to `fragility_most` units is left out,
# and scales, weights and indices are derived anew from those that stay.

# %%
fragility = fragility_report.fit_fragility(data, choices, most=fragility_most)
fragility_report.record_fragility(results, fragility)
run.figure(
    drawings.draw_fragility(fragility.table, fragility.estimate, label=effect),
    "fragility",
    caption="The effect without every set of units, by size of the set; dashed: with all units",
    alt="Histograms of the estimates without one, two and more units, coloured where the verdict changes.",
)

# %% tags=["summary"]
run.say(fragility_report.say_fragility(fragility))

# %%
run.table(fragility.by_size, "fragility_by_size", caption="Refits by the number of units left out")

# %%
run.table(fragility.by_entity, "fragility_by_unit", caption="Each unit: what leaving it out does, alone and in sets")

# %% [markdown]
# *Flips* counts the sets in which the sign, or the verdict at the declared level, is another than with all units. A
# result that one or two units decide is a result about those units.

# %%
run.table(
    fragility_report.flipping_table(fragility), "fragility_flips", caption="The smallest sets that change the answer"
)

# %%
run.say(fragility_report.keep_refits(fragility, run.out / "tables"))

# %% [markdown]
# ## How sure is the estimate when the index is an estimate too?
#
# The usual interval takes the indices as given, though their scales and weights come from the same rows. Here units
# are drawn with replacement and the indices are built anew in each sample before the regression is fitted.

# %%
index_draws = fragility_report.bootstrap_indices(
    data, choices, draws=bootstrap_draws, rng=run.rng("indices in the regression")
)
fragility_report.record_index_bootstrap(results, index_draws)
run.say(fragility_report.say_index_bootstrap(index_draws, choices))

# %%
fragility_report.show_index_table(run, index_draws)

# %%
fragility_report.show_index_draws(run, index_draws)

# %% [markdown]
# Where the two distributions differ, the index is part of the uncertainty (wider) or moves with the sample in a way
# that steadies the estimate (narrower). The conventional interval knows of neither.

# %% [markdown]
# ## Checks

# %%
run.check("every declared row was fitted", set(checks) == set(choices.robustness))
run.check(
    "the map of refits starts from the primary estimate", fragility_report.refit_gap(fragility, data, choices) < 1e-8
)
run.check("without each unit in turn, each unit was left out once", left_out.table.index.is_unique)

# %% tags=["nbval-check-output"]
print([(name, check.n_obs, check.n_entities) for name, check in checks.items()])

# %% [markdown]
# ## Save

# %%
run.save()
