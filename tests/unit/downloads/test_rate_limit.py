from __future__ import annotations

import time

import pytest
from requests.structures import CaseInsensitiveDict

from soundproof.downloads.rate_limit import wait_after_refusal_s, wait_before_next_s


@pytest.mark.parametrize(
    ("headers", "refused", "before_next"),
    [
        ({}, None, 0),
        ({"Retry-After": "7"}, 7, 0),
        ({"Retry-After": "soon"}, None, 0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"}, 30, 30),
        ({"x-ratelimit-remaining": "12", "x-ratelimit-reset": "30"}, None, 0),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "5", "Retry-After": "9"}, 9, 5),
        ({"RateLimit-Reset": "5"}, 5, 0),
        ({"RateLimit": '"default";r=0;t=40'}, 40, 40),
        ({"RateLimit": "limit=100, remaining=0, reset=20"}, 20, 20),
        ({"RateLimit": '"burst";r=3;t=40'}, None, 0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "tomorrow"}, None, 0),
    ],
)
def test_what_headers_ask_for(headers: dict[str, str], refused: float | None, before_next: float) -> None:
    fields = CaseInsensitiveDict(headers)
    assert wait_after_refusal_s(fields) == refused
    assert wait_before_next_s(fields) == before_next


def test_a_reset_may_be_a_time_of_day() -> None:
    fields = CaseInsensitiveDict(
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 60)}
    )
    assert wait_after_refusal_s(fields) == pytest.approx(60, abs=3)
    fields["X-RateLimit-Reset"] = str(int(time.time()) - 60)
    assert wait_after_refusal_s(fields) == 0
