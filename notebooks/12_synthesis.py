# %% [markdown]
# # 12 Synthesis
#
# What holds? Each claim of the literature stands in the claims file with the rule that judges it.
# The rule reads recorded results and nothing else. "Not supported" is a finding about these figures and this
# specification, not a failure.

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
from helpers.claims import verdicts as claims

run = notebook.open_run("12_synthesis", study=study, run_folder=run_folder, out=out)
choices = run.study
ledger = claims.load_claims(choices.folder)
verdicts = claims.judge_claims(ledger, run.earlier, claims.claim_words(choices))

# %% [markdown]
# ## Which claims hold?

# %% tags=["summary"]
claims.record_verdicts(run.results, verdicts)
run.table(claims.short_ledger(verdicts), "verdicts", caption="The claims and their verdicts")

# %%
run.table(claims.verdict_table(verdicts), "ledger", caption="The ledger: claim, rule in words, verdict")

# %% [markdown]
# The rule is stated in words here and as data in the study's claims file.

# %% [markdown]
# ## On what does each verdict rest?

# %%
run.table(claims.evidence_table(verdicts), "evidence", caption="Every result that a rule read", digits=4)

# %% [markdown]
# ## Checks

# %%
run.check("every claim has a verdict", set(verdicts) == set(ledger.claims))

# %% tags=["nbval-check-output"]
print(len(verdicts), "claims judged")

# %% [markdown]
# ## Save

# %%
run.save()
