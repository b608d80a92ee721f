# %% [markdown]
# # 5 Through which channels?
#
# A treatment may reach the outcome through a mediator $M$: it moves $M$, and $M$ moves the outcome. With the controls
# and effects of the primary specification,
#
# $$M_{it} = a D_{it} + \gamma_1' X_{it} + \alpha_i + \lambda_t + u_{it}, \qquad
# Y_{it} = c' D_{it} + b M_{it} + \gamma_2' X_{it} + \alpha_i + \lambda_t + v_{it}$$
#
# The indirect effect is $ab$, the direct effect $c'$, and their sum is the total effect $c$. None of this is causal
# unless nothing unobserved moves mediator and outcome together.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
bootstrap_draws: int = 1999
wild_draws: int = 99999

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.inference import clear
from helpers.mediation import coverage as measured
from helpers.mediation import leverage, missed, moderated, pictures, resampled, rho, shown, steps, sub_effects

# %%
run = notebook.open_run("05_mediation", study=study, run_folder=run_folder, out=out)
choices = run.study
model, level = choices.model(), choices.specification.significance
data = run.read("panel")

# %% [markdown]
# ## What do the texts say?
#
# Where the study names a text that lays out a mechanism, its table stands here, with the results that measure each row.

# %%
run.framework("emp_mechanism")

# %% [markdown]
# ## Which rows and which measures?

# %%
run.table(shown.count_rows(data, choices), "mediation_rows", caption="Rows in which a mediator has a figure")

# %%
run.table(shown.caution_table(run), "mediation_cautions", caption="What must be known about a measure")

# %% [markdown]
# A mediator that is itself an index is derived anew, scales and weights, in every bootstrap sample below.

# %% [markdown]
# ## Does the treatment move the mediator, and the mediator the outcome?

# %%
samples = resampled.draw_samples(data, model, draws=bootstrap_draws, rng=run.rng("entities"))
channels = shown.fit_channels(data, choices, samples, wild_draws=wild_draws, rng=run.rng("wild, paths"))
shown.record_channels(run.record, channels)

# %% [markdown]
# The interval of the indirect effect is that of the product of the paths; the sections below compare it with others.

# %%
alone = {name: channel.alone for name, channel in channels.items()}
effects = shown.effect_table(alone, choices)
run.table(
    effects,
    "mediation",
    caption="Paths and effects, one mediator at a time",
    note="Paths, direct and total: cluster-robust t. Indirect: standard error of the bootstrap over units; interval "
    "and p of the product of the paths (CR2, Satterthwaite's degrees of freedom).",
)

# %% [markdown]
# The same as a picture of the mechanism:

# %% tags=["summary"]
arrows = shown.mechanism_arrows(channels, level)
run.figure(
    pictures.draw_mechanism(
        {choices.label(name): pair for name, pair in arrows.channels.items()},
        arrows.total,
        treatment=choices.label(model.treatment),
        outcome=choices.label(model.outcome),
    ),
    "mediation_mechanism",
    caption="The mechanism with its estimates; solid where clear by t test and wild bootstrap; below: the total effect",
    alt="Boxes for treatment, mediators and outcome, joined by arrows with the estimates of the paths on them.",
)

# %% [markdown]
# How many channels have both paths?

# %%
both = sum(arrow.is_clear and other.is_clear for arrow, other in arrows.channels.values())
counts = {
    "clear": run.record("mediation.count.both_paths", value=both),
    "all": run.record("mediation.count.channels", value=len(channels)),
}

# %%
run.say("Channels with both paths clear by the t test and by the wild bootstrap: {clear} of {all}.", **counts)

# %% [markdown] tags=["asks"]
# How near does a channel come, and what could have been missed?

