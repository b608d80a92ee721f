"""The report: one file that opens offline, made from the executed notebooks and their results."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import floor, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from helpers.claims.file import load_claims
from helpers.claims.frameworks import load_frameworks
from helpers.claims.verdicts import VERDICT_LABELS
from helpers.display.prose import Sentence, format_drawn_p_value, format_number, format_p_value
from helpers.errors import StudyError, attempt
from helpers.files import write_text
from helpers.report.bilingual import translate_formulas
from helpers.report.chapters import Cell, Chapter, Section, read_chapter, write_markdown
from helpers.report.environment import STYLE, make_environment
from helpers.report.language import Briefs, Translator, both, collect_labels, read_catalogue, spread, territory_names
from helpers.report.origins import (
    Method,
    key_label,
    method_of,
    note_of,
    reached_modules,
    read_methods,
    spell_formula,
    spell_key,
    spell_part,
)
from helpers.report.picture import link_rows
from helpers.report.popovers import (
    Shown,
    add_notes,
    anchor_of,
    name_rows,
    open_numbers,
    open_tables,
    read_heads,
    read_inputs,
    replace_tables,
    row_names,
)
from helpers.report.resolved import check_resolved
from helpers.report.sections.cards import DESCRIBED, TRACED, data_cards
from helpers.report.sections.explorer import Decision, read_explorer
from helpers.report.sections.front import answer, quality
from helpers.report.sections.ledger import Choice, open_ledger
from helpers.report.sections.units import VALUES, unit_cards
from helpers.results.panel_of_checks import CheckRow, check_run
from helpers.results.results import Result, Results, read_results
from helpers.study.data import Label
from helpers.study.file import find_root
from helpers.study.needs import list_lacking

if TYPE_CHECKING:
    from jinja2 import Environment

    from helpers.study.study import Study

TEMPLATES = Path(__file__).parent / "templates"
FILE = "report.html"
CODEBOOK_WORDS = (("name_en", "indicator_zh"), ("unit", "unit_zh"), ("note", "note_zh"))
CHINESE = r"[\u4e00-\u9fff]+"
PICTURE_ID = re.compile(r'(\sid="|href="#|url\(#)(?=[\w.-]+-cell-\d+-)')
NEAR = 4
"""Cells between a picture and the table that it shows."""
LINKED_ROW = re.compile(r'<a href="#(r-[a-z0-9_]+-\d+)">')
ROW_ID = re.compile(r' id="r-[a-z0-9_]+-\d+"')
# All that runs in the page: the language of the study where it says one, of the reader's browser, or the one that the
# address asks for; the way back from a cell to the number that led there.
SCRIPT = (
    "(function(){function show(){var h=location.hash.slice(1);"
    "var l=h==='zh'||h==='en'?h:null;"
    "if(l===null&&!show.done){l=(document.documentElement.lang+(navigator.language||'')).includes('zh')?'zh':'en'}"
    "show.done=true;if(l){document.getElementById('lang-'+l).checked=true}}"
    "show();addEventListener('hashchange',show);"
    "document.addEventListener('click',function(e){"
    "if(e.target.closest('.back')){e.preventDefault();history.back()}"
    "else if(e.target.closest('.pop a')){e.target.closest('.pop').hidePopover()}})})();"
)
MODEL = re.compile(r"<code>([^<]* ~ [^<]*)</code>")


@dataclass(frozen=True)
class Rung:
    """One column of the ladder, as the front page draws it.

    Attributes
    ----------
    label
        Name of the specification.
    controls, effects
        What it adjusts for.
    result
        The recorded estimate of the treatment.
    primary
        Whether the study is about this column.
    certain
        Whether its p-value is below the study's level.
    low, middle, high
        Places of interval and estimate on the axis, per cent from the left.
    """

    label: Label
    controls: bool
    effects: tuple[Label, ...]
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
        An executed notebook or the results are missing or damaged, a number leads to no cell, or is neither recorded
        nor in a recorded table.
    """
    results = read_results(run_folder / "results.json")
    labels = study_labels(study)
    translator = Translator(read_catalogue(), key_labels(study, results) | labels)
    text = build_page(study, run_folder, notebooks, translator, dict(left_out or {}), results)
    names = [*labels, *labels.values(), *_read_units(study)[study.entity.key]]
    unresolved = attempt(check_resolved, text, run_folder, names)
    if isinstance(unresolved, StudyError):  # told, and no stop: the page of a sound study is written all the same
        sys.stderr.write(f"{unresolved}\n")
    return write_text(run_folder / FILE, text)


def study_labels(study: Study) -> dict[str, str]:
    """Every label of the study's files, English -> Chinese: the study file, its claims and its frameworks."""
    found = [load_claims(study.folder)] if (study.folder / "claims.yml").is_file() else []
    labels = collect_labels(study, *found, load_frameworks(study.folder), VERDICT_LABELS)
    return _codebook_words(study) | labels | _unit_names(study)


