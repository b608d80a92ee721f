# %% [markdown]
# # 7 Multiverse
#
# Everything that was declared as a choice is changed at once: how often does the claim survive, which decision moves
# the estimate, where does the primary specification stand, and do all universes together say more than chance?

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
joint_draws: int = 499

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.multiverse import curve, declared, joint, pictures, shares, shown, survival
from helpers.regression import panel

# %%
run = notebook.open_run("07_multiverse", study=study, run_folder=run_folder, out=out)
choices, level = run.study, run.study.specification.significance
data = run.read("panel")

# %% [markdown]
# ## What if every choice had been made otherwise?
#
# Every option that the study file declares is crossed with every other: how the indices are built, which indicator they
# do without, which rows, which controls, which effects, which lag. Each combination is one universe.

# %%
model = choices.model()
model

# %% [markdown]
# Every universe departs from this one model.

# %%
multiverse = declared.study_specifications(data, choices, run.units)
found = survival.claim_survival(multiverse)
shown.record_survival(run.record, multiverse, found)

# %% tags=["summary"]
run.say(
    "{robustness.multiverse.specifications} specifications were estimated; {robustness.multiverse.failures} more could "
    "not be, and are listed below. The effect is positive and significant in "
    "{robustness.multiverse.share_positive_significant:.1%} of them, negative and significant in "
    "{robustness.multiverse.share_negative_significant:.1%}, and positive, significant or not, in "
    "{robustness.multiverse.share_positive:.1%}."
    if found.n_failures
    else "{robustness.multiverse.specifications} specifications were estimated. The effect is positive and significant "
    "in {robustness.multiverse.share_positive_significant:.1%} of them, negative and significant in "
    "{robustness.multiverse.share_negative_significant:.1%}, and positive, significant or not, in "
    "{robustness.multiverse.share_positive:.1%}."
)

# %% [markdown]
# Sign and significance are one question; how large the effect is across the universes is another:

# %%
run.say(
    "The median standardised estimate is {robustness.multiverse.median}, and nineteen of twenty lie between "
    "{robustness.multiverse.median:ci_low} and {robustness.multiverse.median:ci_high}."
)

# %%
rising = curve.specification_curve(multiverse)
options = shown.curve_labels(multiverse, choices)

# %%
run.figure(
    pictures.draw_specification_curve(rising, labels=options),
    "specification_curve",
    caption="Estimates of all universes in rising order, and the choices behind them",
    alt="A rising curve of estimates with intervals above rows of marks, one row per option.",
)

# %% [markdown]
# Standardised estimates compare across indices of different scales. Below the curve, a mark says where an option stands
# among the estimates: an option whose marks gather at one end decides the result.

# %% [markdown]
# Option by option, whatever else is chosen:

# %%
run.table(
    shown.survival_table(found, choices),
    "multiverse_survival",
    caption="The share of universes by sign and significance of the effect",
)

# %% [markdown]
# No universe is passed over in silence: what could not be estimated is counted by its reason.

# %%
(
    run.say("Every declared specification could be estimated.")
    if multiverse.failures.empty
    else run.table(
        shown.failure_table(multiverse), "multiverse_failures", caption="What could not be estimated, and why"
    )
)

# %% [markdown]
# ## Which decision moves the estimate?

# %%
moved = shares.variance_shares(multiverse)
shown.record_shares(run.record, moved)
alone, together = shown.largest_decisions(moved)

# %%
run.figure(
    pictures.draw_shares(moved.rename(index=lambda name: shown.decision_words(str(name), choices))),
    "multiverse_variance",
    caption="Share of the variance of the estimates by decision",
    alt="Two bars per decision: alone, and with its interactions.",
)

# %% [markdown]
# *Alone* is the variance of the means by option; *with its interactions* is what is left when all other decisions are
# fixed. A control that stands alone is in or out. A decision that only some options of another leave open, as a shift
# of scores is one for entropy weights only, is measured inside that other, and counts to it.

# %%
run.say(
    "Of all decisions, {alone} moves the estimate most: alone it makes {first:.1%} of the variance over all universes, "
    "with its interactions {total:.1%}."
    if alone == together
    else "Of all decisions, {alone} moves the estimate most by itself ({first:.1%} of the variance over all "
    "universes); with its interactions {together} does ({total:.1%}).",
    alone=shown.decision_words(alone, choices),
    together=shown.decision_words(together, choices),
    first=run.results[f"robustness.multiverse.variance.{alone}"],
    total=run.results[f"robustness.multiverse.variance.{together}.total"],
)

