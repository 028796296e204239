"""Read a file on a server piece by piece, as if it were open here."""

from __future__ import annotations

import io

import requests

from soundproof.core.errors import DownloadError
from soundproof.downloads.remote_file import RemoteFile
from soundproof.downloads.request import Interrupted, Refused, asking, content_range
from soundproof.downloads.retry_policy import Policy

_LEAST_BYTES = 1 << 16
"""Bytes asked for at least: a request costs more than that."""


class RemoteReader(io.RawIOBase):
    """A seekable file over HTTP ranges; one piece is kept, so that what is read in order is asked for once.

    Args:
        remote: The file. Where its size is known, every answer must confirm it.
        policy: How persistently to try.

    Raises:
        DownloadError: No address answers ranges of a file of the right size.
    """

    def __init__(self, remote: RemoteFile, policy: Policy) -> None:
        super().__init__()
        self.remote = remote
        self.policy = policy
        self.n_requests = 0
        self._session = requests.Session()
        self._urls = list(remote.urls)
        self._position = 0
        self._start, self._piece = 0, b""
        self._size = remote.n_bytes
        if self._size is None:
            self.load(0, 1)

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        assert self._size is not None, "the first answer tells it"
        return self._size

    def load(self, start: int, n_bytes: int) -> None:
        """Have a piece at hand, so that reads within it ask nobody."""
        stop = start + n_bytes if self._size is None else min(start + n_bytes, self._size)
        if not (self._start <= start and stop <= self._start + len(self._piece)):
            self._piece, self._start = self._fetch(start, stop), start

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to ``size`` bytes from the current position; fewer only at the end."""
        left = max(0, self.size - self._position)
        n_bytes = left if size is None or size < 0 else min(size, left)
        if n_bytes == 0:
            return b""
        inside = self._start <= self._position and self._position + n_bytes <= self._start + len(self._piece)
        if not inside:
            self.load(self._position, max(n_bytes, _LEAST_BYTES))
        begin = self._position - self._start
        self._position += n_bytes
        return self._piece[begin : begin + n_bytes]

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move, as :meth:`io.IOBase.seek`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise OSError("before the beginning")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Current position."""
        return self._position

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Let the connection go."""
        self._session.close()
        super().close()

    def _fetch(self, start: int, stop: int) -> bytes:
        outcomes = []
        while self._urls:
            try:
                return self._persist(self._urls[0], start, stop)
            except Refused as refusal:
                outcomes.append(f"{self._urls[0]}: {refusal}")
                # what failed once is not asked again for every further piece
                self._urls.pop(0)
        raise DownloadError(
            f"bytes {start} to {stop - 1} of {self.remote.name}",
            "; ".join(outcomes) or "no address is left",
            "fetch the whole file instead, or place it by hand",
        )

    def _persist(self, url: str, start: int, stop: int) -> bytes:
        failures = 0
        while True:
            self.policy.rest(url)
            try:
                return self._ask(url, start, stop)
            except Interrupted as interruption:
                failures += 1
                self.policy.pause(interruption, failures, url)

    def _ask(self, url: str, start: int, stop: int) -> bytes:
        self.n_requests += 1
        with asking(self._session, url, self.policy.timeouts, f"bytes={start}-{stop - 1}") as response:
            found = content_range(response)
            if found is None:
                raise Refused(f"HTTP {response.status_code} without the range asked for: no parts can be had")
            first, last, total = found
            if self._size not in (None, total):
                raise Refused(f"a file of {total} bytes instead of {self._size}")
            if first != start or last != min(stop, total) - 1:
                raise Interrupted(f"a wrong range: {first} to {last} instead of {start} to {stop - 1}")
            wanted = last - first + 1
            pieces, held = [], 0
            while held < wanted and (piece := response.raw.read1(wanted - held)):
                pieces.append(piece)
                held += len(piece)
        if held < wanted:
            raise Interrupted(f"the transfer ended after {held} of {wanted} bytes")
        self._size = total
        return b"".join(pieces)
