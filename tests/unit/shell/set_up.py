"""A folder with the real scripts, and stand-ins for Python and uv that note what they are asked for."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
COPIED = (
    "run",
    "scripts/environment.sh",
    "scripts/setup.sh",
    "scripts/fix_torchaudio.py",
    "requirements/gpu.lock",
)

PYTHON = f"""#!/bin/bash
case "$*" in
    "-c import ensurepip, venv") [ -z "$STAND_IN_NO_VENV" ] ;;
    "-c import pip") [ -e .venv/pip ] ;;
    "-m venv .venv")
        echo venv >>calls
        mkdir -p .venv/bin && cp "$0" .venv/bin/python
        [ -z "$STAND_IN_DIES_IN_VENV" ] || kill -9 $PPID
        touch .venv/pip ;;
    "-m pip config"*) exit 1 ;;
    "-m pip install"*) [ -e .venv/pip ] && cp uv .venv/bin/uv ;;
    *fix_torchaudio*) ;;
    *) exec {shlex.quote(sys.executable)} "$@" ;;
esac
"""
UV = """#!/bin/bash
echo "uv $* certs=$UV_SYSTEM_CERTS links=$UV_FIND_LINKS" >>calls
sleep 0.2
[[ -z "$STAND_IN_DIES_AT" || "$*" != *"$STAND_IN_DIES_AT"* ]] || kill -9 $PPID
[[ -z "$STAND_IN_FAILS_AT" || "$*" != *"$STAND_IN_FAILS_AT"* ]]
"""


@dataclass
class Folder:
    path: Path
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, path: Path) -> Folder:
        for name in COPIED:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, path / name)
        (path / "requirements/cpu.lock").write_text("torch==2.13.0+cpu\n")
        for name, text in (("python", PYTHON), ("uv", UV)):
            (path / name).write_text(text)
            (path / name).chmod(0o755)
        home = path / "home"
        home.mkdir()
        # no uv of the tests' own environment on the path
        return cls(path, {"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHON": f"{path}/python"})

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            words,
            cwd=self.path,
            env={**self.environment, **environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def set_up(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Exit code, and what was said."""
        process = self.start("scripts/setup.sh", *arguments, **environment)
        said, _ = process.communicate()
        return process.returncode, said

    def calls(self) -> list[str]:
        """What was asked for since the last time."""
        path = self.path / "calls"
        if not path.exists():
            return []
        found = path.read_text().splitlines()
        path.unlink()
        return found
