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
permutations: int = 9999

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.identification import dynamic_report, instrument_report
from helpers.identification import pictures as drawings
from helpers.identification import shown as omitted_report
from helpers.regression import specification

# %%
run = notebook.open_run("08_identification", study=study, run_folder=run_folder, out=out)
choices, results = run.study, run.results
treatment, level = choices.specification.treatment, choices.specification.significance
effect = f"effect of {choices.label(treatment).lower()}"
data = run.read("panel")

# %% [markdown]
# ## How strong would an omitted variable have to be?

# %%
oster = omitted_report.find_oster(data, choices)
omitted_report.record_oster(results, oster)
run.say(omitted_report.say_oster(oster))

# %%
fit = specification.specify(data, choices).fit()
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
run.check("an omitted variable is measured against the primary estimate", fit.outcome == choices.specification.outcome)

# %% tags=["nbval-check-output"]
print(fit.n_obs, fit.n_entities, list(fit.regressors))

# %% [markdown]
# ## Save

# %%
run.save()
