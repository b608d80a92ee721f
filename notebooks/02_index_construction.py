# %% [markdown]
# # 2 Index construction
#
# What is measured, and how sure is it? What is not observed is built as an index of indicators. Every indicator $x_j$
# is scaled to $[0, 1]$ over all units and periods together,
#
# $$s_{itj} = \frac{x_{itj} - \min x_j}{\max x_j - \min x_j} \quad\text{(flipped where less is better)},$$
#
# and the scores are added with entropy weights: with shares $p_{itj} = s_{itj} / \sum s_{itj}$ over the $n$ rows,
#
# $$e_j = -\frac{1}{\ln n} \sum p_{itj} \ln p_{itj}, \qquad w_j = \frac{1 - e_j}{\sum_k (1 - e_k)}, \qquad
# I_{it} = \sum_j w_j s_{itj}.$$
#
# An indicator weighs much when its scores are unequal. That is a statement about spread, not about importance; so the
# questions below ask how sure the weights are and how much of the result is a matter of choice.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
unit: str = ""
index_draws: int = 999
choice_draws: int = 1000
sobol_base: int = 256

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.index import accounting as index_accounting
from helpers.index import build as construction
from helpers.index import dynamics
from helpers.index import pictures as index_pictures
from helpers.index import shown as index_report
from helpers.multiverse.drawn import draw_uncertainty, sobol_sensitivity
from helpers.regression import pictures

run = notebook.open_run("02_index_construction", study=study, run_folder=run_folder, out=out)
choices, results = run.study, run.results
model, grouping = choices.specification, choices.grouping
panel = run.read("indicators")
indices = construction.build_indices(panel, choices)
scores = construction.index_values(indices)
final = construction.model_panel(panel, scores)

# %% [markdown]
# ## Which indicators carry the indices, and how sure are their weights?

# %%
bootstraps = index_report.bootstrap_indices(panel, choices, index_draws, run.rng("entities of the indices"))
index_report.record_weights(results, indices, bootstraps)
weights = construction.weight_tables(indices, bootstraps, choices)
run.table(construction.stack_tables(weights, "index"), "index_weights", caption="Entropy and weight of every indicator")

# %%
run.figure(
    index_pictures.draw_weights(weights),
    "index_weights",
    caption="Weights of the indicators, coloured by dimension; lines are intervals from drawing units anew",
    alt="Horizontal bars with intervals, one per indicator, heaviest first, one panel per index.",
)

# %% [markdown]
# A bar beyond the dotted line weighs more than it would if all were equal. A long line says that a few units decide the
# weight.

# %%
run.say(construction.say_heaviest(indices, choices))

# %% [markdown]
# ## Of what is the index made?

# %%
main = index_report.main_index(choices)
index, values = indices[main], scores[main].dropna()
by_dimension = index.dimension_contributions.groupby(level=1).mean()
run.figure(
    index_pictures.draw_contributions(index_report.label_columns(by_dimension, choices)),
    "index_contributions",
    caption=f"{choices.label(main)}: mean by period, split exactly into its dimensions",
    alt="Stacked bars of the mean index by period, one part per dimension.",
)

# %%
first, last = values.index.unique(1).min(), values.index.unique(1).max()
change = index_report.change_table(index, first, last, choices)
run.table(change, "index_change", caption=f"Change of the mean from {first} to {last}, by indicator", digits=4)

# %% [markdown]
# The change is split without a remainder into figures (the scores moved) and weights (zero while weights are pooled).

# %% [markdown]
# ## Who is ahead, and how sure is that?

# %%
ranking = construction.rank_entities(final[model.treatment])
run.table(ranking, "ranking_treatment", caption=f"{choices.label(model.treatment)}: mean, rank, change")

# %%
outcome_ranking = construction.rank_entities(final[model.outcome])
run.table(outcome_ranking, "ranking_outcome", caption=f"{choices.label(model.outcome)}: mean, rank, change")

# %%
experiment = index_report.build_experiment(panel, choices)
uncertainty = draw_uncertainty(experiment, choice_draws, run.rng("choices of the index"))
ranks = index_report.rank_table(uncertainty, bootstraps[main], main)
run.table(ranks, "rank_intervals", caption=f"{choices.label(main)}: rank, with two intervals", digits=0)

# %%
run.figure(
    index_pictures.draw_rank_intervals(index_report.shorten(ranks)),
    "rank_intervals",
    caption="Rank of the mean over random choices of the index (wide), and last rank over samples of units (narrow)",
    alt="One row per unit with its rank and two intervals.",
)

