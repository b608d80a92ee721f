# %% [markdown]
# # 6 Where?
#
# Is the effect the same everywhere, and if not, why? A region may have few units, so that a clustered standard error
# says little there; the wild cluster bootstrap stands beside every effect and every difference, with every sign pattern
# where units are few, so that nothing is drawn. Stars are never compared across columns: a difference between regions
# is itself tested.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
wild_draws: int = 99999
bootstrap_draws: int = 999
permutations: int = 9999
since: int = 2020

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.errors import StudyError, attempt
from helpers.heterogeneity import designs, groups, growth, heterogeneity, pictures, shown, why
from helpers.inference.detectable import detectable_effect
from helpers.regression.leverage import find_leverage

run = notebook.open_run("06_regional_heterogeneity", study=study, run_folder=run_folder, out=out)
choices = run.study
model, level = choices.model(), choices.specification.significance

# %% [markdown]
# Regions are compared whose units are enough for a regression of their own; what is left out is listed.

# %%
panel, treatment = run.read("panel"), choices.specification.treatment
groupings = shown.compare_groupings(panel, run.units, choices)
first = next(iter(groupings.values()))
data, regions, order = first.data, first.regions, first.order
grouping = groups.read_grouping(data, regions, order)

# %%
run.table(
    shown.count_left_out(groupings, panel, run.units, choices),
    "left_out_of_groups",
    caption="Units that are compared with no group, and why",
)

# %% [markdown]
# ## Who starts where, and who grows faster?

# %%
means, mean_gaps = heterogeneity.region_means(
    data, treatment, regions, order=order, wild_draws=wild_draws, rng=run.rng("wild, means")
)
shown.record_means(run.record, means, mean_gaps, treatment)

# %%
table = shown.mean_table(means, mean_gaps, choices)
run.table(table, "region_means", caption="Mean of the treatment by region")

# %%
measures = growth.measure_entities(data[treatment])

# %% [markdown]
# Growth is measured unit by unit, then compared between regions:

# %%
compared = {
    name: growth.compare_groups(measures[name], grouping, draws=wild_draws, rng=run.rng(f"wild, {name}"))
    for name in growth.MEASURES
}
compared = {name: found for name, found in compared.items() if found is not None}
shown.record_growth(run.record, compared, treatment)

# %%
run.table(
    shown.growth_table(compared, choices),
    "region_growth",
    caption="The treatment's first value, its mean yearly growth (logarithm) and its mean yearly change, by region",
    note="Differences: Welch's t over units. Growth is not defined where a first or last value is not above zero.",
    digits=4,
) if compared else run.say("Neither first values nor growth differ between units.")

# %% [markdown]
# Is the first region of the table ahead of the others, and does it gain on them?

# %%
counted = {
    word: run.record(f"region.count.{word}", value=growth.count_apart(compared[name], order[0], side, level))
    for word, (name, side) in growth.COUNTS.items()
    if name in compared
}
others = run.record("region.count.others", value=len(order) - 1)

# %%
run.say(
    "Of {others} other regions, clearly below {region} at the start: {ahead}, clearly above: {behind}. Those that gain "
    "clearly less a {unit}, in points: {faster}, clearly more: {slower}. By Welch's t test and by the wild bootstrap, "
    "region by region."
    if {"ahead", "faster"} <= set(counted)
    else "Who starts ahead, and who gains, is not compared: the treatment's first value or its change is the same in "
    "all units, or known for too few of them.",
    others=others,
    region=run.label(order[0]),
    unit=choices.time.unit,
    **counted,
)

# %% [markdown] tags=["asks"]
# In relation to what each began with:

# %%
run.say(
    "In logarithms, {grow_less} of {others} grow clearly less a {unit} than {region}, and {grow_more} clearly more.",
    others=others,
    region=run.label(order[0]),
    unit=choices.time.unit,
    **counted,
) if "growth" in compared else None

# %% [markdown] tags=["asks"]
# What such a comparison could have missed:

# %%
least = {
    name: run.record(f"region.detectable.{name}", value=growth.detectable_ahead(found, order[0], level), digits=4)
    for name, found in compared.items()
}
run.say(
    "By Welch's t test a difference of {first} at the start would have been seen in four of five samples for each of "
    "the other regions, and one of {points} a {unit} in points; by both tests it may take more."
    if "growth" not in least
    else "By Welch's t test a difference of {first} at the start would have been seen in four of five samples for each "
    "of the other regions, one of {points} a {unit} in points, and one of {growth} in logarithms; by both tests it may "
    "take more.",
    unit=choices.time.unit,
    **least,
) if {"first", "points"} <= set(least) else None

# %% [markdown]
# ## How large is the effect in each region?

