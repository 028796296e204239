"""P2's ground truth: the loudest cells of the event alone, as a share of its energy.

Source: the code of a fork of the authors' library (arXiv 2502.18328). It differs from the exact rule
(:func:`soundproof.audio.mixing.fault_mask`) in that the background plays no part: a cell in which nobody hears the
event may be among them, and "energy" is the sum of levels in dB between their own extremes, not of power.
"""

from __future__ import annotations

import numpy as np

SHARE = 0.4


def energy_mask(levels_db: np.ndarray, share: float = SHARE) -> np.ndarray:
    """Mark the cells above the level at which the loudest ones hold a share of the event.

    Clip by clip: levels are brought to 0..1 by their extremes, sorted from the highest and cumulated, and the sums
    brought to 0..1 in turn. The cells above the first level whose sum exceeds ``share`` are marked.

    Args:
        levels_db: Level of the event alone [n_clips, n_freq, n_frames].
        share: 0..1.

    Returns:
        bool, the shape of ``levels_db``; nothing is marked where the level is the same everywhere.
    """
    rows = between_extremes(levels_db).reshape(len(levels_db), -1)
    ordered = -np.sort(-rows, axis=1)
    sums = np.cumsum(ordered, axis=1)
    first, span = sums[:, :1], sums[:, -1:] - sums[:, :1]
    reached = np.divide(sums - first, span, out=np.zeros_like(sums), where=span > 0) > share
    threshold = np.take_along_axis(ordered, reached.argmax(axis=1)[:, np.newaxis], axis=1)
    marked = (rows > threshold) & reached.any(axis=1, keepdims=True)
    return np.asarray(marked.reshape(levels_db.shape))


def between_extremes(levels_db: np.ndarray) -> np.ndarray:
    """Bring each clip's levels [n_clips, n_freq, n_frames] to 0..1 by their extremes; one level everywhere to 0."""
    wide = np.asarray(levels_db, dtype=np.float64)
    low = wide.min(axis=(1, 2), keepdims=True)
    span = wide.max(axis=(1, 2), keepdims=True) - low
    return np.asarray(np.divide(wide - low, span, out=np.zeros_like(wide), where=span > 0))
