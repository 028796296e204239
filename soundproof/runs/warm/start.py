"""Start the warm interpreter of a run and have the run's jobs called through it."""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from soundproof.runs.warm import client, server

# jobs of a run for which loading the libraries once, in the background, takes less than loading them for each
WORTHWHILE = 4


def keep_warm(threads: int, n_jobs: int) -> bool:
    """Start the interpreter beside this process, and name it in ``sys.executable``.

    The workflow engine writes ``sys.executable`` into the command of each job. Until the interpreter is up, and
    should it die, jobs run in a Python of their own.

    Args:
        threads: Threads of a job. A job of another number does not use it.
        n_jobs: Jobs that are to come.

    Returns:
        Whether jobs are called through it: not where they are few, where the system lacks what it takes (it is made
        for Linux), or where the folder of temporary files has a name that is long or more than one word.
    """
    folder = tempfile.gettempdir()
    interpreter = shutil.which(sys.executable)
    # an address of a socket holds 107 bytes
    one_word = shlex.quote(folder) == folder and len(folder) <= 70
    if n_jobs < WORTHWHILE or not hasattr(os, "pidfd_open") or not one_word or interpreter is None:
        return False
    try:
        place = Path(tempfile.mkdtemp(prefix="soundproof-", dir=folder))
        address, name = place / "socket", place / "python"
        words = [interpreter, "-I", "-S", str(client.__file__), str(address), interpreter]
        name.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
        name.chmod(stat.S_IRWXU)
        process = subprocess.Popen(
            [interpreter, "-m", server.__name__, str(address), str(os.getpid())],
            stdin=subprocess.PIPE,
            env={**os.environ, **dict.fromkeys(server.THREADS, str(threads))},
        )
    except OSError:
        return False
    atexit.register(_stop, process, place)
    sys.executable = str(name)
    return True


def _stop(process: subprocess.Popen[bytes], place: Path) -> None:
    process.kill()
    process.communicate()
    shutil.rmtree(place, ignore_errors=True)
