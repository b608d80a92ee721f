# %% [markdown]
# # 5 Mediation
#
# Through which channel? For each mediator $M$ alone, with the controls and effects of the primary specification:
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

# %% [markdown]
# ## Load

# %%
from helpers import notebook
from helpers.mediation import mediation_tables
from helpers.mediation import shown as mediators
from helpers.regression import pictures

run = notebook.open_run("05_mediation", study=study, run_folder=run_folder, out=out)
choices, results = run.study, run.results
model = choices.specification
data = run.read("panel")

# %%
run.say(mediators.cautions_of(choices))

# %%
run.table(mediators.count_rows(data, choices), "mediation_rows", caption="Rows in which a mediator has a figure")

# %% [markdown]
# ## Does the treatment move the mediator, and the mediator the outcome?

# %%
fits = mediators.fit_mediators(data, choices, draws=bootstrap_draws, rng=run.rng("entities"))
mediators.record_mediators(results, fits)
effects = mediators.effect_table(fits, choices)
run.table(
    effects,
    "mediation",
    caption="Paths and effects, one mediator at a time",
    note="Paths, direct and total: cluster-robust by Stata's convention. Indirect: bootstrap over whole units.",
)

# %% tags=["summary"]
run.figure(
    pictures.draw_paths(mediators.without_paths(effects), label="effect on the outcome"),
    "mediation",
    caption="Indirect, direct and total effect through each mediator, 95 % intervals",
    alt="Three estimates with intervals per mediator, and a line at zero.",
)

# %%
run.say(mediators.say_channels(fits, choices))

# %% [markdown]
# A channel needs both paths: the treatment must move the mediator and the mediator the outcome. An indirect effect can
# be clear while the total effect is not; the share mediated has then no meaning and is not given.

# %% [markdown]
# ## Does it change when all mediators stand in one equation?

# %%
complete = mediators.complete_rows(data, choices.mediators)
together = mediation_tables.mediation_table(
    complete,
    model.outcome,
    model.treatment,
    list(choices.mediators),
    model.controls,
    draws=bootstrap_draws,
    rng=run.rng("together"),
    cluster=model.cluster,
)
shown = together.rename(index=choices.label)
run.table(shown, "mediation_together", caption="Each mediator alone and all together, p-values adjusted by Holm")

# %% [markdown]
# ## Checks

# %%
run.check("total = indirect + direct for every mediator", mediators.largest_gap(fits) < 1e-10)

# %% tags=["nbval-check-output"]
print(sorted(fits))

# %% [markdown]
# ## Save

# %%
run.save()
