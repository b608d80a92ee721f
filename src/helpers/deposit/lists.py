"""Lists that write themselves: tables and figures of a run, the map of the modules, the commands.

Each stands in a document between two marks; `study lists` writes it anew, and a test holds the documents to it.
"""

from __future__ import annotations

import argparse
import ast
import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from helpers.claims.file import load_claims
from helpers.claims.verdicts import VERDICT_LABELS, Verdict, claim_words, judge_claims
from helpers.display.prose import fill_message
from helpers.errors import StudyError
from helpers.files import write_text
from helpers.report.language import read_catalogue
from helpers.report.sections.front import answer
from helpers.results.results import read_results
from helpers.study.study import find_root, load_study

SHOWN = re.compile(r"(table|figure)s/([a-z0-9_]+)\.(?:csv|svg)")
FLOW = (
    "study", "reading", "cleaning", "index", "regression", "inference", "robustness", "multiverse", "identification",
    "mediation", "heterogeneity", "coordination", "society", "policy", "large", "results", "claims", "display",
    "report", "runner", "review",
)  # fmt: skip
"""The folders in the order in which data flows; one that is not named stands at the end."""


def replace_list(text: str, name: str, body: str, where: str) -> str:
    """A document with one of its lists written anew.

    Raises
    ------
    StudyError
        The document has no such marks.
    """
    pattern = re.compile(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise StudyError(
            where, f"it has no list {name!r}", f"put back the marks <!-- {name}: ... --> and <!-- end of {name} -->"
        )
    return pattern.sub(lambda match: f"{match[1]}{body.rstrip()}\n{match[2]}", text)


def list_shown(run: Path) -> str:
    """Every table and figure of a finished run, from its record, with the notebook that makes it and its file.

    Raises
    ------
    StudyError
        The folder holds no record of a run.
    """
    records = sorted((run / "run" / "record").glob("[0-9]*.json"))
    if not records:
        raise StudyError(str(run), "there is no record of a run here", "run the study first")
    lines = ["| table or figure | notebook | file |", "|---|---|---|"]
    for path in records:
        for product in sorted(json.loads(path.read_text(encoding="utf-8"))["products"]):
            match = SHOWN.fullmatch(product)
            if match:
                lines.append(f"| {match[1]} `{match[2]}` | {path.stem} | `{product}` |")
    return "\n".join(lines)


def map_modules(package: Path) -> str:
    """Every module of the package by folder, each with the first line of its docstring."""
    folders = sorted((path.parent.relative_to(package) for path in package.glob("*/**/__init__.py")), key=_place)
    parts = [
        "\n".join(
            [
                f"## `{folder}/`",
                "",
                _first_line(package / folder / "__init__.py"),
                "",
                *_rows((package / folder).glob("*.py")),
            ]
        )
        for folder in folders
    ]
    alone = "\n".join(["## Beside them", "", *_rows(package.glob("*.py"))])
    return "\n\n".join([*parts, alone]) + "\n"


def list_commands(parser: argparse.ArgumentParser) -> str:
    """Every command with its line of help."""
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    helps = {action.dest: action.help or "" for action in commands._choices_actions}
    rows = [f"| `study {_usage(name, commands.choices[name])}` | {told} |" for name, told in helps.items()]
    return "\n".join(["| command | does |", "|---|---|", *rows])


def tell_findings(run: Path, language: str) -> str:
    """What was found, in sentences made from the results of a finished run; then one line of verdicts for each text."""
    results = read_results(run / "results.json")
    study = load_study(find_root() / "data" / results.study)
    catalogue = read_catalogue()
    sentences = [
        sentence.text if language == "en" else fill_message(catalogue[sentence.message], sentence.values, language)
        for sentence in answer(study, results)
    ]
    claims = load_claims(study.folder)
    judged = judge_claims(claims, results, claim_words(study))
    plain = [html.unescape(re.sub(r"<[^>]+>", "", sentence)) for sentence in sentences]
    return "\n".join([*(f"> {sentence}\n>" for sentence in plain), "", *_verdict_rows(judged, language)])


def _verdict_rows(judged: Mapping[str, Verdict], language: str) -> list[str]:
    """One row per text: how many of its statements have which verdict."""
    names = list(VERDICT_LABELS)
    heads = [getattr(VERDICT_LABELS[name], language) for name in names]
    counted = Counter((verdict.claim.source, str(verdict.verdict)) for verdict in judged.values())
    rows = [
        f"| {source} | " + " | ".join(str(counted[source, name]) for name in names) + " |"
        for source in dict.fromkeys(verdict.claim.source for verdict in judged.values())
    ]
    return [f"| {'text' if language == 'en' else '文献'} | {' | '.join(heads)} |", "|---|" + "---|" * len(names), *rows]


def write_lists(root: Path, run: Path | None, parser: argparse.ArgumentParser) -> list[Path]:
    """Write every list of the READMEs and the map anew; the documents that changed.

    Without a finished run, those that hang on results stay as they are.
    """
    bodies = {
        root / "README.md": {"commands": list_commands(parser)},
        root / "src" / "helpers" / "README.md": {"modules": map_modules(root / "src" / "helpers")},
    }
    if run is not None:
        bodies[root / "README.md"] |= {"findings": tell_findings(run, "en"), "shown": list_shown(run)}
        bodies[root / "README.zh.md"] = {"findings": tell_findings(run, "zh")}
    changed = []
    for path, lists in bodies.items():
        text = before = path.read_text(encoding="utf-8")
        for name, body in lists.items():
            text = replace_list(text, name, body, str(path))
        if text != before:
            changed.append(write_text(path, text))
    return changed


def _place(folder: Path) -> tuple[int, str]:
    step = folder.parts[0]
    return (FLOW.index(step) if step in FLOW else len(FLOW), folder.as_posix())


def _rows(paths: Iterable[Path]) -> list[str]:
    names = sorted(path for path in paths if path.stem != "__init__")
    return ["| module | what it is |", "|---|---|", *(f"| `{path.stem}` | {_first_line(path)} |" for path in names)]


def _first_line(path: Path) -> str:
    document = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return document.split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def _usage(name: str, parser: argparse.ArgumentParser) -> str:
    words = [action.metavar or action.dest.upper() for action in parser._actions if not action.option_strings]
    options = [
        f"[{action.option_strings[-1]}]"
        for action in parser._actions
        if action.option_strings and action.dest != "help"
    ]
    return " ".join([name, *map(str, words), *options]).replace("|", "\\|")
