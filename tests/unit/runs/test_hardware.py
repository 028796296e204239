"""Whether jobs ask for a GPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from soundproof.runs import hardware


@pytest.mark.parametrize(
    ("device", "here", "there", "wanted"),
    [
        ("cuda", True, False, True),
        ("cuda", False, False, True),
        ("cpu", True, True, False),
        ("auto", True, True, True),
        ("auto", True, False, False),
        ("auto", False, True, False),
    ],
)
def test_jobs_ask_for_a_gpu_where_one_is_wanted(device, here, there, wanted, monkeypatch, tmp_path):
    monkeypatch.setattr(hardware, "_NVIDIA", tmp_path if there else Path(tmp_path, "nothing"))
    assert hardware.jobs_want_gpu(device, here=here) is wanted


def test_hidden_gpus_are_hidden_from_what_is_started(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    hardware.hide_gpus()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    said = subprocess.run(
        [sys.executable, "-c", "import os; print(repr(os.environ['CUDA_VISIBLE_DEVICES']))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "''"
