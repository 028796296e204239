"""How Snakemake is started: with what a cluster needs where a cluster may be meant, else without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from soundproof.runs.engine_start import CLUSTER, may_use_cluster

ROOT = Path(__file__).parents[2]
START = "from soundproof.runs.engine_start import start_engine; import atexit, sys; "


@pytest.mark.parametrize(
    "words",
    [
        ["--executor", "slurm"],
        ["-e", "slurm"],
        ["--profile=profiles/slurm"],
        ["--profile", "mine"],
        ["--workflow-profile", "mine"],
        ["--slurm-logdir", "x"],
        ["--help"],
        ["-h"],
    ],
)
def test_what_may_mean_a_cluster_keeps_its_plugin(words: list[str], tmp_path: Path) -> None:
    assert may_use_cluster(words, {}, tmp_path)


def test_profiles_that_are_not_named_keep_it_too(tmp_path: Path) -> None:
    assert may_use_cluster([], {"SNAKEMAKE_PROFILE": "mine"}, tmp_path)
    profile = tmp_path / "profiles" / "default" / "config.v9+.yaml"
    profile.parent.mkdir(parents=True)
    profile.write_text("cores: 2\n", encoding="utf-8")
    assert not may_use_cluster(["-n"], {}, tmp_path)
    profile.write_text("executor: slurm\n", encoding="utf-8")
    assert may_use_cluster(["-n"], {}, tmp_path)


def test_a_run_of_this_folder_is_local() -> None:
    assert not may_use_cluster(["--cores", "all", "-n", "--config", "studies=[p3]"], {}, ROOT)


@pytest.mark.parametrize(
    ("words", "there"), [(["--version"], False), (["--profile", "slurm", "--version"], True)]
)
def test_the_plugin_is_imported_only_where_it_may_be_meant(
    words: list[str], there: bool, tmp_path: Path
) -> None:
    program = f"{START}atexit.register(lambda: print({CLUSTER!r} in sys.modules)); start_engine({words!r})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == str(there)
