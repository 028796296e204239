"""Squared error between the map and the event's own spectrogram: P2's MSE.

Source: Barusco et al. 2025, arXiv 2502.18328, after the code of a fork: maps are brought to 0..1 by the extremes of
the whole set, the level of the event alone by its own, clip by clip; normal clips have 0 everywhere. One
extreme cell moves all others of a map, and a map that says nothing can do well, for most cells hold no event.
So beside it stands the error of the best constant, the same for all maps, and the ratio of the two: 1 knows no
cell from another.
"""

from __future__ import annotations

import numpy as np

from soundproof.core.registry import Parameters
from soundproof.interfaces.metric import Undefined
from soundproof.localisation.measured import Measured, Unmeasured
from soundproof.localisation.pooled import Batches
from soundproof.storage.measurements import UNIFORM, Block
from soundproof.truth.energy_rule import between_extremes

SET_SCALE, BEST_CONSTANT = "set_min_max", "best_constant"


def measure(batches: Batches, settings: Parameters) -> Measured:
    """Error, that of the map with its cells in random order clip by clip, and that of the best constant."""
    low, high = _extremes(batches)
    span = (high - low) or 1.0
    error = shuffled = 0.0
    n_clips, total, squares = 0, 0.0, 0.0
    for maps, truth in batches():
        m = (maps.astype(np.float64) - low) / span
        t = between_extremes(truth.levels())
        mean_m, mean_t = m.mean(axis=(1, 2)), t.mean(axis=(1, 2))
        error += float(np.square(m - t).mean(axis=(1, 2)).sum())
        # in random order a map's cells meet the event's independently
        apart = np.square(m).mean(axis=(1, 2)) + np.square(t).mean(axis=(1, 2)) - 2 * mean_m * mean_t
        shuffled += float(apart.sum())
        n_clips += len(maps)
        total += float(mean_t.sum())
        squares += float(np.square(t).mean(axis=(1, 2)).sum())
    constant = squares / n_clips - (total / n_clips) ** 2
    if constant <= 0:
        for name in ("cell_mse", "cell_mse_ratio"):
            yield Unmeasured(name, Undefined("no event is louder in one cell than in another"))
        return
    yield Block("cell_mse", SET_SCALE, None, error / n_clips)
    yield Block("cell_mse", f"{UNIFORM}_{SET_SCALE}", None, shuffled / n_clips)
    yield Block("cell_mse", BEST_CONSTANT, None, constant)
    yield Block("cell_mse_ratio", "", None, error / n_clips / constant)
    yield Block("cell_mse_ratio", UNIFORM, None, shuffled / n_clips / constant)


def _extremes(batches: Batches) -> tuple[float, float]:
    """Lowest and highest value of the set's maps."""
    ends = [(float(maps.min()), float(maps.max())) for maps, _ in batches()]
    return min(low for low, _ in ends), max(high for _, high in ends)
