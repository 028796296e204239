"""Agreement of rankings that several blocks (detectors) repeat on the same items (explainers).

Two detectors rank the same explainers much alike; their rows are no independent items. Coefficients are computed
within each detector and averaged, and the permutations that chance is measured by move an explainer in all
detectors at once, which keeps what the detectors share.
"""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
from scipy.stats import rankdata

from soundproof.randomness.seeding import seed_from

EXACT_UP_TO = 7
"""Items up to which all orders are counted (7! = 5040)."""


def blocked_tau(
    scores: np.ndarray, *names: str | int | float, n_permutations: int = 4999
) -> tuple[np.ndarray, np.ndarray]:
    """Kendall's tau-b between every two axes: mean over blocks, and its two-sided permutation p.

    Args:
        scores: [n_blocks, n_items, n_axes], finite, at least two items.
        names: What sampled orders depend on, where there are more than :data:`EXACT_UP_TO` items.
        n_permutations: How many are sampled.

    Returns:
        Coefficients and p, [n_axes, n_axes] each; NaN where an axis ties all items of a block.
    """
    n_items = scores.shape[1]
    first, second = np.triu_indices(n_items, 1)
    signs = np.sign(scores[:, first] - scores[:, second])
    scale = np.sqrt((signs**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        units = signs / scale[:, np.newaxis]
    tau = np.einsum("bpx,bpy->xy", units, units) / len(scores)
    orders = _orders(n_items, names, n_permutations)
    # the sign of a pair of moved items: looked up in the full, antisymmetric table
    table = np.zeros((len(scores), n_items, n_items, scores.shape[2]))
    table[:, first, second] = units
    table[:, second, first] = -units
    moved = table[:, orders[:, first], orders[:, second]]
    chance = np.einsum("bpx,bopy->oxy", units, moved, optimize=True) / len(scores)
    as_far = (np.abs(chance) >= np.abs(tau) - 1e-9).sum(axis=0)
    exact = len(orders) == factorial(n_items)
    p = as_far / len(orders) if exact else (1 + as_far) / (1 + len(orders))
    return tau, np.where(np.isfinite(tau), p, np.nan)


def blocked_w(
    scores: np.ndarray, *names: str | int | float, n_permutations: int = 4999
) -> tuple[float, float]:
    """Kendall's W of the axes, corrected for ties: mean over blocks, and its permutation p.

    Args:
        scores: [n_blocks, n_items, n_axes], finite, at least two items and axes.
        names: What the orders depend on.
        n_permutations: Draws of an order for every axis.

    Returns:
        Coefficient and p; NaN where every axis ties all items of a block.
    """
    ranks = rankdata(scores, axis=1)
    n, m = ranks.shape[1:]
    sizes = [[np.unique(axis, return_counts=True)[1].astype(float) for axis in block.T] for block in ranks]
    ties = np.array([sum(float((size**3 - size).sum()) for size in block) for block in sizes])
    largest = m**2 * n * (n**2 - 1) - m * ties
    if (largest == 0).any():
        return np.nan, np.nan

    def coefficient(sums: np.ndarray) -> np.ndarray:
        return np.asarray(
            ((12 * (sums**2).sum(axis=-1) - 3 * m**2 * n * (n + 1) ** 2) / largest).mean(axis=-1)
        )

    w = float(coefficient(ranks.sum(axis=2)))
    rng = np.random.default_rng(seed_from("blocked_w", *names))
    sums = np.zeros((n_permutations, *ranks.shape[:2]))
    for axis in range(m):
        orders = rng.permuted(np.tile(np.arange(n), (n_permutations, 1)), axis=1)
        sums += ranks[:, :, axis][:, orders].transpose(1, 0, 2)
    as_large = int((coefficient(sums) >= w - 1e-9).sum())
    return w, (1 + as_large) / (1 + n_permutations)


def _orders(n_items: int, names: tuple[str | int | float, ...], n_permutations: int) -> np.ndarray:
    if n_items <= EXACT_UP_TO:
        return np.array(list(permutations(range(n_items))))
    rng = np.random.default_rng(seed_from("blocked_tau", *names))
    return rng.permuted(np.tile(np.arange(n_items), (n_permutations, 1)), axis=1)
