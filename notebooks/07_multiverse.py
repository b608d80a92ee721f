# %% [markdown]
# # 7 Multiverse
#
# Everything that was declared as a choice is changed at once: how often does the claim survive, which decision moves
# the estimate, and do all universes together say more than chance?

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
joint_draws: int = 299

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.multiverse import shown as multiverse_report

# %%
run = notebook.open_run("07_multiverse", study=study, run_folder=run_folder, out=out)
choices, results = run.study, run.results
level = choices.specification.significance
data = run.read("panel")

# %% [markdown]
# ## What if every choice had been made otherwise?
#
# Every option that the study file declares is crossed with every other: how the indices are built, which indicator they
# do without, which rows, which controls, which effects, which lag. Each combination is one universe.

# %% tags=["summary"]
multiverse = multiverse_report.fit_multiverse(data, choices, run.units)
survival = multiverse_report.record_multiverse(results, multiverse)
run.say(multiverse_report.say_multiverse(multiverse))

# %%
multiverse_report.show_curve(run, multiverse)

# %% [markdown]
# Standardised estimates compare across indices of different scales. Below the curve, a mark says where an option stands
# among the estimates: an option whose marks gather at one end decides the result.

# %%
multiverse_report.show_survival(run, survival)

# %%
multiverse_report.show_failures(run, multiverse)

# %% [markdown]
# ## Which decision moves the estimate?

# %%
shares = multiverse_report.find_shares(multiverse)
multiverse_report.show_shares(run, shares)

# %%
run.say(multiverse_report.record_shares(results, shares))

# %% [markdown]
# *Alone* is the variance of the means by option; *with its interactions* is what is left when all other decisions are
# fixed. A control that stands alone is in or out.

# %% [markdown]
# ## Do all universes together say more than chance?
#
# Universes share their data, so that many significant ones may be one accident. Under the null hypothesis the residuals
# of each unit change their sign together, in all universes at once; that gives the distribution of three statistics of
# the whole curve (Simonsohn, Simmons and Nelson 2020).

# %%
joint = multiverse_report.test_jointly(results, multiverse, draws=joint_draws, rng=run.rng("joint test"))
multiverse_report.show_joint(run, joint)

# %%
multiverse_report.show_nulls(run, joint)

# %% tags=["summary"]
run.say(multiverse_report.say_joint(joint, level))

# %% [markdown]
# The joint test says whether the curve as a whole is compatible with no effect, not which of its universes is right: a
# curve whose weaker half leaves out effects that belong in the model can be far from zero for that reason alone.

# %% [markdown]
# ## Checks

# %%
run.check(
    "every declared universe was estimated or has its reason",
    multiverse.n_specifications == len(multiverse.estimated) + len(multiverse.failures),
)

# %% tags=["nbval-check-output"]
print(len(multiverse.estimated), len(multiverse.failures))

# %% [markdown]
# ## Save

# %%
run.save()
