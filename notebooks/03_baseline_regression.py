# %% [markdown]
# # 3 Baseline regression
#
# Does the outcome rise in a unit in the periods in which its treatment rises? The regressions below start from the
# plain comparison of rows and hold more and more constant. Effects of the unit take out whatever is fixed about it;
# effects of the period take out whatever happened to all units then. Without the latter, two series that both rise
# over time are related, whatever the reason.

# %% [markdown]
# ## Parameters

# %% tags=["parameters"]
study: str = "provinces"
run_folder: str = ""
out: str = ""
wild_draws: int = 99999
null_draws: int = 9999
simulations: int = 300
cutoff_km: int = 800

# %% [markdown]
# ## Load

# %%
from IPython.display import Markdown
from linearmodels.panel import PanelOLS
from pyfixest.demeaners import MapDemeaner
from pyfixest.estimation import feols

from helpers import notebook
from helpers.diagnostics import effects_tests as diagnostics
from helpers.diagnostics import neighbours, specification_tests
from helpers.display import journal
from helpers.inference import clear
from helpers.inference import pictures as inference_pictures
from helpers.inference.detectable import detectable_effect, detectable_f, is_bounded
from helpers.inference.wild import bootstrap as wild
from helpers.regression import engines, ladder, leverage, panel, pictures
from helpers.results.estimate import estimate_frame
from helpers.results.rounding import fix_number
from helpers.simulation import few_clusters, trust

# %%
run = notebook.open_run("03_baseline_regression", study=study, run_folder=run_folder, out=out)
choices, primary = run.study, run.study.primary
data, level = run.read("panel"), choices.specification.significance

# %% [markdown]
# ## Which regression is meant?

# %%
model = choices.model()
term, words = model.treatment, {"treatment": run.label(model.treatment), "primary": run.label(primary)}
model

# %%
Markdown(model.latex({name: choices.label(name) for name in model.columns}))

# %% [markdown]
# Right of the bar stand the effects that are absorbed. Errors may be related within a cluster, in whatever way.

# %%
fit = panel.fit(data, model)
run.table(
    fit.table(),
    "coefficients",
    caption="{primary}: every coefficient",
    note=fit.facts(),
    words=words,
    digits=notebook.DIGITS,
)

# %% [markdown]
# One coefficient is asked about, that of the treatment. The others hold something constant; they are not effects.

# %%
joint = few_clusters.joint_controls(fit, model.controls)
if joint:
    run.record("baseline.controls", value=joint.statistic, p_value=joint.p_value, convention="HTZ, F", digits=2)
    strong = detectable_f(*joint.df, level=level)
    strong = run.record("baseline.controls.detectable", value=strong, digits=2)

# %%
held_constant = {
    "clear": "Together the controls differ from zero (F = {joint}, {joint:p}, a test made for few clusters).",
    "unclear": "Together the controls cannot be told from zero (F = {joint}, {joint:p}, a test made for few clusters); "
    "controls that give an F of {smallest} on average would have been seen in four of five samples.",
    "none": "The controls are not tested together: there are none, or more than the clusters can tell apart.",
}
run.say(
    held_constant["none" if joint is None else "clear" if joint.p_value < level else "unclear"],
    **({"joint": run.results["baseline.controls"], "smallest": strong} if joint else {}),
)

# %% [markdown]
# ## Do the variables move together?

# %%
correlations = diagnostics.correlation_matrix(data, model.columns)
run.figure(
    pictures.draw_correlations(correlations.rename(index=choices.label, columns=choices.label)),
    "correlations",
    caption="Correlations over all rows",
    alt="A square of pairwise correlations of the outcome, the treatment and the controls.",
)

# %% [markdown]
# And each regressor against all others:

# %%
vif = diagnostics.vif(data, model.regressors).to_frame()
run.table(vif, "vif", caption="Variance inflation factors of the regressors", digits=2)

