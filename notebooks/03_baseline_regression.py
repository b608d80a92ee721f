# %% [markdown]
# # 3 Baseline regression
#
# Is a unit better governed in the periods in which it is more digitally empowered?
#
# $$Y_{it} = \beta D_{it} + \gamma' X_{it} + \alpha_i + \lambda_t + \varepsilon_{it}$$
#
# The ladder starts from the plain comparison of rows and holds more and more constant. $\alpha_i$ takes out whatever
# is fixed about a unit, $\lambda_t$ whatever happened to all units in a period: without $\lambda_t$, two series that
# both rise over time are related, whatever the reason.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
wild_draws: int = 99999

# %% [markdown]
# ## Load

# %%
from helpers import baseline, diagnostics, inference, notebook, pictures

run = notebook.open_run("03_baseline_regression", study=study, run_folder=run_folder, out=out)
choices, results = run.study, run.results
model, primary = choices.model, choices.primary
data = run.read("panel")
treatment, label = model.treatment, choices.label(model.treatment)

# %% [markdown]
# ## Do the variables move together?

# %%
columns = [model.outcome, model.treatment, *model.controls]
correlations = diagnostics.correlation_matrix(data, columns).rename(index=choices.label, columns=choices.label)
run.figure(
    pictures.draw_correlations(correlations),
    "correlations",
    caption="Correlations over all rows",
    alt="A square of pairwise correlations of the outcome, the treatment and the controls.",
)

# %%
vif = diagnostics.vif(data, [model.treatment, *model.controls])
run.table(baseline.label_rows(vif, choices), "vif", caption="Variance inflation factors of the regressors", digits=2)

# %% [markdown]
# A factor above ten says that a regressor is nearly a combination of the others, so that its own estimate is imprecise.

# %% [markdown]
# ## How does the estimate move along the ladder?

# %%
fits = baseline.fit_ladder(data, choices)
baseline.record_ladder(results, fits, treatment)
ladder = baseline.describe_ladder(fits, choices)
run.figure(
    pictures.draw_rows(ladder, label=f"effect of {label.lower()}", marked=choices.label(primary)),
    "ladder",
    caption=f"Effect of {label.lower()} along the ladder, 95 % intervals; the primary specification in colour",
    alt="Estimates with intervals, one row per column of the baseline ladder, and a line at zero.",
)

# %%
run.table(
    baseline.ladder_table(fits, choices),
    "baseline_ladder",
    caption="The baseline ladder",
    note=baseline.table_note(fits, choices),
)

# %% tags=["summary"]
wild = inference.wild_cluster_bootstrap(fits[primary], treatment, draws=wild_draws, rng=run.rng("wild, primary specification"), interval=True)
key = f"baseline.{primary}.{treatment}.wild"
baseline.record_wild(results, key, wild, fits[primary].n_obs, fits[primary].n_entities)
run.say(baseline.say_headline(fits, choices))

# %% [markdown]
# ## Which effects belong in the model?

# %%
tests = baseline.run_specification_tests(data, choices)
baseline.record_tests(results, tests)
run.table(baseline.diagnostic_table(tests), "specification_tests", caption="Tests of the specification")

# %% [markdown]
# Each row states what the test takes for granted (its null hypothesis). A small p-value speaks against that.

# %% [markdown]
# ## Does it matter which software prints the standard error?

# %%
engines = baseline.engine_table(data, choices)
run.table(engines, "engines", caption="The primary estimate by three engines", digits=8)

# %% [markdown]
# The estimates agree; the standard errors differ by a factor that is known. linearmodels counts the absorbed unit
# effects among the parameters when both effects are absorbed, Stata and fixest do not. This project prints Stata's.

# %% [markdown]
# ## Checks

# %%
run.check("three engines give the same estimate", engines["estimate_gap"].max() < 1e-10)
run.check("every column of the ladder uses the same rows", len({fit.n_obs for fit in fits.values()}) == 1)

# %% tags=["nbval-check-output"]
print([(name, fit.n_obs, fit.n_entities) for name, fit in fits.items()])

# %% [markdown]
# ## Save

# %%
run.save()
