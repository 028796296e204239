"""Tables of time-frequency maps: features, masks and attributions, streamed in bounded memory.

One row per clip: ``clip_id`` and a fixed-size list of ``n_freq * n_frames`` values in row-major order. Shape
and axes stand in the schema metadata, so that a file can be read without any configuration.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from soundproof.core.errors import ArtefactError
from soundproof.storage.files import whole_file
from soundproof.storage.provenance import KEY, Provenance, canonical_json
from soundproof.storage.tables import COMPRESSION, open_parquet

ROWS_PER_GROUP = 64
_AXES_KEY = b"soundproof.axes"
_SCALING_KEY = b"soundproof.scaling"
_SOUND_KEY = b"soundproof.sound"


@dataclass(frozen=True)
class Axes:
    """The time-frequency grid of a map.

    Attributes:
        frequencies_hz: Centre frequency of each row, [n_freq].
        frames_per_second: Columns per second.
        n_frames: Number of columns.
        unit: Unit of the values, for colour bars ("dB", "z-score", "relevance").
    """

    frequencies_hz: tuple[float, ...]
    frames_per_second: float
    n_frames: int
    unit: str

    @property
    def shape(self) -> tuple[int, int]:
        """(n_freq, n_frames)."""
        return len(self.frequencies_hz), self.n_frames

    def with_unit(self, unit: str) -> Axes:
        """The same grid for values of another unit."""
        return Axes(self.frequencies_hz, self.frames_per_second, self.n_frames, unit)

    def encode(self) -> bytes:
        """Return the axes as canonical JSON."""
        return canonical_json(self.__dict__).encode()

    @classmethod
    def decode(cls, text: bytes) -> Axes:
        """Read axes written by :meth:`encode`."""
        fields = json.loads(text)
        return cls(**{**fields, "frequencies_hz": tuple(fields["frequencies_hz"])})


@dataclass(frozen=True)
class Scaling:
    """How the values of a file were scaled: ``(value - mean) / deviation``, row by row of a map.

    Attributes:
        mean: [n_freq].
        deviation: [n_freq], positive.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


def read_axes(schema: pa.Schema) -> Axes | None:
    """Axes in a file's schema metadata; None where the file is no table of maps."""
    text = (schema.metadata or {}).get(_AXES_KEY)
    return None if text is None else Axes.decode(text)


