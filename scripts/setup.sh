#!/usr/bin/env bash
# Make or refresh .venv from the lock; does nothing when it is up to date.
# usage: scripts/setup.sh [cpu|gpu]     (default: what was asked for last; else gpu where there is an NVIDIA GPU or no
#                                        Linux, and cpu, a torch without CUDA, elsewhere)
set -euo pipefail
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd -- "$here"
. scripts/environment.sh
die() { echo "soundproof: $1" >&2; exit 1; }
flavour=${1:-$(cat .venv/.flavour 2>/dev/null || true)}

# Differs where the lock, this script, the environment's place or its Python does: a moved or copied environment holds
# the old place's paths, and one whose Python was replaced holds nothing that runs.
stamp() {
    echo ".venv/.lock-$(
        { cat requirements/{cpu,gpu}.lock scripts/{setup,environment}.sh scripts/fix_torchaudio.py
          echo "$flavour"; place; readlink -f .venv/bin/python; } 2>/dev/null | cksum | tr ' ' -
    )"
}
place() { (cd .venv && pwd -P); }
# the stamp is written last: without it an environment is unfinished
finished() { [ -n "$flavour" ] && [ -x .venv/bin/python ] && [ -e "$(stamp)" ]; }
finished && exit 0

python=${PYTHON:-python3}
command -v "$python" >/dev/null || die "needs Python 3.11 or newer; there is no '$python'. Set PYTHON=/path/to/python3.11."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "needs Python 3.11 or newer; found $("$python" --version). Set PYTHON=/path/to/python3.11."
# One at a time. The lock belongs to the open file, so it ends with this script and what it started.
{ exec 9>>.venv.lock; } 2>/dev/null || die "cannot write in '$here', where the environment (.venv) is to be made."
"$python" - <<'PYTHON'
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.stderr.write("soundproof: another set-up is at work here; waiting for it.\n")
    fcntl.flock(9, fcntl.LOCK_EX)
except OSError:
    pass  # a file system without locks
PYTHON
flavour=${1:-$(cat .venv/.flavour 2>/dev/null || true)}
finished && exit 0

# uv does not read pip's configuration: hand over the folder that may hold a CPU build of torch
links=${PIP_FIND_LINKS:-$("$python" -m pip config get global.find-links 2>/dev/null || true)}
offers_cpu_torch() { [ -n "$links" ] && compgen -G "$links/torch-*+cpu-*.whl" >/dev/null; }
has_gpu() { [ -e /dev/nvidiactl ] || [ -e /proc/driver/nvidia/version ] || command -v nvidia-smi >/dev/null; }
if [ -z "$flavour" ]; then
    flavour=gpu
    if offers_cpu_torch || { [ "$(uname -s)" = Linux ] && ! has_gpu; }; then flavour=cpu; fi
fi
case $flavour in cpu | gpu) ;; *) sed -n '3,4s/^# //p' "$0" >&2; exit 2 ;; esac

echo "soundproof: preparing .venv ($flavour), once; sizes and times are in the README" >&2
# An environment that was finished is brought up to date; any other, and one that was moved or whose Python is gone,
# is made anew. A link is replaced, for what it points to is not ours.
if ! compgen -G '.venv/.lock-*' >/dev/null || [ "$(place)" != "$(cat .venv/.place 2>/dev/null)" ] ||
    ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    if [ -L .venv ]; then rm .venv; else rm -rf .venv; fi
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv .venv
    elif command -v uv >/dev/null; then
        uv venv --quiet --seed --python "$python" .venv
    else
        die "$("$python" --version) lacks the module venv. Install it (Debian, Ubuntu: apt-get install python3-venv), or set PYTHON=/path/to/another/python3.11."
    fi
fi
rm -f .venv/.lock-*

# Companies' proxies have an authority of their own, which the system knows and the bundles of pip and uv do not
export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-${UV_NATIVE_TLS:-true}}
unset UV_NATIVE_TLS
if [ -z "${PIP_CERT:-}" ] && ! .venv/bin/python -m pip config get global.cert >/dev/null 2>&1; then
    authorities=$(.venv/bin/python -c 'import ssl; print(ssl.get_default_verify_paths().cafile or "")')
    [ ! -f "$authorities" ] || export PIP_CERT=$authorities
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9 2> >(grep -v '^WARNING: Location' >&2)
# byte-compiled here and now: where jobs may not write it, each would compile torch, pandas and captum anew
install() { .venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python "$@"; }
# torch's CPU builds lie in an index of their own, whose digests the lock does not have: torch comes by its version
without_cuda() {
    awk '/^[a-z]/ { keep = !/^(torch|triton|cuda-[a-z]+|nvidia-[a-z0-9-]+)==/ } keep' requirements/gpu.lock >.venv/others.lock
    # what torchaudio asks for is torch, of which no digest is known here: the lock is whole, nothing is resolved
    install --no-deps --require-hashes -r .venv/others.lock &&
        install --no-deps --torch-backend=cpu "$(grep -o '^torch==[0-9.]*' requirements/gpu.lock)"
}
if [ "$flavour" = gpu ]; then
    install --require-hashes -r requirements/gpu.lock
elif offers_cpu_torch; then
    UV_FIND_LINKS=$links install --require-hashes -r requirements/cpu.lock
elif ! without_cuda; then
    echo "soundproof: torch's index of CPU builds gave none (see above); taking the build with CUDA, which runs" \
        "without a GPU as well but is 2.9 GB larger." >&2
    install --require-hashes -r requirements/gpu.lock
fi
.venv/bin/python scripts/fix_torchaudio.py
install --no-deps --no-build-isolation --editable .
echo "$flavour" >.venv/.flavour
place >.venv/.place
touch "$(stamp)"
