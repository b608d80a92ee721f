# %% [markdown]
# # 1 Data cleaning
#
# Which figures does the study rest on, and what was done to them? The panel is larger than memory, so it is kept on
# disk: one file of rows is read as numbers, checked, turned into the variables and indicators of the study by queries,
# and written in the order of its keys. Every figure below is of all rows; no sample of them stands in.

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
from helpers.large import clean, describe
from helpers.reading import statistics as reading

# %%
run = notebook.open_run("01_data_cleaning_on_disk", study=study, run_folder=run_folder, out=out)
choices = run.study
target = run.new_rows(name="indicators")

# %% [markdown]
# ## Which statistics are there, and how good is each?
#
# The grade says how well a figure is attested: A, two independent transcriptions agree; B, one transcription of the
# official table; C, spliced, re-based or second-hand, so that a result which rests on it needs care.

# %%
book = reading.read_codebook(choices.folder / "codebook.csv", choices.columns)
run.table(book[["unit", "grade", "note"]], "statistics_used", caption="Statistics, units and grades")

# %%
doubtful = reading.indicators_of_grade(book, choices, "C")
run.table(doubtful, "indicators_grade_c", caption="Indicators that rest on a statistic of grade C")

# %% [markdown]
# ## Are the keys and figures sound?
#
# Every entity-period once, every cell a number or empty, every figure within its declared range, every entity in the
# units file and in a declared group: a breach stops the run. Not looked at on disk: jumps and breaks of series, figures
# in the rows of others, identities; no cell is filled.

# %%
cleaned = clean.clean_panel(choices, target)
run.table(cleaned.figures, "figures", caption="Figures of every statistic, over all rows that were read", digits=2)

# %%
run.say(
    "The study reads {number} statistics, and no cell of them is filled.",
    number=run.record("data.statistics", value=len(choices.columns), digits=0),
    cells=run.record("data.cells_filled", value=0, digits=0),
)

# %% [markdown]
# ## Which rows are analysed?

# %%
run.table(cleaned.flow, "sample", caption="From the rows of the window to the rows that are analysed")

# %%
message = (
    "{rows} rows are analysed: {entities} units in {periods} periods. {dropped} rows of the window lack a figure that "
    "the model needs and are left out."
    if cleaned.n_dropped
    else "{rows} rows are analysed: {entities} units in {periods} periods; none lacks a figure that the model needs."
)
run.say(
    message,
    rows=run.record("data.rows", value=cleaned.n_rows, digits=0),
    entities=run.record("data.entities", value=cleaned.n_entities, digits=0),
    periods=run.record("data.periods", value=cleaned.n_times, digits=0),
    dropped=run.record("data.rows_dropped", value=cleaned.n_dropped, digits=0),
)

# %%
run.say(
    "With unit effects a unit of one row identifies nothing: {rows} rows of {units} units do.",
    rows=run.record("data.identifying_rows", value=cleaned.identifying_rows, digits=0),
    units=run.record("data.identifying_entities", value=cleaned.identifying_entities, digits=0),
)

# %% [markdown]
# ## Which notebooks do these data allow?

# %%
run.table(run.notebooks, "notebooks", caption="Notebooks that need something of the study, and whether they run")

# %% [markdown]
# ## What do the variables and indicators look like?
#
# Each is a formula over the statistics, written in the study file.

# %%
descriptives = describe.describe_rows(target, list(choices.formulas)).rename(index=choices.label)
run.table(descriptives, "descriptive_statistics", caption="Descriptive statistics of the variables and indicators")

# %% [markdown]
# The last two columns split the spread: *between* units, and *within* a unit over time. Two-way effects use the second
# only, so a variable with little of it can tell little.

# %% [markdown]
# ## Checks

# %%
run.check("every row that was counted is in the file", cleaned.n_rows == describe.count_rows(target))
run.check("no figure that the model needs is missing", describe.is_complete(target, clean.model_columns(choices)))

# %%
print(f"{cleaned.n_rows} rows of {cleaned.n_entities} entities in {cleaned.n_times} periods")

# %% [markdown]
# ## Save

# %%
run.save()
