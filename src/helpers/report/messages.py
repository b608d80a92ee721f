"""The messages that the catalogues must translate, read from where they stand: notebooks, page, first page.

A translator edits ``locale/<language>/LC_MESSAGES/*.po`` beside this module in any editor of such files; the command
``study messages`` brings the files in step with the sources: it adds what is new, takes out what stands nowhere any
more, and keeps the translations. Words of tables and pictures are known only once they were shown: they come from
finished runs.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from helpers.display.prose import PLACE
from helpers.report.chapters import split_blocks
from helpers.report.console import CATALOGUES, COMMAND_LINE, LANGUAGE
from helpers.report.language import Translator, read_catalogue
from helpers.report.sections import front
from helpers.report.spoken import HELPERS, command_messages

IN_TEMPLATE = re.compile(r'\b(?:t|line|brief)\("((?:[^"\\]|\\.)*)"')
IN_FORMULA = re.compile(r"\\text\{([^{}]*)\}")
# Calls whose texts a reader does not see.
UNSEEN = {"rng", "open_run", "read", "print", "eval", "query", "record", "astype"}


def page_messages() -> set[str]:
    """What pages and forms themselves say: their templates, and the answer on the report's first page."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(HELPERS.glob("*/templates/*.j2"))]
    template = {match[1] for text in texts for match in IN_TEMPLATE.finditer(text)}
    said = {text for name, text in vars(front).items() if name.isupper() and isinstance(text, str)}
    return template | said


def notebook_messages(cells: Iterable[tuple[str, str]]) -> set[str]:
    """What one notebook says: the blocks of its text cells and the texts in its code.

    Parameters
    ----------
    cells
        Kind ("markdown" or "code") and source of each cell.
    """
    found: set[str] = set()
    for kind, source in cells:
        if kind == "markdown":
            for block in split_blocks(source):
                formula = block.startswith("$$") and block.endswith("$$")
                found.update(IN_FORMULA.findall(block) if formula else [block])
        elif kind == "code":
            found.update(_texts(ast.parse(source)))
    return {text for text in found if re.search(r"[A-Za-z]{2}", PLACE.sub("", text))}


def _texts(tree: ast.AST) -> Iterable[str]:
    """String constants that hold a blank and so are words for a reader, outside calls that show nothing."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name in UNSEEN:
                continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.value
        waiting.extend(ast.iter_child_nodes(node))


def places(message: str) -> list[str]:
    """The places of a message, sorted: a translation has the same."""
    return sorted(match[0] for match in PLACE.finditer(message))


def update(path: Path, messages: Mapping[str, str]) -> int:
    """Bring a catalogue in step with its messages; the number of those without a translation.

    Parameters
    ----------
    path
        The ``.po`` file; made if it is not there.
    messages
        Message -> the place where it stands.
    """
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    known = _known(path)
    renamed = {PLACE.sub("{}", text): text for text in known}
    catalogue = Catalog(locale=LANGUAGE, fuzzy=False, charset="utf-8")
    for message in sorted(messages, key=lambda text: (messages[text], text)):
        said = known[message] = known.get(message) or _rename(message, renamed, known)
        catalogue.add(message, said, auto_comments=[messages[message]] if messages[message] else [])
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=110, omit_header=True)
    return sum(not known.get(message) for message in messages)


def _rename(message: str, renamed: Mapping[str, str], known: Mapping[str, str]) -> str:
    """The translation of a message whose places had other names before; empty where there is none."""
    before = renamed.get(PLACE.sub("{}", message))
    if before is None:
        return ""
    names = dict(zip(PLACE.findall(before), PLACE.findall(message), strict=True))
    return PLACE.sub(lambda place: f"{{{names[place[1]]}}}" if names.get(place[1]) else place[0], known[before])


def catalogue_path(name: str) -> Path:
    """The file of one catalogue."""
    return CATALOGUES / LANGUAGE / "LC_MESSAGES" / f"{name}.po"


def read_messages(folder: Path) -> dict[str, str]:
    """Message -> notebook where it stands first, of every notebook of a folder."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("[0-9]*.ipynb")):
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in content["cells"]]
        for message in notebook_messages(cells):
            found.setdefault(message, path.stem)
    return found


def shown_words(run: Path, known: Iterable[str]) -> dict[str, str]:
    """Words that the report of a finished run shows and nothing declares, each with the notebook that shows it."""
    from helpers.report.labels import study_labels
    from helpers.report.report import build_page
    from helpers.results.results import read_results
    from helpers.study.study import find_root, load_study

    results = read_results(run / "results.json")
    study = load_study(find_root() / "data" / results.study)
    translator = Translator(dict.fromkeys(known, "") | read_catalogue(), study_labels(study))
    notebooks = sorted(path.stem for path in (run / "notebooks").glob("*.ipynb"))
    build_page(study, run, notebooks, translator, {}, results)
    return translator.missing


def update_all(root: Path, runs: Iterable[Path]) -> dict[str, int]:
    """Bring every catalogue in step; name -> number of messages without a translation.

    Words of tables and pictures are read from finished runs; those that no run shows are kept, since another may.
    """
    page, said = page_messages(), read_messages(root / "notebooks")
    left = {
        COMMAND_LINE: update(catalogue_path(COMMAND_LINE), command_messages()),
        "page": update(catalogue_path("page"), dict.fromkeys(page, "")),
        "notebooks": update(
            catalogue_path("notebooks"), {text: where for text, where in said.items() if text not in page}
        ),
    }
    words = dict.fromkeys(_known(catalogue_path("words")), "")
    for run in runs:
        words |= shown_words(run, [*page, *said])
    declared = page | said.keys()
    left["words"] = update(
        catalogue_path("words"), {text: where for text, where in words.items() if text not in declared}
    )
    return left


def _known(path: Path) -> dict[str, str]:
    """Message -> translation of a catalogue, empty where it has none."""
    from babel.messages.pofile import read_po

    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {str(item.id): str(item.string or "") for item in read_po(file) if item.id}
