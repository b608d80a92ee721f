"""The report: one file that opens offline, made from the executed notebooks and their results."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.display.prose import format_number, format_p_value
from helpers.errors import StudyError
from helpers.files import write_text
from helpers.report.chapters import Cell, Chapter, read_chapter
from helpers.results.results import Result, Results, read_results

if TYPE_CHECKING:
    from jinja2 import Environment

    from helpers.study.study import Study

TEMPLATES = Path(__file__).parent / "templates"
FILE = "report.html"


@dataclass(frozen=True)
class Rung:
    """One column of the ladder, as the front page draws it.

    Attributes
    ----------
    label
        Name of the specification.
    controls, effects
        What it adjusts for, in words.
    result
        The recorded estimate of the treatment.
    primary
        Whether the study is about this column.
    certain
        Whether its p-value is below the study's level.
    low, middle, high
        Places of interval and estimate on the axis, per cent from the left.
    """

    label: str
    controls: str
    effects: str
    result: Result
    primary: bool
    certain: bool
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Axis:
    """A horizontal axis.

    Attributes
    ----------
    first, last
        Ends, in the units of the estimate.
    ticks
        Text and place (per cent from the left) of each mark.
    """

    first: float
    last: float
    ticks: tuple[tuple[str, float], ...]

    def place(self, number: float) -> float:
        """Per cent from the left."""
        return round(100 * (number - self.first) / (self.last - self.first), 2)


@dataclass(frozen=True)
class Lifted:
    """What the front page takes from one section of a chapter.

    Attributes
    ----------
    title
        The section's heading, empty where the cells bring their own.
    chapter
        Title of the chapter.
    anchor
        Of the section.
    cells
        The cells tagged for the front page.
    """

    title: str
    chapter: str
    anchor: str
    cells: tuple[Cell, ...]


def write_report(
    study: Study, run_folder: Path, notebooks: Sequence[str], *, left_out: Mapping[str, str] | None = None
) -> Path:
    """Write ``report.html`` into the run folder.

    Parameters
    ----------
    study
        The study; the front page follows its title, question, ladder, primary column and cautions.
    run_folder
        Holds ``results.json`` and ``notebooks/<name>.ipynb``, executed.
    notebooks
        Names of the notebooks in the order of the chapters.
    left_out
        Notebooks that did not run, each with the reason.

    Returns
    -------
    Path
        The report. Its bytes depend on the study, the results and the notebooks alone: it carries no date.

    Raises
    ------
    StudyError
        An executed notebook or the results are missing or damaged, or a number leads to no cell.
    """
    results = read_results(run_folder / "results.json")
    chapters = [read_chapter(run_folder / "notebooks" / f"{name}.ipynb") for name in notebooks]
    page = _environment().get_template("report.html.j2")
    text = page.render(
        study=study,
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        chapters=chapters,
        lifted=[part for chapter in (*chapters[-1:], *chapters[:-1]) for part in _lift(chapter)],
        ladder=_ladder(study, results),
        axis=_axis(_ladder_results(study, results)),
        primary=results.get(_ladder_key(study, study.primary)),
        results=list(results.values()),
        left_out=dict(left_out or {}),
    )
    check_links(text, run_folder / FILE)
    path = run_folder / FILE
    return write_text(path, text)


def check_links(text: str, path: Path) -> None:
    """Every link inside the page leads to a place that exists.

    Raises
    ------
    StudyError
        Names the first link that leads nowhere.
    """
    targets = set(re.findall(r'\sid="([^"]+)"', text))
    for link in re.findall(r'\shref="#([^"]+)"', text):
        if link not in targets:
            raise StudyError(
                str(path),
                f"the link #{link} leads to no cell",
                "run the study again; if it stays, the notebook's .ipynb and .py are out of step",
            )


def number(result: Result, field: str = "") -> str:
    """A field of a result as text, by default the estimate or value, at the result's digits."""
    item = getattr(result, field) if field else result.shown
    if item is None:
        return ""
    return format_p_value(float(item)) if field == "p_value" else format_number(item, result.digits)


def anchor(result: Result) -> str:
    """Where in the page a result was made."""
    return f"{result.notebook}-{result.cell}" if result.cell else str(result.notebook)


def _lift(chapter: Chapter) -> list[Lifted]:
    parts = [(section, tuple(cell for cell in section.cells if cell.summary)) for section in chapter.sections]
    return [
        Lifted("" if cells[0] is section.cells[0] else section.title, chapter.title, section.anchor, cells)
        for section, cells in parts
        if cells
    ]


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(number=number, anchor=anchor, p_value=format_p_value)
    return environment


def _ladder_key(study: Study, column: str) -> str:
    return f"baseline.{column}.{study.specification.treatment}"


def _ladder_results(study: Study, results: Results) -> list[Result]:
    keys = [_ladder_key(study, column) for column in study.ladder]
    found = [results[key] for key in keys if key in results]
    return [result for result in found if None not in (result.estimate, result.ci_low, result.ci_high)]


def _ladder(study: Study, results: Results) -> list[Rung]:
    drawn = _ladder_results(study, results)
    axis = _axis(drawn)
    columns = {_ladder_key(study, column): column for column in study.ladder}
    return [_rung(study, columns[result.key], result, axis) for result in drawn]


def _rung(study: Study, column: str, result: Result, axis: Axis) -> Rung:
    choice = study.ladder[column]
    names = {"entity": study.entity.label.en.lower(), "time": study.time.label.en.lower()}
    assert result.estimate is not None
    assert result.ci_low is not None
    assert result.ci_high is not None
    return Rung(
        label=choice.label.en,
        controls="yes" if choice.controls else "no",
        effects=", ".join(names[effect] for effect in choice.effects) or "none",
        result=result,
        primary=column == study.primary,
        certain=result.p_value is not None and result.p_value < study.specification.significance,
        low=axis.place(result.ci_low),
        middle=axis.place(result.estimate),
        high=axis.place(result.ci_high),
    )


def _axis(results: Sequence[Result]) -> Axis:
    """An axis that holds every interval and zero, with four to eight round marks."""
    ends = [0.0, *(end for result in results for end in (result.ci_low, result.ci_high) if end is not None)]
    low, high = min(ends), max(ends)
    if low == high:
        low, high = -1.0, 1.0
    span = high - low
    low, high = low - 0.04 * span, high + 0.04 * span
    power = 10.0 ** floor(log10(span / 4))
    step = max(step for step in (power, 2 * power, 5 * power) if span / step >= 3.2 or step == power)
    decimals = max(0, -floor(log10(step)))
    axis = Axis(low, high, ())
    marks = range(int(low // step), int(high // step) + 2)
    ticks = [(format_number(mark * step, decimals), axis.place(mark * step)) for mark in marks]
    return Axis(low, high, tuple((text, place) for text, place in ticks if 0 <= place <= 100))
