"""Maps made elsewhere: bring your own explainer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from soundproof.attribution.map_arrays import check_finite, read_archive, read_map, refuse_missing
from soundproof.attribution.map_grid import on_grid
from soundproof.attribution.settings import ExternalSettings
from soundproof.core.errors import ArtefactError, DataError
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation
from soundproof.storage.maps import MapReader


def explain(detector: Detector, x: Tensor, context: ExplainContext[ExternalSettings]) -> Explanation:
    """Return the maps of the clips, as they are, [B, n_freq, n_frames].

    Raises:
        DataError: Clips have no map, or a map cannot be used: another shape than the clip, values that are no
            finite real numbers, a file of another kind.
    """
    settings = context.settings
    path, shape, ids = settings.path, (int(x.shape[1]), int(x.shape[2])), context.clip_ids
    if path.is_dir():
        refuse_missing(str(path), ids, {file.stem for file in path.glob("*.npy")})
        maps = np.stack([read_map(path / f"{name}.npy", shape, settings.resolution) for name in ids])
    elif path.suffix == ".npz":
        maps = read_archive(path, ids, shape, settings.resolution)
    else:
        maps = _read_table(settings, ids, shape)
    return Explanation(torch.from_numpy(maps).to(x))


def _read_table(settings: ExternalSettings, clip_ids: Sequence[str], shape: tuple[int, int]) -> np.ndarray:
    path = settings.path
    try:
        reader = MapReader(path)
    except ArtefactError as error:
        remedy = "give a Parquet file of maps, a .npz file, or a folder with one <clip_id>.npy per clip"
        raise DataError(f"the maps {path}", error.found, remedy) from error
    refuse_missing(str(path), clip_ids, reader.clip_ids)
    taken = on_grid(f"maps of {path}", reader.read(clip_ids), shape, settings.resolution)
    return check_finite(str(path), taken.astype(np.float32, copy=False))
