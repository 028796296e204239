"""Bring the weights of a record of the catalogue into the folder of weights."""

from __future__ import annotations

import logging
from pathlib import Path

from soundproof.storage.files import whole_file
from soundproof.weights.checkpoint import bring_checkpoint
from soundproof.weights.convert import converted
from soundproof.weights.package import check
from soundproof.weights.place import NAME, file_of
from soundproof.weights.records import recorded

log = logging.getLogger(__name__)


def fetch_weights(name: str, data_dir: Path) -> Path:
    """Return the file of some weights, fetched and converted unless it is there.

    Args:
        name: Key of the catalogue.
        data_dir: Folder of data; the file goes into its folder ``weights``.

    Raises:
        ConfigError: The catalogue has no such weights.
        DownloadError: They cannot be fetched; the message says how to bring them by hand.
        DataError: The checkpoint is not what the catalogue says.
        StorageError: The folder of data cannot be written.
    """
    target = file_of(name, data_dir / NAME)
    if target.exists():
        return target
    record = recorded(name)
    checkpoint = bring_checkpoint(name, record, data_dir)
    file = converted(record, name, checkpoint.read_bytes())
    if record.kept is not None and record.kept.sha256 is not None:
        check(file, record.kept.sha256, f"{target.name}, made from {checkpoint.name}")
    log.warning("weights '%s': %s", name, record.credit)
    with whole_file(target) as partial:
        partial.write_bytes(file)
    return target
