"""How persistently a download is tried."""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from soundproof.downloads import hosts
from soundproof.downloads.request import Interrupted, Refused, Timeouts

log = logging.getLogger(__name__)

OFFLINE_VARIABLE = "SOUNDPROOF_OFFLINE"


def is_offline(offline: bool | None) -> bool:
    """Whether the network is not to be touched: as told, or else as ``SOUNDPROOF_OFFLINE`` says."""
    return os.environ.get(OFFLINE_VARIABLE, "0") not in ("", "0") if offline is None else offline


@dataclass(frozen=True)
class Policy:
    """How persistently to try.

    Attributes:
        attempts: Attempts in a row that may fail to bring one new byte before an address is given up.
        backoff_s: Longest wait after the first failure; it doubles with each further one.
        longest_wait_s: Bound of any wait; a server that asks for more is given up.
        timeouts: Patience with a silent server.
        sleep: Waits that many seconds.
        jitter: Draws from [0, 1), so that many clients do not return at the same moment.
    """

    attempts: int = 6
    backoff_s: float = 2.0
    longest_wait_s: float = 900.0
    timeouts: Timeouts = field(default_factory=Timeouts)
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = field(default_factory=lambda: random.SystemRandom().random)

    def wait_s(self, failures: int, asked_s: float | None) -> float:
        """Return the wait after ``failures`` in a row: what the server asked for, plus a random part."""
        backoff = min(self.backoff_s * 2.0 ** (failures - 1), self.longest_wait_s)
        return (asked_s or 0.0) + backoff * self.jitter()

    def pause(self, interruption: Interrupted, failures: int, url: str) -> None:
        """Wait before the next attempt.

        Raises:
            Refused: That was the last attempt, or the server asks for too long a wait.
        """
        if failures >= self.attempts:
            raise Refused(f"{interruption} ({failures} attempts in a row)") from interruption
        asked_s = interruption.retry_after_s
        if asked_s is not None and asked_s > self.longest_wait_s:
            raise Refused(f"{interruption}, to be tried again in {asked_s:.0f} s") from interruption
        wait_s = self.wait_s(failures, asked_s)
        log.info("%s: %s; trying again in %.1f s", url, interruption, wait_s)
        self.sleep(wait_s)

    def rest(self, url: str) -> None:
        """Wait as long as the host of ``url`` wants no request.

        Raises:
            Refused: That is too long.
        """
        seconds = hosts.must_rest_s(url)
        if seconds > self.longest_wait_s:
            raise Refused(f"the host's quota is used up for {seconds:.0f} s")
        if seconds > 0:
            log.info("%s: the host's quota is used up for %.1f s", url, seconds)
            self.sleep(seconds)
