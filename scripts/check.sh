#!/usr/bin/env bash
# Checks of form: style, types, workflow lint. usage: ./run scripts/check.sh
set -euo pipefail
cd "$(dirname "$0")/.."
ruff check .
ruff format --check .
mypy
snakefmt --check Snakefile rules
snakemake --lint