# %% [markdown]
# A factor above ten says that a regressor is nearly a combination of the others, so that its own estimate is imprecise.

# %% [markdown]
# All of them at once, before and after the effects are removed:

# %%
effects = {"entity_effects": model.entity_effects, "time_effects": model.time_effects}
raw = diagnostics.condition_number(data, model.regressors)
within = diagnostics.condition_number(data, model.regressors, **effects)

# %%
run.say(
    "The condition number of the regressors is {raw} as they come and {within} once the effects are removed; from "
    "about thirty on, single estimates become hard to tell apart.",
    raw=run.record("baseline.condition_number.raw", value=raw, digits=1),
    within=run.record("baseline.condition_number.within", value=within, digits=1),
)

# %% [markdown]
# ## How does the estimate move along the ladder?

# %%
models = choices.ladder_models()
Markdown("\n".join(f"- **{choices.label(column)}** `{step}`" for column, step in models.items()))

# %%
fits = {column: panel.fit(data, step) for column, step in models.items()}
for column in fits:
    run.record(f"baseline.{column}.{term}", fits[column][term])

# %% [markdown]
# Each column of the table is one of these formulas, fitted on the same rows:

# %%
note = (
    "Standard errors in brackets, {convention}. *** p < 0.01, ** p < 0.05, * p < 0.1. No weights. Primary "
    "specification: {primary}. R-squared, within is that of the regressors after the effects."
)
convention = run.record("baseline.convention", value=fit.convention_words)

# %%
run.table(
    ladder.ladder_table(fits, choices),
    "baseline_ladder",
    caption="The baseline ladder",
    note=note,
    words=words | {"convention": convention},
)

# %%
run.figure(
    pictures.draw_rows(
        ladder.ladder_estimates(fits, term, choices.label),
        label=run.text("effect of {treatment}", **words),
        marked=choices.label(primary),
    ),
    "ladder",
    caption="Effect of {treatment} along the ladder, 95 % intervals; the primary specification in colour",
    alt="Estimates with intervals, one row per column of the baseline ladder, and a line at zero.",
    words=words,
)

# %% [markdown]
# Intervals here are those of the clustered t test. What they are worth with these clusters is asked next.

# %% [markdown]
# Does the sign hold along the ladder?

# %%
signs = {bool(found[term].estimate > 0) for found in fits.values()}
along = {
    1: "Along the ladder the estimate keeps its sign; the primary one is {effect}.",
    2: "Along the ladder the estimate changes its sign; the primary one is {effect}.",
}
run.say(along[len(signs)], effect=run.results[f"baseline.{primary}.{term}"])

# %%
run.say(
    journal.write_journal(
        ladder.journal_ladder(fits, choices),
        run.out / "tables",
        "baseline_ladder",
        caption=run.text("Effect of {treatment}: the baseline ladder", **words),
        note=run.text(note, convention=convention, **words),
    )
)

# %% [markdown]
# ## What do methods for few clusters say?
#
# The usual t test needs many clusters that are alike. CR2 and CR3 correct the standard error; the wild bootstrap draws
# the distribution of the statistic itself, with the null hypothesis imposed (restricted) or not.

# %%
exact = wild.wild_cluster_bootstrap(
    fit, term, draws=wild_draws, rng=run.rng("wild, primary specification"), interval=True
)
wild_effect = run.record(f"baseline.{primary}.{term}.wild", clear.wild_estimate(fit[term], exact))

# %% [markdown]
# Beside it every other method for few clusters, on the same fit:

# %%
methods = few_clusters.few_cluster_tests(fit, term, exact, draws=wild_draws, rng=run.rng("wild, others"))
made = {name: method.found for name, method in methods.items() if method.found}
for name in made:
    run.record(f"baseline.inference.{name}", made[name])

# %%
run.table(
    few_clusters.few_cluster_table(methods),
    "few_clusters",
    caption="The primary coefficient by every method for few clusters",
    digits={"std_error": 4, "df": 1, "draws": 0, "p_value_strict": 4, "ci_low": 4, "ci_high": 4},
)

