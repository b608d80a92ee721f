#!/usr/bin/env bash
# From raw figures to the report: sets up .venv from the lock, then `study run`. Arguments are passed on:
#   ./run_all.sh [STUDY] [--preset quick|standard|thorough] [--set name=value] [--only NOTEBOOK] [--workers N] [--out DIR]
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
source "$root/setup.sh"
exec python -m helpers.cli run "$@"
