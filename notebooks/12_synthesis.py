# %% [markdown]
# # 12 Synthesis
#
# What holds? Each claim of the literature stands in the study's claims file with the rule that judges it. The rule
# reads recorded results and nothing else. "Not supported" is a finding about these figures and this specification,
# not a failure.

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
from helpers.claims import file, frameworks, shown, verdicts

run = notebook.open_run("12_synthesis", study=study, run_folder=run_folder, out=out)
words = verdicts.claim_words(run.study)

# %%
claims = file.load_claims(run.study.folder)
judged = verdicts.judge_claims(claims, run.earlier, words)

# %% [markdown]
# ## Which claims hold?
#
# One row per text, one column per verdict.

# %%
verdicts.record_verdicts(run.results, judged)
run.table(shown.counts(judged), "verdicts", caption="How many claims of each text have which verdict")

# %% [markdown]
# Each row below gives a claim, the verdict with its condition, and the numbers that decided it.
# The column on stars is what a reader would have concluded from estimates and cluster-robust t tests alone: where it
# differs from the verdict, the wild bootstrap or the count of several tests looked at together makes the difference.

# %% tags=["summary"]
run.table(shown.ledger(judged, claims), "ledger", caption="The ledger: claim, verdict, the numbers that decided it")

# %% [markdown]
# ## Where do the texts contradict each other?
#
# Some claims pull in different directions on one question. They stand side by side here, each judged by its own rule.

# %%
run.table(shown.contested(judged, claims), "contested", caption="Claims that pull against each other")

# %% [markdown]
# ## By which rule?
#
# The rule is stated in words here and as data in the study's claims file; where nothing here can test a claim, the
# reason stands in its place.

# %%
run.table(shown.rules(judged), "rules", caption="Where each claim stands in its text, and the rule that judges it")

# %% [markdown]
# ## On what does each verdict rest?
#
# Every number that a rule read, so that each verdict can be checked by hand.

# %%
run.table(shown.evidence(judged), "evidence", caption="Every result that a rule read", digits=4)

# %% [markdown]
# ## How many units carry the effects?
#
# Every effect that a notebook put to both tests by itself, not as one of a family, carries what its three heaviest
# units hold of the variation that identifies it, and the effect without the heaviest. Where three units hold more than
# half, the effect is a statement about them.

# %%
held = shown.held_effects(run.earlier)
run.say(
    "Effects tested: {effects}. Those of which three units hold more than half of the identifying variation: {half}. "
    "Those that change their sign without the heaviest unit: {turned}."
    if len(held)
    else "No effect beside the primary one was tested; what its units hold stands on the first page.",
    effects=run.record("leverage.effects", value=len(held)),
    half=run.record("leverage.half", value=int((held["three"] > 0.5).sum())),
    turned=run.record("leverage.turned", value=int((held["estimate"] * held["without"] < 0).sum())),
)

# %% [markdown]
# ## What of the texts' frameworks is measured?
#
# Each table of a text was shown at the head of its chapter. Together: how many of their rows results measure, and how
# many nothing here can measure.

# %%
laid_out = frameworks.load_frameworks(run.study.folder)
run.table(frameworks.coverage(laid_out), "frameworks", caption="Rows of each framework, measured here and not")

# %% [markdown]
# ## What does no check decide?
#
# Whether the indicators measure what their names say; whether what was left out moves treatment and outcome together;
# whether what held here holds elsewhere. These are judgements, and they stay the reader's.

# %% [markdown]
# ## Checks

# %%
run.check("every claim has a verdict", set(judged) == set(claims.claims))
run.record("claims.frameworks.measured", value=frameworks.check_measured(laid_out, run.earlier, words))
run.check("every result that a framework names is there", "claims.frameworks.measured" in run.results)

# %% tags=["nbval-check-output"]
print(len(judged), "claims judged")

# %% [markdown]
# ## Save

# %%
run.save()
