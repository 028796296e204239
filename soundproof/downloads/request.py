"""One request, and how its failure is told: worth another try, or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError

from soundproof.downloads import hosts
from soundproof.downloads.rate_limit import wait_after_refusal_s, wait_before_next_s

WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


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


@contextmanager
def asking(
    session: requests.Session, url: str, timeouts: Timeouts, wanted: str = ""
) -> Iterator[requests.Response]:
    """Yield the answer to a request, whose body is read in the block, in one of the host's streams.

    Args:
        session: Session to send the request through (proxies are those of the environment).
        url: Address.
        timeouts: Patience with a silent server.
        wanted: Value of the ``Range`` field, empty for the whole file.

    Raises:
        Interrupted: Worth another attempt, whether the request or the block failed on the line.
        Refused: Not worth one.
    """
    # a compressed answer would make sizes and offsets count other bytes than those on disk
    headers = {"Accept-Encoding": "identity"} | ({"Range": wanted} if wanted else {})
    patience = (timeouts.connect_s, timeouts.stall_s)
    try:
        with (
            hosts.stream(url),
            session.get(url, headers=headers, stream=True, timeout=patience) as response,
        ):
            hosts.rest(url, wait_before_next_s(response.headers))
            _check(response, bool(wanted))
            yield response
    except requests.exceptions.SSLError as error:
        # a certificate that is not believed will not be believed in two seconds either
        failure = Refused if "CERTIFICATE_VERIFY_FAILED" in str(error) else Interrupted
        raise failure(_reason(error)) from error
    except (requests.ConnectionError, requests.Timeout, HTTPError) as error:
        raise Interrupted(_reason(error)) from error
    except requests.RequestException as error:
        raise Refused(_reason(error)) from error


def _check(response: requests.Response, is_range: bool) -> None:
    if response.status_code in (200, 206) or (response.status_code == 416 and is_range):
        return
    answer = f"HTTP {response.status_code} {response.reason}"
    if response.status_code in WORTH_ANOTHER_TRY:
        raise Interrupted(answer, wait_after_refusal_s(response.headers))
    raise Refused(answer)


def content_range(response: requests.Response) -> tuple[int, int, int] | None:
    """First byte, last byte and size of the whole, as a partial answer states them; None where it does not."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status_code != 206 or match is None:
        return None
    first, last, total = (int(group) for group in match.groups())
    return first, last, total


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
