"""Tests that share something outside, as one Slurm, run one after the other."""

from __future__ import annotations

import subprocess
import sys

TESTS = """
import pathlib, time
import pytest

@pytest.mark.xdist_group("shared")
@pytest.mark.parametrize("number", range(4))
def test_something(number, worker_id):
    time.sleep(0.2)
    pathlib.Path(__file__).with_name(f"{__name__}-{number}.txt").write_text(worker_id)
"""


def test_tests_of_a_group_run_in_one_process(tmp_path, pytestconfig):
    # in two files, since those of one file may come to one process by chance
    for name in ("test_a", "test_b"):
        (tmp_path / f"{name}.py").write_text(TESTS)
    configured = pytestconfig.getini("addopts")
    distribution = configured[configured.index("--dist") :][:2]
    command = [sys.executable, "-m", "pytest", "-n", "2", *distribution, tmp_path]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    ran_in = {path.name: path.read_text() for path in tmp_path.glob("*.txt")}
    assert len(ran_in) == 8
    assert len(set(ran_in.values())) == 1, ran_in