# %% [markdown]
# ## Does the claim hang on the effects?
#
# Two series that rise together are related without year effects, whatever caused either; so the universes are counted
# by the effects that they absorb, and among these those with all controls. What is counted is the side of zero on which
# more of all universes are significant.

# %%
groups = survival.group_universes(multiverse)
counted = survival.survival_by_group(multiverse, groups)
shown.record_groups(run.record, counted)
side = shown.significant_side(counted)
apart = shown.effects_apart(counted, side)

# %% tags=["summary"]
run.say(
    "The study file declares one set of effects, so that the claim cannot hang on them."
    if apart is None
    else "Whatever effects are absorbed, no universe is significant."
    if not side
    else "Significance hangs on the effects: {side} and significant in {most:.1%} of the universes with {with_most}, "
    "in {least:.1%} of those with {with_least}."
    if shown.hangs_on_effects(counted, apart, side)
    else "Significance does not hang on the effects alone: {side} and significant in {most:.1%} of the universes with "
    "{with_most}, in {least:.1%} of those with {with_least}.",
    **shown.effects_words_of(apart, side, choices, run.results),
)

# %% [markdown]
# ## Where does the primary specification stand?

# %%
primary = panel.fit(data, model)
standing = survival.find_standing(multiverse, primary, choices.specification.treatment)
shown.record_standing(run.record, standing)

# %%
run.say(
    "{robustness.multiverse.primary.below:.1%} of all universes have a smaller standardised estimate than the primary "
    "specification ({robustness.multiverse.primary}); none has its effects."
    if standing.place == "alone"
    else "{robustness.multiverse.primary.below:.1%} of all universes, and "
    "{robustness.multiverse.primary.below_own:.1%} of those with the same effects, have a smaller standardised "
    "estimate than the primary specification ({robustness.multiverse.primary})."
)

# %% [markdown]
# An end is a tenth of the universes with the same effects.

# %%
run.say(
    {
        "alone": "So nothing can be said of where it stands among its like.",
        "low": "With the same effects most other choices would have given a larger estimate: it stands at the lower "
        "end among them, which favours a claim that the effect is negative.",
        "middle": "It stands at neither end among those with the same effects.",
        "high": "With the same effects most other choices would have given a smaller estimate: it stands at the upper "
        "end among them, which favours a claim that the effect is positive.",
    }[standing.place]
)

# %% [markdown]
# ## The Robustness Dashboard
#
# The Institute for Replication compares a multiverse with one original estimate in fixed indicators. Here the primary
# specification stands for the original; all estimates are standardised.

# %%
original = shown.primary_original(primary, standing, choices.specification.treatment)
indicators = shown.compare_universes(multiverse, original)
shown.record_indicators(run.record, indicators)

# %%
run.table(
    shown.dashboard_table(indicators),
    "dashboard",
    caption="How all universes stand to the primary specification",
    note="Sign: as in the documentation of Stata's repframe, version 1.6; I is of its table, I' of its dashboard, here "
    "as shares and ratios, not in percent. A universe that is the primary specification itself counts as one path.",
)

# %% [markdown]
# How to read it: agreement is high when the verdict does not hang on the choices; variation above 1 means that choices
# move the estimate more than sampling does. That universes agree on a verdict that is not significant does not show
# that there is no effect.

# %%
run.say(
    "The primary estimate is significant: {robustness.multiverse.dashboard.agreement:.1%} of the universes are "
    "significant with its sign; the mean over all universes is {robustness.multiverse.dashboard.relative_size:.2f} "
    "times the primary estimate. The standard deviation of the estimates is "
    "{robustness.multiverse.dashboard.size_variation:.2f} times the primary's clustered standard error."
    if indicators.original_significant
    else "The primary estimate is not significant: {robustness.multiverse.dashboard.agreement:.1%} of the universes "
    "are not either, {robustness.multiverse.dashboard.same_sign:.1%} are significant with its sign and "
    "{robustness.multiverse.dashboard.opposite_sign:.1%} with the other; ratios to it are not formed. The standard "
    "deviation of the estimates is {robustness.multiverse.dashboard.size_variation:.2f} times the primary's clustered "
    "standard error."
)

# %% [markdown]
# ## Do all universes together say more than chance?
#
# Universes share their data, so that many significant ones may be one accident. Under the null hypothesis the residuals
# of each unit change their sign together, in all universes at once; that gives the distribution of three statistics of
# the whole curve (Simonsohn, Simmons and Nelson 2020).

