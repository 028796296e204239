"""What a server says about when it may be asked again.

``Retry-After`` (RFC 9110, section 10.2.3) counts first. Rate limits come in three spellings: ``X-RateLimit-*``,
whose reset is a time of day in seconds since 1970 or a wait; ``RateLimit-*``, whose reset is a wait; and the field
``RateLimit`` with parameters (drafts of draft-ietf-httpapi-ratelimit-headers).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

_A_TIME_OF_DAY = 1e9
"""Seconds since 1970 are above this since 2001; no wait is."""
_PARAMETER = re.compile(r"(?:^|[;,\s])(remaining|reset|r|t)\s*=\s*\"?(\d+(?:\.\d+)?)")


def wait_after_refusal_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait after a refused request, where the server says so.

    Args:
        headers: Fields of the answer, whose names do not depend on case.
    """
    named = _retry_after_s(headers)
    remaining, reset_s = _quota(headers)
    if named is not None:
        return named
    return reset_s if remaining in (None, 0) else None


def wait_before_next_s(headers: Mapping[str, str]) -> float:
    """Seconds to wait before the next request after an answer that used up the quota; 0 where it did not."""
    remaining, reset_s = _quota(headers)
    return reset_s or 0.0 if remaining == 0 else 0.0


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After")
    if value is None:
        return None
    try:
        return Retry().parse_retry_after(value)
    except InvalidHeader:
        return None


def _quota(headers: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Requests that remain, and seconds until they are renewed; None where not told."""
    parameters = dict(_PARAMETER.findall(headers.get("RateLimit", "")))
    remaining = _first(
        headers.get("X-RateLimit-Remaining"),
        headers.get("RateLimit-Remaining"),
        parameters.get("remaining"),
        parameters.get("r"),
    )
    reset = _first(
        headers.get("X-RateLimit-Reset"),
        headers.get("RateLimit-Reset"),
        parameters.get("reset"),
        parameters.get("t"),
    )
    if reset is not None and reset > _A_TIME_OF_DAY:
        reset = reset - time.time()
    return remaining, None if reset is None else max(reset, 0.0)


def _first(*values: str | None) -> float | None:
    for value in values:
        # what is no plain number is no news
        if value is not None and re.fullmatch(r"\d+(\.\d+)?", value.strip()):
            return float(value)
    return None
