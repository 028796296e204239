"""Whether jobs ask for a GPU."""

from pathlib import Path

import pytest

from soundproof import hardware


@pytest.mark.parametrize(
    ("device", "there", "wanted"),
    [("cuda", False, True), ("cpu", True, False), ("auto", True, True), ("auto", False, False)],
)
def test_jobs_ask_for_a_gpu_where_one_is_wanted(device, there, wanted, monkeypatch, tmp_path):
    monkeypatch.setattr(hardware, "_NVIDIA", tmp_path if there else Path(tmp_path, "nothing"))
    assert hardware.jobs_want_gpu(device) is wanted
