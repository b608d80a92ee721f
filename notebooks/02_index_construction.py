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
permutations: int = 9999
choice_draws: int = 1000
sobol_base: int = 256

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.disparity import dynamics
from helpers.disparity import shown as disparity_shown
from helpers.index import accounting, build, shown
from helpers.index import pictures as drawings
from helpers.multiverse import drawn, index_choices

# %%
run = notebook.open_run("02_index_construction", study=study, run_folder=run_folder, out=out)
choices, grouping, level = run.study, run.study.grouping, run.study.specification.significance
model = choices.model()
panel = run.read("indicators")

# %% [markdown]
# ## Which indices does the study build, and how?

# %%
indices = build.build_indices(panel, choices)
scores = build.index_values(indices)
final = build.model_panel(panel, scores)

# %% [markdown]
# One row per index. An index with few indicators rests on each of them.

# %%
run.table(
    shown.index_table(indices, choices),
    "indices",
    caption="Indices: indicators, method, rows",
    note="An index with a window of its own is built over its own periods and is empty outside them.",
)

# %% [markdown]
# What follows looks most closely at the main index: the treatment, where it is an index, else the first one declared.

# %%
main = shown.main_index(choices)
index, values = indices[main], scores[main].dropna()
first = run.record(f"index.{main}.first", value=int(values.index.unique(1).min()), digits=0)
last = run.record(f"index.{main}.last", value=int(values.index.unique(1).max()), digits=0)
named = {"index": run.label(main), "first": first, "last": last}

# %% [markdown]
# ## Which indicators carry the indices, and how sure are their weights?
#
# Each sample draws as many units as there are, with replacement, and derives every index anew from its rows: scales,
# entropies, weights.

# %%
bootstraps = shown.bootstrap_indices(panel, choices, index_draws, run.rng("entities of the indices"))
shown.record_weights(run.results, indices, bootstraps)
weights = build.weight_tables(indices, bootstraps, choices)

# %%
run.table(build.stack_tables(weights, "index"), "index_weights", caption="Entropy and weight of every indicator")

# %%
run.figure(
    drawings.draw_weights(weights),
    "index_weights",
    caption="Weights of the indicators, coloured by dimension; lines are intervals from drawing units anew",
    alt="Horizontal bars with intervals, one per indicator, heaviest first, one panel per index.",
)

# %% [markdown]
# A bar beyond the dotted line weighs more than it would if all were equal. A long line says that the weight depends on
# which units are in the sample.

# %% [markdown]
# Does one indicator carry the main index?

# %%
heaviest, *as_heavy = shown.find_heaviest(index.weights)
times_equal = run.record(f"index.{main}.heaviest", value=float(index.weights.max() * len(index.weights)), digits=1)

# %%
run.say(
    {
        "one": "Of the indicators of {index}, {indicator} weighs most: {weight:.1%} of the whole (95 % interval "
        "{weight:ci:.1%}), {times} times an equal share.",
        "some": "Of the indicators of {index}, {count} weigh most, as much as {indicator}: {weight:.1%} of the whole "
        "each, {times} times an equal share.",
        "all": "All {count} indicators of {index} weigh the same: {weight:.1%} of the whole each.",
        "alone": "{index} has one indicator, {indicator}, so that there is nothing to weigh.",
    }[shown.kind_of_weights(index.weights)],
    index=run.label(main),
    indicator=run.label(heaviest),
    count=run.record(f"index.{main}.heaviest.count", value=1 + len(as_heavy), digits=0),
    weight=run.results[f"index.{main}.weight.{heaviest}"],
    times=times_equal,
)

# %%
failed = run.record("index.bootstrap.failed", value=max(found.n_failed for found in bootstraps.values()), digits=0)

# %%
message = (
    "In some samples an indicator does not vary, so that they have no index: up to {failed} samples of one index are "
    "left out."
    if failed.value
    else "Every sample of every index has its index; none is left out."
)
run.say(message, failed=failed)

