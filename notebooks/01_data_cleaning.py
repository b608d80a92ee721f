# %% [markdown]
# # 1 Data cleaning
#
# Which figures does the study rest on, and what was done to them? From the publisher's files to one panel: one row per
# unit and period, one column per statistic. This notebook reads the files, checks them against what the study file
# declares, fills what a declared rule allows to be filled (and shows every cell of it), and derives the variables and
# indicators of the study.

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
from helpers.cleaning import contract, gaps, pictures, sample, trace
from helpers.reading import statistics as reading

# %%
run = notebook.open_run("01_data_cleaning", study=study, run_folder=run_folder, out=out)
choices = run.study
raw = reading.read_raw(choices.folder, choices.columns, run.units, choices.entity, choices.time)

# %% [markdown]
# ## Which statistics are there, and how good is each?
#
# The grade says how well a figure is attested: A, two independent transcriptions agree; B, one transcription of the
# official table; C, spliced, re-based or second-hand, so that a result which rests on it needs care.
#
# Which indicators rest on a figure of the lowest grade?

# %%
book = reading.read_codebook(choices.folder / "codebook.csv", choices.columns)
doubtful = reading.indicators_of_grade(book, choices, "C")
official = {"statistic": "Official statistic"}
run.table(doubtful, "indicators_grade_c", caption="Indicators that rest on a statistic of grade C", labels=official)

# %% [markdown]
# ## Do the figures keep the contract?
#
# Keys, types, ranges, units, vintages, identities, and whether figures stand in the row of another unit: a breach stops
# the run. What is only unusual is listed: a figure that jumps beyond what its history allows, and a period in which the
# typical figure halves or doubles.

# %%
kept = contract.check_contract(raw, run.units, choices)
run.table(kept.identities, "identities", caption="Identities that hold, and the largest gap", digits=5)

# %% [markdown]
# What is unusual, first single figures:

# %%
run.table(kept.jumps, "jumps", caption="Figures that jump, less the common change, by robust score", digits=2)

# %% [markdown]
# Then whole periods:

# %%
run.table(kept.breaks, "breaks", caption="Periods in which the typical figure halves or doubles", digits=2)

# %% [markdown]
# And signs that a figure is not what its name says:

# %%
run.table(kept.doubts, "doubts", caption="Signs of another unit, or of figures in the rows of others", labels=official)

# %% [markdown]
# Among few units such signs come by chance, so that there they are told; among 30 or more they stop the run, unless the
# study file declares the statistic `genuine`.

# %%
warnings = run.record("data.warnings", value=kept.n_warnings, digits=0)
message = (
    "The contract is kept; the rows of the tables above are its warnings, {warnings} in all. What is listed stays as "
    "it was published; a result that rests on it is to be read with care."
    if kept.n_warnings
    else "The contract is kept, and nothing is unusual: no figure jumps, no period breaks, no sign of another unit."
)
run.say(message, warnings=warnings)

# %% [markdown]
# ## Which figures are missing?

# %%
missing = gaps.check_coverage(raw, choices.columns, choices.time)
statistics, filled = gaps.apply_missing_rules(raw, choices.missing, missing, choices.sample.missing)
run.table(filled, "filled_cells", caption="Every cell that a declared rule filled", digits=2)

# %% [markdown]
# How much of the data is filled, then?

# %%
cells = run.record("data.cells_filled", value=len(filled), digits=0)
number = run.record("data.statistics", value=len(choices.columns), digits=0)
message = (
    "The study reads {number} statistics. Declared rules filled {cells} cells, each listed above with its reason; "
    "nothing else is filled."
    if len(filled)
    else "The study reads {number} statistics, and no cell of them is filled."
)
run.say(message, number=number, cells=cells)

# %%
coverage = gaps.coverage_table(raw, choices.columns)
run.figure(
    pictures.draw_coverage(coverage, filled, choices.label),
    "coverage",
    caption="Share of units with a figure, by statistic and period; a dot marks filled cells",
    alt="A grid of statistics by periods. Dark cells are complete, white cells are empty, dots mark filled figures.",
)

# %% [markdown]
# Dark is complete, white is empty. A gap inside a statistic's declared span stops the run, unless the study file says
# that rows with a gap are dropped.

# %% [markdown]
# ## Which rows are analysed?

# %%
marked = sample.mark_sample(statistics, choices)
chosen = sample.select_sample(gaps.derive(statistics, choices.formulas, marked), marked, choices)
panel = chosen.panel
run.table(chosen.flow, "sample", caption="From the rows of the window to the rows that are analysed")

# %% [markdown]
# How many rows, units and periods remain?

# %%
entities, periods = (panel.index.unique(level).size for level in choices.index_names)
message = (
    "{rows} rows are analysed: {entities} units in {periods} periods. {dropped} rows of the window lack a figure that "
    "the model needs and are left out."
    if chosen.dropped
    else "{rows} rows are analysed: {entities} units in {periods} periods; none lacks a figure that the model needs."
)
run.say(
    message,
    rows=run.record("data.rows", value=len(panel), digits=0),
    entities=run.record("data.entities", value=entities, digits=0),
    periods=run.record("data.periods", value=periods, digits=0),
    dropped=run.record("data.rows_dropped", value=chosen.dropped, digits=0),
)

# %%
several = sample.several_rows(panel)
run.say(
    "With unit effects a unit of one row identifies nothing: {rows} rows of {units} units do.",
    rows=run.record("data.identifying_rows", value=int(several.sum()), digits=0),
    units=run.record("data.identifying_entities", value=int((several > 0).sum()), digits=0),
)

# %% [markdown]
# ## Which notebooks do these data allow?

# %%
run.table(run.notebooks, "notebooks", caption="Notebooks that need something of the study, and whether they run")

# %% [markdown]
# ## What do the variables and indicators look like?
#
# Each is a formula over the statistics, written in the study file. *Between* and *within* split the spread: between
# units, and within a unit over time. Two-way effects use the second only, so a variable with little of it can tell
# little.

# %%
descriptives = gaps.describe(panel).rename(index=choices.label)
run.table(descriptives, "descriptive_statistics", caption="Descriptive statistics of the variables and indicators")

# %% [markdown]
# On what does each rest, and what was done to it? The grade is that of its worst statistic; figures that are filled,
# jump or break are counted over all of them.

# %%
marks = {"filled": filled, "jumps": kept.jumps, "breaks": kept.breaks}
origins = trace.trace_columns(panel, choices.formulas, book["grade"], marks).rename(index=choices.label)
run.table(origins, "origins", caption="Grade, missing, filled and unusual figures of the variables and indicators")

# %% [markdown]
# ## Checks

# %%
gaps.check_ranges(statistics, choices.columns)
gaps.check_panel(panel, run.units, choices)
run.check("every entity-period occurs once", not panel.index.has_duplicates)
run.check("no figure that the model needs is missing", panel[sample.model_columns(choices)].notna().all(axis=None))

# %% tags=["nbval-check-output"]
print(f"{len(panel)} rows of {entities} entities in {periods} periods, nothing missing that the model needs")

# %% [markdown]
# ## Save

# %%
run.write_panel(statistics, "statistics")
run.write_panel(panel, "indicators")
run.save()
