"""Fetch all files that a data set asks for: several at a time, none twice, none before there is room for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from urllib.parse import urlsplit

from soundproof.core.errors import DownloadError
from soundproof.downloads.download import Missing, Policy, download, is_offline, lacking, not_there
from soundproof.downloads.download_progress import shown
from soundproof.downloads.hosts import STREAMS
from soundproof.downloads.needed_files import Needed
from soundproof.downloads.terms import say_terms
from soundproof.downloads.transfer import held_bytes, require_room
from soundproof.downloads.zenodo import Zenodo

MOST_AT_A_TIME = 8
"""Files on their way at a time, over all hosts."""


def fetch_all(
    needed: Sequence[Needed],
    data_dir: Path,
    policy: Policy | None = None,
    *,
    zenodo: Zenodo | None = None,
    offline: bool | None = None,
) -> list[Path]:
    """Return the paths of the files, downloading those that are not there.

    Files that something stands in for (an unpacked folder), and those of which members are wanted only, are left
    out.

    Args:
        needed: The files.
        data_dir: Data folder.
        policy: How persistently to try.
        zenodo: Whom to ask for sizes and checksums that the catalogue does not know.
        offline: As :func:`soundproof.downloads.download.fetch`.

    Raises:
        DownloadError: Some cannot be had; the message tells which files to place where.
        DataError: A record's description cannot be used.
    """
    zenodo = zenodo or Zenodo()
    wanted = [item for item in needed if item.members is None and not item.is_covered(data_dir)]
    remotes = [item.remote for item in wanted]
    known = [zenodo.known(remote) for remote in remotes] if is_offline(offline) else zenodo.completed(remotes)
    places = [item.place(data_dir) for item in wanted]
    pairs = zip(known, places, strict=True)
    missing = [gap for remote, place in pairs if (gap := lacking(remote, place.parent)) is not None]
    if missing and is_offline(offline):
        raise not_there(missing)
    if missing:
        say_terms([item.remote for item in missing])
        _require_room_for_all(missing)
        _download_all(missing, policy or Policy())
    return places


def _require_room_for_all(missing: Iterable[Missing]) -> None:
    """Refuse to begin a set of files that does not fit, disk by disk."""
    wanted: dict[int, int] = defaultdict(int)
    folders: dict[int, Path] = {}
    for item in missing:
        item.folder.mkdir(parents=True, exist_ok=True)
        disk = item.folder.stat().st_dev
        part = item.folder / f"{item.remote.name}.part"
        wanted[disk] += max(0, (item.remote.n_bytes or 0) - held_bytes(part))
        folders.setdefault(disk, part)
    for disk, n_bytes in wanted.items():
        require_room(folders[disk], n_bytes)


def _download_all(missing: Sequence[Missing], policy: Policy) -> None:
    hosts = {_host(item) for item in missing}
    workers = min(MOST_AT_A_TIME, STREAMS * len(hosts), len(missing))
    with shown(missing) as progress, ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(download, item, policy, progress.of(item)) for item in _in_turn(missing)]
        try:
            failures = list(_failures(running))
        except BaseException:
            # an interrupt must not wait for gigabytes: parts stay, and the next run goes on from them
            progress.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise DownloadError(
            f"{len(missing)} files",
            f"{len(failures)} that could not be had:\n    "
            + "\n    ".join(f"{error.asked}: {error.found}" for error in failures),
            "\n    ".join(error.remedy for error in failures),
        )


def _failures(running: Iterable[Future[None]]) -> Iterator[DownloadError]:
    """Wait for all, so that one dead address does not keep the other files from arriving."""
    for future in running:
        error = future.exception()
        if isinstance(error, DownloadError):
            yield error
        elif error is not None:
            raise error


def _in_turn(missing: Sequence[Missing]) -> list[Missing]:
    """Files of different hosts in turn: none waits behind the queue of another host."""
    queues: dict[str, list[Missing]] = defaultdict(list)
    for item in missing:
        queues[_host(item)].append(item)
    return [item for row in zip_longest(*queues.values()) for item in row if item is not None]


def _host(item: Missing) -> str:
    return urlsplit(item.remote.urls[0]).netloc
