"""Clips to work on: of a data set that is known by name, or arrays of one's own."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from soundproof.clips.selection import part_of, rates_of
from soundproof.config.model import Study
from soundproof.core.errors import DataError, nearest
from soundproof.core.messages import validate
from soundproof.datasets.open import open_dataset
from soundproof.features.extract import StemFiles, extract_features
from soundproof.storage.maps import Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance
from soundproof.storage.schemas import CLIPS
from soundproof.storage.tables import read_table, write_table
from soundproof.training.runtime import Runtime
from soundproof.weights.place import use_data_dir

Device = Literal["auto", "cpu", "cuda"]
ORIGIN = Provenance(stage="library")
"""Record of files that no job made; they are gone with the clips."""
_WORDS = {"split": ("train", "test"), "label": ("normal", "anomaly")}
_EVENT = ("onset_s", "offset_s", "low_hz", "high_hz")


@dataclass(frozen=True, kw_only=True, eq=False)
class Clips:
    """Clips, their maps, and what is known of their faults.

    Maps lie in a temporary folder, which is removed with this object: no more than a few are held in memory.

    Attributes:
        name: Name of the study in all tables; draws of intervals derive from it.
        table: One row per clip, columns as in :data:`soundproof.storage.schemas.CLIPS`.
        features: Maps [n_freq, n_frames] by clip id, and their grid (``features.axes``).
        masks: Cells of the fault of anomalous clips, as far as they are known.
        backgrounds: Maps of the anomalous clips without their faults, as far as they are known.
        event_maps: Levels of the faults alone in dB, as far as they are known.
        source: Data set and recipe of features, as a study states them; None of arrays.
        data_dir: Folder of downloads.
        runtime: Where all that follows from these clips is computed.
        folder: Where their files lie.
    """

    name: str
    table: pd.DataFrame
    features: MapReader
    masks: MapReader
    backgrounds: MapReader | None
    event_maps: MapReader | None
    source: Study | None
    data_dir: Path
    runtime: Runtime
    folder: tempfile.TemporaryDirectory[str] = field(repr=False)

    @property
    def clip_ids(self) -> list[str]:
        """Ids of all clips, in the order of the maps."""
        return list(self.features.clip_ids)

    def maps(self, clip_ids: Sequence[str] | None = None) -> np.ndarray:
        """Maps [n, n_freq, n_frames] of some clips, in their order; None: of all.

        Raises:
            ArtefactError: No such clip.
        """
        return self.features.read(clip_ids)

    def new_folder(self) -> Path:
        """A new folder for files that are gone with the clips."""
        return Path(tempfile.mkdtemp(dir=self.folder.name))


def load_dataset(
    dataset: Mapping[str, Any],
    *,
    features: Mapping[str, Any] | None = None,
    machine: str | None = None,
    name: str = "library",
    data_dir: Path | str = "data",
    device: Device = "cpu",
    threads: int = 1,
    memory_budget_mb: int = 1024,
) -> Clips:
    """Make the maps of a data set.

    Args:
        dataset: ``kind`` and settings, as under ``dataset`` in a study (``docs/configuration.md``). What has to be
            downloaded must lie in ``data_dir``: the workflow fetches it.
        features: ``recipe`` and settings, as under ``features``; None: the default.
        machine: Only this machine's clips; None: all.
        name: Name of the study in all tables.
        data_dir: Folder of downloads.
        device: Where to compute: ``auto`` takes a GPU if there is one.
        threads: CPU threads of torch; the order of float sums depends on it.
        memory_budget_mb: Memory that may be filled with maps.

    Raises:
        ConfigError: A setting that cannot be used.
        DataError: Clips that are not there or cannot be used; no such machine.
    """
    asked = {"name": name, "dataset": dataset, "scope": "pooled", "detectors": {"mean_square": {}}}
    study = validate(Study, asked | ({} if features is None else {"features": features}), "the data set")
    runtime = _runtime(device, threads, memory_budget_mb, Path(data_dir))
    folder = tempfile.TemporaryDirectory(prefix="soundproof-")
    place = Path(folder.name)
    opened = open_dataset(study.dataset.plain(), Path(data_dir))
    listed = _as_stored(opened.clips(), place)
    table = part_of(listed, machine or "all")
    if table.empty:
        known = sorted(listed["machine"].unique())
        raise DataError(f"clips of the machine '{machine}'", "none", nearest(str(machine), known))
    runtime.device()
    stems = StemFiles(place / "backgrounds.parquet", place / "events.parquet")
    files = place / "features.parquet", place / "masks.parquet"
    extract_features(opened, table, study.features, *files, ORIGIN, rates_of(listed), stems=stems)
    return Clips(
        name=name,
        table=table,
        features=MapReader(files[0]),
        masks=MapReader(files[1]),
        backgrounds=MapReader(stems.backgrounds),
        event_maps=MapReader(stems.events),
        source=study,
        data_dir=Path(data_dir),
        runtime=runtime,
        folder=folder,
    )


def from_arrays(
    maps: np.ndarray,
    table: pd.DataFrame,
    *,
    frames_per_second: float,
    frequencies_hz: Sequence[float] | None = None,
    masks: Mapping[str, np.ndarray] | None = None,
    unit: str = "as given",
    name: str = "library",
    device: Device = "cpu",
    threads: int = 1,
    memory_budget_mb: int = 1024,
) -> Clips:
    """Take maps that were made elsewhere.

    Args:
        maps: [n, n_freq, n_frames], finite; low frequencies first.
        table: One row per map: ``split`` (train or test), ``label`` (normal or anomaly), and of the other columns
            of :data:`soundproof.storage.schemas.CLIPS` whatever is known. ``events`` holds a list of (onset_s,
            offset_s), or (onset_s, offset_s, low_hz, high_hz), for each clip that somebody labelled.
        frames_per_second: Columns of a map per second.
        frequencies_hz: Centre frequency of each row [n_freq]; None: they are numbered.
        masks: Cells of the fault, bool [n_freq, n_frames], by clip id of anomalous clips.
        unit: Unit of the maps, in print.
        name: Name of the study in all tables.
        device: As :func:`load_dataset`.
        threads: As :func:`load_dataset`.
        memory_budget_mb: As :func:`load_dataset`.

    Raises:
        DataError: Shapes that do not match, words that are none of a column's, an id twice, an event or a mask
            outside the clips.
        ArtefactError: A map that is not finite.
    """
    if maps.ndim != 3 or len(maps) != len(table) or not len(maps):
        raise DataError(
            "maps [n, n_freq, n_frames] and a row of the table for each",
            f"maps of shape {maps.shape}, {len(table)} rows",
            "give one map and one row per clip",
        )
    frequencies = tuple(range(maps.shape[1])) if frequencies_hz is None else tuple(frequencies_hz)
    axes = Axes(tuple(map(float, frequencies)), float(frames_per_second), maps.shape[2], unit)
    if axes.shape != maps.shape[1:]:
        found = f"{len(frequencies)} for {maps.shape[1]} rows"
        raise DataError("a centre frequency of each row of a map", found, "give one per row")
    folder = tempfile.TemporaryDirectory(prefix="soundproof-")
    place = Path(folder.name)
    known = _as_stored(_completed(table), place)
    marked = _anomalous_masks(masks or {}, known, axes.shape)
    with MapWriter(place / "features.parquet", axes, ORIGIN) as writer:
        writer.append(list(known["clip_id"]), maps)
    with MapWriter(place / "masks.parquet", axes.with_unit("fault"), ORIGIN, "uint8") as writer:
        for clip_id, mask in marked.items():
            writer.append([clip_id], mask[np.newaxis])
    return Clips(
        name=name,
        table=known,
        features=MapReader(place / "features.parquet"),
        masks=MapReader(place / "masks.parquet"),
        backgrounds=None,
        event_maps=None,
        source=None,
        data_dir=Path("data"),
        runtime=_runtime(device, threads, memory_budget_mb, Path("data")),
        folder=folder,
    )


def _runtime(device: Device, threads: int, memory_budget_mb: int, data_dir: Path) -> Runtime:
    use_data_dir(data_dir)
    return Runtime(device, threads, memory_budget_mb << 20)


def _as_stored(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The table as the workflow's stages have it, which read it from a file."""
    write_table(table, folder / "clips.parquet", ORIGIN, CLIPS)
    return read_table(folder / "clips.parquet")


