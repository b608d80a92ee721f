"""The commands of those who hand a study in: certificate, archive, plan, and the lists of the README."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.study.arguments import DONE, add_command, find_project, read_study

if TYPE_CHECKING:
    from helpers.study.arguments import Commands


def add_commands(commands: Commands) -> None:
    """Add this folder's commands to the command line."""
    lists = add_command(commands, "lists", lists_command, "write the lists of README and the module map anew")
    lists.add_argument("run", type=Path, nargs="?", metavar="FOLDER", help="a finished run, for what hangs on results")
    certificate = add_command(
        commands, "certificate", certificate_command, "fill in the forms of replication from a verification", study=True
    )
    certificate.add_argument("--out", type=Path, metavar="DIR", help="where (default: reports/STUDY/run/certificate)")
    certificate.add_argument("--readme", action="store_true", help="write the README's lines on time and memory too")
    bundle = add_command(commands, "bundle", bundle_command, "pack one archive for a journal", study=True)
    bundle.add_argument("--out", type=Path, metavar="FILE", help="the archive (default: reports/STUDY/run/STUDY.zip)")
    freeze = add_command(
        commands, "freeze", freeze_command, "store the study's choices and claims as its plan", study=True
    )
    freeze.add_argument("--reason", default="", metavar="TEXT", help="why the plan was changed")


def lists_command(options: argparse.Namespace) -> int:
    """``study lists``."""
    from helpers.deposit.lists import write_lists

    root = find_project()
    for path in write_lists(root, options.run, options.parser):
        print(f"wrote {path.relative_to(root)}")
    return DONE


def freeze_command(options: argparse.Namespace) -> int:
    """``study freeze``."""
    from helpers.deposit.freeze import freeze

    _, study, _ = read_study(options.study)
    print(freeze(study.folder, options.reason))
    return DONE


def certificate_command(options: argparse.Namespace) -> int:
    """``study certificate``."""
    from helpers.deposit.certificate import write_certificate

    root, study, _ = read_study(options.study)
    written = write_certificate(root, study, options.out or root / "reports" / study.name / "run" / "certificate")
    if options.readme:
        from helpers.deposit.certificate import read_record
        from helpers.deposit.readme import write_readme

        written += write_readme(root, read_record(root, study))
    print("\n".join(f"wrote {os.path.relpath(path)}" for path in written))
    return DONE


def bundle_command(options: argparse.Namespace) -> int:
    """``study bundle``."""
    from helpers.deposit.bundle import COMMAND, write_bundle

    root, study, _ = read_study(options.study)
    target = options.out or root / "reports" / study.name / "run" / f"{study.name}.zip"
    print(
        f"wrote {os.path.relpath(write_bundle(root, study, target))}; unpacked, `{COMMAND} {study.name}` runs it again"
    )
    return DONE
