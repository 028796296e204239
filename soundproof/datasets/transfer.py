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
from dataclasses import dataclass
from pathlib import Path

import requests
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

from soundproof.errors import DownloadError

CHUNK_BYTES = 1 << 18
WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")

Progress = Callable[[int, int | None], None]
"""Called with the bytes held so far and the size of the whole, where known."""


class Interrupted(Exception):
    """The attempt ended early; another one at the same address may succeed.

    Attributes:
        retry_after_s: Wait that the server asked for, where it did.
    """

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Refused(Exception):
    """This address will not give the file, however often it is asked."""


@dataclass(frozen=True)
class Timeouts:
    """Patience with a silent server, in seconds: until it answers, and between two pieces of the body."""

    connect_s: float = 20.0
    stall_s: float = 60.0


def transfer(
    session: requests.Session,
    url: str,
    part: Path,
    n_bytes: int | None,
    timeouts: Timeouts,
    progress: Progress,
) -> None:
    """Fetch what ``part`` still lacks; on return it holds the whole body.

    A part is continued only if the answer is 206 and its ``Content-Range`` names the offset asked for and the
    size expected; any other answer starts the file from zero, since servers and caches may ignore a range.

    Args:
        session: Session to send the request through.
        url: Address of the file.
        part: Unfinished file; need not exist.
        n_bytes: Size of the whole file, where known.
        timeouts: Patience with a silent server.
        progress: Told of every piece written.

    Raises:
        Interrupted: Worth another attempt; what was received stays in ``part``.
        Refused: Not worth one.
        DownloadError: The disk has no room for the rest.
    """
    offset = held_bytes(part)
    if n_bytes is not None and offset >= n_bytes:
        if offset == n_bytes:
            return
        part.unlink()
        offset = 0
    try:
        with _ask(session, url, offset, timeouts) as response:
            continued = offset > 0 and _continues(response, offset, n_bytes)
            if response.status_code == 206 and not continued:
                part.unlink(missing_ok=True)
                raise Interrupted(f"a wrong range: {response.headers.get('Content-Range', 'none named')}")
            offset = offset if continued else 0
            _receive(response, part, offset, n_bytes, progress)
    except (requests.ConnectionError, requests.Timeout, HTTPError) as error:
        raise Interrupted(_reason(error)) from error
    except requests.RequestException as error:
        raise Refused(_reason(error)) from error


def _ask(session: requests.Session, url: str, offset: int, timeouts: Timeouts) -> requests.Response:
    # A compressed answer would make sizes and offsets count other bytes than those on disk.
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    patience = (timeouts.connect_s, timeouts.stall_s)
    response = session.get(url, headers=headers, stream=True, timeout=patience)
    if response.status_code == 416 and offset:
        response.close()
        return _ask(session, url, 0, timeouts)
    if response.status_code in (200, 206):
        return response
    response.close()
    answer = f"HTTP {response.status_code} {response.reason}"
    if response.status_code in WORTH_ANOTHER_TRY:
        raise Interrupted(answer, _retry_after_s(response))
    raise Refused(answer)


def _retry_after_s(response: requests.Response) -> float | None:
    """Read ``Retry-After``, given in seconds or as a date (RFC 9110, section 10.2.3)."""
    value = response.headers.get("Retry-After")
    if value is None:
        return None
    try:
        return Retry().parse_retry_after(value)
    except InvalidHeader:
        return None


def _continues(response: requests.Response, offset: int, n_bytes: int | None) -> bool:
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status_code != 206 or match is None:
        return False
    start, _, total = (int(group) for group in match.groups())
    return start == offset and n_bytes in (None, total)


def _whole_size(response: requests.Response) -> int | None:
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is not None:
        return int(match.group(3))
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _receive(
    response: requests.Response, part: Path, offset: int, n_bytes: int | None, progress: Progress
) -> None:
    announced = _whole_size(response)
    if n_bytes is not None and announced not in (None, n_bytes):
        raise Refused(f"a file of {announced} bytes instead of {n_bytes}")
    total = n_bytes if n_bytes is not None else announced
    require_room(part, None if total is None else total - offset)
    held = offset
    with part.open("ab" if offset else "wb") as stream:
        progress(held, total)
        # Unlike iter_content, read1 hands over what has arrived instead of losing it when the line breaks.
        while piece := response.raw.read1(CHUNK_BYTES):
            held += len(piece)
            if total is not None and held > total:
                raise Refused(f"more than the {total} bytes expected")
            stream.write(piece)
            progress(held, total)
    if total is not None and held < total:
        raise Interrupted(f"the transfer ended after {held} of {total} bytes")


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


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
