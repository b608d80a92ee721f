#!/usr/bin/env bash
# Makes sure that .venv holds exactly what requirements.lock names: `./setup.sh` after a clone; run_all.sh and
# run_tests.sh source it, with `root` set to the project's folder and `set -euo pipefail` switched on.
# Needs bash and Python 3.11 to 3.13; uses uv when it is on the PATH. Writes nothing outside the project's folder.

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then
    set -euo pipefail
    root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
fi

export STUDY_ROOT="$root"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
venv="$root/.venv"

say() { printf '%s\n' "$*" >&2; }

# The first Python that is recent enough, and that can make an environment (uv brings its own way).
find_python() {
    local candidate path need="import venv, ensurepip"
    if command -v uv >/dev/null; then need="pass"; fi
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        path="$(command -v "$candidate" || true)"
        if [[ -n "$path" ]] && "$path" -c "
import sys
$need
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" 2>/dev/null; then
            printf '%s\n' "$path"
            return 0
        fi
    done
    say "set-up: no Python 3.11, 3.12 or 3.13 with the venv module was found on the PATH"
    say "  What to do: install one (on Debian and Ubuntu: python3 and python3-venv), then run this again"
    return 2
}

# What the environment was made from: the lock, and the place where it stands (an environment cannot be moved).
stamp_of() {
    "$1" - "$root" <<'PYTHON'
import hashlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
print(hashlib.sha256((root / "requirements.lock").read_bytes() + str(root).encode()).hexdigest())
PYTHON
}

# Stamped last, so that a set-up which was interrupted is done again from the start.
build_environment() {
    local python
    python="$(find_python)"
    say "set-up: building .venv with $("$python" --version) (a few minutes, once)"
    rm -rf "$venv"
    if command -v uv >/dev/null; then
        uv venv --quiet --no-config --no-cache --python "$python" "$venv"
        export UV_CACHE_DIR="$venv/uv-cache" UV_NO_PROGRESS=1 UV_LINK_MODE=hardlink
        uv pip sync --quiet --no-config --python "$venv/bin/python" --require-hashes "$root/requirements.lock"
        uv pip install --quiet --no-config --python "$venv/bin/python" --no-deps --no-build-isolation -e "$root"
        rm -rf "$UV_CACHE_DIR"
    else
        "$python" -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --no-compile --no-deps --require-hashes -r "$root/requirements.lock"
        "$venv/bin/python" -m pip install --quiet --no-compile --no-deps --no-build-isolation -e "$root"
    fi
    compile_bytecode
    stamp_of "$venv/bin/python" >"$venv/stamp.new"
    mv "$venv/stamp.new" "$venv/stamp"
}

# With bytecode in place a kernel starts in a third of the time, also where Python is told not to write any.
compile_bytecode() {
    local packages
    packages="$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
    if ! "$venv/bin/python" -m compileall -qq -j 0 -x '[/\\]tests?[/\\]' "$packages" "$root/src"; then
        say "set-up: a file that no Python 3 can read was left uncompiled, which only costs time"
    fi
}

if [[ ! -x "$venv/bin/python" || ! -f "$venv/stamp" || "$(<"$venv/stamp")" != "$(stamp_of "$venv/bin/python")" ]]; then
    build_environment
fi
export PATH="$venv/bin:$PATH"
if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then
    say "set-up: ready; the command is .venv/bin/study"
fi
