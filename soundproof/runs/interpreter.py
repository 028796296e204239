"""The Python that jobs run with, in a form that a shell command can hold."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path


def call_by_name() -> None:
    """Have this interpreter called by its name where its path is more than one word to a shell.

    Snakemake writes ``sys.executable`` unquoted into the command of a script, where a folder's name with a space
    would be two words. With its folder first on the path, the name finds the same interpreter.
    """
    if shlex.quote(sys.executable) != sys.executable:
        interpreter = Path(sys.executable)
        os.environ["PATH"] = os.pathsep.join([str(interpreter.parent), os.environ.get("PATH", os.defpath)])
        sys.executable = interpreter.name
