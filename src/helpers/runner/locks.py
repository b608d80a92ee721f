"""The four files that name versions.

``pyproject.toml`` declares names; ``uv.lock`` is the source of versions; ``requirements.lock`` is exported from it (by
the ``uv export`` line at its top); ``environment.yml`` is written from it by ``python -m helpers.runner.locks``.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

PYTHON = "3.12"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ \\;]+)", re.MULTILINE)
HEAD = f"""\
# For conda, mamba and Binder: Python and the direct dependencies at the versions of uv.lock.
# Written by `python -m helpers.runner.locks`; a test fails when the files that name versions disagree.
name: digital-government
channels:
  - conda-forge
dependencies:
  - python={PYTHON}
  - pip
  - pip:
"""


def normal_name(name: str) -> str:
    """A distribution's name as the package index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared_names(root: Path) -> set[str]:
    """Direct dependencies in ``pyproject.toml``, development tools included."""
    project = _read_toml(root / "pyproject.toml")
    listed = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    return {normal_name(re.split(r"[ <>=!~;\[]", item)[0]) for item in listed}


def locked_versions(root: Path) -> dict[str, str]:
    """Name -> version in ``uv.lock``, this project left out."""
    packages = _read_toml(root / "uv.lock")["package"]
    return {item["name"]: item["version"] for item in packages if "editable" not in item["source"]}


def exported_versions(root: Path) -> dict[str, str]:
    """Name -> version in ``requirements.lock``."""
    return dict(PIN.findall((root / "requirements.lock").read_text(encoding="utf-8")))


def installed_versions(root: Path) -> dict[str, str]:
    """Name -> version of what is installed of ``requirements.lock``, by the names of the folders that say so."""
    try:
        locked = exported_versions(root)
    except FileNotFoundError:
        return {}
    found: dict[str, str] = {}
    for folder in map(Path, sys.path):
        for path in folder.glob("*.dist-info") if folder.is_dir() else ():
            name, _, version = path.stem.partition("-")
            found.setdefault(normal_name(name), version)
    return {name: found[name] for name in sorted(map(normal_name, locked)) if name in found}


def environment_text(root: Path) -> str:
    """The text of ``environment.yml``."""
    versions = locked_versions(root)
    pins = [f"{name}=={versions[name]}" for name in sorted(declared_names(root))]
    return HEAD + "".join(f"      - {item}\n" for item in [*pins, "-e ."])


def _read_toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    from helpers.files import write_text
    from helpers.study.study import find_root

    write_text(find_root() / "environment.yml", environment_text(find_root()))
