"""AU-PRO: area under the per-region overlap curve, exact over all thresholds.

Source: Bergmann et al., IJCV 2021, doi:10.1007/s11263-020-01400-4. A region is a connected component of one
clip's mask with at least ``min_cells`` cells; smaller ones, crumbs of a ragged mask, are ignored: they are no
regions, and their cells are no false positives. At a threshold, the per-region overlap is the share of a region at
or above it, averaged over all regions of the set; the false-positive rate is the share of all cells outside the
masks at or above it. The curve is integrated up to a limit of that rate, where it is interpolated linearly, and
divided by the limit. Thresholds are shared by the whole set: maps whose scale differs from clip to clip are judged
on that too.

Because both axes are weighted counts of cells, the curve is a weighted ROC curve with one point per distinct
relevance: no grid of thresholds, no error to state, and no value above 1. A random map follows the diagonal,
so that chance is limit / 2.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import ndimage

from soundproof.core.errors import ConfigError
from soundproof.interfaces.metric import Undefined
from soundproof.statistics.roc import area_up_to, weighted_curve
from soundproof.truth.ground_truth import require_finite


def cell_structure(connectivity: Literal[4, 8]) -> np.ndarray:
    """Which cells of a set of clips are neighbours, for :func:`scipy.ndimage.label`, bool [3, 3, 3]."""
    # rank 3 with empty outer planes: components never reach into the neighbouring clip
    structure = np.zeros((3, 3, 3), dtype=bool)
    structure[1] = ndimage.generate_binary_structure(2, 1 if connectivity == 4 else 2)
    return structure


def region_weights(masks: np.ndarray, connectivity: Literal[4, 8] = 8, min_cells: int = 4) -> np.ndarray:
    """Weigh each masked cell by one over the size of its region, so that every region weighs 1.

    Args:
        masks: bool [n_clips, n_freq, n_frames].
        connectivity: Whether cells that share only a corner belong together (8) or not (4).
        min_cells: Cells of the smallest region that counts; smaller ones weigh 0.

    Returns:
        float64, the shape of ``masks``; zero outside the masks.
    """
    labels, _ = ndimage.label(masks, cell_structure(connectivity))
    sizes = np.bincount(labels.ravel())
    weights = np.where(sizes >= min_cells, 1.0 / np.maximum(sizes, 1), 0.0)
    return np.where(masks, weights[labels], 0.0)


def aupro(
    maps: np.ndarray,
    masks: np.ndarray,
    limit: float = 0.3,
    connectivity: Literal[4, 8] = 8,
    min_cells: int = 4,
) -> float | Undefined:
    """Area under the per-region overlap curve of a set of clips.

    Args:
        maps: Signed relevance [n_clips, n_freq, n_frames].
        masks: bool [n_clips, n_freq, n_frames].
        limit: Largest false-positive rate that counts, 0 < limit <= 1; print it next to the number.
        connectivity: Whether cells that share only a corner belong together (8) or not (4).
        min_cells: Cells of the smallest region that counts; print it next to the number.

    Returns:
        The area over the limit, 0..1; undefined without a region or without a cell outside them.

    Raises:
        ConfigError: The limit lies outside (0, 1].
        DataError: A map holds NaN or infinity.
    """
    if not 0 < limit <= 1:
        raise ConfigError("an integration limit in (0, 1]", f"{limit}", "0.3 is customary")
    require_finite(maps, "the maps")
    if not masks.any():
        return Undefined("no cell of any clip is masked")
    if masks.all():
        return Undefined("no cell of any clip lies outside the masks")
    outside = (~masks).ravel().astype(np.float64)
    regions = region_weights(masks, connectivity, min_cells).ravel()
    if not regions.any():
        return Undefined(f"no region has {min_cells} cells or more")
    false_positive_rate, overlap = weighted_curve(maps.ravel(), outside, regions)
    return float(area_up_to(false_positive_rate, overlap, limit)) / limit
