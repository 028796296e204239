"""Relevance maps from ``.npy`` and ``.npz`` files that may come from anywhere: nothing in them is ever executed."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from soundproof.attribution.map_grid import Resolution, on_grid
from soundproof.core.errors import DataError

_MAGIC = b"\x93NUMPY"
_ZIP = b"PK\x03\x04"
_SAVE = "save the map with numpy.save as one plain array of real numbers"
_SAVE_ALL = "save it with numpy.savez(file, clip_ids=[...], maps=[...]), or with one map by each clip's name"
_NAMED = 5


def read_map(file: Path, shape: tuple[int, int], resolution: Resolution = "same") -> np.ndarray:
    """Read one map, float32 [n_freq, n_frames].

    Args:
        file: The file.
        shape: Bands and frames of the clip.
        resolution: Whether a map of another shape is brought to this one.

    Raises:
        DataError: The file is missing, no whole ``.npy``, of another shape, or holds something other than finite
            real numbers.
    """
    if not file.is_file():
        raise DataError(f"map of clip '{file.stem}'", f"no file {file}", "add the file, one per test clip")
    try:
        with file.open("rb") as stream:
            start = stream.read(len(_MAGIC))
        if not start.startswith(_MAGIC):
            kind = "a .npz archive" if start.startswith(_ZIP) else "no .npy file"
            raise DataError(f"the map {file}", f"it is {kind}" if start else "an empty file", _SAVE)
        # mapped, so that a header that promises more than the file holds costs no memory
        stored = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, MemoryError) as error:
        raise DataError(f"the map {file}", _reason(error), _SAVE) from error
    return _usable(str(file), stored, shape, resolution, 2)


def read_archive(
    file: Path, clip_ids: Sequence[str], shape: tuple[int, int], resolution: Resolution = "same"
) -> np.ndarray:
    """Read maps of clips out of a ``.npz`` file, float32 [n_clips, n_freq, n_frames].

    Args:
        file: Holds ``clip_ids`` [n] and ``maps`` [n, bands, frames], or an array by each clip's name.
        clip_ids: Clips to read.
        shape: Bands and frames of the clips.
        resolution: Whether maps of another shape are brought to this one.

    Raises:
        DataError: No whole ``.npz``, a clip without a map or with two, maps of another shape, or values other than
            finite real numbers.
    """
    try:
        seen = file.stat()
        archive = _opened(file, seen.st_size, seen.st_mtime_ns)
        if {"clip_ids", "maps"} <= set(archive):
            ids, maps = [str(clip_id) for clip_id in archive["clip_ids"].tolist()], archive["maps"]
            if len(ids) != len(maps) or len(set(ids)) != len(ids):
                found = f"{len(ids)} ids ({len(set(ids))} different) and {len(maps)} maps"
                raise DataError(f"one map for each id in {file}", found, _SAVE_ALL)
            refuse_missing(str(file), clip_ids, ids)
            row_of = {clip_id: row for row, clip_id in enumerate(ids)}
            return _usable(str(file), maps[[row_of[name] for name in clip_ids]], shape, resolution, 3)
        refuse_missing(str(file), clip_ids, list(archive))
        return np.stack(
            [_usable(f"{name} of {file}", archive[name], shape, resolution, 2) for name in clip_ids]
        )
    except (OSError, ValueError, EOFError, SyntaxError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"the maps {file}", _reason(error), _SAVE_ALL) from error


@lru_cache(maxsize=1)
def _opened(file: Path, n_bytes: int, changed: int) -> Mapping[str, np.ndarray]:
    """The archive; ``maps`` of all clips are held, since clips are asked for a few at a time."""
    with file.open("rb") as stream:
        archive = np.load(stream, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("it is no .npz archive")
        return {name: archive[name] for name in archive.files}


def refuse_missing(what: str, clip_ids: Sequence[str], there: Collection[str]) -> None:
    """Name the clips that have no map.

    Raises:
        DataError: There are some.
    """
    known = set(there)
    missing = [clip_id for clip_id in clip_ids if clip_id not in known]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise DataError(
            f"a map of each of {len(clip_ids)} clips in {what}",
            f"none of {', '.join(missing[:_NAMED])}{more}",
            "add them, one per explained clip",
        )


def check_finite(what: str, values: np.ndarray) -> np.ndarray:
    """Return the values.

    Raises:
        DataError: Some are NaN, infinite or too large for single precision.
    """
    n_bad = int(np.count_nonzero(~np.isfinite(values)))
    if n_bad:
        found = f"{n_bad} of {values.size} values are NaN, infinite or too large for single precision"
        raise DataError(f"the map {what}", found, "compute it again")
    return values


def _usable(
    what: str, values: np.ndarray, shape: tuple[int, int], resolution: Resolution, n_axes: int
) -> np.ndarray:
    """Maps as torch takes them, whatever their byte order and width."""
    if values.dtype.kind not in "fiub":
        raise DataError(f"the map {what}", f"values of type {values.dtype}, which are no real numbers", _SAVE)
    if values.ndim != n_axes:
        asked = f"{what} of shape {shape} (frequency bins, frames)"
        raise DataError(asked, f"shape {tuple(values.shape)}", "give one value per cell")
    with np.errstate(over="ignore"):
        taken = np.array(on_grid(what, values, shape, resolution), dtype=np.float32, order="C")
    return check_finite(what, taken)


def _reason(error: BaseException) -> str:
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "mmap length" in said or said.startswith("EOF") or isinstance(error, EOFError | MemoryError):
        return "it is cut off: its header promises more than it holds"
    return "it holds Python objects, not numbers" if "object" in said.lower() else said
