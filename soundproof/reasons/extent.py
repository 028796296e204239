"""Where and when marked cells are: edges of a band or of a time."""

from __future__ import annotations

import numpy as np

TAIL = 0.05
"""Part of the weight beyond either edge: 90 % of it lies between."""


def edges(weight: np.ndarray, tail: float = TAIL) -> tuple[float, float]:
    """Places between which a weight lies, but for its ``tail`` on either side.

    Args:
        weight: Weight of each of n cells side by side, non-negative and not all zero; cell k reaches from k to
            k + 1 and its weight is spread evenly over it.
        tail: Greater than 0, less than 0.5.

    Returns:
        Lower and upper edge in cells, 0..n.
    """
    gathered = np.cumsum(weight, dtype=np.float64)
    gathered /= gathered[-1]
    found = []
    for share in (tail, 1 - tail):
        cell = int(np.searchsorted(gathered, share))
        before = gathered[cell - 1] if cell else 0.0
        found.append(cell + (share - before) / (gathered[cell] - before))
    return float(found[0]), float(found[1])
