"""The commands that run and check a study.

Imports are late: ``study --help`` and a run with nothing to do load no pandas, no papermill and no matplotlib.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.errors import StudyError
from helpers.study.arguments import (
    BAD_INPUT,
    DONE,
    FAILED,
    add_command,
    find_project,
    read_count,
    read_setting,
    read_study,
    spoken_language,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helpers.runner.plan import Request
    from helpers.study.arguments import Commands
    from helpers.study.study import Study

DEFAULT_PRESET = "standard"
PRESETS = "quick, standard or thorough"
RUN_EXAMPLES = """\
examples:
  study run                          the default study, standard preset
  study run mystudy --preset quick   fewer draws, in a minute or two
  study run --only 3                 notebook 03 and those that it reads
  study run --set bootstrap_draws=999 --out reports/more
"""


def add_commands(commands: Commands) -> None:
    """Add this folder's commands to the command line."""
    run = add_command(commands, "run", run_command, "run what has changed, then write the report", study=True)
    add_run_options(run)
    run.epilog, run.formatter_class = RUN_EXAMPLES, argparse.RawDescriptionHelpFormatter
    explain = add_command(commands, "explain", explain_command, "say what would run, and why; run nothing", study=True)
    add_run_options(explain)
    check = add_command(commands, "check", check_command, "validate a study's file and data; run nothing", study=True)
    check.add_argument("--accept", action="store_true", help="write the checksums anew after a change that was meant")
    add_command(commands, "schema", schema_command, "write data/study.schema.json, for completion in editors")
    twins = add_command(commands, "twins", twins_command, "bring every notebook and its .ipynb twin in step")
    twins.add_argument("--keep", choices=("py", "ipynb"), help="which one to keep where both were edited")
    twins.add_argument("--outputs", type=Path, metavar="DIR", help="take checked outputs from these executed notebooks")


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run."""
    parser.add_argument(
        "--workers", type=read_count, metavar="N", help="notebooks at a time (default: number of cores)"
    )
    parser.add_argument(
        "--only", metavar="NOTEBOOK", help="only this notebook, by name or number, and those that it reads; no report"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=read_setting,
        metavar="NAME=VALUE",
        help="notebook parameter; repeatable",
    )
    parser.add_argument(
        "--preset", metavar="NAME", help=f"a preset of the study file: {PRESETS} (default: {DEFAULT_PRESET})"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="the run folder (default: reports/STUDY)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler; its workers must see this folder")
    parser.add_argument(
        "--timeout", type=read_count, default=3600, metavar="S", help="seconds for one cell (default: 3600)"
    )
    parser.add_argument(
        "--notebooks",
        type=Path,
        metavar="DIR",
        help="run these notebooks instead of the project's; needs --trust, --out",
    )
    parser.add_argument(
        "--trust", action="store_true", help="run the code of --notebooks, which may do whatever you may do here"
    )


def trusted_notebooks(options: argparse.Namespace) -> Path | None:
    """The folder of notebooks that a person has named and said to trust; None for the project's own.

    Raises
    ------
    StudyError
        A folder that is named and not trusted, one that is not there, or no folder of its own to write into.
    """
    named: Path | None = getattr(options, "notebooks", None)
    if named is None:
        if getattr(options, "trust", False):
            raise StudyError("--trust", "no folder of notebooks is named", "add --notebooks DIR, or leave it out")
        return None
    where = f"--notebooks {named}"
    if not named.is_dir():
        raise StudyError(where, "there is no such folder", "name a folder of NN_name.py with their .ipynb twins")
    if not options.trust:
        rule = "notebooks are code: they can read, change and send whatever you can"
        raise StudyError(where, rule, "read them first, then add --trust; nothing was run")
    if options.out is None:
        rule = "other notebooks would write over the report of the project's own"
        raise StudyError(where, rule, "name a folder for what they make with --out")
    return named.resolve()


def make_request(options: argparse.Namespace) -> Request:
    """What a person asked for by the options of a run.

    Raises
    ------
    StudyError
        A study that cannot be read, data that are not those of the manifest, an unknown preset, a parameter set twice,
        notebooks that are not trusted.
    """
    from helpers.reading.manifest import check_manifest
    from helpers.runner.plan import Request

    root, study, word = read_study(options.study)
    check_manifest(study.folder)
    notebooks = trusted_notebooks(options)
    folder = options.out.resolve() if options.out else root / "reports" / study.name
    settings = dict(options.set)
    if len(settings) < len(options.set):
        raise StudyError("--set", "a parameter is set twice", "set each once")
    return Request(
        root=root,
        study=word,
        study_folder=study.folder,
        folder=folder,
        preset=_preset(study, options.preset),
        settings=settings,
        only=options.only,
        workers=options.workers or os.cpu_count() or 1,
        scheduler=options.scheduler,
        timeout=options.timeout,
        check=lambda: _check_study(study, notebooks or root / "notebooks"),
        expect=lambda asked: _expect(study, root / "notebooks", asked, options.workers),
        headline=_headline_of(study),
        notebooks=notebooks,
        declared=study,
    )


def _expect(
    study: Study, notebooks: Path, asked: Mapping[str, Mapping[str, Any]], workers: int | None = None
) -> list[str]:
    """What a run is likely to take, in words; nothing where nobody has measured these notebooks."""
    from helpers.study.cost import describe, expect, free_memory, measure_size, read_costs

    costs = read_costs(notebooks)
    if costs is None or not study.memory:  # nobody has measured the forms on disk
        return []
    size, cores = measure_size(study), os.cpu_count() or 1
    found = expect(costs, size, asked, min(workers or cores, cores))
    return [] if found is None else describe(found, size, study, free_memory())


def _headline_of(study: Study) -> tuple[str, str]:
    """Key of the primary estimate, and what it is."""
    model, spoken = study.model(), spoken_language()
    treatment, outcome, column = (study.label(name, spoken) for name in (model.treatment, model.outcome, study.primary))
    end = {"en": f" ({column}): ", "zh": f"，{column}："}[spoken]
    words = f"{treatment} -> {outcome}{end}"
    return f"baseline.{study.primary}.{model.treatment}", words


def _check_study(study: Study, notebooks: Path) -> str:
    """Check without running, for ``check`` and at the start of a run that has something to do; pandas loads here."""
    from helpers.runner.check import check_study

    return check_study(study, notebooks if notebooks.is_dir() else None)


def _preset(study: Study, name: str | None) -> dict[str, int]:
    if name is None:
        return dict(study.presets.get(DEFAULT_PRESET, {}))
    if name not in study.presets:
        declared = ", ".join(study.presets) or "none"
        raise StudyError(f"--preset {name}", "the study file declares no such preset", f"declared are: {declared}")
    return dict(study.presets[name])


def run_command(options: argparse.Namespace) -> int:
    """``study run``."""
    print(f"{options.study}: preset {options.preset or DEFAULT_PRESET}", flush=True)
    from helpers.runner.pipeline import run
    from helpers.runner.terminal import ProgressLine
    from helpers.runner.workspace import use_own_folders

    request = make_request(options)
    use_own_folders(request.root, request.folder)
    with ProgressLine(sys.stderr) as progress:
        outcome = run(replace(request, tell=progress.tell))
    for error in outcome.errors:
        print(error, file=sys.stderr)
    if outcome.up_to_date:
        print(f"up to date: {', '.join(outcome.up_to_date)}")
    if outcome.errors:
        kept = "earlier results are untouched" if not outcome.ran else "what finished is kept, the rest is as it was"
        print(f"The run stopped; {kept}.", file=sys.stderr)
        bad_input = all(isinstance(error, StudyError) or getattr(error, "bad_input", False) for error in outcome.errors)
        return BAD_INPUT if bad_input else FAILED
    if request.only is None:
        for text in _headline(request):
            print(text)
        print(f"report: {os.path.relpath(request.folder / 'report.html')}")
    elif outcome.ran and (request.folder / "report.html").is_file():
        print("the report is of an earlier run; `study run` brings it in step")
    return DONE


def _headline(request: Request) -> list[str]:
    """The result that the study is about, in one line; none where the run has not recorded it."""
    from helpers.results.rounding import fix_number

    key, words = request.headline
    path = request.folder / "results.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["results"] if path.is_file() else []
    return [
        f"{words}{fix_number(row['estimate'], 3)} [{fix_number(row['ci_low'], 3)}, {fix_number(row['ci_high'], 3)}], "
        + (f"p = {row['p_value']:.3f}" if row["p_value"] >= 0.001 else "p < 0.001")
        for row in rows
        if row["key"] == key
    ]


def explain_command(options: argparse.Namespace) -> int:
    """``study explain``."""
    from helpers.runner.plan import explain, plan

    for name, reasons in explain(plan(make_request(options))).items():
        print(f"{name}: {'; '.join(reasons) or 'up to date'}")
    return DONE


def check_command(options: argparse.Namespace) -> int:
    """``study check``."""
    from helpers.reading.manifest import check_manifest, write_manifest

    root, study, _ = read_study(options.study)
    if options.accept:
        print(f"wrote {os.path.relpath(write_manifest(study.folder))}")
    files = check_manifest(study.folder)
    found = _check_study(study, root / "notebooks")
    print(f"{study.name}: study file valid, {files} data files as in the manifest, {found}")
    for name in study.presets:
        for line in _expect(study, root / "notebooks", _every_notebook(study, root / "notebooks", name)):
            print(f"preset {name}: {line}")
    return DONE


def _every_notebook(study: Study, notebooks: Path, preset: str) -> dict[str, dict[str, Any]]:
    """The parameters of every notebook that the study runs, by a preset."""
    from helpers.runner.record import REPORT
    from helpers.runner.sources import read_sources
    from helpers.study.needs import keep_notebooks

    kept = keep_notebooks(read_sources(notebooks), study, notebooks) if notebooks.is_dir() else []
    values = study.presets[preset]
    asked = {source.name: {name: item.default for name, item in source.parameters.items()} for source in kept}
    return {name: found | {key: values[key] for key in found if key in values} for name, found in asked.items()} | {
        REPORT: {}
    }


def schema_command(_: argparse.Namespace) -> int:
    """``study schema``."""
    from helpers.files import write_text

    path = find_project() / "data" / "study.schema.json"
    write_text(path, schema_text())
    print(f"wrote {os.path.relpath(path)}")
    return DONE


def schema_text() -> str:
    """The JSON Schema of the study file."""
    import json

    from helpers.study.study import Study

    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Study.model_json_schema()}
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def twins_command(options: argparse.Namespace) -> int:
    """``study twins``."""
    from helpers.runner.twins import write_twins

    written = write_twins(find_project() / "notebooks", options.keep, options.outputs)
    print("\n".join(f"wrote {os.path.relpath(path)}" for path in written) or "all in step")
    return DONE
