"""One archive for a journal or an archive of data: code, raw data, lock, report, certificate, licences and sources."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.deposit.certificate import write_certificate
from helpers.errors import StudyError
from helpers.review.scratch import CACHES, scratch_folder

if TYPE_CHECKING:
    from helpers.study.study import Study

EPOCH = (1980, 1, 1, 0, 0, 0)
CERTIFICATE = "certificate"
EXECUTABLE = 0o100755 << 16
PLAIN = 0o100644 << 16
PARTS = ("data", "notebooks", "src", "docs", "tests", "benchmarks", ".devcontainer", "binder")
COMMAND = "./run_all.sh"


def write_bundle(root: Path, study: Study, target: Path) -> Path:
    """Write the archive; the same files give the same bytes.

    Parameters
    ----------
    root
        The project's root.
    study
        The study, verified as it stands.
    target
        The archive.

    Raises
    ------
    StudyError
        The study was not verified, it has no report, or a file of the project is a link that leads outside.
    """
    report = root / "reports" / study.name / "report.html"
    if not report.is_file():
        raise StudyError(str(report), "there is no report to put in", f"run `study run {study.name}`")
    with scratch_folder("bundle") as work:
        write_certificate(root, study, work)
        files = dict(_project_files(root, study))
        files |= {f"{CERTIFICATE}/{path.name}": path for path in sorted(work.iterdir())}
        files["ro-crate-metadata.json"] = files.pop(f"{CERTIFICATE}/ro-crate-metadata.json")
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.aside")
        try:
            _write(files, aside, root.name)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
    return target


def _write(files: dict[str, Path], target: Path, top: str) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{top}/{name}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = EXECUTABLE if name.endswith(".sh") else PLAIN
            archive.writestr(entry, files[name].read_bytes())


def _project_files(root: Path, study: Study) -> Iterator[tuple[str, Path]]:
    """Name in the archive and file, of everything that belongs to the project and this study."""
    tops = sorted(path for path in root.iterdir() if path.is_file() and not path.name.startswith(".env"))
    found = [*tops, *(path for part in PARTS for path in sorted((root / part).rglob("*")))]
    found += sorted((root / "reports" / study.name).rglob("*"))
    for path in found:
        name = path.relative_to(root)
        hidden = CACHES | {"__pycache__", "run"} if name.parts[0] == "reports" else CACHES | {"__pycache__"}
        if path.is_dir() or hidden & set(name.parts):
            continue
        if not path.resolve().is_relative_to(root.resolve()):
            raise StudyError(str(name), "is a link that leads outside the project", "put the file itself in its place")
        yield name.as_posix(), path
