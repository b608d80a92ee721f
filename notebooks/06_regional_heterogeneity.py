# %% [markdown]
# # 6 Regional heterogeneity
#
# Is the effect the same everywhere? Each region has its own regression: own slopes, own unit effects, own period
# effects. Regions have few units, so a clustered standard error says little there; the exact wild cluster bootstrap
# stands beside every estimate. Stars are never compared across columns: a difference between regions is itself tested.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
wild_draws: int = 99999
bootstrap_draws: int = 1999

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.heterogeneity import groupings, heterogeneity
from helpers.heterogeneity import shown as region_tables
from helpers.regression import pictures

run = notebook.open_run("06_regional_heterogeneity", study=study, run_folder=run_folder, out=out)
choices, results = run.study, run.results
model, order = choices.specification, choices.grouping.order
panel = run.read("panel")
data = groupings.keep_grouped(panel, run.regions)
terms = {"outcome": model.outcome, "treatment": model.treatment, "controls": model.controls}

# %% [markdown]
# ## Who starts from where?

# %%
means, mean_gaps = heterogeneity.region_means(data, model.treatment, run.regions, order=order)
region_tables.record_means(results, means, mean_gaps, model.treatment)
table = region_tables.mean_table(means, mean_gaps, choices)
run.table(table, "region_means", caption="Mean of the treatment by region")

# %% [markdown]
# ## How large is the effect in each region?

# %%
fits = heterogeneity.fit_by_region(
    data, **terms, regions=run.regions, order=order, wild_draws=wild_draws, rng=run.rng("regions")
)
region_tables.record_regions(results, fits, model.treatment)
run.table(region_tables.region_table(fits, choices), "regions", caption="The primary specification in each region")

# %% tags=["summary"]
rows = region_tables.region_estimates(fits, choices)
run.figure(
    pictures.draw_rows(rows, label=f"effect of {choices.label(model.treatment).lower()}"),
    "regions",
    caption="The effect by region, 95 % intervals by inversion of the wild cluster bootstrap",
    alt="One estimate with its interval per region, and a line at zero.",
)

# %% [markdown]
# With few clusters the bootstrap has few sign patterns, so its p-value cannot fall below a floor: the last column.

# %% [markdown]
# ## Do the regions differ?

# %%
gaps = heterogeneity.compare_regions(
    data,
    **terms,
    regions=run.regions,
    order=order,
    wild_draws=wild_draws,
    permutations=bootstrap_draws,
    rng=run.rng("differences"),
)
region_tables.record_gaps(results, gaps, model.treatment)
tests = region_tables.gap_table(gaps, choices)
run.table(tests, "region_differences", caption="Differences between regions, with tests")

# %%
run.say(region_tables.say_ordering(fits, gaps, choices))

# %% [markdown]
# ## Does another grouping of the units say the same?

# %%
others = groupings.fit_groupings(panel, run.units, choices, wild_draws=wild_draws, rng=run.rng("groupings"))
groupings.record_groupings(results, others, model.treatment)
run.table(
    groupings.grouping_table({next(iter(choices.regions)): fits, **others}, choices),
    "groupings",
    caption="The primary specification in the groups of every declared grouping",
)

# %%
left_out = groupings.count_left_out(panel, run.units, choices)
run.table(left_out, "left_out_of_groups", caption="Units that belong to no group, and why")

# %% [markdown]
# ## Checks

# %%
misfit = region_tables.largest_misfit(fits, gaps)
run.check("every difference equals the difference of its two estimates", misfit < 1e-10)

# %% tags=["nbval-check-output"]
print([(name, fit.n_entities) for name, fit in fits.items()])

# %% [markdown]
# ## Save

# %%
run.save()
