"""What segment F1 a curve earns without knowing anything: two null models.

*Uniform frames*: as many peaks as the curve has, at uniformly random frames. The expectation is computed
exactly, by counting how many segments a random subset of frames touches.

*Circular shift*: the curve itself, rotated by every possible lag. This keeps how its peaks cluster, which
matters: clustered peaks touch fewer segments than scattered ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.stats import hypergeom

from soundproof.localisation.segments import (
    PERCENTILES,
    Protocol,
    cell_starts,
    f1_of_segments,
    peaks,
    positive_segments,
)


def uniform_frames_f1(positive: np.ndarray, sizes: np.ndarray, n_peaks: int) -> float:
    """Expected segment F1 of ``n_peaks`` distinct frames drawn uniformly from a clip.

    With ``a`` positive and ``b`` other segments hit, F1 = 2a / (a + b + n_positive). The number of peaks that
    fall in positive segments is hypergeometric; given it, ``a`` and ``b`` are independent.

    Args:
        positive: bool [n_segments].
        sizes: Frames in each segment, int [n_segments].
        n_peaks: Frames drawn, at most ``sizes.sum()``.

    Returns:
        The expectation, 0..1.
    """
    inside, outside = (tuple(sorted(sizes[chosen].tolist())) for chosen in (positive, ~positive))
    return _expected_f1(inside, outside, n_peaks)


@lru_cache(maxsize=4096)
def _expected_f1(inside: tuple[int, ...], outside: tuple[int, ...], n_peaks: int) -> float:
    """As :func:`uniform_frames_f1`, from the sizes of the positive segments and of the others: maps share it."""
    drawn_inside = np.arange(n_peaks + 1)
    weight = hypergeom.pmf(drawn_inside, sum(inside) + sum(outside), sum(inside), n_peaks)
    hit_inside = _segments_touched(inside, n_peaks)
    hit_outside = _segments_touched(outside, n_peaks)[::-1]
    a = np.arange(len(inside) + 1)[:, np.newaxis]
    b = np.arange(len(outside) + 1)[np.newaxis, :]
    f1 = 2 * a / np.maximum(a + b + len(inside), 1)
    return float(np.einsum("r,ra,rb,ab->", weight, hit_inside, hit_outside, f1))


@lru_cache(maxsize=1024)
def _segments_touched(sizes: tuple[int, ...], n_draws: int) -> np.ndarray:
    """Distribution of the number of segments touched by r frames drawn without replacement, r = 0..n_draws.

    Built segment by segment: of r frames drawn from the segments so far, a hypergeometric number falls in
    the newest.

    Returns:
        float64 [n_draws + 1, n_segments + 1]; row r is a distribution where r frames fit, else zero.
    """
    touched = np.zeros((n_draws + 1, len(sizes) + 1))
    touched[0, 0] = 1.0
    total = 0
    for size in sizes:
        total += size
        drawn = np.arange(min(total, n_draws) + 1)
        here = np.arange(min(size, n_draws) + 1)
        share = hypergeom.pmf(here[:, np.newaxis], total, size, drawn)
        updated = np.zeros_like(touched)
        updated[drawn] = share[0, :, np.newaxis] * touched[drawn]
        for count in here[1:]:
            rows = drawn[count:]
            updated[rows, 1:] += share[count, rows, np.newaxis] * touched[rows - count, :-1]
        touched = updated
    touched.flags.writeable = False
    return touched


def uniform_chance(
    curves: np.ndarray,
    annotated: np.ndarray,
    segment_frames: int = 40,
    percentiles: Sequence[float] = PERCENTILES,
    protocol: Protocol = "corrected",
    ties: np.ndarray | None = None,
) -> np.ndarray:
    """Expected segment F1 of as many peaks as each curve has, at uniformly random frames.

    Args:
        curves: [n_clips, n_frames].
        annotated: bool [n_clips, n_frames].
        segment_frames: Frames per segment.
        percentiles: Percentiles, 0..100.
        protocol: What counts as a peak; see :mod:`soundproof.localisation.segments`.
        ties: As for :func:`soundproof.localisation.segments.peaks`.

    Returns:
        float64 [n_clips, n_percentiles].
    """
    positive = positive_segments(annotated, segment_frames)
    n_frames = curves.shape[1]
    sizes = np.diff(cell_starts(n_frames, segment_frames), append=n_frames)
    n_peaks = peaks(curves, percentiles, protocol, ties).sum(axis=2).T
    return np.array(
        [
            [uniform_frames_f1(segments, sizes, int(count)) for count in counts]
            for segments, counts in zip(positive, n_peaks, strict=True)
        ]
    )


def circular_shift_chance(
    curves: np.ndarray,
    annotated: np.ndarray,
    segment_frames: int = 40,
    percentiles: Sequence[float] = PERCENTILES,
    protocol: Protocol = "corrected",
    ties: np.ndarray | None = None,
) -> np.ndarray:
    """Mean segment F1 over all circular shifts of each curve, the identity among them.

    Args and returns as :func:`uniform_chance`.
    """
    n_frames = curves.shape[1]
    starts = cell_starts(n_frames, segment_frames)
    edges = np.append(starts, n_frames)
    marked = peaks(curves, percentiles, protocol, ties)
    twice = np.concatenate([marked, marked], axis=2)
    before = np.concatenate(
        [np.zeros_like(twice[..., :1], dtype=np.int64), np.cumsum(twice, axis=2, dtype=np.int64)], axis=2
    )
    lags = np.arange(n_frames)[:, np.newaxis]
    positive = positive_segments(annotated, segment_frames)
    means = np.empty((curves.shape[0], len(percentiles)))
    for clip, segments in enumerate(positive):
        counts = np.diff(before[:, clip][:, lags + edges], axis=2)
        means[clip] = f1_of_segments(counts > 0, segments).mean(axis=1)
    return means