def _codebook_words(study: Study) -> dict[str, str]:
    """Names, units and remarks of the codebook in Chinese, where it has a column of them."""
    path = study.folder / "codebook.csv"
    book = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8") if path.is_file() else pd.DataFrame()
    pairs = [pair for pair in CODEBOOK_WORDS if set(pair) <= set(book)]
    return {en: zh for pair in pairs for en, zh in zip(*(book[name] for name in pair), strict=True) if en and zh}


def _unit_names(study: Study) -> dict[str, str]:
    """Names of the units in Chinese: from the first column of the units file that spells them so, or of countries."""
    units = _read_units(study)
    spelt = [name for name in study.entity.aliases if name in units and units[name].str.fullmatch(CHINESE).all()]
    keys = units[study.entity.key]
    return dict(zip(keys, units[spelt[0]], strict=True)) if spelt else territory_names(keys)


def _read_units(study: Study) -> pd.DataFrame:
    """The units file as text; without a row where there is none."""
    path = study.folder / study.entity.units
    if not path.is_file():
        return pd.DataFrame(columns=[study.entity.key], dtype=str)
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")


def key_labels(study: Study, results: Mapping[str, Result]) -> dict[str, str]:
    """Chinese of every result's key and of its parts of several words, for tables that name results by them."""
    label = partial(key_label, study)
    parts = {part for key in results for part in key.split(".") if "_" in part}
    parts |= {part.replace("left_out", "rank_shift", 1) for part in parts if part.startswith("left_out_")}
    spelled = {part: spell_part(part, label).zh for part in sorted(parts)}
    return spelled | {key: spell_key(result, label).zh for key, result in results.items()}


def build_page(
    study: Study,
    run_folder: Path,
    notebooks: Sequence[str],
    translator: Translator,
    left_out: Mapping[str, str],
    results: Results,
) -> str:
    """The page as text (see `write_report`); what has no translation is then in ``translator.missing``."""
    lacking = list_lacking(study)
    chapters = [read_chapter(run_folder / "notebooks" / f"{name}.ipynb", translator, lacking) for name in notebooks]
    environment = _environment(translator)
    instead = _in_place_of_tables(study, run_folder, environment, translator)
    origins = Origins(study, chapters, run_folder)
    opened = [_open_chapter(chapter, results, instead, origins) for chapter in chapters]
    chapters = [chapter for chapter, _ in opened]
    environment.filters["option"] = lambda text: _option(text, study, translator)
    environment.globals["comma"] = Label(en=", ", zh="、")
    environment.globals["chosen_from"] = lambda decision: _options(decision, study, translator)
    environment.globals.update(words=origins.words, method=origins.method, code_of=origins.code_of)
    units = _units(study, run_folder, environment, chapters)
    verdicts, choices = _open_verdicts([part for chapter in chapters[-1:] for part in _lift(chapter)])
    page = environment.get_template("report.html.j2")
    text = page.render(
        study=study,
        style=STYLE.read_text(encoding="utf-8"),
        script=SCRIPT,
        script_digest=base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode(),
        chapters=chapters,
        answers=[_sentence(sentence, translator, results) for sentence in answer(study, results)],
        quality=[_sentence(sentence, translator, results) for sentence in quality(results)],
        verdicts=verdicts,
        choices=choices,
        lifted=[part for chapter in chapters[:-1] for part in _lift(chapter)],
        ladder=_ladder(study, results),
        axis=_axis(_ladder_results(study, results)),
        primary=results.get(_ladder_key(study, study.primary)),
        results=list(results.values()),
        tables=[
            origins.of_table(table) for tables in (*(found for _, found in opened), units.tables) for table in tables
        ],
        units=units,
        methods=read_methods(),
        explorer=read_explorer(run_folder, study.specification.significance, _own_choices(study)),
        explorer_chapter=next((name for name in notebooks if "multiverse" in name), ""),
        checks=[(row, _detail(row, translator)) for row in _steady_checks(study, run_folder)],
        inputs={name: read_inputs(run_folder, name) for name in notebooks},
        left_out=left_out,
    )
    check_links(text, run_folder / FILE)
    return text


def _open_verdicts(parts: list[Lifted]) -> tuple[list[Lifted], tuple[Choice, ...]]:
    """What the first page says of the claims, its ledger to be filtered."""
    found: tuple[Choice, ...] = ()
    opened = []
    for part in parts:
        cells = []
        for cell in part.cells:
            pieces = [open_ledger(output) for output in cell.outputs]
            found = next((choices for _, choices in pieces if choices), found)
            cells.append(replace(cell, outputs=tuple(piece for piece, _ in pieces)))
        opened.append(replace(part, cells=tuple(cells)))
    return opened, found


