"""Single members out of a zip that stays where it is.

The directory of a zip stands at its end; it and the members wanted are fetched by Range, so that 60 clips of a
set cost 100 MB instead of 10 GB. Python's ``zipfile`` does the reading, of ZIP64 too, and compares each member's
CRC-32.
The archive's own checksum cannot be compared this way; its size is.
"""

from __future__ import annotations

import json
import logging
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from soundproof.core.errors import DataError
from soundproof.downloads.archive import place_inside
from soundproof.downloads.download import Missing, lacking, not_there
from soundproof.downloads.locks import path_lock
from soundproof.downloads.remote_file import RemoteFile
from soundproof.downloads.remote_file_reader import RemoteReader
from soundproof.downloads.retry_policy import Policy, is_offline
from soundproof.downloads.terms import say_terms
from soundproof.downloads.transfer import require_room
from soundproof.storage.files import whole_file

log = logging.getLogger(__name__)

_DIRECTORY_BYTES = 1 << 20
"""Bytes of the end that are fetched first: of MIMII's largest directories about twice what they take."""
_HEADER_BYTES = 30
_EXTRA_BYTES = 1 << 10
"""Room for the extra field of a member's own header, whose length only that header tells."""


@dataclass(frozen=True)
class Member:
    """A file in a zip.

    Attributes:
        name: Path in the zip.
        n_bytes: Size, unpacked.
        packed_bytes: Size in the zip.
        crc: CRC-32.
        offset: Where its header begins.
    """

    name: str
    n_bytes: int
    packed_bytes: int
    crc: int
    offset: int


Select = Callable[[Sequence[Member]], Sequence[Member]]
"""Chooses among all files of a zip, given in the order of its directory."""


def fetch_members(
    remote: RemoteFile,
    select: Select,
    folder: Path,
    policy: Policy | None = None,
    *,
    offline: bool | None = None,
) -> list[Path]:
    """Return the paths of chosen members below ``folder``, fetching those that are not there.

    The directory is kept beside them, so that what was fetched once needs no network. Where the whole zip lies in
    the folder above (placed by hand), members come out of it.

    Args:
        remote: The zip.
        select: Chooses the members.
        folder: Folder of this zip's members, made if missing; members keep their paths.
        policy: How persistently to try.
        offline: As :func:`soundproof.downloads.download.fetch`.

    Raises:
        DownloadError: A part cannot be had; the message tells what to place where.
        DataError: The zip cannot be read, a member is damaged, or its path leads out of the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with path_lock(folder), ExitStack() as stack:
        source = _Source(remote, folder, policy or Policy(), is_offline(offline), stack)
        chosen = list(select(source.members()))
        places = [folder / place_inside(remote.name, member.name) for member in chosen]
        absent = [(m, path) for m, path in zip(chosen, places, strict=True) if not _is_there(m, path)]
        if absent:
            require_room(folder / "members", sum(member.n_bytes for member, _ in absent))
            log.info("%s: %d of %d members are to be fetched", remote.name, len(absent), len(chosen))
        for member, path in absent:
            content = source.content(member)
            with whole_file(path) as partial:
                partial.write_bytes(content)
    return places


class _Source:
    """A zip, opened only when something is asked that is not kept."""

    def __init__(
        self, remote: RemoteFile, folder: Path, policy: Policy, offline: bool, stack: ExitStack
    ) -> None:
        self.remote = remote
        self.kept = folder / ".directory.json"
        self.whole = folder.parent / remote.name
        self.policy = policy
        self.offline = offline
        self.stack = stack
        self._reader: RemoteReader | None = None
        self._zip: zipfile.ZipFile | None = None

    def members(self) -> list[Member]:
        if self.kept.exists():
            try:
                return [Member(**row) for row in json.loads(self.kept.read_text(encoding="utf-8"))]
            except (ValueError, TypeError) as error:
                remedy = "delete it, to have it fetched again"
                raise DataError(f"the directory {self.kept}", f"cannot be read: {error}", remedy) from error
        members = [
            Member(info.filename, info.file_size, info.compress_size, info.CRC, info.header_offset)
            for info in self._opened().infolist()
            if not info.is_dir()
        ]
        with whole_file(self.kept) as partial:
            rows = ",\n".join(json.dumps(asdict(member)) for member in members)
            partial.write_text(f"[{rows}]\n", encoding="utf-8")
        return members

    def content(self, member: Member) -> bytes:
        opened = self._opened()
        if self._reader is not None:
            header = _HEADER_BYTES + len(member.name.encode()) + _EXTRA_BYTES
            self._reader.load(member.offset, header + member.packed_bytes)
        try:
            content = opened.read(member.name)
        except (
            KeyError,
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            RuntimeError,
            EOFError,
        ) as error:
            raise self._damaged(f"member '{member.name}': {error}") from error
        if len(content) != member.n_bytes or zlib.crc32(content) != member.crc:
            raise self._damaged(f"member '{member.name}' has changed since its directory was read")
        return content

    def _opened(self) -> zipfile.ZipFile:
        if self._zip is None:
            try:
                self._zip = self.stack.enter_context(zipfile.ZipFile(self._place()))
            except zipfile.BadZipFile as error:
                raise self._damaged(str(error)) from error
        return self._zip

    def _place(self) -> RemoteReader | Path:
        if lacking(self.remote, self.whole.parent) is None:
            return self.whole
        if self.offline:
            raise not_there([Missing(self.remote, self.whole.parent, "neither it nor the members wanted")])
        say_terms([self.remote])
        self._reader = self.stack.enter_context(RemoteReader(self.remote, self.policy))
        self._reader.load(max(0, self._reader.size - _DIRECTORY_BYTES), _DIRECTORY_BYTES)
        return self._reader

    def _damaged(self, found: str) -> DataError:
        return DataError(
            f"the zip {self.remote.name}", found, f"delete {self.kept.parent} and fetch it again"
        )


def _is_there(member: Member, path: Path) -> bool:
    # the CRC was compared when it was written; a size that fits tells that nobody replaced it
    return path.is_file() and path.stat().st_size == member.n_bytes
