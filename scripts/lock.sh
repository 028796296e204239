#!/usr/bin/env bash
# Resolve requirements/base.in into the two hashed locks; both pin the same versions, save torch's own build.
#   cpu.lock  Linux x86-64 and Python 3.11, with the CPU build of torch that lies in pip's find-links
#   gpu.lock  any platform and Python from 3.11 on, with the build of torch that the registry has for it
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")/../requirements"
links=${PIP_FIND_LINKS:-$(../.venv/bin/python -m pip config get global.find-links)}
options=(--python-version 3.11 --generate-hashes --no-annotate --no-header)
../.venv/bin/uv pip compile --quiet base.in --find-links "$links" "${options[@]}" \
    --python-platform x86_64-manylinux_2_28 --output-file cpu.lock
pins=$(mktemp)
trap 'rm -f "$pins"' EXIT
sed '/^#/d; /--hash/d; s/ *\\$//; /^torch==/d' cpu.lock >"$pins"
../.venv/bin/uv pip compile --quiet base.in --constraint "$pins" "${options[@]}" --universal --output-file gpu.lock
