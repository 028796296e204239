"""Fetch files so that a finished file is always the right file, however bad the line."""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from soundproof.datasets.remote_file import RemoteFile, pin, pinned
from soundproof.datasets.transfer import Interrupted, Refused, Timeouts, held_bytes, require_room, transfer
from soundproof.datasets.transfer import Progress as Report
from soundproof.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

OFFLINE_VARIABLE = "SOUNDPROOF_OFFLINE"


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


def fetch(
    remote: RemoteFile, folder: Path, policy: Policy | None = None, *, offline: bool | None = None
) -> Path:
    """Return the file's path in ``folder``, downloading it unless the right file is there already.

    Bytes arrive in ``NAME.part``, which survives an interruption and is continued by the next run. Only a
    part whose size and checksum are right is renamed to ``NAME``; a wrong one is deleted (gigabytes that
    nobody can use are not worth keeping), and whatever ``NAME`` held before stays as it was.

    Args:
        remote: The file.
        folder: Where it goes; made if missing.
        policy: How persistently to try.
        offline: Never touch the network; by default, whether the environment variable
            ``SOUNDPROOF_OFFLINE`` is set and not 0.

    Raises:
        DownloadError: No address gave the right file; the message tells which file to place where.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remote = pinned(remote, folder)
    target = folder / remote.name
    found = "no such file"
    if target.exists():
        mismatch = remote.mismatch(target)
        if mismatch is None:
            if not remote.is_known:
                pin(remote, folder)
            return target
        found = f"a file of {mismatch}"
        log.warning("%s is not the file it should be (%s); fetching it again", target, mismatch)
    if is_offline(offline):
        raise DownloadError(
            f"the file {target}", f"{found}, and downloads are switched off", remote.by_hand(folder)
        )
    _download(remote, target, policy or Policy())
    if not remote.is_known:
        pin(remote, folder)
        log.warning(
            "%s: nobody published a checksum; this download is pinned in %s.pin.json", target, target.name
        )
    return target


def is_offline(offline: bool | None) -> bool:
    """Whether the network is not to be touched: as told, or else as ``SOUNDPROOF_OFFLINE`` says."""
    return os.environ.get(OFFLINE_VARIABLE, "0") not in ("", "0") if offline is None else offline


def _download(remote: RemoteFile, target: Path, policy: Policy) -> None:
    part = target.with_name(f"{target.name}.part")
    if not remote.is_known:
        part.unlink(missing_ok=True)  # nothing could prove that another run's part belongs to this file
    if remote.n_bytes is not None:
        require_room(part, remote.n_bytes - held_bytes(part))
    outcomes = []
    with requests.Session() as session, _progress_bar(remote.name) as report:
        for url in remote.urls:
            try:
                _from_address(session, url, remote, part, policy, report)
            except Refused as refusal:
                outcomes.append(f"{url}: {refusal}")
                log.warning("%s gave up: %s", url, refusal)
            else:
                part.replace(target)
                return
    raise DownloadError(f"the file {target}", "; ".join(outcomes), remote.by_hand(target.parent))


def _from_address(
    session: requests.Session, url: str, remote: RemoteFile, part: Path, policy: Policy, report: Report
) -> None:
    """Bring the verified file into ``part`` or raise :class:`Refused`."""
    in_one_piece = _persist(session, url, remote, part, policy, report)
    mismatch = remote.mismatch(part)
    if mismatch is not None and not in_one_piece:
        # The pieces may be of different versions, or of different mirrors: a whole body deserves one chance.
        log.warning("%s: the pieces do not make the file (%s); starting over", url, mismatch)
        part.unlink()
        _persist(session, url, remote, part, policy, report)
        mismatch = remote.mismatch(part)
    if mismatch is not None:
        part.unlink()
        raise Refused(f"a wrong file, deleted again: {mismatch}")


def _persist(
    session: requests.Session, url: str, remote: RemoteFile, part: Path, policy: Policy, report: Report
) -> bool:
    """Repeat attempts until the body is complete; those that bring a new byte do not count against the limit.

    Returns:
        Whether the body came whole in one answer.
    """
    failures = 0
    furthest = held_bytes(part)
    in_one_piece = furthest == 0
    while True:
        try:
            transfer(session, url, part, remote.n_bytes, policy.timeouts, report)
            return in_one_piece
        except Interrupted as interruption:
            in_one_piece = False
            held = held_bytes(part)
            failures = 1 if held > furthest else failures + 1
            furthest = max(furthest, held)
            _pause(interruption, failures, policy, url)


def _pause(interruption: Interrupted, failures: int, policy: Policy, url: str) -> None:
    if failures >= policy.attempts:
        raise Refused(f"{interruption} ({failures} attempts in a row)") from interruption
    asked_s = interruption.retry_after_s
    if asked_s is not None and asked_s > policy.longest_wait_s:
        raise Refused(f"{interruption}, to be tried again in {asked_s:.0f} s") from interruption
    wait_s = policy.wait_s(failures, asked_s)
    log.info("%s: %s; trying again in %.1f s", url, interruption, wait_s)
    policy.sleep(wait_s)


@contextmanager
def _progress_bar(name: str) -> Iterator[Report]:
    console = Console(stderr=True)
    columns = (
        "{task.description}",
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda held, total: bar.update(task, completed=held, total=total)
