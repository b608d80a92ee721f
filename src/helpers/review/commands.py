"""The commands of those who review a study: did the numbers come out again, and if not, which and why."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.study.arguments import (
    BAD_INPUT,
    DEFAULT_STUDY,
    DONE,
    FAILED,
    add_command,
    read_count,
    read_study,
    spoken_language,
)

if TYPE_CHECKING:
    from helpers.study.arguments import Commands
    from helpers.study.study import Study


GONE = "Nothing was compared or written, and the copy of the project is gone."


def add_commands(commands: Commands) -> None:
    """Add this folder's commands to the command line."""
    verify = add_command(
        commands, "verify", verify_command, "run again from raw data, compare every number", study=True
    )
    verify.add_argument(
        "--against", metavar="FOLDER|ARCHIVE|REVISION", help="compare with this instead of the last commit"
    )
    verify.set_defaults(interrupted=GONE)
    verify.add_argument("--twice", action="store_true", help="run two times; name the first cell that differs")
    verify.add_argument("--preset", metavar="NAME", help="a preset of the study file, as in `study run`")
    verify.add_argument("--workers", type=read_count, metavar="N", help="notebooks at a time, as in `study run`")
    verify.add_argument(
        "--out", type=Path, metavar="DIR", help="for verify.json and .html (default: reports/STUDY/run/verify)"
    )
    add_questions(commands)
    sweep = add_command(commands, "sweep", sweep_command, "run a grid of parameters or of study-file values")
    sweep.add_argument("file", type=Path, metavar="FILE", help="YAML: study, preset, parameters, study_file, show")
    sweep.add_argument("--workers", type=read_count, metavar="N", help="notebooks at a time, as in `study run`")
    sweep.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, as in `study run`")
    sweep.add_argument("--out", type=Path, metavar="DIR", help="where (default: reports/STUDY/run/sweep/FILE)")


def add_questions(commands: Commands) -> None:
    """Add the commands that ask about one number or one part of the project."""
    why = add_command(commands, "why", why_command, "print the chain behind one number, down to the raw files")
    why.add_argument("key", metavar="KEY", help="a key of results.json")
    impact = add_command(commands, "impact", impact_command, "print what hangs on one part of the project")
    impact.add_argument("name", metavar="NAME", help="a raw file, statistic, indicator, parameter or helper module")
    for parser in (why, impact):
        parser.add_argument("--run", type=Path, metavar="DIR", help="a run folder (default: reports/STUDY)")
    diff = add_command(commands, "diff", diff_command, "compare two runs, revisions or sets of parameters, and say why")
    for name in ("first", "second"):
        diff.add_argument(name, metavar=name.upper(), help="a run folder, a revision, '.', or name=value,preset=NAME")
    diff.add_argument("--preset", metavar="NAME", help="a preset of the study file, as in `study run`")
    diff.add_argument("--workers", type=read_count, metavar="N", help="notebooks at a time, as in `study run`")
    diff.add_argument("--out", type=Path, metavar="DIR", help="where to write (default: reports/STUDY/run/diff)")
    diff.set_defaults(interrupted=GONE)
    for parser in (why, impact, diff):
        parser.add_argument("--study", default=DEFAULT_STUDY, help=f"folder in data/ (default: {DEFAULT_STUDY})")


def verify_command(options: argparse.Namespace) -> int:
    """``study verify``."""
    root, study, word = read_study(options.study)
    print(f"{study.name}: running {'two times ' if options.twice else 'again '}from raw data, in a copy", flush=True)
    from helpers.review.verify import RunFailedError, check_study_folder, tell, verify, write_verified

    check_study_folder(root, study)
    run_options = _run_options(options)
    try:
        if options.twice:
            return _verify_twice(root, study.name, word, run_options)
        verified = verify(root, study, word, run_options, options.against)
    except RunFailedError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT if error.code == BAD_INPUT else FAILED
    folder = options.out or root / "reports" / study.name / "run" / "verify"
    written = write_verified(verified, folder, _first_language(study))
    print("\n".join(tell(verified)))
    print(f"wrote {' and '.join(os.path.relpath(path) for path in written)}")
    return DONE if verified.comparison.complete else FAILED


