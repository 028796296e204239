"""Fetch a file so that a finished file is always the right file, however bad the line."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import requests

from soundproof.core.errors import DownloadError
from soundproof.downloads import verified
from soundproof.downloads.digests import RunningDigests
from soundproof.downloads.download_progress import shown
from soundproof.downloads.locks import path_lock
from soundproof.downloads.remote_file import RemoteFile, pin, pinned
from soundproof.downloads.request import Interrupted, Refused
from soundproof.downloads.retry_policy import OFFLINE_VARIABLE, Policy, is_offline
from soundproof.downloads.terms import say_terms
from soundproof.downloads.transfer import Progress, held_bytes, require_room, transfer

__all__ = ["OFFLINE_VARIABLE", "Missing", "Policy", "download", "fetch", "is_offline", "lacking", "not_there"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Missing:
    """A file that is not there, or not as it should be.

    Attributes:
        remote: The file, completed from its pin.
        folder: Where it belongs.
        found: What was found instead.
    """

    remote: RemoteFile
    folder: Path
    found: str


def fetch(
    remote: RemoteFile, folder: Path, policy: Policy | None = None, *, offline: bool | None = None
) -> Path:
    """Return the file's path in ``folder``, downloading it unless the right file is there already.

    Args:
        remote: The file.
        folder: Where it goes; made if missing.
        policy: How persistently to try.
        offline: Never touch the network; by default, whether the environment variable
            ``SOUNDPROOF_OFFLINE`` is set and not 0.

    Raises:
        DownloadError: No address gave the right file; the message tells which file to place where.
    """
    missing = lacking(remote, folder)
    if missing is not None:
        if is_offline(offline):
            raise not_there([missing])
        say_terms([missing.remote])
        with shown([missing]) as progress:
            download(missing, policy or Policy(), progress.of(missing))
    return folder / remote.name


def lacking(remote: RemoteFile, folder: Path) -> Missing | None:
    """Say that the file must be fetched, or None where the right one is there.

    A file without published checksum that is there is pinned as it is.
    """
    remote = pinned(remote, folder)
    target = folder / remote.name
    if not target.exists():
        return Missing(remote, folder, "no such file")
    mismatch = verified.mismatch(remote, target)
    if mismatch is None:
        if not remote.is_known:
            pin(remote, folder)
        return None
    log.warning("%s is not the file it should be (%s)", target, mismatch)
    return Missing(remote, folder, f"a file of {mismatch}")


def not_there(missing: Sequence[Missing]) -> DownloadError:
    """Word that files are missing while downloads are switched off: every one of them, and where to put it."""
    asked = f"the file {missing[0].folder / missing[0].remote.name}"
    if len(missing) > 1:
        asked = f"{len(missing)} files, the first {missing[0].folder / missing[0].remote.name}"
    found = f"{missing[0].found}, and downloads are switched off ({OFFLINE_VARIABLE})"
    if len(missing) == 1:
        return DownloadError(asked, found, missing[0].remote.by_hand(missing[0].folder))
    lines = [
        f"{item.folder / item.remote.name} ({item.remote.marks}) from {' or '.join(item.remote.urls)}"
        for item in missing
    ]
    known = sum(item.remote.n_bytes or 0 for item in missing)
    unsized = sum(item.remote.n_bytes is None for item in missing)
    more = f" and {unsized} of unknown size" if unsized else ""
    remedy = f"place these files, {known} bytes{more}, and run again:\n    " + "\n    ".join(lines)
    return DownloadError(asked, found, remedy)


def download(missing: Missing, policy: Policy, report: Progress) -> None:
    """Bring a file.

    Bytes arrive in ``NAME.part``, which survives an interruption and is continued by the next run. Only a
    part whose size and checksum are right is renamed to ``NAME``; a wrong one is deleted (gigabytes that
    nobody can use are not worth keeping), and whatever ``NAME`` held before stays as it was.

    Raises:
        DownloadError: No address gave the right file; the message tells which file to place where.
    """
    missing.folder.mkdir(parents=True, exist_ok=True)
    target = missing.folder / missing.remote.name
    with path_lock(target):
        # another process may have brought it while this one waited
        still = lacking(missing.remote, missing.folder)
        if still is not None:
            _bring(still.remote, target, policy, report)


def _bring(remote: RemoteFile, target: Path, policy: Policy, report: Progress) -> None:
    part = target.with_name(f"{target.name}.part")
    if not remote.is_known:
        part.unlink(missing_ok=True)  # nothing could prove that another run's part belongs to this file
    if remote.n_bytes is not None:
        require_room(part, remote.n_bytes - held_bytes(part))
    outcomes = []
    with requests.Session() as session:
        for url in remote.urls:
            try:
                checksums = _from_address(session, url, remote, part, policy, report)
            except Refused as refusal:
                outcomes.append(f"{url}: {refusal}")
                log.warning("%s gave up: %s", url, refusal)
                continue
            part.replace(target)
            if remote.is_known:
                verified.remember(target, checksums)
            else:
                pin(remote, target.parent)
                log.warning(
                    "%s: nobody published a checksum; this download is pinned in %s.pin.json", *[target] * 2
                )
            return
    raise DownloadError(f"the file {target}", "; ".join(outcomes), remote.by_hand(target.parent))


def _from_address(
    session: requests.Session, url: str, remote: RemoteFile, part: Path, policy: Policy, report: Progress
) -> dict[str, str]:
    """Bring the verified file into ``part`` and return its checksums, or raise :class:`Refused`."""
    digests = RunningDigests(remote.checksums)
    in_one_piece = _persist(session, url, remote, part, policy, report, digests)
    mismatch = remote.differs(held_bytes(part), digests.hexadecimal())
    if mismatch is not None and not in_one_piece:
        # The pieces may be of different versions, or of different mirrors: a whole body deserves one chance.
        log.warning("%s: the pieces do not make the file (%s); starting over", url, mismatch)
        part.unlink()
        digests = RunningDigests(remote.checksums)
        _persist(session, url, remote, part, policy, report, digests)
        mismatch = remote.differs(held_bytes(part), digests.hexadecimal())
    if mismatch is not None:
        part.unlink()
        raise Refused(f"a wrong file, deleted again: {mismatch}")
    return digests.hexadecimal()


def _persist(
    session: requests.Session,
    url: str,
    remote: RemoteFile,
    part: Path,
    policy: Policy,
    report: Progress,
    digests: RunningDigests,
) -> bool:
    """Repeat attempts until the body is complete; those that bring a new byte do not count against the limit.

    Returns:
        Whether the body came whole in one answer.
    """
    failures = 0
    furthest = held_bytes(part)
    in_one_piece = furthest == 0
    while True:
        policy.rest(url)
        try:
            transfer(session, url, part, remote.n_bytes, policy.timeouts, report, digests)
            return in_one_piece
        except Interrupted as interruption:
            in_one_piece = False
            held = held_bytes(part)
            failures = 1 if held > furthest else failures + 1
            furthest = max(furthest, held)
            policy.pause(interruption, failures, url)