# %% [markdown]
# ## Of what is the index made?

# %%
by_dimension = index.dimension_contributions.groupby(level=1).mean()
run.figure(
    drawings.draw_contributions(shown.label_columns(by_dimension, choices)),
    "index_contributions",
    caption="{index}: mean by period, split exactly into its dimensions",
    alt="Stacked bars of the mean index by period, one part per dimension.",
    words=named,
)

# %% [markdown]
# Which indicators moved it?

# %%
change = shown.change_table(index, first.value, last.value, choices)
run.table(
    change,
    "index_change",
    caption="{index}: change of the mean from {first} to {last}, by indicator",
    note="Split without a remainder into figures (the scores moved) and weights (zero where they are pooled).",
    digits=4,
    words=named,
)

# %% [markdown]
# ## Who is ahead, and how sure is that?

# %%
ranking = build.rank_entities(final[model.treatment])
treatment = {"treatment": run.label(model.treatment)}
run.table(ranking, "ranking_treatment", caption="{treatment}: mean, rank, change", words=treatment)

# %% [markdown]
# And by the outcome:

# %%
outcome_ranking = build.rank_entities(final[model.outcome])
outcome = {"outcome": run.label(model.outcome)}
run.table(outcome_ranking, "ranking_outcome", caption="{outcome}: mean, rank, change", words=outcome)

# %% [markdown]
# The rank of a unit's mean over the periods has two sources of doubt: which units are in the sample, and how the index
# is built. Dot and both intervals are of this one rank.

# %%
experiment = index_choices.build_experiment(panel, choices)
uncertainty = drawn.draw_uncertainty(experiment, choice_draws, run.rng("choices of the index"))
ranks = index_choices.rank_table(uncertainty, bootstraps[main], main)

# %%
caption = "{index}: rank of the mean over the periods, with two intervals"
run.table(ranks, "rank_intervals", caption=caption, digits=0, words=named)

# %%
run.figure(
    drawings.draw_rank_intervals(shown.shorten(ranks)),
    "rank_intervals",
    caption="Rank of the mean over the periods: over choices made in the index (wide), over samples of units (narrow)",
    alt="One row per unit with its rank and two intervals of the same rank.",
)

# %% [markdown]
# How many neighbours in this ranking can be told apart?

# %%
apart, pairs = index_choices.count_told_apart(ranks)
run.say(
    "Of the {pairs} pairs of neighbours in this ranking, {apart} have sampling intervals that do not overlap; for the "
    "others these intervals leave the order open.",
    pairs=run.record("index.ranks.pairs", value=pairs, digits=0),
    apart=run.record("index.ranks.apart", value=apart, digits=0),
)

# %% [markdown]
# Did units change their places, period by period?

# %%
paths = shown.shorten_panel(values, ranks)
names = shown.labels_of(grouping)

# %%
run.figure(
    drawings.draw_ranks(paths, bootstraps[main].ranks, run.regions, names),
    "rank_paths",
    caption="Ranks by period, coloured by region; the bars at the right are sampling intervals of the last rank"
    if choices.regions
    else "Ranks by period; the bars at the right are sampling intervals of the last rank",
    alt="One line per unit from its first to its last rank.",
)

# %% [markdown]
# A high index may rest on one dimension alone. Unit by unit:

# %%
run.figure(
    drawings.draw_heat(shown.shorten(shown.dimension_means(index, choices))),
    "dimensions",
    caption="Each dimension's own index, mean over the periods, best units first",
    alt="A grid of units by dimensions, darker cells are higher.",
)

# %% [markdown]
# ## How much of the coefficient is a matter of choice?
#
# The zero rule, the scale, its scope, winsorising, the weights, the aggregation and the set of indicators are choices.
# Each run draws all of them, builds the indices anew and fits the primary specification. Sobol's indices split the
# variance of the coefficient: the first order is what a choice does alone, the total order adds its interactions. The
# zero rule acts under entropy weights only; its share is over all runs.

