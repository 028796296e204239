"""What a Zenodo record publishes about its files."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from soundproof.core.errors import DataError, StorageError
from soundproof.downloads.catalogue.lock import Lock, Told, agreeing
from soundproof.downloads.remote_file import RemoteFile
from soundproof.downloads.request import Interrupted, Refused, Timeouts, asking

log = logging.getLogger(__name__)

API = "https://zenodo.org/api/records"


@dataclass(frozen=True)
class Zenodo:
    """Where records are described, and where it is kept what they told.

    Attributes:
        api: Address of the records.
        lock: What was told before.
        timeouts: Patience with a silent server.
    """

    api: str = API
    lock: Lock = field(default_factory=Lock)
    timeouts: Timeouts = field(default_factory=Timeouts)

    def known(self, remote: RemoteFile) -> RemoteFile:
        """Complete a file from what was told before; asks nobody.

        Raises:
            DownloadError: Catalogue and lock disagree.
        """
        return self.lock.complete(remote)

    def completed(self, remotes: Sequence[RemoteFile]) -> list[RemoteFile]:
        """Complete files whose size or checksum is unknown; each record is asked once.

        Where a record cannot be had, its files are returned as they are: one without checksum is then pinned by its
        first download.

        Raises:
            DataError: A description cannot be read, or does not list a file.
            DownloadError: A record tells another size or MD5 than the catalogue or the lock.
        """
        known = [self.known(remote) for remote in remotes]
        lacking: dict[int, list[RemoteFile]] = {}
        for remote in known:
            if remote.record is not None and (remote.n_bytes is None or not remote.is_known):
                lacking.setdefault(remote.record, []).append(remote)
        found = {remote: remote for remote in known}
        for record, files in lacking.items():
            found |= self._ask(record, files)
        return [found[remote] for remote in known]

    def _ask(self, record: int, files: Sequence[RemoteFile]) -> dict[RemoteFile, RemoteFile]:
        url = f"{self.api}/{record}"
        try:
            # one try: without a description the download still works
            with requests.Session() as session, asking(session, url, self.timeouts) as response:
                text = response.text
        except (Interrupted, Refused) as error:
            log.warning("no description of record %d: %s", record, error)
            return {}
        listed = _listed(url, text)
        told = [(remote, _told(url, remote, listed)) for remote in files]
        completed = {remote: agreeing(remote, facts, url) for remote, facts in told}
        try:
            self.lock.pin(told)
        except StorageError as error:
            # a clone that is read only can still download
            log.warning("what record %d told cannot be pinned: %s", record, error.found)
        _compare_licence(*told[0])
        log.info("record %d told size and MD5 of %d files", record, len(told))
        return completed


def _listed(url: str, text: str) -> dict[str, Any]:
    """Files by name, and the licence of the record under the empty name."""
    try:
        description = json.loads(text)
        licence = (description.get("metadata") or {}).get("license") or {}
        return {"": str(licence.get("id", ""))} | {item["key"]: item for item in description["files"]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(url, error) from error


def _told(url: str, remote: RemoteFile, listed: dict[str, Any]) -> Told:
    item = listed.get(remote.name)
    if item is None:
        names = ", ".join(sorted(filter(None, listed)))
        raise DataError(f"{remote.name} in {url}", f"only {names}", "report it: the record has changed")
    try:
        algorithm, _, checksum = str(item["checksum"]).partition(":")
        n_bytes = int(item["size"])
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(url, error) from error
    if algorithm != "md5":
        raise DataError(
            f"the MD5 of {remote.name} in {url}", f"algorithm '{algorithm}'", "place the file by hand"
        )
    return Told.today(url=url, n_bytes=n_bytes, md5=checksum, licence=listed[""])


def _compare_licence(remote: RemoteFile, told: Told) -> None:
    """Say it where a record names another licence than the catalogue."""
    if told.licence and remote.terms and told.licence.lower() not in remote.terms.lower():
        log.warning(
            "%s names the licence %s, the catalogue says: %s. Find out which holds before you pass anything on",
            told.url,
            told.licence,
            remote.terms,
        )


def _unreadable(url: str, error: Exception) -> DataError:
    return DataError(
        f"the description {url}", f"{type(error).__name__}: {error}", "ask the record again later"
    )