def _verify_twice(root: Path, name: str, word: str, run_options: list[str]) -> int:
    from helpers.review.twice import run_twice, write_twice

    first = run_twice(root, name, word, run_options)
    write_twice(root, name, first)
    print(f"{name}: {first or 'two runs, the same numbers, tables, orders of rows, pictures and random draws'}")
    return FAILED if first else DONE


def _first_language(study: Study) -> str:
    """The language in which a page begins: Chinese where the study or the command line speaks it."""
    return "zh" if "zh" in (study.language, spoken_language()) else "en"


def _run_options(options: argparse.Namespace) -> list[str]:
    chosen = {"--preset": options.preset, "--workers": options.workers}
    return [text for name, value in chosen.items() if value is not None for text in (name, str(value))]


def _run_folder(options: argparse.Namespace, root: Path, study: Study) -> Path:
    """The run that is asked about: the one that was named, or the study's report."""
    folder: Path = options.run or root / "reports" / study.name
    return folder.resolve()


def why_command(options: argparse.Namespace) -> int:
    """``study why``."""
    from helpers.review.chain import find_chain, tell_chain

    root, study, _ = read_study(options.study)
    print("\n".join(tell_chain(find_chain(root, study, options.key, _run_folder(options, root, study)))))
    return DONE


def impact_command(options: argparse.Namespace) -> int:
    """``study impact``."""
    from helpers.review.impact import find_impact, tell_impact
    from helpers.runner.plan import Request

    root, study, word = read_study(options.study)
    request = Request(root, word, study.folder, _run_folder(options, root, study))
    print("\n".join(tell_impact(find_impact(request, study, options.name))))
    return DONE


def diff_command(options: argparse.Namespace) -> int:
    """``study diff``."""
    root, study, _ = read_study(options.study)
    print(f"{study.name}: {options.first} against {options.second}", flush=True)
    from helpers.review.diff import diff, tell_difference, write_difference
    from helpers.review.verify import check_study_folder

    check_study_folder(root, study)
    difference = diff(root, study.name, options.first, options.second, _run_options(options))
    folder = options.out or root / "reports" / study.name / "run" / "diff"
    written = write_difference(difference, folder, _first_language(study))
    print("\n".join(tell_difference(difference)))
    print(f"wrote {' and '.join(os.path.relpath(path) for path in written)}")
    return DONE if difference.comparison.complete else FAILED


def sweep_command(options: argparse.Namespace) -> int:
    """``study sweep``."""
    from helpers.review.sweep import list_points, read_sweep, shown_keys, sweep_study, write_sweep
    from helpers.runner.commands import make_request
    from helpers.runner.workspace import use_own_folders

    sweep = read_sweep(options.file)
    chosen: dict[str, object] = {
        "study": sweep.study,
        "preset": sweep.preset,
        "set": [],
        "only": None,
        "timeout": 3600,
        "out": None,
    }
    shared = {"workers": options.workers, "scheduler": options.scheduler}
    request = make_request(argparse.Namespace(**chosen, **shared))
    _, study, _ = read_study(sweep.study)
    folder = (options.out or request.folder / "run" / "sweep" / options.file.stem).resolve()
    print(f"{study.name}: {len(list(list_points(sweep)))} points", flush=True)
    use_own_folders(request.root, folder)
    done = sweep_study(request, sweep, folder, lambda line: print(line, flush=True))
    written = write_sweep(done, shown_keys(sweep, study), study.name, folder, _first_language(study))
    print(f"wrote {' and '.join(os.path.relpath(path) for path in written)}")
    return FAILED if any(swept.failure for swept in done) else DONE
