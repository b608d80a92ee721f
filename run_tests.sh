#!/usr/bin/env bash
# Sets up .venv from the lock, then style, types and tests. Arguments are passed on to pytest.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
source "$root/setup.sh"
cd "$root"
python -m ruff check .
python -m mypy
lint-imports --no-cache
# Halves in order, then stealing: what tests share is set up once, and no long test is left for the end.
exec python -m pytest -n 2 --dist worksteal "$@"