# %%
paths = {name: missed.weaker_path(channel) for name, channel in channels.items()}
nearest = clear.find_nearest({name: found for name, (_, found) in paths.items()})
path, found = paths[nearest]
lacks = {
    "path_a": "The nearest to it is {channel}; its path further from clear is path a, from the treatment to it: "
    "{effect} ({effect:p}; wild bootstrap {wild:p}). One of {smallest} or more would have been seen in four of five "
    "samples.",
    "path_b": "The nearest to it is {channel}; its path further from clear is path b, from it to the outcome: {effect} "
    "({effect:p}; wild bootstrap {wild:p}). One of {smallest} or more would have been seen in four of five samples.",
    "unseen": "The nearest to it is {channel}; of its path further from clear: {effect} ({effect:p}; wild bootstrap "
    "{wild:p}). The bootstrap's interval has no end, so that none, however large, would surely have been seen.",
}
run.say(
    lacks[path if found.is_bounded else "unseen"],
    channel=run.label(nearest),
    effect=run.results[f"mediation.{nearest}.{path}"],
    wild=run.results[f"mediation.{nearest}.{path}.wild"],
    smallest=run.record(f"mediation.{nearest}.{path}.detectable", value=found.detectable(level)),
) if not both else None

# %% [markdown]
# ### The step procedures
#
# Three steps (Baron and Kenny 1986) are what the literature prints; the third regresses the outcome on treatment and
# mediator together, which is biased as soon as something unobserved moves both. Two steps (Jiang 2022) stop after the
# mediator and argue from theory that it moves the outcome.

# %%
run.table(
    steps.step_table(data, model, list(choices.mediators), "three_step").set_index("step"),
    "mediation_steps",
    caption="Step by step: steps one and two are those of Jiang (2022), with step three the classical procedure",
)

# %% [markdown]
# ## Is the indirect effect clear?

# %%
run.table(
    shown.interval_table(channels, choices),
    "mediation_intervals",
    caption="The indirect effect with every standard error, interval and p-value, with time effects and without",
    note="ci: product of the paths, CR2 and Satterthwaite's degrees of freedom, the interval that is read. Sobel's "
    "standard error is for comparison. Holm and Romano-Wolf count the mediators that are looked at.",
)

# %% [markdown]
# One interval for each, the one that is read:

# %% tags=["summary"]
run.figure(
    pictures.draw_paths(shown.without_paths(effects), label=run.text("effect on the outcome")),
    "mediation",
    caption="Indirect, direct and total effect through each mediator, 95 % intervals",
    alt="Three estimates with intervals per mediator, and a line at zero.",
)

# %% [markdown]
# The clearest of them. The smallest of several p-values is counted as often as there are channels (Holm); what could
# have been missed is told as a test whose interval is as wide as that of the product would see it.

# %%
best = min(channels, key=lambda name: channels[name].indirect.p_value)
clearest = channels[best].indirect
named = {
    "channel": run.label(best),
    "effect": run.results[f"mediation.{best}.indirect_effect"],
    "all": run.results["mediation.count.channels"],
    "counted": run.record("mediation.clearest", value=best, p_value=min(1.0, len(channels) * clearest.p_value)),
}

# %%
several = len(channels) > 1
messages = {
    (True, True): "Of {all} channels the clearest is {channel}: indirect effect {effect}, interval {effect:ci}, which "
    "leaves out zero; {counted:p} once the channels are counted.",
    (True, False): "Of {all} channels none has an indirect effect whose interval leaves out zero; the nearest to it is "
    "{channel}, with {effect}, interval {effect:ci}, {effect:p} alone and {counted:p} once the channels are counted. "
    "One of {smallest} or more would have been seen in four of five samples.",
    (False, True): "The one channel, {channel}, has the indirect effect {effect}, interval {effect:ci}, which leaves "
    "out zero.",
    (False, False): "The one channel, {channel}, has the indirect effect {effect}, interval {effect:ci}, which holds "
    "zero ({effect:p}). One of {smallest} or more would have been seen in four of five samples.",
}

# %%
run.say(
    messages[several, channels[best].is_clear()],
    smallest=missed.record_missed(run.record, f"mediation.{best}.indirect_effect", clearest, level),
    **named,
)

# %% [markdown]
# Where outcome and treatment are both yes or no, the effects are told in probabilities too, by a probit of the outcome
# without effects (Imai, Keele and Tingley 2010):