# %%
tests = joint.joint_tests(multiverse, groups, draws=joint_draws, rng=run.rng("joint test"))
shown.record_joint(run.record, tests, level)

# %% [markdown]
# The value in the data beside the range of nineteen of twenty draws in which the treatment does nothing:

# %%
run.table(
    shown.joint_table(tests["all"]),
    "multiverse_joint",
    caption="All universes together",
    note="Null: {null}. No p-value can be below one divided by the number of draws and one; where no draw was as "
    "extreme, it is printed as below that number. One-sided: as far from zero on the observed side; of the share, "
    "significant in the dominant direction of the data.",
    words={"null": shown.NULL},
    draws={"one_sided_p_value": joint_draws + 1},
)

# %%
run.figure(
    pictures.draw_nulls(shown.joint_nulls(tests["all"])),
    "multiverse_joint",
    caption="The joint statistics when the treatment does nothing; in colour: the observed ones",
    alt="Three histograms with a line at the observed value.",
)

# %% tags=["summary"]
run.say(
    "If the treatment did nothing, as many universes significant in one direction would be seen with "
    "{robustness.multiverse.joint.share_significant:p}, a median as far from zero with "
    "{robustness.multiverse.joint.median_standardised:p} and a Stouffer sum as far from zero with "
    "{robustness.multiverse.joint.stouffer:p}."
)

# %% [markdown]
# The level is the one that the study file declares.

# %%
run.say(
    {
        "all": "All three are below the level.",
        "some": "{robustness.multiverse.joint.below} of the three are below the level, so that they do not agree.",
        "none": "None of the three is below the level.",
    }[shown.joint_verdict(tests["all"], level)]
)

# %% [markdown]
# The same question within each set of effects, and there with all controls:

# %%
run.table(
    shown.group_table(counted, tests, choices),
    "multiverse_effects",
    caption="The claim and the joint test by effects and controls",
    note="The last three columns are p-values of the joint statistics within the group; the draws leave a standard "
    "error of {error} in one that is near the level.",
    words={"error": run.results["robustness.multiverse.joint.error"]},
)

# %% [markdown]
# These p-values count draws as extreme on either side of zero. A test of the observed side alone, as some programs for
# specification curves print it, gives about half as much:

# %%
sides = shown.sides_table(tests, choices)
run.table(
    sides,
    "multiverse_one_sided",
    caption="The joint test on the observed side alone",
    note="Only a reader who had fixed the side before the curve was seen may read these; the verdict above does not.",
    draws=dict.fromkeys(sides, joint_draws + 1),
)

# %% [markdown]
# The joint test says whether a curve as a whole is compatible with no effect, not which of its universes is right: a
# curve whose weaker half leaves out effects that belong in the model can be far from zero for that reason alone. The
# rows with the effects of the primary specification are free of that.

# %% [markdown]
# ## A sample of the universes to explore

# %%
n_kept = shown.write_explorer(multiverse, run.out / "tables")

# %%
run.say(
    "Kept: [tables/multiverse_explorer.csv](tables/multiverse_explorer.csv), {rows} of {specifications} universes, "
    "and over all of them [tables/multiverse_counts.csv](tables/multiverse_counts.csv).",
    rows=run.record("robustness.multiverse.explorer", value=n_kept),
    specifications=run.results["robustness.multiverse.specifications"],
)

# %% [markdown]
# The sample is stratified by sample, lag, effects and number of controls; of each stratum, in the order of the
# estimates, the universes in the middle of parts of equal length are kept, and `universes` says for how many each row
# stands. The counts are over all universes, by every decision but controls and the indicator left out.

# %%
n_paths = shown.write_paths(
    multiverse, original, survival.effects_option(primary), run.out / "tables" / "multiverse_paths.dta"
)

# %%
run.say(
    "The same sample in the layout that Stata's repframe reads: "
    "[tables/multiverse_paths.dta](tables/multiverse_paths.dta), {paths} paths and the primary specification as the "
    "original; its indicators are those of the sample, the table above those of all universes.",
    paths=run.record("robustness.multiverse.dashboard.paths", value=n_paths),
)

# %% [markdown]
# ## Checks

# %%
run.check(
    "every declared universe was estimated or has its reason",
    multiverse.n_specifications == len(multiverse.estimated) + len(multiverse.failures),
)
run.check("no decision moves more alone than with its interactions", (moved.first_order <= moved.total_order).all())

# %% tags=["nbval-check-output"]
print(len(multiverse.estimated), len(multiverse.failures), list(groups))

# %% [markdown]
# ## Save

# %%
run.save()