# %%
fits = heterogeneity.fit_by_region(data, model, regions, order=order, wild_draws=wild_draws, rng=run.rng("regions"))
shown.record_regions(run.record, fits, treatment)
run.table(shown.region_table(fits, choices), "regions", caption="The primary specification in each region")

# %% [markdown]
# With few clusters the bootstrap has few sign patterns, so its p-value cannot fall below a floor: the last column.
#
# A region's own regression spends most of its rows on its own controls and periods. So four designs stand side by side:
# everything the region's own; controls and periods common; controls common, periods the region's own; without period
# effects.

# %%
names = {
    "own": run.text("own slopes, own periods"),
    "common": run.text("common slopes, common periods"),
    "group_times": run.text("common slopes, own periods"),
    "without_years": run.text("common slopes, no period effects"),
}

# %%
found = {
    name: designs.fit_design(data, model, grouping, name, draws=wild_draws, rng=run.rng(f"design {name}"))
    for name in designs.DESIGNS
}

# %% [markdown]
# A region whose effect depends on the design tells more about the design than about the region.

# %%
shown.record_designs(run.record, found, treatment)
run.table(
    shown.design_table(found, choices, names),
    "region_designs",
    caption="The effect by region in four designs",
    note="Own slopes, own periods: the estimates of the table above, in one regression. Standard errors and degrees of "
    "freedom are those of all units, and signs are drawn over all of them, so that the bootstrap's digits differ a "
    "little from those of the region alone.",
)

# %% [markdown]
# The same in a picture; an interval by the bootstrap need not be even around its estimate.

# %% tags=["summary"]
run.figure(
    pictures.draw_designs(
        {names[name]: shown.design_rows(item, choices) for name, item in found.items()},
        label=run.text("effect of {treatment}", treatment=run.label(treatment)),
    ),
    "regions",
    caption="The effect by region in four designs, 95 % intervals by inversion of the wild cluster bootstrap",
    alt="One estimate with its interval per region, a panel for each design, and a line at zero.",
)

# %% [markdown]
# ## Are they equal, and do they fall in the order of the regions?

# %%
run.table(
    shown.joint_table(found, names, level),
    "region_equality",
    caption="Joint test that the effects are equal, and test that they fall in the order of the regions",
    note="Equality: F, and the wild bootstrap of the Wald statistic. Order: the largest one-sided p of neighbours. "
    "Detectable: how far apart two effects must lie for the F test to see it in four of five samples, whatever the "
    "others are; the bootstrap may need more.",
)

# %% [markdown]
# How many designs tell the regions apart?

# %%
apart = {
    "all": "The wild bootstrap of the joint test tells the effects apart in every row of the table.",
    "some_one": "The wild bootstrap of the joint test tells the effects apart in {unequal} of {rows} rows of the table "
    "({which}). In the other ({narrow}) two effects at least {least} apart would have been seen by the F test in four "
    "of five samples; the bootstrap may need more.",
    "some": "The wild bootstrap of the joint test tells the effects apart in {unequal} of {rows} rows of the table "
    "({which}). In the others two effects at least {least} apart ({narrow}) would have been seen by the F test in four "
    "of five samples, in the widest case at least {most} ({wide}); the bootstrap may need more.",
    "none_one": "The wild bootstrap of the joint test does not tell the effects apart ({narrow}): two effects at least "
    "{least} apart would have been seen by the F test in four of five samples; the bootstrap may need more.",
    "none": "The wild bootstrap of the joint test tells the effects apart in no row of the table. Two effects at least "
    "{least} apart ({narrow}) would have been seen by the F test in four of five samples, in the widest case at least "
    "{most} ({wide}); the bootstrap may need more.",
}
kind, told = shown.say_equality(run.record, found, names, level)
run.say(
    apart[kind],
    rows=run.record("heterogeneity.count.designs", value=len(found)),
    unequal=run.record("heterogeneity.count.unequal", value=len(shown.read_equality(found, level).apart)),
    **told,
)

# %% [markdown]
# And how many show the order?

# %%
ordered = [name for name, item in found.items() if max(item.ordering.wild_p_value, item.ordering.p_value) < level]
run.say(
    "Of {designs} designs, those that show by the t test and by the wild bootstrap that the effects fall in the order "
    "of the table: {ordered} ({falling})."
    if ordered
    else "None of {designs} designs shows by the t test and by the wild bootstrap that the effects fall in the order "
    "of the table, which does not show that they do not: effects must lie as far apart as said above to be seen.",
    designs=run.results["heterogeneity.count.designs"],
    ordered=run.record("heterogeneity.count.ordered", value=len(ordered)),
    falling="; ".join(names[name] for name in ordered),
)

# %% [markdown]
# ## Which pairs differ?

# %%
gaps = heterogeneity.compare_regions(
    data,
    model,
    regions,
    order=order,
    wild_draws=wild_draws,
    permutations=permutations,
    rng=run.rng("differences"),
)

