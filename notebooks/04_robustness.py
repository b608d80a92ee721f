# %% [markdown]
# # 4 Robustness
#
# Does the result survive? First the primary specification is changed in one respect at a time; the rows are declared in
# the study file before they are run. Then everything that was declared as a choice is changed at once, the index is
# treated as the estimate that it is, small sets of units are left out, and chance and omitted variables are put to the
# test.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
wild_draws: int = 99999
bootstrap_draws: int = 1999
joint_draws: int = 299
fragility_most: int = 3
permutations: int = 9999

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.identification import dynamic_report, instrument_report
from helpers.identification import shown as omitted_report
from helpers.multiverse import shown as multiverse_report
from helpers.regression import pictures
from helpers.robustness import changes as robustness
from helpers.robustness import imputed as imputed_fit
from helpers.robustness import pictures as drawings
from helpers.robustness import shown as fragility_report

# %%
run = notebook.open_run("04_robustness", study=study, run_folder=run_folder, out=out)
choices, results = run.study, run.results
treatment, level = choices.specification.treatment, choices.specification.significance
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
# ## What if every choice had been made otherwise?
#
# Every option that the study file declares is crossed with every other: how the indices are built, which indicator they
# do without, which rows, which controls, which effects, which lag. Each combination is one universe.

# %% tags=["summary"]
multiverse = multiverse_report.fit_multiverse(data, choices, run.units)
survival = multiverse_report.record_multiverse(results, multiverse)
run.say(multiverse_report.say_multiverse(multiverse))

# %%
multiverse_report.show_curve(run, multiverse)

# %% [markdown]
# Standardised estimates compare across indices of different scales. Below the curve, a mark says where an option stands
# among the estimates: an option whose marks gather at one end decides the result.

# %%
multiverse_report.show_survival(run, survival)

# %%
multiverse_report.show_failures(run, multiverse)

# %% [markdown]
# ## Which decision moves the estimate?

# %%
shares = multiverse_report.find_shares(multiverse)
multiverse_report.show_shares(run, shares)

# %%
run.say(multiverse_report.record_shares(results, shares))

# %% [markdown]
# *Alone* is the variance of the means by option; *with its interactions* is what is left when all other decisions are
# fixed. A control that stands alone is in or out.

# %% [markdown]
# ## Do all universes together say more than chance?
#
# Universes share their data, so that many significant ones may be one accident. Under the null hypothesis the residuals
# of each unit change their sign together, in all universes at once; that gives the distribution of three statistics of
# the whole curve (Simonsohn, Simmons and Nelson 2020).

# %%
joint = multiverse_report.test_jointly(results, multiverse, draws=joint_draws, rng=run.rng("joint test"))
multiverse_report.show_joint(run, joint)

# %%
multiverse_report.show_nulls(run, joint)

# %% tags=["summary"]
run.say(multiverse_report.say_joint(joint, level))

# %% [markdown]
# The joint test says whether the curve as a whole is compatible with no effect, not which of its universes is right: a
# curve whose weaker half leaves out effects that belong in the model can be far from zero for that reason alone.

# %% [markdown]
# ## How strong would an omitted variable have to be?

# %%
oster = omitted_report.find_oster(data, choices)
omitted_report.record_oster(results, oster)
run.say(omitted_report.say_oster(oster))

# %%
fit = primary.fit()
value = omitted_report.find_robustness_value(fit, treatment, level)
run.say(omitted_report.record_robustness_value(results, value))

# %%
bounds = omitted_report.bound_table(fit, treatment, choices)
run.table(
    bounds, "confounder_bounds", caption="The estimate beside a variable as strong as a control, or several times"
)

# %%
run.figure(
    drawings.draw_contour(omitted_report.contour_of(fit, treatment, bounds), bounds, label=effect),
    "confounder_contour",
    caption="The estimate over the strength of an omitted variable; in colour: where it is zero",
    alt="Contour lines of the estimate with dots for variables as strong as the controls.",
)

# %% [markdown]
# A dot is a variable that would be as strong as a control that was observed, or twice, or three times. If dots lie
# beyond the line at zero, a variable of ordinary strength is enough to take the estimate away.

# %% [markdown]
# ## Does something move the treatment that has no other way to the outcome?
#
# The study file declares instruments, each with the argument for it and its weakness. The effective F says how much
# they move the treatment; where they are weak, the estimate and its standard error mislead, and only the set of effects
# that the Anderson-Rubin test does not reject keeps its promise.

# %%
instrumented = instrument_report.fit_instruments(data, choices, run.read("statistics"), run.units)
instrument_report.record_instruments(results, instrumented)
instrument_report.show_arguments(run, instrumented)

# %%
instrument_report.show_instruments(run, instrumented)

# %%
run.say(instrument_report.say_instruments(instrumented, choices))

# %% [markdown]
# An effective F above the critical value excludes a large bias of the estimate; it says nothing of whether the
# instrument reaches the outcome on another way, which no test with one instrument can.

# %% [markdown]
# ## Is it the outcome's own past?
#
# Where an outcome persists, its past belongs in the model, and least squares with unit effects is biased in a short
# panel. Difference and system GMM take earlier levels and differences as instruments.

# %%
past = dynamic_report.fit_dynamics(data, choices)
dynamic_report.record_dynamics(results, past)
dynamic_report.show_dynamics(run, past)

# %% [markdown]
# Two tests must not reject: Hansen's J (the instruments agree) and serial correlation of second order in the
# differences. With many instruments for few units, J cannot reject and is no comfort.

# %%
dynamic_report.say_dynamics(run, past)

# %% [markdown]
# ## Could chance, or the future, do as well?
#
# Two placebos that must find nothing: the histories of the treatment are dealt out to other units, and the treatment of
# the next period is put beside the present one.

# %%
placebo = omitted_report.deal_treatment(data, choices, draws=permutations, rng=run.rng("placebo permutations"))
run.say(omitted_report.record_placebo(results, placebo, data, choices))

# %%
omitted_report.show_placebo(run, placebo, label=effect)

# %%
lead = omitted_report.fit_lead(data, choices)
run.say(omitted_report.record_lead(results, lead, level))

# %% [markdown]
# ## Which parts of the outcome respond?
#
# Whoever looks at several outcomes finds one by chance. The p-values below are adjusted for all that are looked at, by
# Holm's method and by that of Romano and Wolf, which uses how the tests move together.

# %%
family = omitted_report.fit_dimensions(data, choices, draws=permutations, rng=run.rng("outcome dimensions"))
run.say(omitted_report.record_dimensions(results, family, level))

# %%
omitted_report.show_dimensions(run, family)

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