# %%
likely = shown.fit_probabilities(data, choices, draws=bootstrap_draws, rng=run.rng("probit"))
shown.record_probabilities(run.record, likely)
run.table(
    shown.probability_table(likely, choices), "mediation_probabilities", caption="Effects in probabilities"
) if likely else run.say("Here they are not both yes or no.")

# %% [markdown]
# A channel needs both paths. An indirect effect can be clear while the total effect is not; the share mediated has then
# no meaning and is not given.
#
# ### Which interval holds the truth as often as it says?
#
# Measured once on simulated panels of 31 units and 7 periods, with even and with uneven errors (seed and number of
# panels stand in the file that the table comes from).

# %%
coverage = measured.read_coverage()
run.table(
    measured.coverage_table(coverage), "mediation_coverage", caption="Share of 95 % intervals that hold the truth"
)

# %% [markdown]
# The interval that is read beside the one that most programs print:

# %%
low, high = measured.coverage_range(coverage, measured.RECOMMENDED)
others = measured.coverage_range(coverage, measured.USUAL)

# %%
run.say(
    "The interval that is read here held the truth in {low:.1%} to {high:.1%} of the panels, the percentile interval "
    "in {usual:.1%} to {usual_high:.1%}.",
    low=run.record("mediation.coverage.product.lowest", value=low),
    high=run.record("mediation.coverage.product.highest", value=high),
    usual=run.record("mediation.coverage.percentile.lowest", value=others[0]),
    usual_high=run.record("mediation.coverage.percentile.highest", value=others[1]),
)

# %% [markdown]
# ## All together, and in a chain?

# %%
together = shown.fit_together(data, choices, samples)
shown.record_together(run.record, together)

# %% [markdown]
# Where mediators overlap, the effects of each alone do not add up to the effect of all.

# %%
run.table(
    shown.together_table(channels, together, choices),
    "mediation_together",
    caption="Each mediator alone, and all in one outcome equation",
    note="The same bootstrap samples throughout; the interval of the sum is the percentile one.",
)

# %% [markdown]
# In a chain the treatment moves the first mediator, the first the second, and the second the outcome.

# %%
chains = shown.fit_chains(data, choices, samples)
link = shown.test_link(data, choices, draws=wild_draws, rng=run.rng("wild, link"))
shown.record_chains(run.record, chains, link)
run.table(shown.chain_table(chains), "mediation_chain", caption="The chain of the first two mediators")

# %% [markdown]
# Does the chain hold? What it could have missed is told as above, by a test whose interval is as wide.

# %%
ends = {name: run.label(getattr(chains[""], name)) for name in ("first", "second")} if chains else {}
along = chains[""].indirect_effect if chains else None
run.say(
    "The study declares one mediator, so that there is no chain."
    if along is None
    else "Along the chain from {first} to {second} the effect is {mediation.chain.indirect_effect}, interval "
    "{mediation.chain.indirect_effect:ci}, which leaves out zero; the link between the two is {mediation.chain.link} "
    "({mediation.chain.link:p}; wild bootstrap {mediation.chain.link.wild:p})."
    if shown.leaves_out_zero(along)
    else "Along the chain from {first} to {second} the effect is {mediation.chain.indirect_effect}, interval "
    "{mediation.chain.indirect_effect:ci}, which holds zero: one of {smallest} or more would have been seen in four of "
    "five samples. The link between the two is {mediation.chain.link} ({mediation.chain.link:p}; wild bootstrap "
    "{mediation.chain.link.wild:p}).",
    **(
        {"smallest": missed.record_missed(run.record, "mediation.chain.indirect_effect", along, level)} if along else {}
    ),
    **ends,
)

# %% [markdown]
# ## Do the effects show that the channels are held to bring?

# %%
said = sub_effects.fit_sub_effects(data, choices, draws=wild_draws, rng=run.rng("sub-effects"))
sub_effects.record_sub_effects(run.record, said)

# %% [markdown]
# Outcome by outcome; where a statement has several, the p-value of Romano and Wolf counts them.

# %%
run.table(
    sub_effects.sub_effect_table(said, choices),
    "mediation_sub_effects",
    caption="What each channel is held to bring, outcome by outcome",
    note="Romano-Wolf counts the outcomes of one statement; a statement with one outcome needs none.",
) if said else run.say("The study file declares no such effects.")