class MapWriter:
    """Write maps clip by clip or batch by batch; at most one row group is held in memory.

    The file appears under its name when the ``with`` block ends without an error, else not at all.

    Args:
        path: Where.
        axes: Time-frequency grid.
        provenance: Record for the schema metadata.
        dtype: Type of a map's values.
        number: Name of a column with one number per clip beside its map; None: no such column.
        n_samples: Length of each clip, whose sound is kept beside its map; None: no sound is.
    """

    def __init__(
        self,
        path: Path,
        axes: Axes,
        provenance: Provenance,
        dtype: str = "float32",
        number: str | None = None,
        n_samples: int | None = None,
    ) -> None:
        values = pa.list_(pa.from_numpy_dtype(np.dtype(dtype)), axes.shape[0] * axes.shape[1])
        metadata = {KEY: provenance.encode(), _AXES_KEY: axes.encode()}
        fields = [
            pa.field("clip_id", pa.string(), nullable=False),
            pa.field("values", values, nullable=False),
        ]
        fields += [pa.field(number, pa.float64())] if number else []
        if n_samples is not None:
            fields.append(pa.field("samples", pa.list_(pa.float32(), n_samples), nullable=False))
        self._n_samples = n_samples
        self._sounds: list[np.ndarray] = []
        self._schema = pa.schema(fields, metadata=metadata)
        self._has_number = number is not None
        self._numbers: list[float | None] = []
        self._shape = axes.shape
        self._dtype = np.dtype(dtype)
        self._path = path
        self._ids: list[str] = []
        self._maps: list[np.ndarray] = []

    def __enter__(self) -> MapWriter:
        with ExitStack() as opening:
            partial = opening.enter_context(whole_file(self._path))
            self._writer = opening.enter_context(
                pq.ParquetWriter(partial, self._schema, compression=COMPRESSION)
            )
            self._open = opening.pop_all()
        return self

    def append(
        self,
        clip_ids: Sequence[str],
        maps: np.ndarray,
        numbers: Sequence[float | None] | None = None,
        sounds: np.ndarray | None = None,
    ) -> None:
        """Append maps [n, n_freq, n_frames] of the clips ``clip_ids`` [n], and what stands beside them.

        Args:
            clip_ids: Ids of the clips [n].
            maps: Their maps.
            numbers: Their numbers [n]; None: null.
            sounds: Their sounds [n, n_samples], where they are kept.

        Raises:
            ArtefactError: Wrong shape, or a value that is not finite.
        """
        if maps.shape != (len(clip_ids), *self._shape):
            raise ArtefactError(
                f"maps of shape {(len(clip_ids), *self._shape)}",
                f"shape {maps.shape}",
                "check the feature recipe",
            )
        finite = np.isfinite(maps).all(axis=(1, 2))
        if not finite.all():
            broken = clip_ids[int(np.argmin(finite))]
            raise ArtefactError("finite maps", f"NaN or infinity in clip '{broken}'", "inspect that clip")
        of_sounds = None if sounds is None else sounds.shape
        if of_sounds != (None if self._n_samples is None else (len(clip_ids), self._n_samples)):
            asked = "no sounds" if self._n_samples is None else f"sounds of {self._n_samples} samples"
            raise ArtefactError(f"{asked} beside the maps", f"{of_sounds}", "check the feature recipe")
        if sounds is not None:
            self._sounds += list(sounds)
        beside = [None] * len(clip_ids) if numbers is None else numbers
        for clip_id, values, number in zip(clip_ids, maps, beside, strict=True):
            self._ids.append(clip_id)
            self._numbers.append(number)
            self._maps.append(np.ascontiguousarray(values, dtype=self._dtype))
            if len(self._ids) == ROWS_PER_GROUP:
                self._flush()

    def note_scaling(self, scaling: Scaling) -> None:
        """Note in the file how its values were scaled, for new maps to be like them."""
        self._writer.add_key_value_metadata({_SCALING_KEY: canonical_json(scaling.__dict__).encode()})

    def note_sound(self, form: str) -> None:
        """Note in the file how its maps follow from the sounds beside them."""
        self._writer.add_key_value_metadata({_SOUND_KEY: form.encode()})

    def _flush(self) -> None:
        if not self._ids:
            return
        flat = pa.array(np.concatenate([values.ravel() for values in self._maps]))
        lists = pa.FixedSizeListArray.from_arrays(flat, self._shape[0] * self._shape[1])
        arrays = [pa.array(self._ids, pa.string()), lists.cast(self._schema.field("values").type)]
        arrays += [pa.array(self._numbers, pa.float64())] if self._has_number else []
        if self._n_samples is not None:
            sounds = pa.array(np.concatenate(self._sounds).astype(np.float32, copy=False))
            kept = pa.FixedSizeListArray.from_arrays(sounds, self._n_samples)
            arrays.append(kept.cast(self._schema.field("samples").type))
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))
        self._ids, self._maps, self._numbers, self._sounds = [], [], [], []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._open.__exit__(kind, error, trace)
            return
        # within the block, so that a last group that cannot be written leaves no file
        with self._open:
            self._flush()


