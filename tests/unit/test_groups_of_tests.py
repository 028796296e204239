"""Tests of a file run one after the other in one process: they may share what a machine has once."""

from __future__ import annotations

import subprocess
import sys

TESTS = """
import pathlib, time
import pytest

@pytest.mark.parametrize("number", range(8))
def test_something(number, worker_id):
    time.sleep(0.1)
    pathlib.Path(__file__).with_name(f"{__name__}-{number}.txt").write_text(worker_id)
"""


def test_tests_of_a_file_run_in_one_process(tmp_path, pytestconfig):
    (tmp_path / "test_a.py").write_text(TESTS)
    (tmp_path / "test_b.py").write_text("def test_other(): pass\n")
    configured = pytestconfig.getini("addopts")
    distribution = configured[configured.index("--dist") :][:2]
    command = [sys.executable, "-m", "pytest", "-n", "2", *distribution, tmp_path]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    ran_in = {path.name: path.read_text() for path in tmp_path.glob("*.txt")}
    assert len(ran_in) == 8
    assert len(set(ran_in.values())) == 1, ran_in
