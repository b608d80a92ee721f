"""The report: one file that opens offline, made from the executed notebooks and their results."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from helpers.display.prose import Sentence, format_number, format_p_and_error, format_p_value
from helpers.errors import StudyError, attempt
from helpers.files import write_text
from helpers.report.bilingual import translate_formulas
from helpers.report.chapters import Chapter, read_chapter, write_markdown
from helpers.report.environment import STYLE, make_environment
from helpers.report.labels import key_labels, read_units_file, study_labels
from helpers.report.language import Briefs, Translator, both, read_catalogue, spread
from helpers.report.origins import read_methods
from helpers.report.popovers import anchor_of, open_numbers, read_inputs
from helpers.report.resolved import check_resolved
from helpers.report.sections.cards import replace_long_tables
from helpers.report.sections.explorer import list_options, option_line, own_choices, read_explorer
from helpers.report.sections.front import answer, quality
from helpers.report.sections.ladder import ladder_axis, ladder_key, ladder_results, ladder_rungs
from helpers.report.sections.lifted import lift_cells, open_verdicts
from helpers.report.sections.opened import Origins, open_chapter
from helpers.report.sections.sorting import order_rules
from helpers.report.sections.units import unit_section
from helpers.results.panel_of_checks import CheckRow, check_run
from helpers.results.results import Result, Results, read_results
from helpers.study.file import find_root
from helpers.study.needs import list_lacking

if TYPE_CHECKING:
    from jinja2 import Environment

    from helpers.study.study import Study

TEMPLATES = Path(__file__).parent / "templates"
FILE = "report.html"
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
    names = [*labels, *labels.values(), *read_units_file(study)[study.entity.key]]
    unresolved = attempt(check_resolved, text, run_folder, names)
    if isinstance(unresolved, StudyError):  # told, and no stop: the page of a sound study is written all the same
        sys.stderr.write(f"{unresolved}\n")
    return write_text(run_folder / FILE, text)


def read_ahead(notebook: Path) -> None:
    """Do what an executed notebook's chapter takes apart from its translation, while other notebooks run.

    What is found is kept in this process (see `KEPT` in `chapters`); a notebook that cannot be read is told by
    `write_report`.
    """
    read_catalogue()
    attempt(read_chapter, notebook, Translator({}))


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
    environment = page_environment(translator)
    instead = replace_long_tables(study, run_folder, environment, translator)
    origins = Origins(study, chapters, run_folder)
    order = environment.get_template("order.html.j2")
    opened = [
        open_chapter(chapter, results, instead, origins, lambda found: order.render(columns=found))
        for chapter in chapters
    ]
    chapters = [chapter for chapter, _ in opened]
    environment.filters["option"] = lambda text: option_line(text, study, translator)
    environment.globals["chosen_from"] = lambda decision: list_options(decision, study, translator)
    environment.globals.update(words=origins.words, method=origins.method, code_of=origins.code_of)
    units = unit_section(study, run_folder, environment, chapters)
    verdicts, choices = open_verdicts([part for chapter in chapters[-1:] for part in lift_cells(chapter)])
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
        lifted=[part for chapter in chapters[:-1] for part in lift_cells(chapter)],
        ladder=ladder_rungs(study, results),
        axis=ladder_axis(ladder_results(study, results)),
        primary=results.get(ladder_key(study, study.primary)),
        results=_seen(results, chapters),
        tables=[
            origins.of_table(table) for tables in (*(found for _, found in opened), units.tables) for table in tables
        ],
        units=units,
        order_rules=order_rules(),
        methods=read_methods(),
        explorer=read_explorer(run_folder, study.specification.significance, own_choices(study)),
        explorer_chapter=next((name for name in notebooks if "multiverse" in name), ""),
        checks=[(row, _detail(row, translator)) for row in _steady_checks(study, run_folder)],
        inputs={name: read_inputs(run_folder, name) for name in notebooks},
        left_out=left_out,
    )
    check_links(text, run_folder / FILE)
    return text


def _seen(results: Results, chapters: Sequence[Chapter]) -> list[Result]:
    """The results whose cells the page shows: a count of what the study does not have leads nowhere."""
    unseen = frozenset[str]().union(*(chapter.unseen for chapter in chapters))
    return [result for result in results.values() if f"{result.notebook}-{result.cell}" not in unseen]


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
    return (
        format_p_and_error(float(item), result.draws, result.p_error)
        if field == "p_value"
        else format_number(item, result.digits)
    )


def page_environment(translator: Translator) -> Environment:
    """What fills the templates of the page: beside what all templates can say, its numbers, links and formulas."""
    environment = make_environment(TEMPLATES, translator)
    environment.filters.update(
        heading=lambda name: name[:1].upper() + name[1:].replace("_", " "),
        number=number,
        rounded=format_number,
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
