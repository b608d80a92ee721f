# %% [markdown]
# # 6 Where?
#
# Is the effect the same everywhere? Each region has its own regression over all of its rows. Stars are never compared
# across columns: a difference between regions is itself tested. Left out, since each needs all rows at once: bootstrap
# and permutation of the differences, the four designs side by side, thresholds and first values, and single units.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.inference.detectable import detectable_effect
from helpers.inference.multiplicity import holm
from helpers.large import groups, shown
from helpers.regression import pictures
from helpers.results.estimate import estimate_frame

run = notebook.open_run("06_regional_heterogeneity_on_disk", study=study, run_folder=run_folder, out=out)
choices, panel = run.study, run.rows("panel")
model, level = choices.model(), choices.specification.significance
name, order = next(iter(choices.regions)), choices.grouping.order

# %% [markdown]
# ## Who starts where?

# %%
means, mean_gaps = groups.mean_groups(panel, model.treatment, name, order)
for region, found in {**means, **mean_gaps}.items():
    run.record(f"region.{region}.mean.{model.treatment}", found)
run.table(shown.group_table({**means, **mean_gaps}, choices), "region_means", caption="Mean of the treatment by region")

# %% [markdown]
# ## How large is the effect in each region?

# %%
fits, failed = groups.fit_groups(panel, model, name, order, choices.time.window)
effects = {region: fit[model.treatment] for region, fit in fits.items()}
for region in effects:
    run.record(f"region.{region}.{model.treatment}", effects[region])
run.table(shown.group_table(effects, choices), "regions", caption="The primary specification in each region")

# %%
run.table(
    shown.failed_table(failed, choices),
    "regions_not_fitted",
    caption="Regions whose rows cannot determine the regression, and why",
)

# %% tags=["summary"]
run.figure(
    pictures.draw_rows(
        estimate_frame({choices.label(region): effects[region] for region in effects}),
        label=run.text("effect of {treatment}", treatment=run.label(model.treatment)),
        marked="",
    ),
    "regions",
    caption="The effect in each region, 95 % intervals by the clustered t test",
    alt="Estimates with intervals, one row per region, and a line at zero.",
)

# %% [markdown]
# ## Which pairs differ?

# %%
gaps = groups.compare_fits(fits, model)
for pair in gaps:
    run.record(f"region.{pair}.{model.treatment}", gaps[pair])
adjusted = holm([gap.p_value for gap in gaps.values()])
run.table(
    shown.group_table(gaps, choices).assign(holm_p_value=adjusted),
    "region_differences",
    caption="Differences between regions, each region with its own regression",
)

# %%
told = int((adjusted < level).sum())
furthest = max(gaps.values(), key=lambda gap: abs(gap.statistic))
run.say(
    "All {pairs} differences are told from zero by the clustered t test after Holm's adjustment for the pairs."
    if told == len(gaps)
    else "Of {pairs} differences, {told} are told from zero by the clustered t test after Holm's adjustment for the "
    "pairs. Where they are furthest from zero in standard errors, one of {smallest} or more would have been seen in "
    "four of five samples by the t test alone; the adjusted test needs a larger one.",
    pairs=run.record("region.count.pairs", value=len(gaps)),
    told=run.record("region.count.told_by_t", value=told),
    smallest=run.record("region.detectable", value=detectable_effect(furthest, level=level)),
)

# %% [markdown]
# ## Do other groupings of the units say the same?

# %%
others = shown.fit_groupings(panel, choices)
for region, found in others.items():
    run.record(f"region.{region}.{model.treatment}", found)
run.table(
    shown.group_table({**effects, **others}, choices),
    "groupings",
    caption="The primary specification in the groups of every declared grouping",
)

# %% [markdown]
# ## Checks

# %%
rows = {region: fit.n_obs for region, fit in fits.items()}
run.check("every effect is of the rows of its mean", all(rows[region] <= means[region].n_obs for region in rows))

# %%
print([(region, effect.n_entities) for region, effect in effects.items()])

# %% [markdown]
# ## Save

# %%
run.save()
