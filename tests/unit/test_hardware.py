"""Whether jobs ask for a GPU."""

from pathlib import Path

import pytest

from soundproof import hardware


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
