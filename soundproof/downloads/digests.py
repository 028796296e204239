"""Checksums of a file while it arrives, so that it need not be read a second time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_CHUNK_BYTES = 1 << 20


class RunningDigests:
    """Checksums of the first bytes of a growing file.

    Args:
        algorithms: Names of the algorithms.
    """

    def __init__(self, algorithms: Iterable[str]) -> None:
        self._algorithms = tuple(algorithms)
        self._restart()

    def _restart(self) -> None:
        self._sums = {name: hashlib.new(name, usedforsecurity=False) for name in self._algorithms}
        self._n_bytes = 0

    def catch_up(self, path: Path, n_bytes: int) -> None:
        """Cover exactly the first ``n_bytes`` of ``path``, reading only what was not covered yet.

        What was covered must be what the file still begins with.
        """
        if self._n_bytes > n_bytes:
            self._restart()
        if self._n_bytes == n_bytes:
            return
        with path.open("rb") as stream:
            stream.seek(self._n_bytes)
            while self._n_bytes < n_bytes:
                piece = stream.read(min(_CHUNK_BYTES, n_bytes - self._n_bytes))
                if not piece:
                    break
                self.update(piece)

    def update(self, piece: bytes) -> None:
        """Add bytes that follow those covered."""
        for digest in self._sums.values():
            digest.update(piece)
        self._n_bytes += len(piece)

    @property
    def n_bytes(self) -> int:
        """Bytes covered."""
        return self._n_bytes

    def hexadecimal(self) -> dict[str, str]:
        """Checksum by algorithm of the bytes covered."""
        return {name: digest.hexdigest() for name, digest in self._sums.items()}