# %% [markdown]
# Each pair by every test; the last two columns count the pairs.

# %%
shown.record_gaps(run.record, gaps, treatment)
run.table(
    shown.gap_table(gaps, choices),
    "region_differences",
    caption="Differences between regions, each region with its own regression",
    note="Permutation: units dealt out anew between the two regions, studentised; the plain one misleads where the "
    "regions differ in variance. Holm and Romano-Wolf count the pairs.",
    draws={"plain_permutation_p_value": permutations + 1},
)

# %% [markdown]
# How many pairs are told apart, and which differs most?

# %%
told = [gap for gap in gaps.values() if shown.is_told(gap, level)]
largest = max(gaps.values(), key=lambda gap: abs(gap.effect.statistic))

# %%
run.say(
    "Differences told from zero by the t test, by the wild bootstrap and after Romano and Wolf: {told} of {pairs}; the "
    "one furthest from zero in standard errors is {first} minus {second}, {gap} ({gap:p}; {adjusted:p} adjusted for "
    "the pairs)."
    if told
    else "Differences told from zero by the t test, by the wild bootstrap and after Romano and Wolf: {told} of "
    "{pairs}; the one furthest from zero in standard errors is {first} minus {second}, {gap} ({gap:p}; {adjusted:p} "
    "adjusted for the pairs). One of {smallest} or more would have been seen in four of five samples by the t test "
    "alone; all three tests need a larger one.",
    smallest=run.record("region.detectable", value=detectable_effect(largest.effect, level=level)),
    pairs=run.record("region.count.pairs", value=len(gaps)),
    told=run.record("region.count.told", value=len(told)),
    first=run.label(largest.first),
    second=run.label(largest.second),
    gap=run.results[f"region.{largest.first}_minus_{largest.second}.{treatment}"],
    adjusted=run.results[f"region.{largest.first}_minus_{largest.second}.{treatment}.romano_wolf"],
)

# %% [markdown]
# ## Why: does it matter where a unit began?
#
# The treatment times a first value, standardised over units, joins the primary specification: that of the channel
# which the study names first, if it names one, and that of the treatment itself.

# %%
start_of = {"infrastructure": next(iter(choices.mediators), None), "level": treatment}
asked = {
    name: attempt(why.fit_start, data, model, variable, draws=wild_draws, rng=run.rng(f"start {name}"))
    for name, variable in start_of.items()
    if variable is not None
}
starts = {name: test for name, test in asked.items() if not isinstance(test, StudyError)}

# %% [markdown]
# One row per first value:

# %%
shown.record_starts(run.record, starts, treatment)
run.table(
    shown.start_table({choices.label(start_of[name]): test for name, test in starts.items()}),
    "region_starts",
    caption="How the effect changes with one standard deviation more of a first value",
) if starts else run.say("No first value can be asked: it is the same in all units, or not known of each.")

# %% [markdown] tags=["asks"]
# Is the effect larger where that first value was higher?

# %%
larger = [name for name, test in starts.items() if test.effect.estimate > 0 and test.is_clear(level)]
smaller = [name for name, test in starts.items() if test.effect.estimate < 0 and test.is_clear(level)]
run.say(
    "First values that go with a clearly larger effect, by the t test and by the wild bootstrap: {larger} of {all}; "
    "with a clearly smaller one: {smaller}."
    if larger + smaller
    else "No first value goes with a clearly larger or smaller effect, of {all} that were asked. A change of the "
    "effect smaller than {least} for a standard deviation of the first value would have been missed in more than one "
    "of five samples, whichever the first value.",
    least=run.record("heterogeneity.start.detectable", value=min(test.detectable(level) for test in starts.values())),
    all=run.record("heterogeneity.count.starts", value=len(starts)),
    larger=run.record("heterogeneity.count.larger", value=len(larger)),
    smaller=run.record("heterogeneity.count.smaller", value=len(smaller)),
) if starts else None

# %% [markdown] tags=["needs-mediators"]
# ## Why: does it need a level of the first channel?
#
# Hansen's threshold: the effect may change once the channel passes a value, found by trying every value. The channel's
# own level is held, as it is in his: what a channel does by itself would pass for a threshold. He has unit effects
# alone; with period effects it stands beside.

# %% tags=["needs-mediators"]
passed = start_of["infrastructure"]
thresholds = shown.fit_thresholds(data, model, passed, draws=bootstrap_draws, rng=run.rng("threshold"))
shown.record_thresholds(run.record, thresholds, passed)

# %% [markdown] tags=["needs-mediators"]
# Whether there is a threshold, and where:

# %% tags=["needs-mediators"]
run.table(
    shown.threshold_table(thresholds),
    "region_threshold",
    caption="Threshold of the effect in the first channel",
    note="p: wild bootstrap of the largest clustered score, which keeps its level where units differ.",
) if thresholds else run.say("Not shown: the study names no channel whose figures are there at every period.")