# %% [markdown]
# Fitted in every run, on the indices of that run (the main index in the treatment's place, where that is no index):

# %%
model.with_(treatment=main)

# %%
sensitivity = drawn.sobol_sensitivity(experiment, sobol_base, run.rng("Sobol base sample"))
index_choices.record_experiment(run.results, uncertainty, sensitivity)

# %% tags=["summary"]
run.figure(
    drawings.draw_sobol(index_choices.sobol_panels(sensitivity, choices)),
    "sobol",
    caption="How much of the coefficient, and of the ranks, depends on choices made in the index",
    alt="Bars of first and total order Sobol indices with intervals, one panel per output.",
)

# %%
run.say(
    "Over random choices of the index the standardised coefficient lies between {found:ci_low} and {found:ci_high} in "
    "nineteen of twenty runs (declared method: {found}); it keeps its sign in {same:.0%} of them and is significant in "
    "{clear:.0%}.",
    found=run.results["index.choices.standardised"],
    same=run.results["index.choices.standardised.same_sign"],
    clear=run.results["index.choices.standardised.significant"],
)

# %% [markdown]
# Which choice moves it most?

# %%
leaders = index_choices.find_leaders(sensitivity)
messages = {
    "none": "No choice of the index moves the standardised coefficient.",
    "clear": "Of the choices made in the index, {first} moves the standardised coefficient most: with its interactions "
    "it makes {share:.0%} of the variance. The widest interval in the table below, over all outputs, is {half} to "
    "either side, from {runs} full runs of indices and regression.",
    "tied": "Of the choices made in the index, {first} has the largest share in the variance of the standardised "
    "coefficient, with its interactions {share:.0%}; its interval is not clear of that of: {rivals}. So {runs} full "
    "runs do not tell which of these moves it most. The widest interval in the table below, over all outputs, is "
    "{half} to either side.",
}
run.say(messages[leaders.kind], **index_choices.leader_words(leaders, choices, run.results))

# %%
run.table(
    index_choices.sobol_table(sensitivity),
    "sobol",
    caption="Sobol indices with half-widths of their intervals",
    note="A first order is at most its total: estimates that cross by chance are both set to their mean.",
    labels={"first": "First order", "total": "Total order"},
)

# %% [markdown]
# ## Do units come together or drift apart?

# %%
trends = build.region_trends(final, [model.treatment, model.outcome], run.regions, choices)
run.figure(
    drawings.draw_trends(trends, {name: choices.label(name) for name in grouping.order}, grouping.order),
    "index_trends",
    caption="Mean of treatment and outcome by region and period"
    if choices.regions
    else "Mean of treatment and outcome by period",
    alt="Lines of the mean by period, one line per region, one panel per variable.",
)

# %% [markdown]
# Two answers are possible at once. In relation to their mean, units come together when the coefficient of variation
# (standard deviation over mean) falls; its trend is a straight line through the periods, tested as if the departures
# from it were unrelated. In index points they drift apart when the standard deviation itself rises from the first
# period to the last, which is described and not tested. Both are true where the mean rises faster than the standard
# deviation.

# %%
spread = disparity_shown.measure_spread(values)
sd_first = run.record(f"index.spread.{main}.sd_first", value=spread.sd_first, digits=3)
sd_last = run.record(f"index.spread.{main}.sd_last", value=spread.sd_last, digits=3)
sigma = run.record(f"index.spread.{main}.sigma", spread.sigma) if spread.sigma else None

