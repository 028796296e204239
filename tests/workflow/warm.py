"""A Snakemake whose libraries are loaded once: each command is a fork of it, and starts in half the time.

A command does what `snakemake` does, in a process of its own, with its folder, environment, arguments and output.
Tests that kill it, or that look at how it starts, run the program itself.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path


class Warm:
    """The process that is forked."""

    def __init__(self) -> None:
        # no folder's package: each command brings its own
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            cwd="/",
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        atexit.register(self._process.kill)

    def run(
        self, words: Sequence[str], cwd: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """As ``subprocess.run`` of these words, with both outputs in one text."""
        assert self._process.stdin and self._process.stdout
        with tempfile.NamedTemporaryFile("w+", encoding="utf-8", errors="surrogateescape") as said:
            order = {"words": list(words), "cwd": str(cwd), "env": dict(environment), "output": said.name}
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
            assert answer, "the warm Snakemake is gone"
            return subprocess.CompletedProcess(list(words), int(answer), stdout=Path(said.name).read_text())


@cache
def warm() -> Warm:
    """The one of this process."""
    return Warm()


def serve() -> None:
    """Answer each order, a line of JSON, with the exit status of its fork."""
    for name in _loaded_on_the_way():
        with suppress(ImportError):
            import_module(name)
    main = import_module("snakemake.cli").main
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(**json.loads(line))
            sys.exit(main())
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _loaded_on_the_way() -> list[str]:
    """Modules that the program loads until it has planned a workflow of nothing."""
    listing = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules)); from snakemake.cli import main; "
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Snakefile").write_text("rule all:\n")
        return subprocess.run(
            [sys.executable, "-c", listing + "main(['--dry-run'])"],
            cwd=folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        ).stdout.split()


def _become(words: list[str], cwd: str, env: dict[str, str], output: str) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    said = os.open(output, os.O_WRONLY | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for stream, number in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(stream, number)
    sys.argv = [str(Path(sys.prefix, "bin", words[0])), *words[1:]]
    # the place of a program, then what the variable names, as an interpreter that starts has them
    sys.path[:1] = [str(Path(sys.prefix, "bin")), *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]


if __name__ == "__main__":
    serve()
