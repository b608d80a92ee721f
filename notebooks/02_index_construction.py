# %% [markdown]
# # 2 Index construction
#
# Empowerment and effectiveness are not observed; each is an index of indicators. Every indicator $x_j$ is scaled to
# $[0, 1]$ over all units and periods together,
#
# $$s_{itj} = \frac{x_{itj} - \min x_j}{\max x_j - \min x_j} \quad\text{(flipped where less is better)},$$
#
# and the scores are added with entropy weights: with shares $p_{itj} = s_{itj} / \sum s_{itj}$ over the $n$ rows,
#
# $$e_j = -\frac{1}{\ln n} \sum p_{itj} \ln p_{itj}, \qquad w_j = \frac{1 - e_j}{\sum_k (1 - e_k)}, \qquad
# I_{it} = \sum_j w_j s_{itj}.$$
#
# An indicator weighs much when its scores are unequal. That is a statement about spread, not about importance.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""

# %% [markdown]
# ## Load

# %%
from helpers import construction, notebook, pictures

run = notebook.open_run("02_index_construction", study=study, run_folder=run_folder, out=out)
choices, results = run.study, run.results
model, grouping = choices.model, choices.grouping
panel = run.read("indicators")
indices = construction.build_indices(panel, choices)

# %% [markdown]
# ## Which indicators carry the indices?

# %%
construction.record_weights(results, indices)
weights = construction.weight_tables(indices, choices)
run.table(construction.stack_tables(weights, "index"), "index_weights", caption="Entropy and weight of every indicator")

# %%
run.figure(
    pictures.draw_weights(weights),
    "index_weights",
    caption="Weights of the indicators, coloured by dimension",
    alt="Horizontal bars, one per indicator, heaviest first, one panel per index.",
)

# %% [markdown]
# A bar beyond the dotted line weighs more than it would if all were equal. Where a few bars carry an index, the index
# is mainly about them.

# %%
run.say(construction.say_heaviest(indices, choices))

# %% [markdown]
# ## Who is ahead?

# %%
scores = construction.index_values(indices)
final = construction.model_panel(panel, scores)
ranking = construction.rank_entities(final[model.treatment])
run.table(ranking, "ranking_treatment", caption=f"{choices.label(model.treatment)}: mean over the periods, rank, change")

# %%
outcome_ranking = construction.rank_entities(final[model.outcome])
run.table(outcome_ranking, "ranking_outcome", caption=f"{choices.label(model.outcome)}: mean over the periods, rank, change")

# %% [markdown]
# ## How do the regions move?

# %%
trends = construction.region_trends(final, [model.treatment, model.outcome], run.regions, choices)
run.figure(
    pictures.draw_trends(trends, {name: choices.label(name) for name in grouping.order}, grouping.order),
    "index_trends",
    caption="Mean of each index by region and period",
    alt="Lines of the mean index by period, one line per region, one panel per index.",
)

# %% [markdown]
# Parallel lines mean that regions grow together; lines that spread apart mean that the strong pull away.

# %% [markdown]
# ## Checks

# %%
run.check("the weights of every index sum to one", construction.weights_sum_to_one(indices))
run.check("the contributions of the indicators sum to each index", construction.contributions_add_up(indices))

# %% tags=["nbval-check-output"]
print({name: len(index.weights) for name, index in indices.items()})

# %% [markdown]
# ## Save

# %%
run.write_panel(scores, "index_scores")
run.write_panel(final, "panel")
run.save()
