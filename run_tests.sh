#!/usr/bin/env bash
# Sets up .venv from the lock, then style, types and tests. Arguments are passed on to pytest.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
source "$root/setup.sh"
cd "$root"
# Two workers share the cores already: a library that starts threads of its own spends more on waiting than on work.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
python -m ruff check .
lint-imports --no-cache

# Types are checked beside the tests: they keep one core busy for a minute, and tests that wait leave it free.
told="$(mktemp)"
python -m mypy >"$told" 2>&1 &
types=$!
trap 'kill "$types" 2>/dev/null || true; rm -f "$told"' EXIT

# Halves in order, then stealing: what tests share is set up once, and no long test is left for the end.
# The test of nbval starts it in a process of its own; as a plugin it costs each process here 1.3 seconds of importing.
tests=0
python -m pytest -p no:nbval -n 2 --dist worksteal "$@" || tests=$?

checked=0
wait "$types" || checked=$?
if ((checked != 0)); then
    cat "$told"
    say "types: mypy found the errors above"
fi
exit "$((tests != 0 ? tests : checked))"
