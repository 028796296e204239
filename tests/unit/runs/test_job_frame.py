from __future__ import annotations

import logging
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from snakemake.benchmark import BenchmarkRecord

from soundproof.core.errors import ConfigError, DataError
from soundproof.interfaces.precision import Precision
from soundproof.runs.job import job
from soundproof.training.runtime import Runtime
from soundproof.weights.place import weights_file


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


def test_a_job_notes_what_it_used(tmp_path: Path) -> None:
    log = tmp_path / "run" / "logs" / "train" / "study" / "part.log"
    code = (
        "import sys, time; from pathlib import Path; from soundproof.runs.job import job\n"
        "with job('train', Path(sys.argv[1])):\n"
        "    held = bytearray(100 << 20); end = time.process_time() + 0.5\n"
        "    while time.process_time() < end: pass\n"
    )
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", code, str(log)], check=True)
    took = time.monotonic() - start
    noted = tmp_path / "run" / "benchmarks" / "train" / "study" / "part.tsv"
    names, values = (line.split("\t") for line in noted.read_text(encoding="utf-8").splitlines())
    found = dict(zip(names, values, strict=True))
    assert 0.5 <= float(found["cpu_time"]) <= float(found["s"]) + 0.05 <= took + 0.1
    assert 100 < float(found["max_rss"]) < 400 and found["max_vms"] == "NA"
    assert float(found["mean_load"]) == pytest.approx(
        100 * float(found["cpu_time"]) / float(found["s"]), rel=0.05
    )
    # as the workflow engine would have it
    assert names == BenchmarkRecord.get_header()


def test_a_job_that_failed_or_logs_elsewhere_notes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit), job("train", tmp_path / "logs" / "train" / "a.log"):
        raise DataError("clip 'a'", "NaN", "leave it out")
    with job("train", tmp_path / "elsewhere" / "b.log"):
        pass
    assert not list(tmp_path.rglob("*.tsv"))


def test_who_is_asked_twice_to_end_clears_away_once(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from soundproof.runs.job import job\n"
        "with job('train', Path(sys.argv[1])):\n"
        "    try: os.kill(os.getpid(), signal.SIGTERM); signal.pause()\n"
        "    finally: os.kill(os.getpid(), signal.SIGTERM); print('cleared away')\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "a.log")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (143, "cleared away\n")


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


def test_an_unexpected_failure_leaves_its_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "job.log"
    with pytest.raises(SystemExit) as caught, job("extract", log):
        _ = 1 / 0
    assert caught.value.code == 1
    for text in (log.read_text(encoding="utf-8"), capsys.readouterr().err):
        assert text.count("Traceback") == 1 and "ZeroDivisionError" in text


def test_secrets_reach_neither_log_nor_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVE_TOKEN", "planted-token")
    monkeypatch.setenv("https_proxy", "http://me:planted-word@proxy:3128")
    log = tmp_path / "job.log"
    with pytest.raises(SystemExit), job("download", log):
        logging.getLogger("x").warning("asking %s", "https://me:planted-word@host/a?sig=planted-mark")
        raise ConnectionError("proxy me:planted-word refused planted-token")
    for text in (log.read_text(encoding="utf-8"), capsys.readouterr().err):
        assert "planted" not in text
        assert "asking https://***@host/a?sig=***" in text and "refused ***" in text


TOO_MUCH = """
import resource, sys
from pathlib import Path
import numpy, torch
from soundproof.runs.job import job
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + (64 << 20),) * 2)
for allocate in (lambda: torch.zeros(1 << 28), lambda: numpy.zeros(1 << 28), lambda: bytearray(1 << 30)):
    try:
        with job("attribute", Path(sys.argv[1])):
            allocate()
    except SystemExit as ended:
        assert ended.code == 1
        print(Path(sys.argv[1]).read_text())
"""


def test_a_lack_of_memory_is_said_with_what_to_do(tmp_path: Path) -> None:
    words = [sys.executable, "-c", TOO_MUCH, str(tmp_path / "job.log")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    for text in (done.stdout, done.stderr):
        assert text.count("attribute failed: memory for this job\n  found: ") == 3
        assert text.count("run fewer jobs at once (--cores 1), lower 'memory_budget_mb'") == 3
        assert "Traceback" not in text


def test_a_log_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    with pytest.raises(SystemExit) as caught, job("extract", tmp_path / "logs" / "job.log"):
        pytest.fail("the job began without a log")
    assert "write the log" in str(caught.value.code) and "to do: " in str(caught.value.code)


def test_a_log_that_fills_the_disk_does_not_stop_the_job(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finished = False
    with job("extract", small_disk / "job.log"):
        for _ in range(10):
            logging.getLogger("x").info("x" * 100_000)
        finished = True
    assert finished and "Logging error" not in capsys.readouterr().err


def test_a_second_attempt_starts_a_new_log(tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    for word in ("first", "second"):
        with job(word, log):
            pass
    text = log.read_text(encoding="utf-8")
    assert "second" in text and "first" not in text


@pytest.mark.usefixtures("_torch_as_before")
def test_a_runtime_is_read_off_the_configuration() -> None:
    config = {
        "device": "cpu",
        "threads": 1,
        "memory_budget_mb": 3,
        "run": "x",
        "data_dir": "data",
        "precision": {"p1": "strict", "fast": "tf32"},
    }
    runtime = Runtime.of(config, "p1")
    assert weights_file("cnn9") == Path("data/weights/cnn9.safetensors")
    assert runtime.memory_budget_bytes == 3 * 1024 * 1024
    assert runtime.device() == torch.device("cpu")
    assert torch.get_num_threads() == 1
    wanted = "cuda" if torch.cuda.is_available() else "cpu"
    assert Runtime("auto", 1, 1).device().type == wanted
    assert (runtime.precision, Runtime.of(config, "fast").precision) == ("strict", "tf32")


@pytest.mark.usefixtures("_torch_as_before")
def test_the_precision_of_products_and_convolutions_is_set_and_not_left_to_torch() -> None:
    settings: list[tuple[Precision, bool]] = [("tf32", True), ("strict", False)]
    for precision, rounded in settings:
        Runtime("auto", 1, 1, precision).device()
        found = (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32)
        assert found == (rounded, rounded)


@pytest.mark.usefixtures("_torch_as_before")
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_missed_in_words() -> None:
    with pytest.raises(ConfigError, match=r"finds no GPU[\s\S]*set 'device: cpu'"):
        Runtime("cuda", threads=1, memory_budget_bytes=1).device()