# %% [markdown]
# A claim that reads another step of the ladder reads its bootstrap too.

# %%
for column in [name for name in fits if name != primary and models[name].entity_effects]:
    drawn = wild.wild_cluster_bootstrap(
        fits[column], term, draws=wild_draws, rng=run.rng(f"wild, {column}"), interval=True
    )
    run.record(f"baseline.{column}.{term}.wild", clear.wild_estimate(fits[column][term], drawn))

# %% [markdown]
# The first p-value of a bootstrap counts draws that equal the sample's statistic, the second (strict) leaves them out;
# they differ only where few sign patterns exist. A low number of Satterthwaite degrees of freedom says that the
# treatment moves in few units.

# %% [markdown]
# Do the methods come to the same verdict?

# %%
smallest, largest = few_clusters.ends(made)
span = {
    "clear": "All methods come to the same verdict, the most cautious of them with {high:p} ({last}).",
    "unclear": "All methods come to the same verdict, from {low:p} ({first}) to {high:p} ({last}).",
    "differ": "The methods differ in their verdict, from {low:p} ({first}) to {high:p} ({last}).",
}

# %%
run.say(
    span["clear" if made[largest].p_value < level else "differ" if made[smallest].p_value < level else "unclear"],
    low=run.results[f"baseline.inference.{smallest}"],
    high=run.results[f"baseline.inference.{largest}"],
    first=run.record("baseline.inference.smallest", value=methods[smallest].name),
    last=run.record("baseline.inference.largest", value=methods[largest].name),
)

# %% [markdown]
# ## Which p-value can be trusted?
#
# Panels are simulated in which the truth is known: as many units as here (500 at most), and where units are grouped
# into regions also as few as in the smallest one. In the even world errors are alike and unrelated; in the uneven one
# they stay and drift within a unit, are louder where the treatment moves more, and the treatment moves in a few units.
# A method is honest if it rejects a true null hypothesis as often as it promises; power is taken at an effect of fixed
# distance from zero.

# %%
sizes = trust.cluster_sizes(fit, run.regions)
worlds = trust.draw_trust(sizes, fit.n_times, simulations=simulations, level=level, rng=run.rng("size and power"))
trust.record_trust(run.record, worlds)
run.table(trust.trust_table(worlds), "size_power", caption="Size and power of every method on simulated panels")

# %%
run.figure(
    inference_pictures.draw_size(trust.trust_table(worlds), level),
    "size",
    caption="How often each method rejects a true null hypothesis; dashed: as often as it promises",
    alt="Dots with simulation intervals, one row per method, one panel per number of clusters and kind of errors.",
)

# %% [markdown]
# A dot whose interval lies wholly right of the dashed line is a method that finds effects too often where there are
# none, and its power says too much by as much.

# %%
best = trust.recommend(worlds["all", "uneven"])
recommended = run.record("baseline.trust.recommended", value=best.method)

# %% tags=["summary"]
told = {
    True: "With {clusters} clusters and uneven errors, {method} rejects a true null in {size:.1%} of {size:n_obs} "
    "simulated panels, within one simulation error of what it promises; the headline uses it.",
    False: "With {clusters} clusters and uneven errors, no method is within one simulation error of what it promises. "
    "The headline uses {method}, which rejects a true null in {size:.1%} of {size:n_obs} simulated panels.",
}
run.say(
    told[best.keeps],
    clusters=run.results["baseline.trust.all.clusters"],
    method=few_clusters.SPOKEN[best.method],
    size=run.results[f"baseline.trust.all.uneven.{trust.key_word(best.words)}.size"],
)

# %% [markdown]
# ## So what is found?

# %%
used = best.method if best.method in made else "clustered_t"
headline = run.record("baseline.headline", made[used])
run.record("baseline.headline.method", value=used)
bounded = is_bounded(made[used])
detectable = detectable_effect(made[used], level=level, df=fit.df) if bounded else float("inf")

