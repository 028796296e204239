from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from soundproof.errors import DataError
from soundproof.jobs import Runtime, job


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def _torch_as_before() -> Iterator[None]:
    threads, mode = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    yield
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode(mode)


def test_a_job_logs_what_it_did_and_how_long_it_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "deep" / "job.log"
    with job("train", log):
        logging.getLogger("soundproof.x").info("halfway")
        logging.getLogger("soundproof.x").warning("careful")
        warnings.warn("from a library", stacklevel=1)
    text = log.read_text(encoding="utf-8")
    assert "halfway" in text and "careful" in text and "from a library" in text and "train took" in text
    shown = capsys.readouterr().err
    assert "careful" in shown and "halfway" not in shown


def test_an_expected_failure_ends_with_its_message_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "job.log"
    with pytest.raises(SystemExit) as caught, job("extract", log):
        raise DataError("clip 'a'", "NaN", "leave it out")
    assert caught.value.code == 1
    for text in (log.read_text(encoding="utf-8"), capsys.readouterr().err):
        assert "extract failed: clip 'a'\n  found: NaN\n  to do: leave it out" in text
        assert "Traceback" not in text and "took" not in text


def test_an_unexpected_failure_leaves_its_traceback(tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    with pytest.raises(ZeroDivisionError), job("extract", log):
        _ = 1 / 0
    assert "Traceback" in log.read_text(encoding="utf-8")


def test_a_second_attempt_starts_a_new_log(tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    for word in ("first", "second"):
        with job(word, log):
            pass
    text = log.read_text(encoding="utf-8")
    assert "second" in text and "first" not in text


@pytest.mark.usefixtures("_torch_as_before")
def test_a_runtime_is_read_off_the_configuration() -> None:
    runtime = Runtime.of({"device": "cpu", "threads": 1, "memory_budget_mb": 3, "run": "x"})
    assert runtime.memory_budget_bytes == 3 * 1024 * 1024
    assert runtime.device() == torch.device("cpu")
    assert torch.get_num_threads() == 1
    wanted = "cuda" if torch.cuda.is_available() else "cpu"
    assert Runtime("auto", 1, 1).device().type == wanted
