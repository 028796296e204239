"""Which frames of a clip FF replaces: by the published rule, in equal number, at random, or shifted in time."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from soundproof.localisation.segments import cell_starts
from soundproof.randomness.ties import n_top


def frame_masks(curves: Tensor, percentiles: tuple[float, ...]) -> Tensor:
    """Mark the frames at or above each percentile of their own curve, as published: all of a tie.

    Args:
        curves: float64 [n_curves, B, n_frames].
        percentiles: Percentiles, 0..100.

    Returns:
        bool [n_percentiles, n_curves, B, n_frames].
    """
    if not len(curves):
        return curves.new_empty((len(percentiles), *curves.shape), dtype=torch.bool)
    quantiles = torch.tensor(percentiles, dtype=curves.dtype, device=curves.device) / 100
    return curves >= torch.quantile(curves, quantiles, dim=-1, keepdim=True)


def equal_frame_masks(curves: Tensor, percentiles: tuple[float, ...], ties: Tensor) -> Tensor:
    """Mark as many frames of every curve as one without ties has at or above the percentile.

    Args:
        curves: float64 [n_curves, B, n_frames].
        percentiles: Percentiles, 0..100.
        ties: Random numbers [B, n_frames] that split a tie at the threshold.

    Returns:
        bool [n_percentiles, n_curves, B, n_frames].
    """
    counts = [n_top(curves.shape[-1], percentile / 100) for percentile in percentiles]
    return frame_ranks(curves, ties) < torch.tensor(counts, device=curves.device)[:, None, None, None]


def frame_ranks(curves: Tensor, ties: Tensor) -> Tensor:
    """Rank of each frame, int64 [n_curves, B, n_frames]; 0 = highest.

    Args:
        curves: float64 [n_curves, B, n_frames].
        ties: Random numbers [B, n_frames]; frames that tie go by them, lowest first.
    """
    shuffled = ties.argsort(dim=-1, stable=True).expand(curves.shape)
    # adding 0 turns -0 into 0, which a sort by bits would tell apart
    values = (curves + 0.0).gather(-1, shuffled)
    return shuffled.gather(-1, values.argsort(dim=-1, descending=True, stable=True)).argsort(dim=-1)


def shifted_masks(masks: Tensor, draws: Tensor) -> Tensor:
    """Shift marked frames in time, circularly, which keeps how they cluster.

    Args:
        masks: bool [n_percentiles, n_curves, B, n_frames].
        draws: Uniform random numbers [n_shifts, B, n_percentiles]; every lag is equally likely, 0 among them.

    Returns:
        bool [n_percentiles, n_shifts, n_curves, B, n_frames].
    """
    n_frames = masks.shape[-1]
    lags = (draws * n_frames).long().clamp(max=n_frames - 1).permute(2, 0, 1)[:, :, None, :, None]
    source = (torch.arange(n_frames, device=masks.device) - lags) % n_frames
    shape = (*lags.shape[:2], *masks.shape[1:])
    return masks[:, None].expand(shape).gather(-1, source.expand(shape))


def segment_masks(frames: Tensor, segment_frames: int) -> Tensor:
    """Extend marked frames to the segments that hold them.

    Args:
        frames: bool [..., n_frames].
        segment_frames: Frames in a segment; for a remainder see
            :func:`soundproof.localisation.segments.cell_starts`.

    Returns:
        bool like ``frames``.
    """
    n_frames = frames.shape[-1]
    segments = torch.empty_like(frames)
    for start, stop in pairwise([*cell_starts(n_frames, segment_frames).tolist(), n_frames]):
        segments[..., start:stop] = frames[..., start:stop].any(dim=-1, keepdim=True)
    return segments