# %% tags=["summary"]
verdicts = {
    "clear": "In the primary specification the estimate is {headline} (95 % interval {headline:ci}, {headline:p} by "
    "{method}; {usual:p} by the clustered t test): it differs from zero at the declared level.",
    "unclear": "In the primary specification the estimate is {headline} (95 % interval {headline:ci}, {headline:p} by "
    "{method}; {usual:p} by the clustered t test). It cannot be told from zero, which does not show that there is no "
    "effect: one of {detectable} or more would have been seen in four of five samples like this one, a smaller one "
    "more often missed.",
    "clear_t": "In the primary specification the estimate is {headline} (95 % interval {headline:ci}, {headline:p} by "
    "{method}): it differs from zero at the declared level.",
    "unclear_t": "In the primary specification the estimate is {headline} (95 % interval {headline:ci}, {headline:p} "
    "by {method}). It cannot be told from zero, which does not show that there is no effect: one of {detectable} or "
    "more would have been seen in four of five samples like this one, a smaller one more often missed.",
    "clear_unbounded": "In the primary specification the estimate is {headline} ({headline:p} by {method}, whose "
    "interval has no end; {usual:p} by the clustered t test): it differs from zero at the declared level.",
    "unclear_unbounded": "In the primary specification the estimate is {headline} ({headline:p} by {method}, whose "
    "interval has no end; {usual:p} by the clustered t test). It cannot be told from zero, which does not show that "
    "there is no effect: none, however large, would surely have been seen.",
}
told = "clear" if headline.p_value < level else "unclear"
told += "_unbounded" if not bounded else "_t" if used == "clustered_t" else ""
run.say(
    verdicts[told],
    headline=headline,
    method=few_clusters.SPOKEN[used],
    usual=run.results[f"baseline.{primary}.{term}"],
    **({"detectable": run.record("baseline.detectable", value=detectable, digits=2)} if bounded else {}),
)

# %%
promised = run.record("baseline.detectable.clustered_t", value=detectable_effect(fit[term], level=level), digits=2)
run.say(
    "By the clustered t test an effect of {detectable} would have been seen in four of five samples."
    if told.startswith("clear") or used == "clustered_t"
    else "The clustered t test alone would promise to find an effect of {detectable}, since its interval is narrower."
    if not bounded or float(fix_number(promised.value, 2)) < float(fix_number(detectable, 2))
    else "The clustered t test alone promises no more: it would find an effect of {detectable}.",
    detectable=promised,
)

# %% [markdown]
# ## Whose movement is it?
#
# The effect is read from what effects and controls leave of the treatment. Where a few units hold most of that, the
# estimate is a statement about them.

# %%
held = leverage.find_leverage(fit, term)
alone = leverage.find_leverage(panel.fit(data, model.with_(controls=())), term)
run.record("baseline.leverage.three", value=held.top(3), digits=3)
before = run.record("baseline.leverage.heaviest.effects_only", value=float(alone.shares[held.heaviest]), digits=3)

# %% [markdown]
# Unit by unit, beside the shares before the controls:

# %%
run.table(
    leverage.leverage_table(held, alone),
    "leverage",
    caption="Share of the treatment's identifying variation, by unit",
    digits=3,
)

# %%
if held.without_heaviest:
    run.record("baseline.leverage.without_heaviest", held.without_heaviest)

# %%
share = {
    True: "One unit, {name}, holds {one:.0%} of the variation that identifies the effect ({before:.0%} before the "
    "controls), the three heaviest units {three:.0%}. Without it the estimate is {without} ({without:p}, clustered t).",
    False: "One unit, {name}, holds {one:.0%} of the variation that identifies the effect ({before:.0%} before the "
    "controls), the three heaviest units {three:.0%}. Without it nothing can be estimated.",
}
run.say(
    share[held.without_heaviest is not None],
    name=run.record("baseline.leverage.heaviest.name", value=held.heaviest),
    one=run.record("baseline.leverage.heaviest", value=held.top(1), digits=3),
    before=run.results["baseline.leverage.heaviest.effects_only"],
    three=run.results["baseline.leverage.three"],
    **({"without": run.results["baseline.leverage.without_heaviest"]} if held.without_heaviest else {}),
)

