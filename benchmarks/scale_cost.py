"""How large a run is, and what its jobs cost."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from benchmarks.resident import peak_resident_bytes, reset_peak
from benchmarks.rows import BenchmarkError
from soundproof.randomness.seeding import seed_from
from soundproof.storage.files import whole_file
from soundproof.storage.tables import read_table

SECONDS, RATE_HZ = 10, 16_000
TRAIN_PER_EXPLAINED, NORMAL_PER_EXPLAINED = 32, 1


MACHINES = ("left", "right")
"""Two, for there are detectors that learn to tell machines apart."""


@dataclass(frozen=True)
class Size:
    """Clips of a run.

    Attributes:
        train: Normal clips for training.
        test: Test clips, anomalies among them.
        explained: Anomalies that are explained.
    """

    train: int
    test: int
    explained: int

    @classmethod
    def of(cls, explained: int) -> Size:
        """Size of a measured run; the paper's data sets have their own proportions."""
        return cls(TRAIN_PER_EXPLAINED * explained, (1 + NORMAL_PER_EXPLAINED) * explained, explained)


@dataclass(frozen=True)
class Cost:
    """What a job took.

    Attributes:
        seconds: Processor time of one core, the loading of libraries left out.
        n_bytes: Size of what it wrote.
        rows: Measured numbers that it wrote.
        peak_mib: Most memory that its process held.
    """

    seconds: float
    n_bytes: int
    rows: int
    peak_mib: float


def cost_of(work: Callable[[], None], outputs: Sequence[Path], rows: Path | None = None) -> Cost:
    """Do some work and tell what it took; ``rows`` is the output that holds measured numbers.

    The work has a process of its own, as a job has, but finds the libraries loaded.

    Raises:
        BenchmarkError: The work failed.
    """
    # forked: lambdas go along, and nothing is imported anew
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(work, sender))
    process.start()
    sender.close()
    try:
        seconds, peak = receiver.recv()
    except EOFError:
        process.join()
        raise BenchmarkError(
            "a job's work", f"exit status {process.exitcode}", "see its message above"
        ) from None
    process.join()
    n_rows = len(read_table(rows)) if rows is not None else 0
    return Cost(seconds, sum(path.stat().st_size for path in outputs), n_rows, peak / (1 << 20))


def _tell(work: Callable[[], None], sender: Connection) -> None:
    reset_peak()
    start = time.process_time()
    work()
    sender.send((time.process_time() - start, peak_resident_bytes()))


def write_recordings(folder: Path, size: Size) -> Path:
    """Write noise as recordings, every anomaly with one event; return the table of labels."""
    random = np.random.default_rng(seed_from("scale recordings"))
    rows = []
    for number in range(size.train + size.test):
        name, anomalous = f"clip_{number:06d}.wav", number >= size.train + size.test - size.explained
        soundfile.write(folder / name, 0.1 * random.standard_normal(SECONDS * RATE_HZ), RATE_HZ)
        rows.append(
            {
                "path": name,
                "machine": MACHINES[number % len(MACHINES)],
                "split": "train" if number < size.train else "test",
                "label": "anomaly" if anomalous else "normal",
                "onset_s": "2" if anomalous else "",
                "offset_s": "4" if anomalous else "",
            }
        )
    labels = folder / "labels.csv"
    with whole_file(labels) as partial:
        pd.DataFrame(rows).to_csv(partial, index=False)
    return labels