def _option(text: str, study: Study, translator: Translator) -> str:
    """An option of a decision in both languages, in one line, since an option of a form holds no elements."""
    words = _option_words(text, study, translator)
    return words.en if words.zh == words.en else f"{words.en} / {words.zh}"


def _option_words(text: str, study: Study, translator: Translator) -> Label:
    plain = text.replace("_", " ")
    label = None if translator.knows(plain) else key_label(study, text)
    return label or Label(en=plain, zh=translator.text(plain, where="explorer") or plain)


def _options(decision: Decision, study: Study, translator: Translator) -> Label:
    """All options of a decision in a row, after its name."""
    words = [_option_words(option, study, translator) for _, option in decision.options]
    return Label(en=f": {'; '.join(word.en for word in words)}", zh=f"：{'；'.join(word.zh for word in words)}")


def _own_choices(study: Study) -> dict[str, str]:
    """The primary specification's options in the words of the explorer's table."""
    own = study.ladder[study.primary]
    controls = study.specification.controls if own.controls else ()
    return {
        "effects": " + ".join(own.effects) or "none",
        "controls": " + ".join(controls) or "none",
        "sample": "all",
        "lag": "0",
    }


class Origins:
    """What the popovers say of each number: its words, its method, and where its code stands.

    Parameters
    ----------
    study
        The study, for its labels.
    chapters
        The chapters, whose cells say which methods they reach.
    run_folder
        Holds the tables, whose columns say how they are read.
    """

    def __init__(self, study: Study, chapters: Sequence[Chapter], run_folder: Path) -> None:
        self._study = study
        self._tables = run_folder / "tables"
        self._reached: dict[str, list[str]] = {}
        self._coded: set[str] = set()
        for chapter in chapters:
            self._reached |= reached_modules({cell.anchor: cell.source for cell in chapter.cells if cell.source})
            spoken = [section for section in chapter.sections if not section.silent]
            self._coded |= {cell.anchor for section in spoken for cell in section.cells if cell.source}

    def words(self, result: Result) -> Label:
        """What a result is, by the parts of its key."""
        return spell_key(result, partial(key_label, self._study))

    def method(self, result: Result) -> Method:
        """The family of methods that a result belongs to."""
        return method_of(result.convention, self._reached.get(anchor_of(result), []))

    def of_table(self, table: Shown) -> Shown:
        """A table with its family of methods."""
        return replace(table, method=method_of(None, self._reached.get(table.anchor, []), table.name))

    def note(self, table: Shown) -> str:
        """The note under a table."""
        method = self.of_table(table).method
        path = self._tables / f"{table.name}.csv"
        return note_of(method, read_heads(path), table.head) if method and path.is_file() else ""

    def spell_models(self, piece: str) -> str:
        """A piece of HTML, the models in it also with the words of their variables."""
        axes = {axis.name: axis.label for axis in (self._study.entity, self._study.time)}

        def named(name: str) -> Label | None:
            return axes.get(name) or key_label(self._study, name)

        def spelled(model: re.Match[str]) -> str:
            words = spell_formula(html.unescape(model[1]), named)
            return spread(both(*(html.escape(text, quote=False) for text in (words.en, words.zh))), "code")

        return MODEL.sub(spelled, piece)

    def code_of(self, anchor: str) -> str:
        """Target of a link to the code of a cell; the cell itself where its code is not folded."""
        return f"{anchor}-code" if anchor in self._coded else anchor


def _steady_checks(study: Study, run_folder: Path) -> list[CheckRow]:
    """What was looked at and depends on the run's own files alone, so that the page has the same bytes everywhere."""
    try:
        root = find_root()
    except StudyError:
        return []
    return [row for row in check_run(run_folder, study.folder, root, study.seed) if row.steady]


def _detail(row: CheckRow, translator: Translator) -> str:
    """What a check found, in both languages."""
    values = {place: html.escape(value, quote=False) for place, value in row.values.items()}
    return both(html.escape(row.detail, quote=False), translator.message(row.message, values, "page"))


def _in_place_of_tables(
    study: Study, run_folder: Path, environment: Environment, translator: Translator
) -> dict[str, str]:
    """What the page shows in place of a long table: table -> HTML."""
    cards = data_cards(study, run_folder, translator)
    shown = environment.get_template("cards.html.j2").render(cards=cards)
    return {DESCRIBED: "", TRACED: shown} if cards else {}


@dataclass(frozen=True)
class UnitSection:
    """The section with a card for each unit: its chapter, HTML, style rules, and the tables that it shows."""

    chapter: str = ""
    html: str = ""
    rules: str = ""
    tables: tuple[Shown, ...] = ()


