"""The set-up: versions agree wherever they are named, and the scripts do what they promise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from helpers.runner import locks

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ("run_all.sh", "run_tests.sh", "setup.sh", ".ci/run")


def locked_names(root: Path) -> set[str]:
    """Direct dependencies that ``uv.lock`` was made for."""
    packages = tomllib.loads((root / "uv.lock").read_text())["package"]
    own = next(item for item in packages if "editable" in item["source"])
    return {item["name"] for item in (*own["dependencies"], *own["dev-dependencies"]["dev"])}


def environment_versions(root: Path) -> dict[str, str]:
    """Name -> version in ``environment.yml``."""
    *_, pip = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    return dict(pin.split("==") for pin in pip["pip"] if "==" in pin)


def test_the_lock_was_made_for_the_declared_dependencies():
    assert locked_names(ROOT) == locks.declared_names(ROOT)


def test_the_export_has_the_versions_of_the_lock():
    assert locks.exported_versions(ROOT) == locks.locked_versions(ROOT)


def test_the_conda_environment_has_the_versions_of_the_lock():
    assert environment_versions(ROOT).items() <= locks.locked_versions(ROOT).items()


def test_the_conda_environment_names_every_direct_dependency():
    assert environment_versions(ROOT).keys() == locks.declared_names(ROOT)


def test_the_conda_environment_is_the_one_that_would_be_written():
    assert (ROOT / "environment.yml").read_text() == locks.environment_text(ROOT)


def test_the_conda_environment_is_yaml_with_a_supported_python():
    content = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert content["dependencies"][0] in ("python=3.11", "python=3.12", "python=3.13")


def test_every_locked_package_has_a_hash():
    text = (ROOT / "requirements.lock").read_text()
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block] == []


def copy_of(tmp_path: Path) -> Path:
    """The versions as they stand, to be made to disagree."""
    for name in ("pyproject.toml", "uv.lock", "requirements.lock", "environment.yml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["requirements.lock", "environment.yml"])
def test_a_version_that_differs_is_seen(tmp_path, name):
    path = copy_of(tmp_path) / name
    path.write_text(path.read_text().replace("numpy==", "numpy==0."))
    read = {"requirements.lock": locks.exported_versions, "environment.yml": environment_versions}[name]
    assert read(tmp_path)["numpy"] != locks.locked_versions(tmp_path)["numpy"]


def test_a_dependency_that_is_not_locked_is_seen(tmp_path):
    path = copy_of(tmp_path) / "pyproject.toml"
    path.write_text(path.read_text().replace('"duckdb",', '"duckdb",\n    "polars",'))
    assert locks.declared_names(tmp_path) - locked_names(tmp_path) == {"polars"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_bash(name):
    subprocess.run(["bash", "-n", ROOT / name], check=True)


@pytest.mark.parametrize("name", ["run_all.sh", "run_tests.sh", ".ci/run"])
def test_scripts_can_be_run_and_stop_at_the_first_failure(name):
    assert os.access(ROOT / name, os.X_OK)
    assert "set -euo pipefail" in (ROOT / name).read_text()


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_pipe_hides_a_failure(name):
    code = [line.split("#")[0] for line in (ROOT / name).read_text().splitlines()]
    assert [line for line in code if re.search(r"[^|]\|[^|]", line)] == []


@pytest.fixture
def project(tmp_path):
    """A copy with a lock of one empty line, a Python that only notes its arguments, and an environment already made."""
    root = tmp_path / "a project"
    root.mkdir()
    for name in ("run_all.sh", "setup.sh"):
        shutil.copy(ROOT / name, root)
    (root / "requirements.lock").write_text("\n")
    binary = root / ".venv" / "bin"
    binary.mkdir(parents=True)
    (binary / "python").write_text(
        f'#!/bin/bash\nif [[ "$1" == "-m" ]]; then printf "%s|" "$STUDY_ROOT" "$@"; else exec "{sys.executable}" "$@"; fi\n'
    )
    (binary / "python").chmod(0o755)
    return root


def run_script(project, *arguments, path=None, script="run_all.sh"):
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}
    command = ["bash", str(project / script), *arguments]
    return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)


def stamp(project):
    script = f'root="{project}"; venv="$root/.venv"; eval "$(sed -n "/^stamp_of/,/^}}/p" "$root/setup.sh")"; stamp_of "{sys.executable}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    (project / ".venv" / "stamp").write_text(done.stdout)


def test_an_environment_that_agrees_with_the_lock_is_used_from_any_folder(project):
    stamp(project)
    done = run_script(project, "countries", "--set", "a b=c d")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{project}|-m|helpers.cli|run|countries|--set|a b=c d|"


def test_without_a_python_the_message_says_what_to_install(project):
    tools = project / "tools"
    tools.mkdir()
    for name in ("bash", "dirname", "rm", "mv"):
        (tools / name).symlink_to(shutil.which(name))
    done = run_script(project, path=str(tools))
    assert done.returncode == 2
    assert "no Python 3.11, 3.12 or 3.13" in done.stderr
    assert "What to do: install" in done.stderr


@pytest.mark.parametrize(("tests", "types", "code"), [(0, 0, 0), (0, 1, 1), (3, 0, 3), (3, 1, 3)])
def test_neither_tests_nor_types_hide_what_the_other_found(project, tests, types, code):
    """A Python of which pytest and mypy end as they are told."""
    shutil.copy(ROOT / "run_tests.sh", project)
    stamp(project)
    binary = project / ".venv" / "bin"
    (binary / "lint-imports").write_text("#!/bin/bash\n")
    (binary / "python").write_text(
        f'''#!/bin/bash
case "$2" in
    mypy) echo "a type is wrong"; exit {types} ;;
    pytest) echo "$@"; exit {tests} ;;
    ruff) ;;
    *) exec "{sys.executable}" "$@" ;;
esac
'''
    )
    (binary / "lint-imports").chmod(0o755)
    done = run_script(project, "-k", "a name", script="run_tests.sh")
    assert done.returncode == code, done.stderr
    assert done.stdout.splitlines()[0] == "-m pytest -p no:nbval -n 2 --dist worksteal -k a name"
    assert ("a type is wrong" in done.stdout, "types: mypy found" in done.stderr) == (types == 1, types == 1)


def test_a_changed_lock_has_the_environment_built_again(project):
    stamp(project)
    (project / "requirements.lock").write_text("# changed\n")
    tools = project / "tools"
    tools.mkdir()
    for name in ("bash", "dirname"):
        (tools / name).symlink_to(shutil.which(name))
    assert "no Python" in run_script(project, path=str(tools)).stderr