# %% [markdown]
# ## Do neighbours of the primary specification agree?
#
# Other models of the same question: each makes an assumption that the primary specification does not make, or drops one
# that it makes.

# %%
others = neighbours.fit_neighbours(data, model, window=choices.time.window, regions=run.regions)
fitted = {name: other.found for name, other in others.items() if other.found}
for name in fitted:
    run.record(f"baseline.neighbours.{name}", fitted[name])

# %% [markdown]
# Model by model, with what each asks:

# %%
run.table(
    neighbours.neighbour_table(others, fit[term], choices.label(primary), choices.question.en),
    "neighbours",
    caption="Neighbours of the primary specification",
    digits={"n_obs": 0, "n_entities": 0},
)

# %%
rows = {choices.label(primary): fit[term]} | {others[name].label: found for name, found in fitted.items()}
run.figure(
    pictures.draw_rows(
        estimate_frame(rows),
        label=run.text("effect of {treatment}", **words),
        marked=choices.label(primary),
    ),
    "neighbours",
    caption="The primary specification and its neighbours, 95 % intervals",
    alt="Estimates with intervals, one row per model, and a line at zero.",
)

# %% [markdown]
# Random effects and fixed effects differ where what is fixed about a unit goes with its treatment. The model with the
# means of each unit (Mundlak) must give the fixed-effects estimate again; that is checked below. First differences and
# trends use other parts of the movement over time, so they also differ when the effect takes time.

# %% [markdown]
# How many of them speak clearly, and in which direction? The model with the means of each unit is not counted, since it
# cannot disagree.

# %%
free = {name: found for name, found in fitted.items() if name != neighbours.MEANS}
positive, negative = neighbours.count_significant(free, level)
run.say(
    "Neighbours that could be fitted: {fitted}; positive and significant by a clustered test: {positive}; negative and "
    "significant: {negative}.",
    fitted=run.record("baseline.neighbours.count.fitted", value=len(free)),
    positive=run.record("baseline.neighbours.count.positive_significant", value=positive),
    negative=run.record("baseline.neighbours.count.negative_significant", value=negative),
)

# %% [markdown]
# ## Which effects belong in the model?
#
# Each test runs on the effects of the primary specification, unless its row names others. With few units the
# distribution that a test has in theory is no guide, so its p-value is the share of draws under its null hypothesis
# whose statistic is as large (for Pesaran's CD: as far from its mean there); the F tests need no draws.

# %%
tests = specification_tests.run_tests(data, model, draws=null_draws, rng=run.rng("nulls of the tests"))
specification_tests.record_tests(run.record, tests)
table = specification_tests.diagnostic_table(tests, model)
run.table(table, "specification_tests", caption="Tests of the specification", digits={"draws": 0})

# %% [markdown]
# Each row states what the test takes for granted (its null hypothesis). A small p-value speaks against that; a large
# one does not speak for it. Honda's statistic is the signed root of Breusch and Pagan's: it is one-sided, as a variance
# cannot be negative.

# %% [markdown]
# ## Does it matter which software prints the standard error?
#
# One coefficient, many standard errors: programs differ in which errors they let be related and in the factor that
# corrects for a small sample. The passport names them all, with the program that prints each.

# %%
passport = few_clusters.passport_table(fit, term, run.units, cutoff_km=cutoff_km)
known = few_clusters.passport_estimates(passport, fit[term])
for name in known:
    run.record(f"baseline.passport.{name}", known[name])
run.table(passport, "passport", caption="The standard-error passport of the primary coefficient", digits=5)

