"""What a notebook holds in its hand: the study, the run folder, and one way out for tables, figures and numbers."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers.display.checks import Check, CheckList
from helpers.display.figures import FigureView, draw_svg, set_style, show_svg
from helpers.display.labels import label_words
from helpers.display.periods import label_axes, show_periods
from helpers.display.prose import Message, Named, Sentence, write_sentence
from helpers.display.tables import TableView, check_name, drawn_p_values, read_table, show_table, write_table
from helpers.errors import StudyError
from helpers.files import write_bytes
from helpers.results.cells import find_shell, read_cell_ids, running_cell
from helpers.results.draws import DrawRecord
from helpers.results.results import Result, Results, read_results
from helpers.results.rounding import HANDED_OVER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from helpers.regression.panel import PanelFit
    from helpers.results.estimate import Estimate
    from helpers.study.data import Label
    from helpers.study.study import Study


BY_HAND = "by_hand"
"""Folder in ``reports`` for what notebooks write that a person runs; it is not kept in the repository."""

LINK_OF_NUMBER = re.compile(r'<a class="num"[^>]*>(.*?)</a>')
LINK_OF_FILE = re.compile(r"\]\((?=(?:tables|figures)/)")

DIGITS = {"estimate": 4, "std_error": 4, "statistic": 4, "df": 0, "ci_low": 4, "ci_high": 4}
"""Decimals of a table of coefficients."""

MOST_SHOWN, SHOWN_EACH = 350, 50
"""Rows of a table that is shown whole, and how many at either end are shown of a longer one."""


class NotebookRun:
    """One notebook at work on one study.

    Parameters
    ----------
    notebook
        Name of the notebook, without ending.
    study
        The study.
    run_folder
        Where the tables and results of earlier notebooks are read.
    out
        Where this notebook writes.
    source
        The notebook's own file, whose cell ids name where a result was made; None if there is none.
    by_hand
        Whether a person runs it and no runner: it then reads what was made by hand before what a run has left.
    """

    def __init__(
        self,
        notebook: str,
        study: Study,
        run_folder: Path,
        out: Path,
        source: Path | None = None,
        by_hand: bool = False,
    ) -> None:
        self.notebook = notebook
        self.study = study
        self.run_folder = run_folder
        self.out = out
        self.by_hand = by_hand
        self._source = source
        self.results = Results(study=study.name, notebook=notebook, where=self._where)
        self.checks: list[tuple[tuple[str | None, int], Check]] = []
        self._texts: dict[str, Message] = {}
        self.draws = DrawRecord()

    @cached_property
    def _stand_ins(self) -> dict[str, str]:
        """Tables in place of those of notebooks that the study runs without."""
        from helpers.study.needs import find_stand_ins

        return find_stand_ins(self.study, self._source.parent) if self._source else {}

    @property
    def notebooks(self) -> pd.DataFrame:
        """The notebooks that need something of the study, and whether they run."""
        from helpers.study.needs import notebook_table

        return notebook_table(self.study, self._source.parent) if self._source else pd.DataFrame()

    @cached_property
    def units(self) -> pd.DataFrame:
        """The entities of the study, from its units file, indexed by entity."""
        from helpers.reading.units import read_units

        return read_units(self.study.folder / self.study.entity.units, self.study.entity)

    @property
    def regions(self) -> pd.Series[str]:
        """The region of every entity by the study's first grouping; empty for an entity that is left out."""
        return self.groups_of(None)

    def groups_of(self, name: str | None) -> pd.Series[str]:
        """The group of every entity by a grouping of the study, the first unless named."""
        grouping = self.study.regions[name] if name else self.study.grouping
        if not self.study.regions:
            return pd.Series(grouping.order[0], index=self.units.index)
        return self.units[grouping.column].map(grouping.group)

    def rng(self, name: str) -> np.random.Generator:
        """Random numbers of their own for each purpose, seeded by the study's seed and the purpose.

        Two notebooks that name the same purpose draw the same numbers, so that one test has one p-value.
        """
        return self.draws.start(self.study.seed, name)

    def read(self, name: str) -> pd.DataFrame:
        """A table of an earlier notebook; a panel (index entity, time) when it has both columns."""
        table = f"tables/{check_name(self._stand_ins.get(name, name))}.csv"
        own = self.by_hand and (self.out / table).is_file()
        return read_table((self.out if own else self.run_folder) / table, self._index)

    def rows(self, name: str) -> Path:
        """The file of an earlier notebook that holds the rows of a panel on disk."""
        file = f"tables/{check_name(self._stand_ins.get(name, name))}.parquet"
        own = self.by_hand and (self.out / file).is_file()
        return (self.out if own else self.run_folder) / file

    def new_rows(self, *, name: str) -> Path:
        """Where the rows of a panel on disk are written for later notebooks."""
        return self.out / "tables" / f"{check_name(name)}.parquet"

    def write_panel(self, panel: pd.DataFrame, name: str) -> Sentence:
        """Keep a panel for later notebooks, to more digits than a table is shown with.

        Raises
        ------
        StudyError
            The index is not the study's (entity, time), or a key occurs twice.
        """
        if tuple(panel.index.names) != self._index or panel.index.has_duplicates:
            raise StudyError(
                f"panel {name}", f"its index must be {self._index}, each key once", "set the index, drop the copies"
            )
        write_table(panel.sort_index(), self._table_path(name), HANDED_OVER)
        rows, columns = panel.shape
        kept = Sentence(f"Kept: [tables/{name}.csv](tables/{name}.csv), {rows} rows, {columns} columns.")
        return self._lead(kept)

    def table(
        self,
        frame: pd.DataFrame,
        name: str,
        *,
        caption: str,
        note: str = "",
        digits: int | Mapping[str, int] = 3,
        labels: Mapping[str, str] | None = None,
        words: Mapping[str, Named] | None = None,
        draws: Mapping[str, int] | None = None,
    ) -> TableView:
        """Write ``tables/<name>.csv`` and show the table (see `helpers.display.tables.show_table`).

        Names are printed by the study's labels; ``labels`` goes before them. Caption and note are messages whose
        places ``words`` fills, as in ``say``; a cell may be a label in both languages. ``draws`` are those
        behind the p-values of a column, where these are not recorded one by one. Of a table with more than
        `MOST_SHOWN` rows the file holds all, and the first and the last are shown.
        """
        caption, note = (self.text(part, **(words or {})) for part in (caption, note))
        frame = self._show_periods(frame.map(self._plain_cell))
        write_table(frame, self._table_path(name))
        if len(frame) > MOST_SHOWN:
            note += "\n" + self.text("The first and the last rows of a long table; all of them are in the file.")
            counted = isinstance(frame.index, pd.RangeIndex)  # a count of rows is no column, nor is what is left of it
            frame = pd.concat([frame.head(SHOWN_EACH), frame.tail(SHOWN_EACH)], ignore_index=counted)
        names = label_words(frame, self.study) | dict(labels or {})
        view = show_table(
            frame,
            caption=caption,
            note=note,
            digits=digits,
            labels=names,
            drawn=drawn_p_values(self.results.values(), draws),
            link=f"{self._files}tables/{name}.csv",
        )
        return replace(view, texts=self._texts_in(view.html))

    def coefficients(self, fit: PanelFit, name: str, *, caption: str) -> TableView:
        """Write and show every coefficient of a regression; the caption is a message that may name ``{outcome}``."""
        words = {"outcome": self.label(fit.outcome)}
        return self.table(fit.table(), name, caption=caption, note=fit.facts(), words=words, digits=DIGITS)

    def _show_periods(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A table with its periods in their own form; years are as they are."""
        time = self.study.time
        return frame if time.kind == "year" else show_periods(frame, time.name, time.read, time.show)

    def framework(self, name: str) -> TableView | Sentence:
        """A table of one of the texts, in the words of the study's frameworks file, with what measures each row here.

        A study without that text is told so.
        """
        from helpers.claims.frameworks import framework_table, load_frameworks
        from helpers.claims.verdicts import claim_words

        known = load_frameworks(self.study.folder)
        if name not in known:
            return self.say("No text of this study has such a table.")
        framework = known[name]
        heads = {column: self.text("{head}", head=label) for column, label in framework.columns.items()}
        return self.table(
            framework_table(framework, claim_words(self.study)),
            f"framework_{name}",
            caption="{title} ({source})",
            words={"title": framework.title, "source": framework.source},
            labels=heads,
        )

    def figure(
        self, figure: Figure, name: str, *, caption: str, alt: str, words: Mapping[str, Named] | None = None
    ) -> FigureView:
        """Write ``figures/<name>.svg``, close the figure and show it with its caption.

        Parameters
        ----------
        caption
            A message whose places ``words`` fills, as in ``say``; so is ``alt``.
        alt
            What the picture shows, for those who do not see it.
        """
        import matplotlib.pyplot as plt

        caption, alt = (self.text(part, **(words or {})) for part in (caption, alt))
        if self.study.time.kind != "year":
            label_axes(figure, self.study.time.window, self.study.time.show)
        try:
            svg = draw_svg(figure, check_name(name))
        finally:
            plt.close(figure)
        write_bytes(self.out / "figures" / f"{name}.svg", svg)
        view = show_svg(svg, caption=caption, alt=alt)
        return replace(view, texts=self._texts_in(view.html + svg.decode("utf-8")))

    def say(self, template: str, **words: Named) -> Sentence:
        """A sentence in Markdown whose numbers are recorded results (see `helpers.display.prose.write_sentence`).

        The template is one whole message; ``words`` are what it names: results, labels (``run.label``), words.
        """
        return self._lead(write_sentence(template, self.known, words))

    @cached_property
    def _files(self) -> str:
        """What leads to the notebook's files: by hand from the notebook's folder, else from the report beside them."""
        if not self.by_hand or self._source is None:
            return ""
        return Path(os.path.relpath(self.out, self._source.parent)).as_posix() + "/"

    def _lead(self, sentence: Sentence) -> Sentence:
        """By hand a link to a file leads to where it was written, and a number to nothing, since there is no report."""
        if not self._files:
            return sentence
        text = LINK_OF_NUMBER.sub(r"\1", sentence.text)
        return replace(sentence, text=LINK_OF_FILE.sub(lambda match: f"{match[0]}{self._files}", text))

    def record(self, key: str, found: Estimate | None = None, **numbers: Any) -> Result:
        """Record a result, an estimate or single numbers (see `helpers.results.results.Results.record`)."""
        return self.results.record(key, found, **numbers)

    def label(self, name: str) -> Label:
        """The study's label of a name, in both languages: a word for ``say``, ``text`` and captions."""
        return self.study.words(name)

    def labels(self, names: Iterable[str]) -> Label | None:
        """The labels of some names, one after another, as one word; None where there are none."""
        from helpers.study.data import Label

        found = [self.study.words(name) for name in names]
        joined = {"en": ", ".join(label.en for label in found), "zh": "、".join(label.zh for label in found)}
        return Label(**joined) if found else None

    def text(self, template: str, **words: Named) -> str:
        """A short text for a picture or a table, in English; the report finds it again and prints either language.

        The template is one whole message, as in ``say``.
        """
        sentence = write_sentence(template, self.known, words)
        self._texts[repr(sentence)] = (template, sentence.values)
        return repr(sentence)

    def check(self, fact: str, condition: bool, detail: str = "") -> CheckList:
        """Make sure of a fact; gives the list of this cell's checks for display.

        Raises
        ------
        StudyError
            The condition is false.
        """
        if not bool(condition):
            raise StudyError(f"check in {self.notebook}", f"it is not true that {fact}", detail or "look at the data")
        here = self._where()
        self.checks.append((here, Check(fact, detail)))
        return CheckList(tuple(check for place, check in self.checks if place == here))

    def save(self) -> None:
        """Write this notebook's results; its last cell. A notebook without this file has not finished."""
        self.draws.write(self.out / "run" / "draws" / f"{self.notebook}.json")
        self.results.write(self.out / "run" / "results" / f"{self.notebook}.json")

    @property
    def known(self) -> dict[str, Result]:
        """Results of the notebooks that come before this one by name, and its own."""
        return {**self.earlier, **self.results}

    @cached_property
    def earlier(self) -> dict[str, Result]:
        """Results of the notebooks that come before this one by name."""
        found = self._committed() if self.by_hand else {}
        for folder in (self.run_folder, self.out) if self.by_hand else (self.run_folder,):
            for path in sorted((folder / "run" / "results").glob("*.json")):
                if path.stem < self.notebook:
                    found |= read_results(path)
        return found

    def _committed(self) -> dict[str, Result]:
        """The results of earlier notebooks that the last run left together, which is all that a clone holds."""
        path = self.run_folder / "results.json"
        held = read_results(path) if path.is_file() else {}
        return {key: result for key, result in held.items() if (result.notebook or "") < self.notebook}

    @property
    def _index(self) -> tuple[str, str]:
        return self.study.entity.name, self.study.time.name

    def _texts_in(self, shown: str) -> dict[str, Message]:
        """Those of the notebook's texts that a view shows, on one line or on several."""
        return {
            text: item
            for text, item in self._texts.items()
            if text
            and all(html.escape(line, quote=False) in shown or html.escape(line) in shown for line in text.split("\n"))
        }

    def _plain_cell(self, cell: Any) -> Any:
        """A cell that holds a study's label as its English text, known to the report in both languages."""
        return self.text("{cell}", cell=cell) if hasattr(cell, "en") and hasattr(cell, "zh") else cell

    def _table_path(self, name: str) -> Path:
        return self.out / "tables" / f"{check_name(name)}.csv"

    def _where(self) -> tuple[str | None, int]:
        """Id of the running cell and its execution count; the id is None outside a notebook."""
        source, told, count = running_cell()
        return (told if told in self._cells.values() else self._cells.get(source.strip())), count

    @cached_property
    def _cells(self) -> dict[str, str]:
        """Source of each code cell of the notebook's own file and its id."""
        return read_cell_ids(self._source)


def open_run(notebook: str, *, study: str = "provinces", run_folder: str = "", out: str = "") -> NotebookRun:
    """Begin a notebook.

    Parameters
    ----------
    notebook
        Name of the notebook, without ending.
    study
        Name of a folder in ``data/``, or the path of a study's folder.
    run_folder
        Where earlier notebooks' tables and results are read; empty for ``reports/<study>``.
    out
        Where this notebook writes; empty where a person runs it, who then gets ``reports/by_hand/<study>`` and is told.

    Raises
    ------
    StudyError
        No project root above the current folder, or a study that cannot be read.
    """
    from helpers.study.study import find_root, load_study

    root = find_root()
    folder = Path(study) if "/" in study or "\\" in study else root / "data" / study
    read = load_study(folder)
    home = root / "reports" / read.name
    set_style()
    run = NotebookRun(
        notebook,
        read,
        run_folder=Path(run_folder) if run_folder else home,
        out=Path(out) if out else root / "reports" / BY_HAND / read.name,
        source=root / "notebooks" / f"{notebook}.ipynb",
        by_hand=not out,
    )
    _note_draws(run)
    if not out:
        _tell_by_hand(run, root)
    return run


def _tell_by_hand(run: NotebookRun, root: Path) -> None:
    """Say in JupyterLab where a notebook that is run by hand writes, and what it needs to have been run before."""
    if find_shell() is None:
        return
    from IPython.display import Markdown, display

    home = run.run_folder.relative_to(root) if run.run_folder.is_relative_to(root) else run.run_folder
    told = f"Run by hand: it writes into `{run.out.relative_to(root)}`, and leaves `{home}` as it is."
    told += " Outputs that you save with it go again with `study twins`."
    if not any((folder / "tables").is_dir() for folder in (run.out, run.run_folder)):
        told += f" Nothing is there to read yet: run `study run {run.study.name}`, or the notebooks before this one."
    display(Markdown(f"> {told}"))  # type: ignore[no-untyped-call, unused-ignore]


def _note_draws(run: NotebookRun) -> None:
    """Let the notebook note the random draws of each cell when it ends."""
    shell = find_shell()
    if shell is not None and hasattr(shell, "events"):
        shell.events.register("post_run_cell", lambda _: run.draws.note(run._where()[0]))
