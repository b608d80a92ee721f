"""A run folder of a toy study with two executed notebooks, made without a kernel."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import nbformat
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.display.figures import new_figure
from helpers.notebook import NotebookRun
from helpers.results.results import join_results
from helpers.study.data import Label
from helpers.study.needs import Need

NAMES = ["01_data", "03_model"]
EVIL = (
    "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\"><svg onload=alert(1)></svg>"
    '<a href="javascript:alert(1)">a</a><iframe src="https://evil.example"></iframe><style>body{display:none}</style>'
    '<img src="https://evil.example/p.png"><p style="background:url(https://evil.example/b.png)">kept</p>'
)


def label(text: Any) -> Label:
    return Label(en=text, zh="数字赋能")


def make_study() -> Any:
    rungs = {"pooled": (False, ()), "twoway_controls": (True, ("entity", "time"))}
    return SimpleNamespace(
        name="toy",
        seed=1,
        language="en",
        title=label("Does x raise <y>?"),
        question=label("Two places, two years."),
        entity=SimpleNamespace(name="place", label=label("Place"), units="units.csv", key="place", aliases=()),
        time=SimpleNamespace(name="year", label=label("Year"), kind="year"),
        specification=SimpleNamespace(treatment="x", outcome="y", controls=(), significance=0.05),
        ladder={
            name: SimpleNamespace(label=label(name.title()), controls=controls, effects=effects)
            for name, (controls, effects) in rungs.items()
        },
        primary="twoway_controls",
        cautions=(label("The figures are few."),),
        label=lambda name: {"x": "The treatment"}.get(name, name),
        words=lambda name: label({"x": "The treatment"}.get(name, name)),
        folder=Path("toy"),
        **dict.fromkeys(get_args(Need), ()),
    )


class Book:
    """A notebook in the making: cells are appended with what they showed."""

    def __init__(self, name: str, folder: Path) -> None:
        self.cells: list[Any] = []
        self.run = NotebookRun(name, make_study(), folder, folder)
        self.run.results._where = lambda: (f"cell-{len(self.cells) + 1:02d}", 1)

    def text(self, source: str, *tags: str) -> None:
        """Append a text cell."""
        self.cells.append(new_markdown_cell(source, metadata={"tags": list(tags)}))

    def code(self, source: str, *tags: str, shows: Any = None, outputs: Any = ()) -> None:
        """Append a code cell that showed an object, or these outputs."""
        data = {"text/plain": repr(shows)}
        for kind, name in (("text/html", "_repr_html_"), ("text/markdown", "_repr_markdown_")):
            if hasattr(shows, name):
                data[kind] = getattr(shows, name)()
        if hasattr(shows, "_repr_mimebundle_"):
            data |= shows._repr_mimebundle_()
        shown = [new_output("execute_result", data=data, execution_count=1)] if shows is not None else []
        self.cells.append(new_code_cell(source, outputs=[*shown, *outputs], metadata={"tags": list(tags)}))

    def save(self, path: Path) -> None:
        """Write the notebook and its results."""
        for place, cell in enumerate(self.cells, start=1):
            cell["id"] = f"cell-{place:02d}"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new_notebook(cells=self.cells), path)
        self.run.save()


def write_data(folder: Path) -> None:
    book = Book("01_data", folder)
    book.text("# 1 Data\n\nWhich figures are **there**?\n\n$$y_{it} = \\beta x_{it} + \\varepsilon_{it}$$")
    book.text("## Load")
    book.code("from helpers import notebook  # silent")
    book.text("## What is there?")
    book.run.results.record("data.rows", value=4)
    book.code("run.say(...)", shows=book.run.say("There are {data.rows} rows."))
    book.code("evil()", outputs=[new_output("display_data", data={"text/html": EVIL})])
    pieces = [new_output("stream", name="stdout", text=text) for text in ("one ", "line\n")]
    warning = new_output("stream", name="stderr", text="/home/someone/project/src/module.py:3: Warning\n")
    book.code("print('one line')", outputs=[*pieces, warning])
    book.code("secret = 1", "hide")
    book.code("print(rows)", "nbval-check-output", outputs=[new_output("stream", name="stdout", text="{'rows': 4}")])
    book.text("## Save")
    book.code("run.save()")
    book.save(folder / "notebooks" / "01_data.ipynb")


def write_model(folder: Path) -> None:
    book = Book("03_model", folder)
    book.text("# 3 Model\n\nDoes it hold?\n\n## The ladder\n")
    record = book.run.results.record
    for name, estimate, p_value in (("pooled", 0.5, 0.001), ("twoway_controls", 0.1, 0.3)):
        low, high = estimate - 0.2, estimate + 0.2
        record(
            f"baseline.{name}.x",
            estimate=estimate,
            std_error=0.1,
            p_value=p_value,
            n_obs=4,
            n_entities=2,
            ci_low=low,
            ci_high=high,
        )
    book.code("record(...)")
    wide = pd.DataFrame({f"column_{place:02d}": [1 / 3] for place in range(20)}, index=pd.Index(["<b>"], name="row"))
    book.code("run.table(...)", shows=book.run.table(wide, "wide", caption="A wide table", note="A note"))
    figure, axes = new_figure()
    axes.plot([0, 1])
    axes.set_title("数字赋能")
    book.code("run.figure(...)", "summary", shows=book.run.figure(figure, "line", caption="A line", alt="It rises"))
    book.text("The last word.", "summary")
    book.save(folder / "notebooks" / "03_model.ipynb")


def write_toy_run(folder: Path) -> Path:
    """A finished run folder, all but its report."""
    write_data(folder)
    write_model(folder)
    join_results(folder, NAMES).write(folder / "results.json")
    return folder
