"""A second attempt is made of what it may cure, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundproof.core.errors import (
    ArtefactError,
    ConfigError,
    DataError,
    DownloadError,
    MemoryShortage,
    SettingError,
    SoundproofError,
    StorageError,
)
from soundproof.runs import attempts
from soundproof.runs.job import job

PROBLEM = ("clip 'a'", "NaN", "leave it out")


def run(log: Path, error: Exception | None) -> bool:
    """Run a job that ends with ``error``; tells whether it came to its work."""
    worked = False
    try:
        with job("train", log):
            worked = True
            if error is not None:
                raise error
    except SystemExit:
        pass
    return worked


@pytest.fixture
def log(tmp_path: Path) -> Path:
    attempts.begin_run()
    return tmp_path / "logs" / "job.log"


@pytest.mark.parametrize("error", [DataError(*PROBLEM), ConfigError(*PROBLEM), SettingError(*PROBLEM, {})])
def test_a_failure_of_the_data_is_not_tried_again_in_the_same_run(error: SoundproofError, log: Path) -> None:
    assert run(log, error)
    assert not run(log, None)
    # the first attempt's message is still there
    assert "leave it out" in log.read_text(encoding="utf-8")
    with pytest.raises(SystemExit, match=r"train: not tried again.*job\.log"), job("train", log):
        pass
    attempts.begin_run()
    assert run(log, None)
    assert [path.name for path in log.parent.iterdir()] == ["job.log"]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("too much"),
        RuntimeError("CUDA out of memory"),
        RuntimeError("a library's own"),
        *(kind(*PROBLEM) for kind in (DownloadError, ArtefactError, StorageError, MemoryShortage)),
    ],
)
def test_what_may_pass_is_tried_again(error: Exception, log: Path) -> None:
    assert run(log, error)
    assert run(log, None)


def test_outside_a_run_nothing_is_marked(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(attempts.RUN)
    assert run(log, DataError(*PROBLEM))
    assert run(log, DataError(*PROBLEM))
    assert [path.name for path in log.parent.iterdir()] == ["job.log"]
