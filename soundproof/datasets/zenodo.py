"""What a Zenodo record publishes about its files."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

from soundproof.datasets.download import Policy, fetch
from soundproof.datasets.remote_file import RemoteFile
from soundproof.errors import DataError, DownloadError

log = logging.getLogger(__name__)

API = "https://zenodo.org/api/records"


def with_published_checksum(remote: RemoteFile, record: int, folder: Path, api: str = API) -> RemoteFile:
    """Complete a file without checksum from the description of its record.

    The description is kept in ``folder``, so that the record is asked once. Where it cannot be had, the file is
    returned as it is, to be pinned by its first download.

    Args:
        remote: The file; one with a checksum is returned as it is.
        record: Number of the record.
        folder: Where the description is kept.
        api: Address of the records.

    Raises:
        DataError: The description cannot be read, or does not list the file.
    """
    if remote.is_known:
        return remote
    description = RemoteFile(f"zenodo-{record}.json", (f"{api}/{record}",))
    try:
        # one try: without a description the download still works
        path = fetch(description, folder, Policy(attempts=1))
    except DownloadError as error:
        log.warning("no published checksum of %s: %s", remote.name, error.found)
        return remote
    return _described(remote, path)


def _described(remote: RemoteFile, path: Path) -> RemoteFile:
    asked = f"the checksum of {remote.name} in {path}"
    try:
        files = {item["key"]: item for item in json.loads(path.read_text(encoding="utf-8"))["files"]}
        found = files.get(remote.name)
        if found is None:
            raise DataError(asked, f"only {', '.join(sorted(files))}", "report it: the record has changed")
        algorithm, _, checksum = str(found["checksum"]).partition(":")
        n_bytes = int(found["size"])
    except (ValueError, KeyError, TypeError) as error:
        remedy = f"delete {path.name} and {path.name}.pin.json to ask the record again"
        raise DataError(asked, f"{type(error).__name__}: {error}", remedy) from error
    if algorithm not in ("md5", "sha256"):
        raise DataError(asked, f"algorithm '{algorithm}'", "place the file by hand")
    known = replace(remote, n_bytes=n_bytes)
    return replace(known, md5=checksum) if algorithm == "md5" else replace(known, sha256=checksum)