# %%
messages = {
    "unknown": "The standard deviation of {index} between units moves from {sd_first} in {first} to {sd_last} in "
    "{last}; a spread in relation to the mean cannot be computed.",
    "nearer but wider": "Both, by measure. In relation to their mean, units come together in {index}: the coefficient "
    "of variation falls ({sigma:estimate:.3f} log points a {unit}, {sigma:p}). In index points they drift apart: the "
    "standard deviation rises from {sd_first} in {first} to {sd_last} in {last}.",
    "nearer": "They come together in {index}, in relation to their mean (the coefficient of variation changes by "
    "{sigma:estimate:.3f} log points a {unit}, {sigma:p}) and in index points (the standard deviation falls from "
    "{sd_first} in {first} to {sd_last} in {last}).",
    "nearer_as_wide": "They come together in {index} in relation to their mean (the coefficient of variation changes "
    "by {sigma:estimate:.3f} log points a {unit}, {sigma:p}), not in index points: the standard deviation is "
    "{sd_first} in {first} and {sd_last} in {last}.",
    "further": "They drift apart in {index}, in relation to their mean (the coefficient of variation changes by "
    "{sigma:estimate:.3f} log points a {unit}, {sigma:p}) and in index points (the standard deviation rises from "
    "{sd_first} in {first} to {sd_last} in {last}).",
    "further_as_wide": "They drift apart in {index} in relation to their mean (the coefficient of variation changes "
    "by {sigma:estimate:.3f} log points a {unit}, {sigma:p}), not in index points: the standard deviation is "
    "{sd_first} in {first} and {sd_last} in {last}.",
    "further but narrower": "Both, by measure. In relation to their mean, units drift apart in {index}: the "
    "coefficient of variation rises ({sigma:estimate:.3f} log points a {unit}, {sigma:p}). In index points they come "
    "together: the standard deviation falls from {sd_first} in {first} to {sd_last} in {last}.",
    "unclear": "In relation to their mean, neither can be told in {index} from these periods: the coefficient of "
    "variation changes by {sigma:estimate:.3f} log points a {unit} ({sigma:p}). In index points the standard deviation "
    "moves from {sd_first} in {first} to {sd_last} in {last}.",
}
found = {"sd_first": sd_first, "sd_last": sd_last, **({"sigma": sigma, "unit": choices.time.unit} if sigma else {})}
run.say(messages[spread.kind(level)], **named, **found)

# %% [markdown]
# The same for every index, and for every dimension of the main one:

# %%
convergence = disparity_shown.convergence_table(disparity_shown.convergence_columns(index, scores, choices))
run.table(
    convergence,
    "convergence",
    caption="Spread at both ends, sigma and beta convergence of the indices and of the dimensions",
    note="A negative trend of sigma says that units come together in relation to their mean. A negative beta alone "
    "does not: where first values hold chance, those that began low rise by that alone (regression to the mean).",
)

# %% [markdown] tags=["needs-regions"]
# How much of the inequality lies between the regions, and how much within them?

# %% tags=["needs-regions"]
gaps = disparity_shown.gap_table(values, run.regions)
run.table(gaps, "inequality", caption="{index}: Theil and Gini with their regional parts", words=named)

# %% [markdown]
# Does the distribution move as a whole, or does it split?

# %%
density = dynamics.kernel_density(values, bounds=index.bounds)
run.figure(
    drawings.draw_density(density, choices.label(main)),
    "density",
    caption="{index}: distribution over the units, later periods darker",
    alt="Kernel densities, one line per period; none reaches beyond the range of the index.",
    words=named,
)

# %% [markdown]
# Do units change places?

# %%
moves = disparity_shown.transition_table(values)
run.table(
    moves,
    "transitions",
    caption="From quartile (row) to quartile (column), one period to the next",
    note="The diagonal says how often a unit stays in its quartile.",
)

# %% [markdown] tags=["needs-map"]
# ## Are neighbours alike?

# %% tags=["needs-map"]
everywhere, somewhere = disparity_shown.neighbour_tables(values, choices, run.rng("neighbours"), permutations)
now = everywhere.iloc[-1].to_dict() if len(everywhere) else None

# %% tags=["needs-map"]
moran = (
    run.record(
        f"index.moran.{main}", estimate=now["estimate"], p_value=now["p_value"], draws=permutations + 1, digits=3
    )
    if now
    else None
)

