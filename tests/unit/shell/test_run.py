"""``./run`` hands its words on as they are, from a folder of any name that can work, and refuses the others."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from set_up import Folder


def run(folder: Folder, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["./run", *words],
        cwd=folder.path,
        env={**folder.environment, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def environment_in(path: Path) -> Folder:
    """A folder whose set-up has nothing to do and whose environment has one command."""
    folder = Folder.at(path)
    (path / "scripts/setup.sh").write_text("#!/bin/sh\n")
    command = path / ".venv/bin/say"
    command.parent.mkdir(parents=True)
    command.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    command.chmod(0o755)
    return folder


NAMES = ["my projects", "it's", 'a "b"', "$HOME & co", "(x);[y]*?", "-rf", "~", "ü 音", "#1 50%", "a\tb"]


@pytest.mark.parametrize("name", NAMES)
def test_words_arrive_as_they_are(tmp_path, name):
    folder = environment_in(tmp_path / name / "sound proof")
    done = run(folder, "say", "a b", "$HOME", "", "*", "-n", CDPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "a b|$HOME||*|-n|", "")


@pytest.mark.parametrize("name", ["a:b", "{x}", "x}", "a\nb", "a\\b"])
def test_a_folder_that_cannot_work_is_refused_with_what_to_do(tmp_path, name):
    done = run(environment_in(tmp_path / name), "say", "hello")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("soundproof cannot run in ") and "rename the folder" in done.stderr


def test_without_words_its_use_is_shown(tmp_path):
    done = run(environment_in(tmp_path / "x"))
    assert done.returncode == 2 and "./run snakemake" in done.stderr


def test_the_exit_code_is_the_commands(tmp_path):
    assert run(environment_in(tmp_path / "x"), "sh", "-c", "exit 42").returncode == 42
