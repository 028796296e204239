"""Sounds that wait for their maps to be scaled, in bounded memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType

import numpy as np

from soundproof.core.errors import DataError


class WaitingSounds:
    """Sounds of one length, which leave in the order in which they came.

    Args:
        beside: File whose folder holds the temporary file.
        n_samples: Length of each.
    """

    def __init__(self, beside: Path, n_samples: int) -> None:
        self.n_samples = n_samples
        self._folder = beside.parent
        self._taken = 0

    def __enter__(self) -> WaitingSounds:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=self._folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, clip_id: str, sound: np.ndarray) -> None:
        """Keep the sound of a clip [n_samples].

        Raises:
            DataError: It is longer or shorter than the first.
        """
        if len(sound) != self.n_samples:
            raise DataError(
                f"clip '{clip_id}': {self.n_samples} samples as the first clip, for models that take sound",
                f"{len(sound)} samples",
                "cut all clips to one length (recordings: 'segment_seconds')",
            )
        self._file.seek(0, 2)
        self._file.write(sound.astype(np.float32, copy=False).tobytes())

    def take(self) -> np.ndarray:
        """The next sound, float32 [1, n_samples]."""
        n_bytes = 4 * self.n_samples
        self._file.seek(self._taken * n_bytes)
        self._taken += 1
        return np.frombuffer(self._file.read(n_bytes), np.float32)[np.newaxis]
