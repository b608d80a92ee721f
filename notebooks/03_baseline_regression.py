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
simulations: int = 300
cutoff_km: int = 800

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.display import journal
from helpers.inference import door as inference
from helpers.inference import few_clusters as passport_report
from helpers.inference import trust as trust_report
from helpers.regression import diagnostics, neighbours, pictures
from helpers.regression import ladder as baseline
from helpers.robustness import pictures as drawings

# %%
run = notebook.open_run("03_baseline_regression", study=study, run_folder=run_folder, out=out)
choices, results = run.study, run.results
model, primary = choices.specification, choices.primary
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

# %%
run.say(baseline.say_condition(results, data, choices))

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

# %%
run.say(
    journal.write_journal(
        baseline.journal_ladder(fits, choices),
        run.out / "tables",
        "baseline_ladder",
        caption=f"Effect of {label.lower()}: the baseline ladder",
        note=baseline.table_note(fits, choices),
    )
)

# %% tags=["summary"]
wild = inference.wild_cluster_bootstrap(
    fits[primary], treatment, draws=wild_draws, rng=run.rng("wild, primary specification"), interval=True
)
key = f"baseline.{primary}.{treatment}.wild"
baseline.record_wild(results, key, wild, fits[primary].n_obs, fits[primary].n_entities)
run.say(baseline.say_headline(fits, choices))

# %% [markdown]
# ## Do neighbours of the primary specification agree?
#
# Other models of the same question: each makes an assumption that the primary specification does not make, or drops one
# that it makes.

# %%
others = neighbours.fit_neighbours(data, choices, run.regions)
neighbours.record_neighbours(results, others)
run.table(
    neighbours.neighbour_table(others, fits[primary], choices),
    "neighbours",
    caption="Neighbours of the primary specification",
)

# %%
run.figure(
    pictures.draw_rows(
        neighbours.neighbour_estimates(others, fits[primary], choices),
        label=f"effect of {label.lower()}",
        marked=choices.label(primary),
    ),
    "neighbours",
    caption="The primary specification and its neighbours, 95 % intervals",
    alt="Estimates with intervals, one row per model, and a line at zero.",
)

# %% [markdown]
# Random effects and fixed effects differ where what is fixed about a unit goes with its treatment. The model with the
# means of each unit (Mundlak) must give the fixed-effects estimate again; that is checked below. First differences and
# trends use other parts of the movement over time, so they also differ when the effect takes time.

# %%
run.say(neighbours.say_neighbours(results, others, model.significance))

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
#
# One coefficient, many standard errors: programs differ in which errors they let be related and in the factor that
# corrects for a small sample. The passport names them all, with the program that prints each.

# %%
passport = passport_report.passport_table(fits[primary], treatment, run.units, cutoff_km=cutoff_km)
passport_report.record_passport(results, passport, fits[primary], treatment)
run.table(passport, "passport", caption="The standard-error passport of the primary coefficient", digits=5)

# %%
run.figure(
    drawings.draw_passport(passport, model.significance, marked="stata"),
    "passport",
    caption="The standard error by convention, the project's own in colour; filled where the estimate is significant",
    alt="One row per convention with its standard error and its p-value, largest at the bottom.",
)

# %% [markdown]
# All lines share one estimate. Lines that take errors as unrelated within a unit, and those that rest on the number of
# periods going to infinity (two-way, Driscoll-Kraay), are stress tests here and never the headline.

# %%
run.say(passport_report.say_passport(results, passport, model.significance))

# %%
run.say(passport_report.say_conley(passport))

# %%
engines = baseline.engine_table(data, choices)
run.table(engines, "engines", caption="The primary estimate by three engines", digits=8)

# %% [markdown]
# The estimates agree; the standard errors differ by a factor that is known. linearmodels counts the absorbed unit
# effects among the parameters when both effects are absorbed, Stata and fixest do not. This project prints Stata's.

# %% [markdown]
# ## What do methods for few clusters say?
#
# The usual t test needs many clusters that are alike. CR2 and CR3 correct the standard error, the wild bootstrap draws
# the distribution of the statistic itself, with the null hypothesis imposed (restricted) or not.

# %%
few = passport_report.few_cluster_tests(fits[primary], treatment, wild, draws=wild_draws, rng=run.rng("wild, others"))
passport_report.record_few_clusters(results, few, fits[primary], treatment)
run.table(few, "few_clusters", caption="The primary coefficient by every method for few clusters", digits=4)

# %% [markdown]
# The first p-value of a bootstrap counts draws that equal the sample's statistic, the second (strict) leaves them out;
# they differ only where few sign patterns exist. A low number of Satterthwaite degrees of freedom says that the
# treatment moves in few units.

# %%
run.say(passport_report.say_few_clusters(few, model.significance))

# %% [markdown]
# ## Which p-value can be trusted?
#
# Panels are simulated in which the truth is known: as many units as here, then as few as in the smallest region. In the
# even world errors are alike and unrelated; in the uneven one they stay and drift within a unit, are louder where the
# treatment moves more, and the treatment moves in a few units. A method is honest if it rejects a true null hypothesis
# as often as it promises; power is taken at an effect of fixed distance from zero.

# %%
sizes = trust_report.cluster_sizes(fits[primary], run.regions)
trust = trust_report.draw_trust(
    sizes, fits[primary].n_times, simulations=simulations, level=model.significance, rng=run.rng("size and power")
)
trust_report.record_trust(results, trust)
run.table(trust_report.trust_table(trust), "size_power", caption="Size and power of every method on simulated panels")

# %%
run.figure(
    drawings.draw_size(trust_report.trust_table(trust), model.significance),
    "size",
    caption="How often each method rejects a true null hypothesis; dashed: as often as it promises",
    alt="Dots with simulation intervals, one row per method, one panel per number of clusters and kind of errors.",
)

# %% [markdown]
# A dot right of the dashed line is a method that finds effects where there are none. Its power then counts for nothing:
# it would reject anyway.

# %% tags=["summary"]
run.say(trust_report.say_trust(trust, results))

# %% [markdown]
# ## Checks

# %%
run.check("three engines give the same estimate", engines["estimate_gap"].max() < 1e-10)
run.check(
    "the model with unit means gives the fixed-effects estimate", neighbours.mundlak_gap(others, data, choices) < 1e-8
)
run.check("every column of the ladder uses the same rows", len({fit.n_obs for fit in fits.values()}) == 1)

# %% tags=["nbval-check-output"]
print([(name, fit.n_obs, fit.n_entities) for name, fit in fits.items()])

# %% [markdown]
# ## Save

# %%
run.save()
