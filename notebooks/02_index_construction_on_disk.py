# %% [markdown]
# # 2 Index construction
#
# What is measured? What is not observed is built as an index of indicators. Every indicator $x_j$ is scaled to $[0, 1]$
# over all units and periods together,
#
# $$s_{itj} = \frac{x_{itj} - \min x_j}{\max x_j - \min x_j} \quad\text{(flipped where less is better)},$$
#
# and the scores are added with the declared weights. Entropy weights are, with shares
# $p_{itj} = s_{itj} / \sum s_{itj}$ over the $n$ rows,
#
# $$e_j = -\frac{1}{\ln n} \sum p_{itj} \ln p_{itj}, \qquad w_j = \frac{1 - e_j}{\sum_k (1 - e_k)}, \qquad
# I_{it} = \sum_j w_j s_{itj}.$$
#
# The sums run over the rows on disk. Left out, since each needs all rows many times over: intervals of the weights and
# ranks from drawing units anew, the choices of the index and their Sobol indices, maps, and the page of one unit.

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
from helpers.index import pictures as drawings
from helpers.index.shown import find_heaviest, kind_of_weights, main_index
from helpers.large import describe, rows, shown

# %%
run = notebook.open_run("02_index_construction_on_disk", study=study, run_folder=run_folder, out=out)
choices, grouping = run.study, run.study.grouping
model = choices.model()
source, target = run.rows("indicators"), run.new_rows(name="panel")

# %% [markdown]
# ## Which indices does the study build, and how?

# %%
indices = shown.build_large_indices(source, choices)
rows.add_indices(source, target, indices)
run.table(shown.index_table(indices, choices), "indices", caption="Indices: indicators, method, rows")

# %% [markdown]
# ## Which indicators carry the indices?

# %%
main = main_index(choices)
index = indices[main]
shown.record_weights(run.record, indices)
run.table(shown.weight_table(indices, choices), "index_weights", caption="Entropy and weight of every indicator")

# %%
heaviest, *as_heavy = find_heaviest(index.weights)
run.say(
    {
        "one": "Of the indicators of {index}, {indicator} weighs most: {weight:.1%} of the whole, {times} times an "
        "equal share.",
        "some": "Of the indicators of {index}, {count} weigh most, as much as {indicator}: {weight:.1%} of the whole "
        "each, {times} times an equal share.",
        "all": "All {count} indicators of {index} weigh the same: {weight:.1%} of the whole each.",
        "alone": "{index} has one indicator, {indicator}, so that there is nothing to weigh.",
    }[kind_of_weights(index.weights)],
    index=run.label(main),
    indicator=run.label(heaviest),
    count=run.record(f"index.{main}.heaviest.count", value=1 + len(as_heavy), digits=0),
    weight=run.results[f"index.{main}.weight.{heaviest}"],
    times=run.record(f"index.{main}.heaviest", value=float(index.weights.max() * len(index.weights)), digits=1),
)

# %% [markdown]
# ## How did the indices move?

# %%
by_time = describe.means_by_time(target, list(indices))
first = run.record(f"index.{main}.first", value=int(by_time.index.min()), digits=0)
last = run.record(f"index.{main}.last", value=int(by_time.index.max()), digits=0)
run.table(by_time.rename(columns=choices.label), "index_means", caption="Mean of every index by period")

# %%
trends = shown.region_trends(target, list(dict.fromkeys([model.treatment, model.outcome])), choices)
run.figure(
    drawings.draw_trends(trends, {name: choices.label(name) for name in grouping.order}, grouping.order),
    "index_trends",
    caption="Mean of treatment and outcome by region and period",
    alt="Lines of the mean by period, one line per region, one panel per variable.",
)

# %% [markdown]
# ## Checks

# %%
run.check("the weights of every index sum to one", all(abs(i.weights.sum() - 1) < 1e-12 for i in indices.values()))
run.check("every row has kept its place", describe.count_rows(target) == describe.count_rows(source))

# %%
print({name: len(found.weights) for name, found in indices.items()})

# %% [markdown]
# ## Save

# %%
run.save()
