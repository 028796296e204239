"""Fetch all files that a data set asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from soundproof.datasets.download import Policy, fetch, is_offline
from soundproof.datasets.needed import Needed
from soundproof.datasets.zenodo import Zenodo


def fetch_all(
    needed: Sequence[Needed],
    data_dir: Path,
    policy: Policy | None = None,
    *,
    zenodo: Zenodo | None = None,
    offline: bool | None = None,
) -> list[Path]:
    """Return the paths of the files, downloading those that are not there.

    Files that something stands in for (an unpacked folder) are left out.

    Args:
        needed: The files.
        data_dir: Data folder.
        policy: How persistently to try.
        zenodo: Whom to ask for sizes and checksums that the catalogue does not know.
        offline: As :func:`soundproof.datasets.download.fetch`.

    Raises:
        DownloadError: Some cannot be had; the message tells which files to place where.
        DataError: A record's description cannot be used.
    """
    zenodo = zenodo or Zenodo()
    wanted = [item for item in needed if not item.is_covered(data_dir)]
    remotes = [item.remote for item in wanted]
    known = [zenodo.known(remote) for remote in remotes] if is_offline(offline) else zenodo.completed(remotes)
    return [
        fetch(remote, item.place(data_dir).parent, policy, offline=offline)
        for item, remote in zip(wanted, known, strict=True)
    ]
