"""Draws of the bootstrap as weights: one row per replicate, one column per clip.

A weight says how often a replicate holds a clip. Draws depend on names and on how many units there are, never on
values: groups that share their clips share their draws, so that differences of their replicates are paired.
Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993; for two stages Davison and Hinkley, Bootstrap
Methods and their Application, 1997, section 3.8.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from soundproof.randomness.seeding import seed_from


def unit_weights(units: np.ndarray, n_resamples: int, *names: str | int | float) -> np.ndarray:
    """Resample units, each with all of its clips.

    Args:
        units: Number of the unit that each clip belongs to, 0..n_units - 1, [n_clips]: a number of its own for
            every clip, or the same for all segments of one recording.
        n_resamples: Replicates.
        names: What the draws depend on, besides the number of units.

    Returns:
        float64 [n_resamples, n_clips].
    """
    return _plain(int(units.max()) + 1, n_resamples, names)[:, units]


def nested_weights(
    machines: np.ndarray, units: np.ndarray, n_resamples: int, *names: str | int | float
) -> np.ndarray:
    """Resample machines, then units within every machine drawn.

    Args:
        machines: Number of each clip's machine, 0..n_machines - 1, [n_clips].
        units: As in :func:`unit_weights`; a unit that lies in several machines is drawn in each of them apart.
        n_resamples: Replicates.
        names: What the draws depend on, besides the numbers of units in the machines.

    Returns:
        float64 [n_resamples, n_clips].
    """
    nested, of_clip = np.unique(np.stack([machines, units]), axis=1, return_inverse=True)
    sizes = tuple(int(size) for size in np.bincount(nested[0]))
    return _nested(sizes, n_resamples, names)[:, of_clip.ravel()]


@lru_cache(maxsize=16)
def _plain(n: int, n_resamples: int, names: tuple[str | int | float, ...]) -> np.ndarray:
    rng = np.random.default_rng(seed_from("unit_weights", *names))
    return rng.multinomial(n, np.full(n, 1 / n), size=n_resamples).astype(np.float64)


@lru_cache(maxsize=16)
def _nested(sizes: tuple[int, ...], n_resamples: int, names: tuple[str | int | float, ...]) -> np.ndarray:
    rng = np.random.default_rng(seed_from("nested_weights", *names))
    n = len(sizes)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=n_resamples)
    # a machine drawn twice is resampled twice: as many clips again, from the same ones
    parts = [
        rng.multinomial(drawn[:, machine] * size, np.full(size, 1 / size))
        for machine, size in enumerate(sizes)
    ]
    return np.concatenate(parts, axis=1).astype(np.float64)