class MapReader:
    """Read maps in bounded memory, in file order or by clip id.

    Attributes:
        axes: Time-frequency grid.
        clip_ids: All clips in file order.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = open_parquet(path)
        axes = read_axes(self._file.schema_arrow)
        if axes is None:
            raise ArtefactError(
                f"maps in {path}", "a table without axes", "give a features, masks or attributions file"
            )
        self.axes = axes
        self.clip_ids: list[str] = self._file.read(columns=["clip_id"])["clip_id"].to_pylist()
        self._decoded: dict[str, tuple[int, np.ndarray]] = {}
        self._row = {clip_id: row for row, clip_id in enumerate(self.clip_ids)}
        self._group_start = np.cumsum(
            [0] + [self._file.metadata.row_group(g).num_rows for g in range(self._file.num_row_groups)]
        )

    def __contains__(self, clip_id: str) -> bool:
        return clip_id in self._row

    def __len__(self) -> int:
        return len(self.clip_ids)

    def holds(self, clip_ids: Sequence[str]) -> bool:
        """Whether there are any such clips, and the file has every one."""
        return len(clip_ids) > 0 and all(clip_id in self for clip_id in clip_ids)

    def read(self, clip_ids: Sequence[str] | None = None) -> np.ndarray:
        """Return maps [n, n_freq, n_frames] in the order of ``clip_ids`` (all clips if None).

        Only the row groups that hold these clips are decoded.

        Raises:
            ArtefactError: A clip is not in the file.
        """
        return self._read("values", self.axes.shape, self.clip_ids if clip_ids is None else clip_ids)

    @property
    def sound(self) -> str | None:
        """How the maps follow from the sounds beside them; None where no sounds are kept."""
        text = (self._file.metadata.metadata or {}).get(_SOUND_KEY)
        return None if text is None else text.decode()

    def sounds(self, clip_ids: Sequence[str]) -> np.ndarray:
        """Return sounds, float32 [n, n_samples], in the order of ``clip_ids``.

        Raises:
            ArtefactError: A clip is not in the file, or the file keeps no sounds.
        """
        if "samples" not in self._file.schema_arrow.names:
            raise ArtefactError(
                f"the sound of clips beside their maps in {self._path}",
                "maps alone",
                "set 'features: {keep_sound: true}' (recipe 'audio' has it), and run the study again",
            )
        n_samples = self._file.schema_arrow.field("samples").type.list_size
        return self._read("samples", (n_samples,), clip_ids)

    def _read(self, column: str, shape: tuple[int, ...], clip_ids: Sequence[str]) -> np.ndarray:
        missing = [clip_id for clip_id in clip_ids if clip_id not in self._row]
        if missing:
            raise ArtefactError(
                f"clip '{missing[0]}' of {self._path}",
                f"not among its {len(self)} clips ({len(missing)} are missing)",
                "regenerate the file, or ask for clips it has",
            )
        rows = np.array([self._row[clip_id] for clip_id in clip_ids], dtype=int)
        out: np.ndarray | None = None
        groups = np.searchsorted(self._group_start, rows, side="right") - 1
        for group in np.unique(groups):
            here = np.flatnonzero(groups == group)
            decoded = self._group(column, shape, int(group))
            if out is None:
                out = np.empty((len(rows), *shape), decoded.dtype)
            out[here] = decoded[rows[here] - self._group_start[group]]
        return np.empty((0, *shape), np.float32) if out is None else out

    @property
    def scaling(self) -> Scaling | None:
        """How the values were scaled; None where they are as the recipe makes them."""
        text = (self._file.metadata.metadata or {}).get(_SCALING_KEY)
        return None if text is None else Scaling(**{k: tuple(v) for k, v in json.loads(text).items()})

    def numbers(self, name: str) -> dict[str, float]:
        """The number beside each clip's map; clips without one are left out.

        Raises:
            ArtefactError: The file has no such column.
        """
        if name not in self._file.schema_arrow.names:
            raise ArtefactError(f"column '{name}' of {self._path}", "no such column", "regenerate the file")
        column = self._file.read(columns=[name])[name].to_pylist()
        return {
            clip_id: value for clip_id, value in zip(self.clip_ids, column, strict=True) if value is not None
        }

    def batches(
        self, size: int, clip_ids: Sequence[str] | None = None
    ) -> Iterator[tuple[list[str], np.ndarray]]:
        """Yield (clip ids, maps [n <= size, n_freq, n_frames]) in the order of ``clip_ids``."""
        ids = self.clip_ids if clip_ids is None else list(clip_ids)
        for start in range(0, len(ids), size):
            chunk = ids[start : start + size]
            yield chunk, self.read(chunk)

    def _group(self, column: str, shape: tuple[int, ...], group: int) -> np.ndarray:
        # batches smaller than a row group ask for the same one several times in a row
        if column not in self._decoded or self._decoded[column][0] != group:
            stored = self._file.read_row_group(group, columns=[column])[column].combine_chunks()
            values: np.ndarray = stored.flatten().to_numpy(zero_copy_only=False)
            self._decoded[column] = (group, values.reshape(-1, *shape))
        return self._decoded[column][1]