# %% [markdown] tags=["needs-mediators"]
# Every candidate below the dashed line fits almost as well as the best one:

# %% tags=["needs-mediators"]
run.figure(
    pictures.draw_likelihood(
        thresholds["without_years"].first.profile,
        why.CRITICAL,
        across=run.text("{variable}", variable=run.label(passed)),
        label=run.text("likelihood ratio"),
    ),
    "region_threshold",
    caption="Likelihood ratio of every candidate, unit effects alone; below the dashed line: the 95 % interval",
    alt="A curve over the threshold variable that touches zero at the estimate, and a dashed line.",
) if thresholds else run.say("Not shown: there is no threshold.")

# %% [markdown] tags=["needs-mediators"]
# The test itself was put to panels without a threshold. Where it rejects far more often than five times in a hundred,
# it finds what is not there.

# %% tags=["needs-mediators"]
run.table(
    why.read_sizes().set_index("errors"),
    "threshold_size",
    caption="How often the test of no threshold rejects at nominal 5 % when there is none, in simulated panels",
    labels={"seed": "Seed"},
)

# %% [markdown]
# ## Do other groupings of the units say the same?

# %%
others = shown.fit_groupings(groupings, model, wild_draws=wild_draws, rng=run.rng("groupings"))
for groups_of in others.values():
    shown.record_regions(run.record, groups_of, treatment)

# %%
run.table(
    shown.grouping_table({next(iter(choices.regions)): fits, **others}, choices),
    "groupings",
    caption="The primary specification in the groups of every declared grouping",
)

# %% [markdown]
# Are the effects in the other groupings equal? One regression with common slopes, periods common or the group's own:

# %%
split = shown.fit_grouping_designs(groupings, model, draws=wild_draws, rng=run.rng("grouping designs"))
shown.record_grouping_designs(run.record, split, treatment)

# %%
run.table(
    shown.grouping_joint_table(split, names, level),
    "grouping_equality",
    caption="Joint test that the effects are equal in the groups of every further grouping",
) if split else run.say("The study declares no further grouping.")

# %% [markdown]
# And groups of rows: by where a unit began, and by time.

# %%
rows = shown.fit_rows(data, model, since, draws=wild_draws, rng=run.rng("rows"))
shown.record_rows(run.record, rows, treatment)

# %%
words = {
    "first_third": run.text("thirds of the first value"),
    "since": run.text("before and since"),
    "time": run.text("period by period"),
}
run.table(
    shown.design_table(rows, choices, words),
    "region_rows",
    caption="The effect by thirds of the treatment's first value, before and since a period, and period by period",
    note="Common controls and effects.",
) if rows else run.say("The rows cannot tell the effects of such groups apart.")

# %% [markdown]
# Are the effects of these groups of rows told apart?

# %%
run.table(
    shown.joint_table(rows, words, level, with_order=False), "region_rows_equality", caption="Are these effects equal?"
)

# %%
kind, told = shown.say_equality(run.record, rows, words, level)
run.say(
    apart[kind],
    rows=run.record("heterogeneity.count.row_groups", value=len(rows)),
    unequal=run.record("heterogeneity.count.row_groups_unequal", value=len(shown.read_equality(rows, level).apart)),
    **told,
) if rows else None

# %% [markdown]
# ## Does one unit carry it?

# %%
primary = heterogeneity.fit(data, model)
heavy = find_leverage(primary, treatment).shares.head(3)
shown.record_heaviest(run.record, heavy)

# %% [markdown]
# The designs with common slopes are fitted again without it:

# %%
without = shown.fit_without(data, model, grouping, str(heavy.index[0]), draws=wild_draws, rng=run.rng("without"))
shown.record_designs(run.record, without, treatment, ".without_heaviest")
run.table(
    shown.design_table(without, choices, names), "region_without", caption="The effect by region without that unit"
) if without else run.say("Not fitted: without it a region would be left with one unit.")

# %%
run.say(
    "Of the variation that identifies the effect, {unit} holds {share:.1%} and the three heaviest units hold "
    "{three:.1%}; the table is without {unit}."
    if without
    else "Of the variation that identifies the effect, {unit} holds {share:.1%} and the three heaviest units hold "
    "{three:.1%}.",
    unit=run.label(str(heavy.index[0])),
    share=run.results["heterogeneity.heaviest.share"],
    three=run.results["heterogeneity.heaviest.three"],
)

# %% [markdown]
# ## Checks

# %%
misfit = shown.largest_misfit(fits, gaps)
run.check("every difference equals the difference of its two estimates", misfit < 1e-10)

# %% tags=["nbval-check-output"]
print([(name, item.effect.n_entities) for name, item in fits.items()])

# %% [markdown]
# ## Save

# %%
run.save()
