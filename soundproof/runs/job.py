"""What every job of the workflow does around its work: log, time, and fail readably."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.core.errors import ConfigError, MemoryShortage, SoundproofError, StorageError
from soundproof.core.redaction import redact
from soundproof.runs.attempts import failed_for_good, leave_mark
from soundproof.weights.place import use_data_dir

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@contextmanager
def job(name: str, log: Path) -> Iterator[None]:
    """Log to ``log`` and, from warnings on, to the terminal.

    An expected failure (:class:`soundproof.core.errors.SoundproofError`) ends the process with its message alone; any
    other leaves its traceback in the log and on the terminal. Secrets are hidden in both. What a second attempt
    cannot cure is not tried again in the same run (:mod:`soundproof.runs.attempts`).
    """
    if failed_for_good(log):
        # said before the log is opened, which keeps the first attempt's message
        raise SystemExit(f"{name}: not tried again, since it would fail of the same (see {log})")
    to_terminal = logging.StreamHandler(sys.stderr)
    to_terminal.setLevel(logging.WARNING)
    handlers: list[logging.Handler] = [_open(log), to_terminal]
    for handler in handlers:
        handler.setFormatter(_Redacting(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    logging.captureWarnings(capture=True)
    # asked to end (Ctrl-C, scancel): leave by the way of an error, so that half-written files are removed
    asked = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    start = time.perf_counter()
    try:
        yield
    except Exception as error:
        readable = error if isinstance(error, SoundproofError) else _memory_shortage(error)
        if readable is not None:
            logger.error("%s failed: %s", name, readable)
            if not readable.curable:
                with suppress(StorageError, OSError):
                    leave_mark(log)
            raise SystemExit(1) from None
        logger.exception("%s failed", name)
        # the traceback has been shown; Python's own would show it again, with secrets
        raise SystemExit(1) from None
    else:
        logger.info("%s took %.1f s", name, time.perf_counter() - start)
    finally:
        signal.signal(signal.SIGTERM, asked)
        logging.captureWarnings(capture=False)


class _Redacting(logging.Formatter):
    """Hides secrets in messages and tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _Log(logging.FileHandler):
    """A log that does not matter more than the job: a record that the disk has no room for is left out."""

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


def _open(log: Path) -> _Log:
    """Open a job's log.

    The process ends with the message alone where that cannot be, since there is no log yet to say it in.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return _Log(log, mode="w")
    except OSError as error:
        problem = StorageError(
            f"write the log {log}",
            str(error.strerror),
            "free some room or make the folder writable, then run the same command again",
        )
        raise SystemExit(str(problem)) from error


def _memory_shortage(error: Exception) -> MemoryShortage | None:
    """Word a failed allocation, which each library reports in its own way; None for any other failure."""
    said = str(error).lower()
    torchs = (
        isinstance(error, RuntimeError) and ("alloc" in said or "out of memory" in said) and "memory" in said
    )
    if not isinstance(error, MemoryError) and not torchs:
        return None
    return MemoryShortage(
        "memory for this job",
        str(error).splitlines()[0] if str(error) else "none left",
        "run fewer jobs at once (--cores 1), lower 'memory_budget_mb', or take smaller batches; "
        "what is finished is kept",
    )


@dataclass(frozen=True)
class Runtime:
    """Where a job computes and what it may use; this shapes no result beyond float rounding.

    Attributes:
        wanted: ``auto`` (a GPU if there is one), ``cpu`` or ``cuda``.
        threads: CPU threads; the order of float sums depends on it, so it is fixed by the configuration and
            not taken from the machine.
        memory_budget_bytes: Memory that may be filled with maps.
    """

    wanted: str
    threads: int
    memory_budget_bytes: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Runtime:
        """Read the run's configuration, which also says where pretrained weights are."""
        use_data_dir(Path(config["data_dir"]))
        return cls(config["device"], config["threads"], config["memory_budget_mb"] << 20)

    def device(self) -> torch.device:
        """Choose the device and make torch deterministic on it.

        Raises:
            ConfigError: A GPU is wanted, and torch finds none.
        """
        import torch

        from soundproof.training.determinism import set_determinism

        set_determinism(self.threads)
        there = torch.cuda.is_available()
        if self.wanted == "auto":
            return torch.device("cuda" if there else "cpu")
        if self.wanted == "cuda" and not there:
            built = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU only"
            raise ConfigError(
                "device 'cuda'",
                f"torch {torch.__version__}, built for {built}, finds no GPU",
                "set 'device: cpu'; or see that the job gets a GPU, and install with 'scripts/setup.sh gpu'",
            )
        return torch.device(self.wanted)