# %% [markdown]
# ## How strong must a common cause be?
#
# Something unobserved that moves mediator and outcome alike makes their errors correlated. At the correlation where the
# curve crosses zero the indirect effect is gone (Imai, Keele and Yamamoto 2010).

# %%
curves = {name: rho.rho_sensitivity(shown.complete_rows(data, [name]), model, name, samples) for name in channels}

# %%
run.figure(
    pictures.draw_rho(
        {choices.label(name): found.curve for name, found in curves.items()},
        across=run.text("correlation that a common cause brings"),
        label=run.text("indirect effect"),
    ),
    "mediation_rho",
    caption="The indirect effect over the correlation that an unobserved common cause would bring, 95 % bands",
    alt="One curve per mediator with a band, and lines at zero.",
)

# %% [markdown]
# The same in shares of variance, which a reader can hold against what the controls explain:

# %%
run.figure(
    pictures.draw_contours(
        {choices.label(name): rho.r_squared_contour(found) for name, found in curves.items()},
        across=run.text("share of the outcome"),
        upward=run.text("share of the mediator"),
    ),
    "mediation_contour",
    caption="The indirect effect if an unobserved cause explained these shares of what is left of mediator and "
    "outcome; in colour: zero",
    alt="Contour lines of the indirect effect over two shares, one panel per mediator.",
)

# %% [markdown]
# Which channel is explained away most easily?

# %%
shown.record_rho(run.record, curves)
told = run.record("mediation.count.clear", value=sum(channel.is_clear() for channel in channels.values()))
weakest = min(curves, key=lambda name: (not channels[name].is_clear(), abs(curves[name].rho_at_zero)))

# %%
run.say(
    {
        0: "No indirect effect has an interval that leaves out zero, so that there is none for a common cause to "
        "explain away. One may hide an effect as well: the curves say which correlation would.",
        1: "The one channel whose interval leaves out zero, {channel}, is explained away by a correlation of {rho}, "
        "interval {rho:ci}.",
    }.get(
        int(told.value),
        "Of {clear} channels whose interval leaves out zero, {channel} is explained away most easily: by a "
        "correlation of {rho}, interval {rho:ci}.",
    ),
    clear=told,
    channel=run.label(weakest),
    rho=run.results[f"mediation.{weakest}.rho"],
)

# %% [markdown]
# ## Does it depend on one unit, one indicator or one measure?
#
# Notebook 1 flags figures that jump. For each mediator, the unit of the largest jump among its statistics is left out,
# and so is the heaviest indicator of a mediator that is an index.

# %%
jumps = run.read("jumps")
without = {name: leverage.fit_leverage(data, choices, name, jumps, samples) for name in channels}
leverage.record_leverage(run.record, without)
run.table(leverage.leverage_table(without, choices), "mediation_leverage", caption="Without what may carry a channel")

# %% [markdown]
# The figure that jumps most: does its unit carry the channel?

# %%
jumping = leverage.largest_jump(without)
carried = leverage.name_jump(run, without[jumping]) if jumping else {}
run.say(
    "No figure behind the mediators jumps."
    if not jumping
    else {
        "carries": "Of the figures behind the mediators, {statistic} of {entity} in {time} jumps most, and the "
        "estimate of path b of {channel} hangs on {entity}: {with_all} ({with_all:p}) with all units, {without} "
        "({without:p}) without it, a change of more than the standard error.",
        "hides": "Of the figures behind the mediators, {statistic} of {entity} in {time} jumps most, and {entity} "
        "holds path b of {channel} nearer to zero: {with_all} ({with_all:p}) with all units, {without} ({without:p}) "
        "without it, a change of more than the standard error.",
        "stays": "Of the figures behind the mediators, {statistic} of {entity} in {time} jumps most. Path b of "
        "{channel}, {with_all} ({with_all:p}), stays within its standard error without {entity}: {without} "
        "({without:p}).",
    }[leverage.judge_jump(without[jumping])],
    **carried,
)

