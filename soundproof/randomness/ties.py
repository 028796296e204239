"""Marking the top of a ranking: always the same number of items, ties split at random by clip.

Maps with ties are the usual case (thresholded, rectified, blocks of an occlusion window). Breaking ties by index
would favour wherever the index begins, and marking all of a tie would let a map mark more than its rivals. Here a
map that ranks nothing is a random map, and what is drawn hangs on the clip's name alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from soundproof.randomness.seeding import seed_from


def tie_breakers(clip_ids: Sequence[str], n_items: int) -> np.ndarray:
    """Uniform random numbers of each clip's items, drawn by clip id and equal for all maps of the clip.

    Args:
        clip_ids: Names of the clips.
        n_items: Frames or cells of a map.

    Returns:
        float64 [n_clips, n_items].
    """
    draws = [
        np.random.default_rng(seed_from("ties", clip_id, n_items)).random(n_items) for clip_id in clip_ids
    ]
    return np.stack(draws) if draws else np.empty((0, n_items))


def ranks(values: np.ndarray, breakers: np.ndarray) -> np.ndarray:
    """Rank the items of each row, 0 = highest; items that tie go by ``breakers``, lowest first.

    Args:
        values: [n_rows, n_items].
        breakers: Like ``values``, as from :func:`tie_breakers`.

    Returns:
        int64 [n_rows, n_items].
    """
    order = np.argsort(-values, axis=-1)
    ordered = np.take_along_axis(values, order, axis=1)
    # where nothing ties there is one order, and the quickest way finds it
    tied = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    order[tied] = np.lexsort((breakers[tied], -values[tied]), axis=-1)
    found = np.empty_like(order)
    np.put_along_axis(found, order, np.arange(values.shape[1])[np.newaxis], axis=1)
    return found


def n_top(n_items: int, quantile: float) -> int:
    """How many of ``n_items`` distinct values lie at or above their quantile (linear between order statistics).

    Args:
        n_items: At least 1.
        quantile: 0..1.

    Returns:
        1..n_items.
    """
    # 0.9 x 400 may be 360.00000000000006: rounding keeps it from costing an item
    return n_items - ceil(round(quantile * (n_items - 1), 9))
