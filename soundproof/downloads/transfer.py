"""One attempt to move bytes from an address into a ``.part`` file.

``requests`` carries the transfer. Pooch, the usual choice for data sets, keeps a registry of checksums, but
its downloaders restart a broken transfer from zero, which is useless for files of 10 GB on a line that
stalls.
Here a broken attempt leaves its bytes, and the next one asks for the rest.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import requests

from soundproof.core.errors import DownloadError
from soundproof.downloads.digests import RunningDigests
from soundproof.downloads.request import Interrupted, Refused, Timeouts, asking, content_range
from soundproof.storage.files import storage_errors

CHUNK_BYTES = 1 << 18
_TOTAL = re.compile(r"bytes .*/(\d+)")

Progress = Callable[[int, int | None], None]
"""Called with the bytes held so far and the size of the whole, where known."""


def transfer(
    session: requests.Session,
    url: str,
    part: Path,
    n_bytes: int | None,
    timeouts: Timeouts,
    progress: Progress,
    digests: RunningDigests,
) -> None:
    """Fetch what ``part`` still lacks; on return it holds the whole body, and ``digests`` cover it.

    A part is continued only if the answer is 206 and its ``Content-Range`` names the offset asked for and the
    size expected; any other answer starts the file from zero, since servers and caches may ignore a range.

    Args:
        session: Session to send the request through.
        url: Address of the file.
        part: Unfinished file; need not exist.
        n_bytes: Size of the whole file, where known.
        timeouts: Patience with a silent server.
        progress: Told of every piece written.
        digests: Checksums, brought up to date with what ``part`` holds.

    Raises:
        Interrupted: Worth another attempt; what was received stays in ``part``.
        Refused: Not worth one.
        DownloadError: The disk has no room for the rest.
    """
    offset = held_bytes(part)
    if n_bytes is not None and offset >= n_bytes:
        if offset == n_bytes:
            digests.catch_up(part, offset)
            return
        part.unlink()
        offset = 0
    # before the request: a server does not wait while gigabytes are read back
    digests.catch_up(part, offset)
    with asking(session, url, timeouts, f"bytes={offset}-" if offset else "") as response:
        if response.status_code != 416:
            _receive_from(response, part, offset, n_bytes, progress, digests)
            return
    # there is nothing after that offset: the part is of another file
    part.unlink()
    transfer(session, url, part, n_bytes, timeouts, progress, digests)


def _receive_from(
    response: requests.Response,
    part: Path,
    offset: int,
    n_bytes: int | None,
    progress: Progress,
    digests: RunningDigests,
) -> None:
    found = content_range(response)
    continued = offset > 0 and found is not None and found[0] == offset and n_bytes in (None, found[2])
    if response.status_code == 206 and not continued:
        part.unlink(missing_ok=True)
        raise Interrupted(f"a wrong range: {response.headers.get('Content-Range', 'none named')}")
    offset = offset if continued else 0
    announced = _whole_size(response)
    if n_bytes is not None and announced not in (None, n_bytes):
        raise Refused(f"a file of {announced} bytes instead of {n_bytes}")
    total = n_bytes if n_bytes is not None else announced
    require_room(part, None if total is None else total - offset)
    held = offset
    digests.catch_up(part, offset)
    with storage_errors(part), part.open("ab" if offset else "wb") as stream:
        progress(held, total)
        # Unlike iter_content, read1 hands over what has arrived instead of losing it when the line breaks.
        while piece := response.raw.read1(CHUNK_BYTES):
            held += len(piece)
            if total is not None and held > total:
                raise Refused(f"more than the {total} bytes expected")
            stream.write(piece)
            digests.update(piece)
            progress(held, total)
    if total is not None and held < total:
        raise Interrupted(f"the transfer ended after {held} of {total} bytes")


def _whole_size(response: requests.Response) -> int | None:
    match = _TOTAL.fullmatch(response.headers.get("Content-Range", ""))
    if match is not None:
        return int(match.group(1))
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def held_bytes(part: Path) -> int:
    """Return the size of an unfinished file, 0 where there is none."""
    return part.stat().st_size if part.exists() else 0


def require_room(path: Path, n_bytes: int | None) -> None:
    """Refuse to begin writing what the disk cannot hold.

    Args:
        path: File or folder to be written; its parent must exist.
        n_bytes: Bytes still to be written; None passes.

    Raises:
        DownloadError: The disk has less room than that.
    """
    free = shutil.disk_usage(path.parent).free
    if n_bytes is not None and n_bytes > free:
        raise DownloadError(
            f"{n_bytes} bytes for {path}",
            f"{free} bytes free on that disk",
            "free some room or move the data folder",
        )