# %%
run.figure(
    index_pictures.draw_ranks(
        index_report.shorten_panel(values, ranks), bootstraps[main].ranks, run.regions, index_report.labels_of(grouping)
    ),
    "rank_paths",
    caption="Ranks by period, coloured by region; the bars at the right are sampling intervals of the last rank",
    alt="One line per unit from its first to its last rank.",
)

# %% [markdown]
# Where the intervals of two units overlap, their order is not established.

# %%
index_report.show_map(run, values, caption=f"{choices.label(main)}, first and last period")

# %%
run.figure(
    index_pictures.draw_heat(index_report.shorten(index_report.dimension_means(index, choices))),
    "dimensions",
    caption="Each dimension's own index, mean over the periods, best units first",
    alt="A grid of units by dimensions, darker cells are higher.",
)

# %% [markdown]
# ## How much of the coefficient is a matter of choice?
#
# The zero rule, the scale, its scope, winsorising, the weights, the aggregation and the set of indicators are choices.
# Each run draws all of them, builds the indices anew and fits the primary specification. Sobol's indices split the
# variance of the coefficient: the first order is what a choice does alone, the total order adds its interactions.

# %% tags=["summary"]
sensitivity = sobol_sensitivity(experiment, sobol_base, run.rng("Sobol base sample"))
index_report.record_experiment(results, uncertainty, sensitivity)
run.figure(
    index_pictures.draw_sobol(index_report.sobol_panels(sensitivity, choices)),
    "sobol",
    caption="How much of the coefficient, and of the ranks, depends on choices made in the index",
    alt="Bars of first and total order Sobol indices with intervals, one panel per output.",
)

# %%
run.say(index_report.say_choices(sensitivity))

# %%
run.table(index_report.sobol_table(sensitivity), "sobol", caption="Sobol indices with half-widths of their intervals")

# %% [markdown]
# ## Do units come together or drift apart?

# %%
trends = construction.region_trends(final, [model.treatment, model.outcome], run.regions, choices)
run.figure(
    pictures.draw_trends(trends, {name: choices.label(name) for name in grouping.order}, grouping.order),
    "index_trends",
    caption="Mean of treatment and outcome by region and period",
    alt="Lines of the mean by period, one line per region, one panel per variable.",
)

# %%
gaps = index_report.gap_table(values, run.regions)
run.table(gaps, "inequality", caption=f"{choices.label(main)}: Theil and Gini with their regional parts")

# %%
convergence = index_report.convergence_table(index_report.convergence_columns(index, scores, choices))
run.table(convergence, "convergence", caption="Sigma and beta convergence of the indices and of the dimensions")

# %%
density = dynamics.kernel_density(values)
run.figure(
    index_pictures.draw_density(density, choices.label(main)),
    "density",
    caption=f"{choices.label(main)}: distribution over the units, later periods darker",
    alt="Kernel densities, one line per period.",
)

# %%
moves = index_report.transition_table(values)
run.table(moves, "transitions", caption="From quarter (row) to quarter (column), one period to the next")

# %% [markdown]
# A negative trend of sigma, or a negative beta, says that units come together; the diagonal of the last table says how
# often a unit stays in its quarter.

# %% [markdown]
# ## Are neighbours alike?

# %%
everywhere, somewhere = index_report.neighbour_tables(values, choices, run.rng("neighbours"), index_draws)
run.say(index_report.say_neighbours(choices))

# %%
run.table(everywhere, "moran", caption="Global Moran's I by period, p-value by permutation")

# %%
run.table(somewhere, "moran_local", caption="Local Moran's I in the last period")

# %% [markdown]
# ## What should one unit look at?
#
# The page of one unit: the parameter `unit` names it; without one it is the unit whose index has grown most.

# %%
chosen = index_report.choose_entity(values, unit)
profile = index_accounting.entity_profile(index, chosen)
run.table(profile.standing, "unit_standing", caption=f"{chosen}: where it stands")

# %%
run.table(index_report.label_index(profile.moved, choices), "unit_moved", caption=f"{chosen}: what moved it", digits=4)

# %%
outlook = index_report.label_index(profile.outlook, choices)
run.table(outlook, "unit_outlook", caption=f"{chosen}: where most is to be gained", digits=4)

# %% [markdown]
# ## Checks

# %%
run.check("the weights of every index sum to one", construction.weights_sum_to_one(indices))
run.check("the contributions of the indicators sum to each index", construction.contributions_add_up(indices))
run.check("the parts of the change sum to the change", index_report.change_adds_up(change, values, first, last))

# %% tags=["nbval-check-output"]
print({name: len(index.weights) for name, index in indices.items()})

# %% [markdown]
# ## Save

# %%
run.write_panel(scores, "index_scores")
run.write_panel(final, "panel")
run.save()