# %% tags=["needs-map"]
if moran is None:
    message = "This study declares no map, so that no spatial statistic is computed."
elif now["p_value"] < level and now["estimate"] > now["expected"]:
    message = "In {last} neighbours are alike in {index}: Moran's I is {moran}, {moran:p} by permutation."
elif now["p_value"] < level:
    message = "In {last} neighbours differ in {index} more than chance would have it: Moran's I is {moran}, {moran:p}."
else:
    message = "Whether neighbours are alike in {index} cannot be told in {last}: Moran's I is {moran}, {moran:p}."
run.say(message, **({"moran": moran, **named} if moran else {}))

# %% [markdown] tags=["needs-map"]
# Moran's I is near zero where the neighbours of a unit are like any others, above it where they are like the unit.

# %% tags=["needs-map"]
dealt = {"p_value": permutations + 1}
run.table(everywhere, "moran", caption="Global Moran's I by period, p-value by permutation", draws=dealt)

# %% [markdown] tags=["needs-map"]
# And unit by unit: who stands among units like itself?

# %% tags=["needs-map"]
run.table(somewhere, "moran_local", caption="Local Moran's I in the last period, p-value by permutation", draws=dealt)

# %% [markdown]
# ## What holds units back?
#
# What a unit lacks in an indicator is its weight times the distance of its score from 1; the obstacle degree of the
# indicator is its share in all that the unit lacks.

# %%
run.table(
    shown.obstacle_table(index, choices),
    "obstacles",
    caption="{index}: mean obstacle degree by indicator, and the units for which it is the largest",
    words=named,
)

# %% [markdown]
# ## What should one unit look at?
#
# The page of one unit: the parameter `unit` names it; without one it is the unit whose index has grown most.

# %%
chosen = shown.choose_entity(values, unit)
profile = accounting.entity_profile(index, chosen)
run.table(profile.standing, "unit_standing", caption="{unit}: where it stands", words={"unit": run.label(chosen)})

# %% [markdown]
# What has moved it since the first period?

# %%
moved = shown.label_index(profile.moved, choices)
run.table(moved, "unit_moved", caption="{unit}: what moved it", digits=4, words={"unit": run.label(chosen)})

# %% [markdown]
# Where is most to be gained?

# %%
outlook = shown.label_index(profile.outlook, choices)
caption = "{unit}: what holds it back, and where most is to be gained"
run.table(outlook, "unit_outlook", caption=caption, digits=4, words={"unit": run.label(chosen)})

# %% [markdown]
# And what holds it back most?

# %%
obstacle = shown.largest_obstacle(index, chosen)
if obstacle is None:
    held = run.say("Scores of this method are no shares of what can be reached, so that no obstacle degree is defined.")
elif not obstacle[0]:
    held = run.say(
        "In {last}, {unit} lacks nothing in {index}: all its indicators stand as high as they can.",
        last=last,
        unit=run.label(chosen),
        index=run.label(main),
    )
else:
    held = run.say(
        "In {last}, {indicator} holds {unit} back most: {share:.1%} of all that it lacks in {index}.",
        last=last,
        indicator=run.label(obstacle[0]),
        unit=run.label(chosen),
        index=run.label(main),
        share=run.record(f"index.obstacle.{main}", value=obstacle[1], digits=3),
    )
held

# %% [markdown]
# ## Checks

# %%
run.check("the weights of every index sum to one", build.weights_sum_to_one(indices))
run.check("the contributions of the indicators sum to each index", build.contributions_add_up(indices))
run.check("the parts of the change sum to the change", shown.change_adds_up(change, values, first.value, last.value))

# %% tags=["nbval-check-output"]
print({name: len(found.weights) for name, found in indices.items()})

# %% [markdown]
# ## Save

# %%
run.write_panel(scores, "index_scores")
run.write_panel(shown.rank_panel(scores), "index_ranks")
run.write_panel(shown.contribution_panel(indices), "index_dimensions")
run.write_panel(final, "panel")
run.save()
