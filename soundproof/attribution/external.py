"""Maps made elsewhere: bring your own explainer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from soundproof.attribution.base import ExplainContext, Explanation
from soundproof.detectors.base import Detector
from soundproof.errors import DataError
from soundproof.maps import MapReader


def explain(detector: Detector, x: Tensor, context: ExplainContext) -> Explanation:
    """Return the maps of the clips, as they are, [B, n_freq, n_frames].

    Raises:
        DataError: A clip has no map, or its map has another shape than the clip.
        ArtefactError: The Parquet file is missing, has no map of a clip, or is no file of maps.
    """
    settings: Any = context.settings
    shape = (int(x.shape[1]), int(x.shape[2]))
    read = _read_folder if settings.path.is_dir() else _read_table
    return Explanation(torch.from_numpy(read(settings.path, context.clip_ids, shape)).to(x))


def _read_table(path: Path, clip_ids: Sequence[str], shape: tuple[int, int]) -> np.ndarray:
    reader = MapReader(path)
    _check_shape(f"maps of {path}", reader.axes.shape, shape)
    return reader.read(clip_ids)


def _read_folder(path: Path, clip_ids: Sequence[str], shape: tuple[int, int]) -> np.ndarray:
    maps = []
    for clip_id in clip_ids:
        file = path / f"{clip_id}.npy"
        if not file.exists():
            raise DataError(f"map of clip '{clip_id}'", f"no file {file}", "add the file, one per test clip")
        values = np.load(file, allow_pickle=False)
        _check_shape(str(file), values.shape, shape)
        maps.append(values)
    return np.stack(maps)


def _check_shape(what: str, found: tuple[int, ...], shape: tuple[int, int]) -> None:
    if tuple(found) != shape:
        raise DataError(
            f"{what} of shape {shape} (frequency bins, frames)",
            f"shape {tuple(found)}",
            "explain the features of this run: same recipe, same clip length",
        )
