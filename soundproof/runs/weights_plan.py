"""Pretrained weights that studies have to fetch, told from settings and the data folder alone. Asks nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from soundproof.config.model import Study
from soundproof.config.stages import Stages
from soundproof.downloads.catalogue import Record
from soundproof.weights.place import NAME, file_of
from soundproof.weights.records import recorded


@dataclass(frozen=True)
class MissingWeights:
    """Weights that nobody has brought yet.

    Attributes:
        name: Key of the catalogue.
        n_bytes: Size of the file that is fetched; None: not known.
        place: File that is made of it.
        source: Where it comes from.
        licence: Terms of use.
    """

    name: str
    n_bytes: int | None
    place: Path
    source: str
    licence: str


def missing_weights(studies: Mapping[str, Study], data_dir: Path) -> list[MissingWeights]:
    """List the weights that studies need and that are not in the folder of data, each once."""
    names = dict.fromkeys(name for study in studies.values() for name in Stages(study).all_weights())
    places = {name: file_of(name, data_dir / NAME) for name in names}
    return [_missing(name, recorded(name), place) for name, place in places.items() if not place.exists()]


def _missing(name: str, record: Record, place: Path) -> MissingWeights:
    if record.kept is None:
        raise ValueError(f"nothing of '{name}' is kept")
    source = record.source_of(record.kept.file)
    licence = record.licence.id
    if source.wheel is not None:
        told = f"the Python package {source.package}"
        return MissingWeights(name, source.wheel.bytes, place, told, licence)
    remote = record.file(record.kept.file)
    return MissingWeights(name, remote.n_bytes, place, " or ".join(remote.urls), licence)
