"""Segment F1 of the masked auto-encoder paper: does a curve peak in the seconds that the expert marked?

Source: Elrashid et al., arXiv 2601.12660, temporal localisation. A clip is cut into segments of equal length; a
segment is *positive* if an annotated interval overlaps it and *hit* if it holds a peak, i.e. a frame at or above
the clip's own p-th percentile.

The paper standardises the curve first, which changes no comparison. It does not discuss ties, which let a curve
mark more frames than its percentile says, in the extreme all of them. ``as_published`` keeps that; a constant curve
has no peak there (its standardisation is 0/0), so F1 = 0. ``corrected`` gives every curve of a clip as many peaks
as one without ties has, and splits a tie at the threshold at random (:mod:`soundproof.randomness.ties`): a constant
curve is a random one. Without ties the two are the same.

F1 rewards flagging much where much is positive: ``flag_all`` is what flagging every segment earns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from soundproof.core.errors import ConfigError
from soundproof.randomness.ties import n_top, ranks, tie_breakers
from soundproof.truth.ground_truth import require_finite

Protocol = Literal["corrected", "as_published"]
PERCENTILES: tuple[float, ...] = tuple(float(p) for p in range(90, 100))


def cell_starts(n_frames: int, segment_frames: int) -> np.ndarray:
    """First frame of each segment; the segments cover the clip without gap.

    A remainder of at least half a segment is a segment of its own; a shorter one joins the last segment (so 401
    frames make ten segments of 40, the last one of 41). A clip shorter than a segment is one segment.

    Returns:
        int [n_segments], the first is 0.

    Raises:
        ConfigError: A segment of less than one frame.
    """
    if segment_frames < 1:
        raise ConfigError("a segment of at least one frame", f"{segment_frames}", "raise the segment length")
    n_segments = max(1, (n_frames + segment_frames // 2) // segment_frames)
    return np.arange(n_segments) * segment_frames


def positive_segments(annotated: np.ndarray, segment_frames: int) -> np.ndarray:
    """Mark the segments that an annotated interval overlaps.

    Args:
        annotated: bool [n_clips, n_frames].
        segment_frames: Frames per segment.

    Returns:
        bool [n_clips, n_segments].
    """
    starts = cell_starts(annotated.shape[1], segment_frames)
    return np.asarray(np.logical_or.reduceat(annotated, starts, axis=1))


def peaks(
    curves: np.ndarray,
    percentiles: Sequence[float],
    protocol: Protocol = "corrected",
    ties: np.ndarray | None = None,
) -> np.ndarray:
    """Mark the frames at or above each clip's own percentile.

    The percentile is interpolated linearly between order statistics.

    Args:
        curves: [n_clips, n_frames].
        percentiles: Percentiles, 0..100.
        protocol: What ties do; see the module.
        ties: Random numbers that split ties, as from :func:`soundproof.randomness.ties.tie_breakers`, the shape of
            ``curves``; None: drawn by position.

    Returns:
        bool [n_percentiles, n_clips, n_frames].

    Raises:
        DataError: A curve holds NaN or infinity.
    """
    require_finite(curves, "the curves")
    curves = np.asarray(curves, dtype=np.float64)
    if protocol == "corrected":
        if ties is None:
            ties = tie_breakers([str(row) for row in range(len(curves))], curves.shape[1])
        counts = [n_top(curves.shape[1], percentile / 100) for percentile in percentiles]
        return np.asarray(ranks(curves, ties) < np.array(counts)[:, np.newaxis, np.newaxis])
    thresholds = np.percentile(curves, percentiles, axis=1)[..., np.newaxis]
    constant = curves.max(axis=1, keepdims=True) == curves.min(axis=1, keepdims=True)
    return np.asarray((curves >= thresholds) & ~constant)


def f1_of_segments(hit: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """F1 of hit against positive segments, 2 TP / (2 TP + FP + FN); 0 where precision or recall are undefined.

    Args:
        hit: bool [..., n_segments].
        positive: bool, broadcastable to ``hit``.

    Returns:
        float64 [...], 0..1.
    """
    true_positives = (hit & positive).sum(axis=-1)
    total = hit.sum(axis=-1) + positive.sum(axis=-1)
    f1 = np.divide(2.0 * true_positives, total, out=np.zeros(true_positives.shape), where=true_positives > 0)
    return np.asarray(f1)


def segment_f1(
    curves: np.ndarray,
    annotated: np.ndarray,
    segment_frames: int = 40,
    percentiles: Sequence[float] = PERCENTILES,
    protocol: Protocol = "corrected",
    ties: np.ndarray | None = None,
) -> np.ndarray:
    """Segment F1 of each clip at each percentile.

    Args:
        curves: Relevance over time, [n_clips, n_frames] or [n_frames].
        annotated: bool, the same shape: the frames inside an annotated interval.
        segment_frames: Frames per segment (40 = 1 s in the paper).
        percentiles: Percentiles, 0..100.
        protocol: What ties do; see the module.
        ties: As for :func:`peaks`.

    Returns:
        float64 [n_clips, n_percentiles], or [n_percentiles] for one curve.

    Raises:
        ConfigError: A segment of less than one frame.
        DataError: A curve holds NaN or infinity.
    """
    if curves.ndim == 1:
        rows = curves[np.newaxis], annotated[np.newaxis]
        return np.asarray(segment_f1(*rows, segment_frames, percentiles, protocol, ties)[0])
    starts = cell_starts(curves.shape[1], segment_frames)
    hit = np.logical_or.reduceat(peaks(curves, percentiles, protocol, ties), starts, axis=2)
    return f1_of_segments(hit, positive_segments(annotated, segment_frames)).T


def flag_all_f1(annotated: np.ndarray, segment_frames: int) -> np.ndarray:
    """Segment F1 of flagging every segment of a clip: 2 P / (P + N) with P of N segments positive.

    Args:
        annotated: bool [n_clips, n_frames].
        segment_frames: Frames per segment.

    Returns:
        float64 [n_clips], 0..1.
    """
    positive = positive_segments(annotated, segment_frames)
    return f1_of_segments(np.ones_like(positive), positive)
