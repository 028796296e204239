#!/usr/bin/env bash
# Resolve requirements/base.in into the two hashed locks; both pin the same versions, save torch's own build.
set -euo pipefail
cd "$(dirname "$0")/../requirements"
links=${PIP_FIND_LINKS:-$(../.venv/bin/python -m pip config get global.find-links)}
options=(--python-version 3.11 --python-platform x86_64-manylinux_2_28 --generate-hashes --no-annotate --no-header)
../.venv/bin/uv pip compile --quiet base.in --find-links "$links" "${options[@]}" --output-file cpu.lock
pins=$(mktemp)
trap 'rm -f "$pins"' EXIT
sed '/^#/d; /--hash/d; s/ *\\$//; /^torch==/d' cpu.lock >"$pins"
../.venv/bin/uv pip compile --quiet base.in --constraint "$pins" "${options[@]}" --output-file gpu.lock