def _completed(table: pd.DataFrame) -> pd.DataFrame:
    """A table of one's own with all columns that clips have."""
    for column, words in _WORDS.items():
        if column not in table:
            raise DataError(f"column '{column}' of the clips", "no such column", f"say {' or '.join(words)}")
        strange = sorted(set(table[column].astype(str)) - set(words))
        if strange:
            raise DataError(f"column '{column}' of the clips", f"'{strange[0]}'", f"say {' or '.join(words)}")
    for column in map(str, table.columns):
        if column not in CLIPS.names:
            raise DataError(f"column '{column}' of the clips", "no such column", nearest(column, CLIPS.names))
    rows = table.reset_index(drop=True)
    given = {
        "clip_id": [f"clip_{number:05d}" for number in range(len(rows))],
        "dataset": "arrays",
        "machine": "machine",
        "machine_id": "00",
    }
    rows = rows.assign(**{column: values for column, values in given.items() if column not in rows})
    rows["clip_id"] = rows["clip_id"].astype(str)
    twice = rows.loc[rows["clip_id"].duplicated(), "clip_id"]
    if len(twice):
        raise DataError(
            "clip ids that are unique", f"'{twice.iloc[0]}' twice", "give each clip a name of its own"
        )
    if "events" in rows:
        pairs = zip(rows["clip_id"], rows["events"], strict=True)
        rows["events"] = pd.Series([_events(*pair) for pair in pairs], index=rows.index, dtype=object)
    return rows.reindex(columns=CLIPS.names).astype(object).where(lambda frame: frame.notna(), None)


def _events(clip_id: str, events: Any) -> list[dict[str, float | None]] | None:
    if events is None or (isinstance(events, float) and np.isnan(events)):
        return None
    found = [
        dict(event) if isinstance(event, Mapping) else dict(zip(_EVENT, event, strict=False))
        for event in events
    ]
    if any(not {"onset_s", "offset_s"} <= set(event) for event in found):
        raise DataError(
            f"events of clip '{clip_id}'",
            str(events),
            "give (onset_s, offset_s), or (onset_s, offset_s, low_hz, high_hz), for each",
        )
    return [{key: event.get(key) for key in _EVENT} for event in found]


def _anomalous_masks(
    masks: Mapping[str, np.ndarray], table: pd.DataFrame, shape: tuple[int, int]
) -> Mapping[str, np.ndarray]:
    anomalous = set(table.loc[table["label"].eq("anomaly"), "clip_id"])
    for clip_id, mask in masks.items():
        if clip_id not in anomalous:
            raise DataError(
                f"a mask of clip '{clip_id}'", "no anomalous clip of that name", "name masks by clip_id"
            )
        if mask.shape != shape:
            raise DataError(
                f"a mask {shape} of clip '{clip_id}'", f"shape {mask.shape}", "give it the map's shape"
            )
    return masks