def _units(study: Study, run_folder: Path, environment: Environment, chapters: Sequence[Chapter]) -> UnitSection:
    """The cards of the units, in the chapter whose cell keeps the indices; empty where none does."""
    cells = [(chapter.name, cell) for chapter in chapters for cell in chapter.cells]
    keeping = [(name, cell.anchor) for name, cell in cells if f'run.write_panel(scores, "{VALUES}")' in cell.source]
    units = unit_cards(study, run_folder, _unit_names(study)) if keeping else None
    if units is None:
        return UnitSection()
    chapter, anchor = keeping[0]
    made: Any = environment.get_template("units.html.j2").make_module({"units": units})
    nothing = Label(en="", zh="")
    tables = tuple(Shown(name, str(caption), anchor, nothing) for name, caption in made.captions.items())
    return UnitSection(chapter, str(made), units.rules, tables)


def _open_chapter(
    chapter: Chapter, results: Results, instead: Mapping[str, str], origins: Origins
) -> tuple[Chapter, list[Shown]]:
    """The chapter with its numbers opened, notes under its tables and long ones replaced; and its tables."""
    shown: list[Shown] = []

    def opened(cell: Cell) -> Cell:
        outputs = []
        for output in cell.outputs:
            piece, tables = open_tables(open_numbers(origins.spell_models(output), results), cell.anchor)
            noted = add_notes(piece, {table.name: origins.note(table) for table in tables})
            outputs.append(replace_tables(noted, instead))
            shown.extend(tables)
        return replace(cell, outputs=tuple(filter(None, outputs)))

    sections = tuple(
        replace(section, cells=_link_cells(tuple(opened(cell) for cell in section.cells)))
        for section in chapter.sections
    )
    return replace(chapter, sections=sections), shown


def _link_cells(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The cells of a section, the rows of their pictures linked to those of its tables."""
    tables = [(place, row_names(output)) for place, cell in enumerate(cells) for output in cell.outputs]
    linked = []
    for place, cell in enumerate(cells):
        near = sorted(
            ((before, names) for before, names in tables if abs(before - place) <= NEAR),
            key=lambda found: -abs(found[0] - place),
        )
        rows = {name: found for _, names in near for name, found in names.items()}
        linked.append(replace(cell, outputs=tuple(link_rows(output, rows) for output in cell.outputs)))
    wanted = {target for cell in linked for output in cell.outputs for target in LINKED_ROW.findall(output)}
    return tuple(replace(cell, outputs=tuple(name_rows(output, wanted) for output in cell.outputs)) for cell in linked)


def _sentence(sentence: Sentence, translator: Translator, results: Results) -> str:
    found = translator.message(sentence.message, sentence.values, "first page")
    shown = both(write_markdown(sentence.text), None if found is None else write_markdown(found), "div")
    return open_numbers(shown, results)


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
    return format_drawn_p_value(float(item), result.draws) if field == "p_value" else format_number(item, result.digits)


def _lift(chapter: Chapter) -> list[Lifted]:
    parts = [(section, tuple(_again(cell) for cell in section.cells if cell.summary)) for section in chapter.sections]
    return [
        Lifted(_title(section, cells[0]), chapter.title, section.anchor, cells) for section, cells in parts if cells
    ]


def _title(section: Section, first: Cell) -> str:
    """A section's heading; nothing where the first cell that is taken brings it itself."""
    return "" if first.anchor == section.cells[0].anchor else section.title


def _again(cell: Cell) -> Cell:
    """A cell for the front page: its pictures' ids are named anew, since the chapter shows it too."""
    outputs = (ROW_ID.sub("", PICTURE_ID.sub(r"\1front-", output)) for output in cell.outputs)
    return replace(cell, outputs=tuple(outputs))


def _environment(translator: Translator) -> Environment:
    environment = make_environment(TEMPLATES, translator)
    environment.filters.update(
        heading=lambda name: name[:1].upper() + name[1:].replace("_", " "),
        number=number,
        anchor=anchor_of,
        spread=lambda piece, start: Markup(spread(piece, start)),  # noqa: S704 (sealed before, as every title)
        p_value=format_p_value,
    )
    briefs = Briefs(translator)

    def rules() -> Markup:
        return Markup(briefs.rules())  # noqa: S704 (quoted for style)

    def formula(tex: str) -> Markup:
        piece = translate_formulas(write_markdown(f"$${tex}$$"), translator, "methods")
        return Markup(piece)  # noqa: S704 (sealed by `write_markdown`)

    environment.globals.update(brief=briefs.name, brief_rules=rules, formula=formula)
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
    names = {"entity": study.entity.label, "time": study.time.label}
    assert result.estimate is not None
    assert result.ci_low is not None
    assert result.ci_high is not None
    return Rung(
        label=choice.label,
        controls=choice.controls,
        effects=tuple(names[effect] for effect in choice.effects),
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
