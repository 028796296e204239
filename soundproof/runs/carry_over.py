"""Results of one job that stand for themselves: those that still fit are carried over, and none is lost.

A job may make several results that have nothing to do with each other, such as the maps of several explainers. Each
is finished in a place beside the outputs, which Snakemake knows nothing of, and so keeps when the job fails or is
killed. Only when all are there do they take their places.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from soundproof.core.errors import ArtefactError
from soundproof.runs.result_records import read_record
from soundproof.storage.files import storage_errors, whole_file
from soundproof.storage.provenance import Provenance

Result = Mapping[str, Path]
"""Files of a result by what they are (such as ``maps``, ``timing``), all of one record."""


class Shelf:
    """Where a job keeps what it has finished, until all is.

    Args:
        folder: A folder of the job's own, on the disk of its outputs. It need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def place(self, name: str, result: Result) -> dict[str, Path]:
        """Paths to write the result ``name`` to; each file must appear whole or not at all."""
        return {what: self._folder / name / f"{what}{path.suffix}" for what, path in result.items()}

    def holds(self, name: str, result: Result, record: Provenance) -> bool:
        """Whether the result ``name`` need not be made: an earlier attempt left it, or its outputs still fit.

        Outputs that fit are put on the shelf as well, from where :meth:`empty` brings them back.

        Args:
            name: Name of the result.
            result: Its outputs.
            record: What it would be made from now.

        Raises:
            StorageError: The disk is full or the folder cannot be written.
        """
        places = self.place(name, result)
        if all(fits(path, record) for path in places.values()):
            return True
        if not all(fits(path, record) for path in result.values()):
            return False
        for what, path in result.items():
            with whole_file(places[what]) as partial:
                _link(path, partial)
        return True

    def empty(self, results: Mapping[str, Result]) -> None:
        """Put all results in their places, and remove the shelf.

        The same job may be at work twice, where Snakemake was killed and started again while a job went on. The one
        that comes second finds its results in their places.

        Args:
            results: Outputs of each result by its name.

        Raises:
            StorageError: The folder of an output cannot be written.
        """
        for name, result in results.items():
            for what, held in self.place(name, result).items():
                with storage_errors(result[what]):
                    result[what].parent.mkdir(parents=True, exist_ok=True)
                    _move(held, result[what])
        for left in self._folder.iterdir() if self._folder.is_dir() else ():
            if left.name in results:
                _remove_empty(left)
            else:
                # of an explainer, say, that nobody asks for any more
                shutil.rmtree(left, ignore_errors=True)
        _remove_empty(self._folder)


def fits(path: Path, record: Provenance) -> bool:
    """Whether a file is whole and of the stage, settings, code, inputs and seed of ``record``.

    Device and versions of packages are not compared: they rerun nothing elsewhere either.
    """
    try:
        return _origin(read_record(path)) == _origin(record)
    except ArtefactError:
        return False


def _origin(record: Provenance) -> tuple[object, ...]:
    return record.stage, record.settings_digest, record.code, dict(record.inputs), record.seed


def _move(held: Path, place: Path) -> None:
    try:
        held.replace(place)
    except FileNotFoundError:
        if not place.is_file():
            raise
    # two names of one file stay where one would replace the other
    held.unlink(missing_ok=True)


def _remove_empty(folder: Path) -> None:
    # not empty: the other one is still at work there
    with suppress(OSError):
        folder.rmdir()


def _link(path: Path, new: Path) -> None:
    try:
        os.link(path, new)
    except OSError:
        # some file systems have no second names for a file
        shutil.copyfile(path, new)
