"""The README's command, typed in a real clone whose folder has a name that a shell would take apart."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from checkout import NOTHING, Checkout, differing

REPOSITORY = Path(__file__).parents[2]
NAMES = ("my projects", """it's $HOME & "(ü)" -x""")
USERS_SHELL = {
    "PYTHONPATH": "/nowhere",
    "PYTHONHOME": "/nowhere",
    "PYTHONOPTIMIZE": "2",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}


def run(folder: Path, *words: str) -> str:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("HOME", "USER", "LOGNAME")
    }
    done = subprocess.run(
        ["./run", *words],
        cwd=folder,
        env={**environment, **USERS_SHELL},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def moved(checkout: Checkout, folder: Path) -> Path:
    """A copy of the checkout that makes an environment of its own."""
    folder.parent.mkdir()
    copy = checkout.copy_to(folder).path
    (copy / ".venv").unlink()
    # what the set-up needs beyond a run
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(REPOSITORY / name, copy / name)
    return copy


@pytest.mark.slow
def test_the_first_command_works_in_a_folder_with_a_space(sources, finished, tmp_path):
    here = moved(sources, tmp_path / NAMES[0] / "sound proof")
    # two cores made the finished run, and numbers do not depend on that
    said = run(here, "snakemake", "--cores", "1")
    assert "[100 %] All jobs are done" in said and "Traceback" not in said
    assert differing(Checkout(here).digests(), finished.digests()) == []
    assert NOTHING in run(here, "snakemake", "--cores", "2")
    for tool in ("snakemake", "pytest", "dvc", "ruff", "pip"):
        assert run(here, tool, "--version")
    # moved on: the old place's paths are in the environment, which is made anew
    there = here.rename(tmp_path / "elsewhere")
    assert NOTHING in run(there, "snakemake", "--cores", "2")


def test_jobs_run_in_any_folder_whose_interpreter_lies_in_it(sources, tmp_path):
    here = sources.copy_to(tmp_path / "plain").path
    there = here.rename(tmp_path / NAMES[1])
    done = subprocess.run(
        # the environment is reached through the odd name, as if it lay there
        [there / ".venv/bin/python", "-m", "snakemake", "results/bench/tiny/clips.parquet", "--cores", "1"],
        cwd=there,
        env={**Checkout(there).environment(), "PATH": "/usr/bin:/bin"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert (there / "results/bench/tiny/clips.parquet").exists()
    assert "[  0 %] List the clips of study tiny" in done.stdout and "input:" not in done.stdout
