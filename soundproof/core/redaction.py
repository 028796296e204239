"""Secrets stay out of logs, messages and records.

Addresses may carry a user and password (a private mirror, a proxy) or a token in their query (signed links), and
libraries print addresses in their errors. Everything that is logged or recorded passes through here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

HIDDEN = "***"
_USER = re.compile(r"(?<=://)[^/?#\s'\"]*@")
_NAMED = re.compile(
    r"(?i)(?P<name>[?&;][^=&\s'\"]*(?:token|secret|password|passwd|signature|credential|api_?key|access_?key|\bsig|\bkey)"
    r"[^=&\s'\"]*=)[^&#\s'\"]+"
)
_HEADER = re.compile(
    r"(?i)\b((?:proxy-)?authorization['\"]?\s*[:=]\s*['\"]?)(?:(basic|bearer)\s+)?[^\s'\",}]+"
)
_SECRET_VARIABLE = re.compile(r"(?i)(token|secret|password|passwd|credential|api_?key|access_?key)")
_PROXY_VARIABLE = re.compile(r"(?i)_proxy$")
_SHORTEST = 6
"""Values shorter than this are no secrets, and words of that length would be hidden everywhere."""


def redact(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Replace what looks like a secret by ``***``.

    Args:
        text: Any text, such as a line of a log.
        environment: Variables; values of those that are named like secrets are hidden wherever they stand, and so
            are user and password of proxies.
    """
    for secret in _secrets(environment):
        text = text.replace(secret, HIDDEN)
    text = _USER.sub(f"{HIDDEN}@", text)
    text = _NAMED.sub(rf"\g<name>{HIDDEN}", text)
    return _HEADER.sub(rf"\1{HIDDEN}", text)


def _secrets(environment: Mapping[str, str]) -> list[str]:
    found = {value for name, value in environment.items() if _SECRET_VARIABLE.search(name)}
    for name, value in environment.items():
        match = re.search(r"://([^/@\s]+)@", value) if _PROXY_VARIABLE.search(name) else None
        if match:
            found |= {match[1], match[1].partition(":")[2]}
    # the longest first: a secret may contain another one
    return sorted((value for value in found if len(value) >= _SHORTEST), key=len, reverse=True)
