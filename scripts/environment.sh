# What every set-up and every job may rely on, whatever the shell it is started from has set. Sourced, not run.
# usage: . scripts/environment.sh     with $here, the repository's folder

# of an empty environment bash makes up a PATH and keeps it to itself: Python would not find out where it lies
export PATH
# Python reads its own variables before anything else: a foreign PYTHONPATH brings foreign packages, PYTHONHOME a
# foreign library. PYTHON names the interpreter to set up with; the other two change no more than what is printed when.
for name in "${!PYTHON@}"; do
    case $name in PYTHON | PYTHONUNBUFFERED | PYTHONFAULTHANDLER) ;; *) unset "$name" ;; esac
done
# this folder's package, even where .venv is a link to an environment that has another copy installed
export PYTHONPATH=$here PYTHONNOUSERSITE=1
unset __PYVENV_LAUNCHER__ VIRTUAL_ENV VIRTUAL_ENV_PROMPT MATPLOTLIBRC
for name in "${!CONDA_@}"; do unset "$name"; done
# notebooks set a backend that draws into them
export MPLBACKEND=agg

# of pip's and uv's settings: how to reach packages. Not: where to install, and which versions
for name in "${!PIP_@}"; do
    case ${name#PIP_} in
        *INDEX* | FIND_LINKS | *CERT | PROXY | TRUSTED_HOST | *TIMEOUT | RETRIES | KEYRING_PROVIDER | *CACHE* | CONFIG_FILE) ;;
        DISABLE_PIP_VERSION_CHECK) ;;
        *) unset "$name" ;;
    esac
done
for name in "${!UV_@}"; do
    case ${name#UV_} in
        *INDEX* | FIND_LINKS | *CERT* | NATIVE_TLS | INSECURE_HOST | *TIMEOUT | *RETRIES | OFFLINE | KEYRING_PROVIDER) ;;
        *CACHE* | LINK_MODE | CONCURRENT_* | CONFIG_FILE | NO_CONFIG) ;;
        *) unset "$name" ;;
    esac
done
unset name

# A container's user may have no name, no home or one that cannot be written; Snakemake, matplotlib and uv keep
# things there and end in tracebacks without it.
can_write() { case $1 in /*) mkdir -p -- "$1" 2>/dev/null && [ -w "$1" ] && [ -x "$1" ] ;; *) false ;; esac }
if [ -z "${USER:-}" ]; then
    USER=$(id -un 2>/dev/null) || USER=uid$(id -u)
fi
export USER LOGNAME=${LOGNAME:-$USER}
[ -z "${TMPDIR:-}" ] || can_write "$TMPDIR" || unset TMPDIR
spare_home=$here/.home
if ! can_write "${XDG_CACHE_HOME:-${HOME:-}/.cache}"; then
    can_write "$spare_home" || spare_home=${TMPDIR:-/tmp}/soundproof-$(id -u)
    can_write "$spare_home" || {
        echo "soundproof: neither $here nor ${TMPDIR:-/tmp} can be written; set TMPDIR to a folder that can." >&2
        exit 1
    }
    export XDG_CACHE_HOME=$spare_home/.cache
    mkdir -p -- "$XDG_CACHE_HOME"
fi
# a home that is there is kept, since it holds settings; HOME=/ is what container engines say for "none"
case ${HOME:-/} in / | /nonexistent) HOME=$spare_home && can_write "$HOME" || HOME=$XDG_CACHE_HOME ;; esac
[ -d "$HOME" ] || HOME=$(dirname -- "$XDG_CACHE_HOME")
export HOME
# a user's own matplotlibrc would change the figures
export MPLCONFIGDIR=${XDG_CACHE_HOME:-$HOME/.cache}/soundproof/matplotlib
