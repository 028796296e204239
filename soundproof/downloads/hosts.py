"""Courtesy towards a host: at most two streams at a time, and none before it wants to be asked again.

The limit holds for everything that one user runs on one machine, whatever the process or data folder: each stream
holds one of two lock files, which the system releases when a process ends, however it ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from soundproof.downloads.locks import user_lock

STREAMS = 2
"""Streams per host. Four are known to be cut off by Zenodo, two to pass."""
_POLL_S = 0.05

_not_before: dict[str, float] = {}
_guard = threading.Lock()


@contextmanager
def stream(url: str) -> Iterator[None]:
    """Hold one of the streams of the host of ``url`` while the block runs; wait until one is free."""
    locks = [user_lock(f"{_host(url)}.{number}") for number in range(STREAMS)]
    held = _first_free(locks)
    try:
        yield
    finally:
        held.release()


def _first_free(locks: list[FileLock]) -> FileLock:
    while True:
        for lock in locks:
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
            return lock
        time.sleep(_POLL_S)


def rest(url: str, seconds: float) -> None:
    """Remember that this host wants no request for so long."""
    if seconds <= 0:
        return
    with _guard:
        _not_before[_host(url)] = max(_not_before.get(_host(url), 0.0), time.monotonic() + seconds)


def must_rest_s(url: str) -> float:
    """Seconds for which the host of ``url`` still wants no request."""
    with _guard:
        return max(0.0, _not_before.get(_host(url), 0.0) - time.monotonic())


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2].lower()
