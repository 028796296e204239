"""Per-band standardisation with the statistics of the normal training clips."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from soundproof.core.errors import DataError

K = TypeVar("K", bound=Hashable)


def standardised(
    maps: Iterator[tuple[K, np.ndarray]],
    train: set[K],
    beside: Path,
    on_statistics: Callable[[np.ndarray, np.ndarray], None] = lambda mean, deviation: None,
) -> Iterator[tuple[K, np.ndarray]]:
    """Yield every map with each band shifted and scaled to the training clips' zero mean and unit variance.

    Two passes in bounded memory: the raw maps wait in a temporary file.

    Args:
        maps: Names, such as clip ids, and maps [n_freq, n_frames].
        train: Names of the maps that give the statistics.
        beside: File whose folder holds the temporary file.
        on_statistics: Called once, before the first map, with mean and deviation of each band [n_freq].

    Raises:
        DataError: No training clip, or a band that never varies in them.
    """
    beside.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=beside.parent) as waiting:
        ids: list[K] = []
        count, total, squares, shape, dtype = 0, np.zeros(0), np.zeros(0), (0, 0), np.dtype("float32")
        for clip_id, values in maps:
            ids.append(clip_id)
            shape = values.shape
            waiting.write(values.astype(dtype, copy=False).tobytes())
            if clip_id in train:
                wide = values.astype(np.float64)
                total = total + wide.sum(1) if count else wide.sum(1)
                squares = squares + (wide**2).sum(1) if count else (wide**2).sum(1)
                count += values.shape[1]
        mean, deviation = _statistics(count, total, squares)
        on_statistics(mean, deviation)
        waiting.seek(0)
        for clip_id in ids:
            raw = np.frombuffer(waiting.read(dtype.itemsize * shape[0] * shape[1]), dtype).reshape(shape)
            yield clip_id, ((raw - mean[:, None]) / deviation[:, None]).astype(dtype)


def _statistics(count: int, total: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not count:
        raise DataError(
            "normal training clips to standardise with", "none", "add clips to the training split"
        )
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    flat = np.flatnonzero(deviation < 1e-6 * (1 + np.abs(mean)))
    if flat.size:
        raise DataError(
            "bands that vary over the training clips",
            f"band {flat[0]} (of {len(mean)}) does not",
            "check the recordings, or choose 'standardise: none' or other band limits",
        )
    return mean, deviation
