# %% [markdown]
# # 4 Robustness
#
# Does the result survive? The primary specification is changed in one respect at a time. Each row asks one question; the
# rows are declared in the study file before they are run.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
wild_draws: int = 99999

# %% [markdown]
# ## Load

# %%
from helpers import notebook, pictures, robustness

run = notebook.open_run("04_robustness", study=study, run_folder=run_folder, out=out)
choices, results = run.study, run.results
treatment = choices.model.treatment
data = run.read("panel")

# %% [markdown]
# ## What does each change ask, and what does it find?

# %%
checks = robustness.check_robustness(data, run.units, choices, draws=wild_draws, rng=run.rng("wild, primary specification"))
robustness.record_checks(results, checks, treatment)
table = robustness.robustness_table(checks, choices)
run.table(table, "robustness", caption="One change at a time: the question and the finding")

# %% tags=["summary"]
run.figure(
    pictures.draw_rows(robustness.row_estimates(checks, choices), label=f"effect of {choices.label(treatment).lower()}"),
    "robustness",
    caption="The effect under each change, 95 % intervals",
    alt="Estimates with intervals, one row per robustness check, and a line at zero.",
)

# %% [markdown]
# Rows that make the index anew change its scale, so that their estimates compare in sign and precision rather than in
# size. Rows that leave out units or periods keep the index as it was built.

# %%
run.say(robustness.say_share(results, checks, choices))

# %% [markdown]
# ## Does one unit carry the result?

# %%
primary = robustness.specify(data, choices)
left_out = robustness.leave_one_out(primary)
run.say(robustness.say_range(results, left_out, primary))

# %%
full = primary.fit().estimates[treatment]
run.figure(
    pictures.draw_leave_one_out(left_out.table, full, label=f"effect of {choices.label(treatment).lower()}"),
    "leave_one_out",
    caption="The effect without each unit in turn; dashed: with all units",
    alt="Estimates with intervals, one row per unit left out, in rising order.",
)

# %%
run.table(left_out.table, "leave_one_out", caption="The primary specification without each unit in turn")

# %% [markdown]
# ## Checks

# %%
run.check("every declared row was fitted", set(checks) == set(choices.robustness))
run.check("without each unit in turn, each unit was left out once", left_out.table.index.is_unique)

# %% tags=["nbval-check-output"]
print([(name, check.n_obs, check.n_entities) for name, check in checks.items()])

# %% [markdown]
# ## Save

# %%
run.save()