# %%
run.figure(
    inference_pictures.draw_passport(passport, level, marked="stata"),
    "passport",
    caption="The standard error by convention, the project's own in colour; filled where the estimate is significant",
    alt="One row per convention with its standard error and its p-value, largest at the bottom.",
)

# %% [markdown]
# All lines share one estimate. Lines that take errors as unrelated within a unit, and those that rest on the number of
# periods going to infinity (two-way, Driscoll-Kraay), are stress tests here and never the headline.

# %% [markdown]
# How far apart are the conventions?

# %%
narrow, wide = few_clusters.ends(known, "std_error")
run.say(
    "Of {count} conventions, {significant} call the estimate significant. The standard error lies between "
    "{low:std_error} ({narrow}, {low:p}) and {high:std_error} ({wide}, {high:p}).",
    count=run.record("baseline.passport.count", value=len(known)),
    significant=run.record(
        "baseline.passport.count.significant", value=sum(found.p_value < level for found in known.values())
    ),
    low=run.results[f"baseline.passport.{narrow}"],
    high=run.results[f"baseline.passport.{wide}"],
    narrow=run.record("baseline.passport.smallest", value=narrow.replace("_", " ")),
    wide=run.record("baseline.passport.largest", value=wide.replace("_", " ")),
)

# %% [markdown] tags=["asks"]
# Nearness in space is a convention of its own:

# %%
(
    run.say(
        "Conley's standard error lets errors be related among units within {cutoff} km of each other, less so the "
        "further they are.",
        cutoff=run.record("baseline.passport.cutoff_km", value=cutoff_km, unit="km"),
    )
    if few_clusters.has_coordinates(run.units)
    else None
)

# %% [markdown]
# ## Do other programs give the same?

# %%
plain = engines.of_size_one(data, model)
absorbed = {"entity_effects": model.entity_effects, "time_effects": model.time_effects}
columns = plain[list(model.regressors)].assign(**({} if model.effects else {"const": 1.0}))

# %% [markdown]
# linearmodels takes the columns and is told which effects to absorb:

# %%
theirs = engines.attempt(
    lambda: PanelOLS(plain[model.outcome], columns, **absorbed).fit(cov_type="clustered", cluster_entity=True)
)

# %% [markdown]
# pyfixest takes the formula as it stands at the head of this notebook:

# %%
tight = MapDemeaner(fixef_tol=1e-10)
fixest = engines.attempt(
    lambda: feols(model.formula, plain.reset_index(), vcov={"CRV1": model.entity}, fixef_rm="none", demeaner=tight)
)

# %%
programs = engines.engine_table(data, model, {"linearmodels": theirs, "pyfixest": fixest})
run.table(programs, "engines", caption="The primary estimate by three engines", digits=8)

# %%
agreeing, refused = engines.count_agreeing(programs)
run.say(
    "Other programs that give the same estimate, and a standard error that differs by the known factor of its "
    "convention alone: {agreeing} of {programs}; that could not fit it: {refused}.",
    agreeing=run.record("baseline.engines.agreeing", value=agreeing),
    programs=run.record("baseline.engines.count", value=len(programs) - 1),
    refused=run.record("baseline.engines.refused", value=refused),
)

# %% [markdown]
# linearmodels counts the absorbed unit effects among the parameters when both effects are absorbed, Stata and fixest do
# not. This project prints Stata's.

# %% [markdown]
# ## Checks

# %%
run.check("every engine that fits it gives the same estimate", programs["estimate_gap"].max() < 1e-10)
run.check(
    "the model with unit means gives the fixed-effects estimate", neighbours.mundlak_gap(others, data, model) < 1e-8
)
run.check("every column of the ladder uses the same rows", len({found.n_obs for found in fits.values()}) == 1)

# %% tags=["nbval-check-output"]
print([(name, found.n_obs, found.n_entities) for name, found in fits.items()])

# %% [markdown]
# ## Save

# %%
run.save()
