"""Maps made elsewhere: bring your own explainer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from soundproof.attribution.map_arrays import check_finite, check_shape, read_map
from soundproof.core.errors import ArtefactError, DataError
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation
from soundproof.storage.maps import MapReader


def explain(detector: Detector, x: Tensor, context: ExplainContext) -> Explanation:
    """Return the maps of the clips, as they are, [B, n_freq, n_frames].

    Raises:
        DataError: A clip has no map, or its map cannot be used: another shape than the clip, values that are no
            finite real numbers, a file of another kind.
        ArtefactError: The Parquet file has no map of a clip.
    """
    settings: Any = context.settings
    shape = (int(x.shape[1]), int(x.shape[2]))
    if settings.path.is_dir():
        maps = np.stack([read_map(settings.path / f"{clip_id}.npy", shape) for clip_id in context.clip_ids])
    else:
        maps = _read_table(settings.path, context.clip_ids, shape)
    return Explanation(torch.from_numpy(maps).to(x))


def _read_table(path: Path, clip_ids: Sequence[str], shape: tuple[int, int]) -> np.ndarray:
    try:
        reader = MapReader(path)
    except ArtefactError as error:
        remedy = "give a Parquet file of maps, or a folder with one <clip_id>.npy per clip"
        raise DataError(f"the maps {path}", error.found, remedy) from error
    check_shape(f"maps of {path}", reader.axes.shape, shape)
    return check_finite(str(path), reader.read(clip_ids))