# %% [markdown]
# And with another measure of the same channel, where the study file names one:

# %%
other = shown.fit_alternatives(data, choices, samples)
shown.record_alternatives(run.record, other)
run.table(
    shown.effect_table(other, choices),
    "mediation_alternative",
    caption="The channel by its other measure",
) if other else run.say("The study file names no other measure of a channel.")

# %% [markdown]
# ## Is it the same everywhere?
#
# First at every level of the treatment: the product of treatment and mediator joins the outcome equation.

# %%
interactions = {
    name: moderated.fit_interaction(
        shown.complete_rows(data, [name]), model, name, draws=wild_draws, rng=run.rng("interaction")
    )
    for name in channels
}

# %%
shown.record_interactions(run.record, interactions)
run.table(
    shown.interaction_table(interactions, choices),
    "mediation_interaction",
    caption="Indirect and direct effect where treatment and mediator are low, middling and high",
)

# %% [markdown]
# Then in every group of the first grouping: paths of its own, common controls and effects.

# %%
groups = run.regions.dropna().to_dict()
moderations = shown.fit_moderations(data, choices, groups)
shown.record_moderations(run.record, moderations)
run.table(
    shown.grouped_table(moderations, choices), "mediation_groups", caption="The indirect effect by group"
) if moderations else run.say("The study has no two groups to compare.")

# %% [markdown]
# In how many places does a channel differ?

# %%
turning = [name for name, found in interactions.items() if found.interaction.is_clear(level)]
closest = missed.nearest_interaction(interactions, level)
kind = "all" if closest is None else "unclear" if interactions[closest].interaction.is_bounded else "unseen"

# %%
run.say(
    {
        "all": "Interactions of treatment and mediator that are clear by the t test and by the wild bootstrap: "
        "{turning} of {all}.",
        "unclear": "Interactions of treatment and mediator that are clear by the t test and by the wild bootstrap: "
        "{turning} of {all}. The nearest of the others is that of {channel}, {effect} ({effect:p}; wild bootstrap "
        "{wild:p}): one of {smallest} or more would have been seen in four of five samples.",
        "unseen": "Interactions of treatment and mediator that are clear by the t test and by the wild bootstrap: "
        "{turning} of {all}. The nearest of the others is that of {channel}, {effect} ({effect:p}; wild bootstrap "
        "{wild:p}); the bootstrap's interval has no end, so that none, however large, would surely have been seen.",
    }[kind],
    all=run.results["mediation.count.channels"],
    turning=run.record("mediation.count.interactions", value=len(turning)),
    **(missed.name_interaction(run, interactions, closest, level) if closest else {}),
)

# %% [markdown] tags=["asks"]
# And between how many groups?

# %%
gaps = {(name, *pair): gap for name, found in moderations.items() for pair, gap in found.differences.items()}
unclear = [pair for pair in gaps if not shown.leaves_out_zero(run.results[missed.gap_key(pair)])]
nearest = min(unclear, key=lambda pair: gaps[pair].p_value, default=None)

# %%
run.say(
    "Differences between groups whose interval, looked at one by one, leaves out zero: {told} of {gaps}; one in twenty "
    "would by chance."
    if nearest is None
    else "Differences between groups whose interval, looked at one by one, leaves out zero: {told} of {gaps}; one in "
    "twenty would by chance. The nearest of the others is that of {channel} between {first} and {second}, {gap}, "
    "interval {gap:ci}: one of {smallest} or more would have been seen in four of five samples.",
    gaps=run.record("mediation.count.group_pairs", value=len(gaps)),
    told=run.record("mediation.count.group_differences", value=len(gaps) - len(unclear)),
    **(missed.name_gap(run, nearest, level) if nearest else {}),
) if gaps else None

# %% [markdown]
# ## Checks

# %%
run.check("total = indirect + direct for every mediator", shown.largest_gap(channels) < 1e-10)
run.check("all mediators together leave the total effect as it is", together.gap < 1e-10)

# %% tags=["nbval-check-output"]
print(sorted(channels))

# %% [markdown]
# ## Save

# %%
run.save()
