"""A study's replication report, filled in from a verification: nothing in it is typed.

The headings of ``REPLICATION.md`` are those of the AEA Data Editor's replication reports. The level of a display item
is that of the Social Science Reproduction Platform: 10, reproducible from raw data, where every number came out again;
8, all cleaning code and raw data, where one did not. Complete, stable and consistent are the World Bank's three words.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from helpers.errors import StudyError
from helpers.files import write_text
from helpers.results.panel_of_checks import CheckRow, check_run, describe_verification, list_deviations
from helpers.review.machine import digest_files

if TYPE_CHECKING:
    from helpers.study.study import Study

FULL, BELOW = 10, 8
REPORT = "REPLICATION.md"
CODECHECK = "codecheck.yml"
GIB = 2**30


def read_record(root: Path, study: Study) -> dict[str, Any]:
    """The record of the last verification, which must be of the project as it stands.

    Raises
    ------
    StudyError
        There is none, or code, data or lock have changed since.
    """
    path = root / "reports" / study.name / "run" / "verify" / "verify.json"
    if not path.is_file():
        raise StudyError(str(path), "the study has not been verified", f"run `study verify {study.name}`")
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    data = study.folder.relative_to(root).as_posix()
    now = {"code": digest_files(root, "src", "notebooks"), "data": digest_files(root, data)}
    now["lock"] = digest_files(root, "requirements.lock")
    for name, digest in now.items():
        if record["inputs"].get(name) != digest:
            rule = f"the {name} changed after the study was verified on {record['date']}"
            raise StudyError(str(path), rule, f"run `study verify {study.name}` again")
    return record


def write_certificate(root: Path, study: Study, folder: Path) -> list[Path]:
    """Write ``REPLICATION.md``, ``codecheck.yml`` and ``ro-crate-metadata.json`` into a folder."""
    from helpers.deposit.crate import write_crate

    record = read_record(root, study)
    rows = check_run(root / "reports" / study.name, study.folder, root, study.seed)
    return [
        write_text(folder / REPORT, "\n".join(_report(root, study, record, rows)) + "\n"),
        write_text(folder / CODECHECK, codecheck(root, study, record)),
        write_crate(root, study, record, folder),
    ]


def notebooks_run(record: Mapping[str, Any]) -> list[str]:
    """The notebooks that a verification ran: the folder may hold forms for other studies beside them."""
    return [name for name in record["seconds"] if name not in ("run", "report")]


def _report(root: Path, study: Study, record: Mapping[str, Any], rows: tuple[CheckRow, ...]) -> Iterator[str]:
    yield f"# Replication report: {study.title.en}\n"
    yield from _summary(record)
    yield from _data(study)
    yield "\n## Data checks\n"
    yield from (f"- {_tick(row.holds)} {row.name}: {row.detail}" for row in rows)
    yield "\n## Code description\n"
    notebooks = notebooks_run(record)
    modules = sum(1 for path in (root / "src" / "helpers").rglob("*.py") if path.stem != "__init__")
    yield f"{len(notebooks)} notebooks, run side by side where one does not read another: {', '.join(notebooks)}."
    yield f"{modules} modules of helpers in `src/helpers/`."
    yield f"Code SHA-256 `{record['inputs']['code']}`, commit {record['inputs']['commit'] or 'none'}."
    yield from _environment(record)
    yield from _steps(study, record)
    yield from _findings(record)
    yield from _classification(root, study, record)


def _tick(holds: bool | None) -> str:
    return {True: "[x]", False: "[ ]", None: "[?]"}[holds]


def _summary(record: Mapping[str, Any]) -> Iterator[str]:
    told = describe_verification(record)
    yield f"## Summary\n\n{told[0].upper()}{told[1:]}, against {record['reference']}."
    words = record["verdicts_and_orders"]
    yield f"Of {sum(words.values()):,} verdicts and orders of rows, {words['reproduced']:,} came out again."
    furthest = record["largest_relative_difference"]
    if furthest:
        place = f"{furthest['source']}, {furthest['row']}, {furthest['field']}"
        yield f"The largest relative difference of any two numbers is {furthest['relative']:.1e} ({place})."
    else:
        yield "No number differs by a single bit."


def _data(study: Study) -> Iterator[str]:
    files = json.loads((study.folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    home = f"data/{study.folder.name}"
    yield "\n## Data description\n"
    yield f"{len(files)} data files in `{home}/`, listed with their SHA-256 in `manifest.json`; all are in the package."
    yield f"{len(study.columns)} statistics are read; where each comes from stands in `{home}/SOURCES.md`."
    deviations = list(list_deviations(study.folder))
    if deviations:
        yield "\nDeviations from the plan:\n"
        yield from (f"- {text}" for text in deviations)


def _environment(record: Mapping[str, Any]) -> Iterator[str]:
    machine = record["machine"]
    yield "\n## Computing environment\n"
    memory = f"{machine['memory_bytes'] / GIB:.1f} GiB of memory"
    yield f"- {machine['system']}; {machine['processor']}, {machine['cores']} cores, {memory}"
    versions = [f"{name} {text}" for name, text in machine.items() if name not in _HARDWARE]
    yield f"- {', '.join(versions)}; all versions in `requirements.lock` (SHA-256 `{record['inputs']['lock']}`)"


_HARDWARE = ("system", "processor", "cores", "memory_bytes")


def _steps(study: Study, record: Mapping[str, Any]) -> Iterator[str]:
    options = f" {record['inputs']['options']}" if record["inputs"]["options"] else ""
    yield "\n## Replication steps\n"
    command = f"study run {study.folder.name}{options}"
    yield f"1. The project was copied without its results, and `{command}` was run in the copy, from raw data."
    yield "2. Every number of `results.json` and of the tables was compared with the reference by its rule.\n"
    yield "| step | seconds |\n|---|---:|"
    yield from (f"| {name} | {seconds:.1f} |" for name, seconds in record["seconds"].items())
    yield f"\nThe largest process held {record['memory_bytes'] / GIB:.2f} GiB."


def _findings(record: Mapping[str, Any]) -> Iterator[str]:
    yield "\n## Findings\n\n### Tables\n\n| table | made in | numbers reproduced | SSRP level |\n|---|---|---:|---:|"
    for name, item in record["tables"].items():
        level = FULL if item["reproduced"] == item["of"] else BELOW
        yield f"| {name} | {item['notebook']} {item['cell']} | {item['reproduced']:,} of {item['of']:,} | {level} |"
    yield "\n### Figures\n\n| figure | made in | same bytes | SSRP level |\n|---|---|---|---:|"
    for name, item in record["figures"].items():
        told = ("yes", FULL) if item["same"] else ("no: to be looked at in verify.html", BELOW)
        yield f"| {name} | {item['notebook']} {item['cell']} | {told[0]} | {told[1]} |"
    yield "\n### In-text numbers\n\n| notebook | recorded numbers reproduced |\n|---|---:|"
    for name, item in record["results"].items():
        yield f"| {name} | {item['reproduced']:,} of {item['of']:,} |"
    yield "\n### Rules\n\n| kind | rule | reproduced | differs | cannot say |\n|---|---|---:|---:|---:|"
    for item in record["kinds"]:
        counts = [f"{item.get(answer, 0):,}" for answer in ("reproduced", "differs", "cannot say")]
        yield f"| {item['kind']} | {item['rule']} | {' | '.join(counts)} |"


def _classification(root: Path, study: Study, record: Mapping[str, Any]) -> Iterator[str]:
    numbers, same = record["numbers"], not record["pictures_that_differ"]
    none = numbers["reproduced"] < numbers["differs"] + numbers["cannot say"]
    place = 0 if record["complete"] and same else 1 if record["complete"] else 3 if none else 2
    yield "\n## Classification\n"
    yield from (f"- [{'x' if number == place else ' '}] {text}" for number, text in enumerate(_CLASSES))
    if place == 1:
        yield f"\nMinor issues: the pictures {', '.join(record['pictures_that_differ'])} are not the same bytes."
    yield "\nWorld Bank:\n"
    yield "- complete: yes, code, data and lock are in the package and the run needed nothing else"
    yield f"- stable: {_stable(root, study, record)}"
    yield f"- consistent: {'yes' if record['complete'] else 'no'}, {describe_verification(record)}"


_CLASSES = (
    "full reproduction",
    "full reproduction with minor issues",
    "partial reproduction",
    "not able to reproduce most or all of the results",
)


def _stable(root: Path, study: Study, record: Mapping[str, Any]) -> str:
    path = root / "reports" / study.name / "run" / "verify" / "twice.json"
    twice = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if twice.get("code") != record["inputs"]["code"]:
        return "not looked at (`study verify --twice` does)"
    first = twice["first_difference"]
    return f"no: {first}" if first else f"yes, two runs on {twice['date']} were the same"


def codecheck(root: Path, study: Study, record: Mapping[str, Any]) -> str:
    """``codecheck.yml`` of the CODECHECK community, version 1.0 of its configuration."""
    home = f"reports/{study.name}"
    manifest = {f"{home}/results.json": "all recorded numbers"}
    for name, item in record["tables"].items():
        manifest[f"{home}/tables/{name}.csv"] = f"{item['reproduced']} of {item['of']} numbers"
    for name, item in record["figures"].items():
        manifest[f"{home}/figures/{name}.svg"] = "same bytes" if item["same"] else "differs"
    citation = root / "CITATION.cff"
    paper = yaml.safe_load(citation.read_text(encoding="utf-8")) if citation.is_file() else {}
    content = {
        "version": "https://codecheck.org.uk/spec/config/1.0/",
        "paper": {
            "title": paper.get("title", study.title.en),
            "authors": [{"name": author.get("name", "")} for author in paper.get("authors", [])],
        },
        "manifest": [{"file": name, "comment": comment} for name, comment in manifest.items()],
        "codechecker": [{"name": _person(root)}],
        "summary": describe_verification(record),
        "check_time": record["date"],
        "certificate": f"{home}/run/certificate/{REPORT}",
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def _person(root: Path) -> str:
    """Who checked, by the name that git knows on this machine."""
    command = ["git", "-C", str(root), "config", "user.name"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return "not stated"
    return done.stdout.strip() or "not stated"
