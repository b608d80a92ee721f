"""A study's replication report, filled in from a verification in both languages: nothing in it is typed.

The headings of the report are those of the AEA Data Editor's replication reports. The level of a display item
is that of the Social Science Reproduction Platform: 10, reproducible from raw data, where every number came out again;
8, all cleaning code and raw data, where one did not. Complete, stable and consistent are the World Bank's three words.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from helpers.errors import StudyError
from helpers.files import write_text
from helpers.report.environment import make_environment
from helpers.results.panel_of_checks import check_run, describe_verification, list_deviations
from helpers.review.machine import digest_files
from helpers.study.file import read_yaml

if TYPE_CHECKING:
    from helpers.study.study import Study

FULL, BELOW = 10, 8
REPORTS = {"en": "REPLICATION.md", "zh": "REPLICATION.zh.md"}
HARDWARE = ("system", "processor", "cores", "memory_bytes")
TEMPLATES = Path(__file__).parent / "templates"
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
    """Write ``REPLICATION.md``, its Chinese, ``codecheck.yml`` and ``ro-crate-metadata.json`` into a folder."""
    from helpers.deposit.crate import write_crate

    record = read_record(root, study)
    return [
        *(write_text(folder / name, write_replication(root, study, record, told)) for told, name in REPORTS.items()),
        write_text(folder / CODECHECK, codecheck(root, study, record)),
        write_crate(root, study, record, folder),
    ]


def notebooks_run(record: Mapping[str, Any]) -> list[str]:
    """The notebooks that a verification ran: the folder may hold forms for other studies beside them."""
    return [name for name in record["seconds"] if name not in ("run", "report")]


def write_replication(root: Path, study: Study, record: Mapping[str, Any], language: str) -> str:
    """The replication report in one language.

    Parameters
    ----------
    root
        The project's root.
    study
        The study.
    record
        Of its verification.
    language
        ``en`` or ``zh``.
    """
    machine = record["machine"]
    options = f" {record['inputs']['options']}" if record["inputs"]["options"] else ""
    form = make_environment(TEMPLATES, language=language).get_template("replication.md.j2")
    return form.render(
        study=study,
        record=record,
        numbers=record["numbers"],
        words=record["verdicts_and_orders"],
        furthest=record["largest_relative_difference"],
        files=len(json.loads((study.folder / "manifest.json").read_text(encoding="utf-8"))["files"]),
        home=f"data/{study.folder.name}",
        deviations=list(list_deviations(study.folder)),
        checks=check_run(root / "reports" / study.name, study.folder, root, study.seed),
        notebooks=notebooks_run(record),
        modules=sum(1 for path in (root / "src" / "helpers").rglob("*.py") if path.stem != "__init__"),
        machine=machine,
        versions=[f"{name} {text}" for name, text in machine.items() if name not in HARDWARE],
        command=f"study run {study.folder.name}{options}",
        twice=_read_twice(root, study, record),
        count="{:,}".format,
        total=lambda counts: sum(counts.values()),
        place=_classify(record),
        FULL=FULL,
        BELOW=BELOW,
        GIB=GIB,
    )


def _classify(record: Mapping[str, Any]) -> int:
    """The class of a reproduction, counted from 0 for the full one."""
    numbers = record["numbers"]
    if record["complete"]:
        return 1 if record["pictures_that_differ"] else 0
    return 3 if numbers["reproduced"] < numbers["differs"] + numbers["cannot say"] else 2


def _read_twice(root: Path, study: Study, record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of two runs of the code that was verified; empty where there is none."""
    path = root / "reports" / study.name / "run" / "verify" / "twice.json"
    twice: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return twice if twice.get("code") == record["inputs"]["code"] else {}


def codecheck(root: Path, study: Study, record: Mapping[str, Any]) -> str:
    """``codecheck.yml`` of the CODECHECK community, version 1.0 of its configuration."""
    home = f"reports/{study.name}"
    manifest = {f"{home}/results.json": "all recorded numbers"}
    for name, item in record["tables"].items():
        manifest[f"{home}/tables/{name}.csv"] = f"{item['reproduced']} of {item['of']} numbers"
    for name, item in record["figures"].items():
        manifest[f"{home}/figures/{name}.svg"] = "same bytes" if item["same"] else "differs"
    citation = root / "CITATION.cff"
    paper = read_yaml(citation) if citation.is_file() else {}
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
        "certificate": f"{home}/run/certificate/{REPORTS['en']}",
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
