# %% [markdown]
# # 3 Baseline regression
#
# Does the outcome rise in a unit in the periods in which its treatment rises? The regressions below start from the
# plain comparison of rows and hold more and more constant. Effects of the unit take out whatever is fixed about it;
# effects of the period take out whatever happened to all units then. Without the latter, two series that both rise
# over time are related, whatever the reason.
#
# Every estimate and standard error is of all rows, from sums over units. Left out, since with so many units they have
# nothing to correct or need all rows at once: methods for few clusters, simulated size and power, models beside the
# primary one, random effects, the passport of standard errors, and the comparison with other programs.

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
from IPython.display import Markdown

from helpers import notebook
from helpers.display import journal
from helpers.inference.detectable import detectable_effect
from helpers.large import bootstrap, describe, fit
from helpers.regression import ladder, pictures

# %%
run = notebook.open_run("03_baseline_regression_on_disk", study=study, run_folder=run_folder, out=out)
choices, primary = run.study, run.study.primary
panel, level = run.rows("panel"), choices.specification.significance

# %% [markdown]
# ## Which regression is meant?

# %%
model = choices.model()
term, words = model.treatment, {"treatment": run.label(model.treatment), "primary": run.label(primary)}
model

# %%
Markdown(model.latex({name: choices.label(name) for name in model.columns}))

# %% [markdown]
# Right of the bar stand the effects that are absorbed. Errors may be related within a cluster, in whatever way.

# %%
models = choices.ladder_models()
fits = fit.fit_rows(panel, models, choices.time.window)
found = fits[primary]
run.table(
    found.table(), "coefficients", caption="{primary}: every coefficient", note=found.facts(), words=words, digits=4
)

# %% [markdown]
# One coefficient is asked about, that of the treatment. The others hold something constant; they are not effects.

# %% [markdown]
# ## Do the variables move together?

# %%
correlations = describe.correlate_rows(panel, model.columns)
run.figure(
    pictures.draw_correlations(correlations.rename(index=choices.label, columns=choices.label)),
    "correlations",
    caption="Correlations over all rows",
    alt="A square of pairwise correlations of the outcome, the treatment and the controls.",
)

# %% [markdown]
# ## How does the estimate move along the ladder?

# %%
for column in fits:
    run.record(f"baseline.{column}.{term}", fits[column][term])
Markdown("\n".join(f"- **{choices.label(column)}** `{step}`" for column, step in models.items()))

# %%
note = (
    "Standard errors in brackets, {convention}. *** p < 0.01, ** p < 0.05, * p < 0.1. No weights. Primary "
    "specification: {primary}. R-squared, within is that of the regressors after the effects."
)
convention = run.record("baseline.convention", value=found.convention_words)
run.table(
    ladder.ladder_table(fits, choices),
    "baseline_ladder",
    caption="The baseline ladder",
    note=note,
    words=words | {"convention": convention},
)

# %%
run.figure(
    pictures.draw_rows(
        ladder.ladder_estimates(fits, term, choices.label),
        label=run.text("effect of {treatment}", **words),
        marked=choices.label(primary),
    ),
    "ladder",
    caption="Effect of {treatment} along the ladder, 95 % intervals; the primary specification in colour",
    alt="Estimates with intervals, one row per column of the baseline ladder, and a line at zero.",
    words=words,
)

# %%
signs = {bool(column[term].estimate > 0) for column in fits.values()}
along = {
    1: "Along the ladder the estimate keeps its sign; the primary one is {effect}.",
    2: "Along the ladder the estimate changes its sign; the primary one is {effect}.",
}
run.say(along[len(signs)], effect=run.results[f"baseline.{primary}.{term}"])

# %%
run.say(
    journal.write_journal(
        ladder.journal_ladder(fits, choices),
        run.out / "tables",
        "baseline_ladder",
        caption=run.text("Effect of {treatment}: the baseline ladder", **words),
        note=run.text(note, convention=convention, **words),
    )
)

# %% [markdown]
# ## So what is found?
#
# The wild bootstrap draws a sign for every unit and imposes the null hypothesis; its sums run over the same blocks.

# %%
rng = run.rng("wild, on disk")
drawn = bootstrap.wild_rows(panel, models, term, choices.time.window, draws=wild_draws, rng=rng)
for column in drawn:
    run.record(f"baseline.{column}.{term}.wild", drawn[column])

# %% tags=["summary"]
headline = run.record("baseline.headline", found[term])
verdicts = {
    "clear": "In the primary specification the estimate is {headline} (95 % interval {headline:ci}, {headline:p} by "
    "the clustered t test; {drawn:p} by the wild bootstrap): it differs from zero at the declared level.",
    "unclear": "In the primary specification the estimate is {headline} (95 % interval {headline:ci}, {headline:p} by "
    "the clustered t test; {drawn:p} by the wild bootstrap). It cannot be told from zero, which does not show that "
    "there is no effect: one of {detectable} or more would have been seen by the t test in four of five samples like "
    "this one, a smaller one more often missed.",
}
run.say(
    verdicts["clear" if max(headline.p_value, drawn[primary].p_value) < level else "unclear"],
    headline=headline,
    drawn=run.results[f"baseline.{primary}.{term}.wild"],
    detectable=run.record(
        "baseline.detectable.clustered_t", value=detectable_effect(found[term], level=level), digits=2
    ),
)

# %% [markdown]
# ## Checks

# %%
run.check("every column of the ladder uses the same rows", len({column.n_obs for column in fits.values()}) == 1)

# %%
print([(name, column.n_obs, column.n_entities) for name, column in fits.items()])

# %% [markdown]
# ## Save

# %%
run.save()
