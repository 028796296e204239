"""What every job of the workflow does around its work: log, time, and fail readably."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundproof.errors import SoundproofError

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@contextmanager
def job(name: str, log: Path) -> Iterator[None]:
    """Log to ``log`` and, from warnings on, to the terminal.

    An expected failure (:class:`soundproof.errors.SoundproofError`) ends the process with its message alone; any
    other leaves its traceback in the log and on the terminal.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    to_terminal = logging.StreamHandler(sys.stderr)
    to_terminal.setLevel(logging.WARNING)
    logging.basicConfig(
        level=logging.INFO,
        format=FORMAT,
        handlers=[logging.FileHandler(log, mode="w"), to_terminal],
        force=True,
    )
    logging.captureWarnings(capture=True)
    start = time.perf_counter()
    try:
        yield
    except SoundproofError as error:
        logger.error("%s failed: %s", name, error)
        raise SystemExit(1) from None
    except Exception:
        logger.exception("%s failed", name)
        raise
    logger.info("%s took %.1f s", name, time.perf_counter() - start)


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
        """Read the run's configuration."""
        return cls(config["device"], config["threads"], config["memory_budget_mb"] << 20)

    def device(self) -> torch.device:
        """Choose the device and make torch deterministic on it."""
        import torch

        from soundproof.training.determinism import set_determinism

        set_determinism(self.threads)
        if self.wanted == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return torch.device(self.wanted)
