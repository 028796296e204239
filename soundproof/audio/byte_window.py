"""A part of a file as a file of its own."""

from __future__ import annotations

import io
import os
from typing import IO


class Window(io.RawIOBase):
    """Some bytes of a file, as a file of their own; closing it closes the file.

    Args:
        stream: The file.
        start: First byte.
        n_bytes: Number of bytes.
        patch: Bytes that stand in for those at the beginning.
    """

    def __init__(self, stream: IO[bytes], start: int, n_bytes: int, patch: bytes = b"") -> None:
        super().__init__()
        self._stream = stream
        self._start = start
        self._n_bytes = n_bytes
        self._patch = patch
        self._place = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Place of the next byte, from the window's beginning."""
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place of the window."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._n_bytes}[whence]
        self._place = max(0, origin + offset)
        return self._place

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, by default all that are left."""
        left = max(0, self._n_bytes - self._place)
        wanted = left if size < 0 else min(size, left)
        self._stream.seek(self._start + self._place)
        found = self._stream.read(wanted)
        instead = self._patch[self._place : self._place + len(found)]
        self._place += len(found)
        return instead + found[len(instead) :]

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        """Read as many bytes as the buffer takes."""
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        """Close window and file."""
        self._stream.close()
        super().close()
