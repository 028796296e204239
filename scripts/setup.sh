#!/usr/bin/env bash
# Make or refresh .venv from the lock; does nothing when it is up to date.
# usage: scripts/setup.sh [cpu|gpu]     (default: cpu where a CPU build of torch is offered locally, else gpu,
#                                        which runs with and without a GPU)
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "soundproof needs Python 3.11 or newer; found $("$python" --version). Set PYTHON=/path/to/python3.11." >&2
    exit 1
}
# uv does not read pip's configuration: hand over the folder that may hold a CPU build of torch
links=${PIP_FIND_LINKS:-$("$python" -m pip config get global.find-links 2>/dev/null || true)}
offers_cpu_torch() { [ -n "$links" ] && compgen -G "$links/torch-*+cpu-*.whl" >/dev/null; }
flavour=${1:-$(offers_cpu_torch && echo cpu || echo gpu)}
lock=requirements/$flavour.lock
stamp=.venv/.lock-$(cat "$lock" scripts/setup.sh scripts/fix_torchaudio.py | sha256sum | cut -c1-16)
[ -e "$stamp" ] && exit 0

echo "soundproof: preparing .venv from $lock" >&2
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9 2> >(grep -v '^WARNING: Location' >&2)
UV_FIND_LINKS=$links .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r "$lock"
.venv/bin/python scripts/fix_torchaudio.py
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
rm -f .venv/.lock-*
touch "$stamp"
