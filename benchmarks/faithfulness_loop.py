"""Faithfulness curves as a plain script makes them: every point is its own passes of one clip."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from soundproof.interfaces.detector import Detector


def ff_one_by_one(
    detector: Detector,
    x: Tensor,
    curves: Sequence[Tensor],
    annotated: Sequence[Tensor],
    percentiles: Sequence[float],
    segment_frames: int,
) -> Tensor:
    """FF as published (see :mod:`soundproof.faithfulness.ff`), two passes for each value.

    Args:
        detector: Detector.
        x: Maps [B, n_freq, n_frames].
        curves: Relevance over time, float64 [B, n_frames] each.
        annotated: Frames inside an event, bool [n_frames], of each clip.
        percentiles: Percentiles of a curve from which on frames are replaced.
        segment_frames: Frames in a segment.

    Returns:
        float64 [2 rules (frame, segment), n_percentiles, n_curves, B].
    """
    values = torch.empty(2, len(percentiles), len(curves), len(x), dtype=torch.float64)
    with torch.no_grad():
        for e, of_clips in enumerate(curves):
            for b, curve in enumerate(of_clips):
                for p, percentile in enumerate(percentiles):
                    frames = curve >= torch.quantile(curve, percentile / 100)
                    segments = _segments(frames, segment_frames) & annotated[b]
                    for rule, mask in enumerate((frames, segments)):
                        values[rule, p, e, b] = _ff(detector, x[b], mask)
    return values


def _segments(frames: Tensor, segment_frames: int) -> Tensor:
    parts = torch.split(frames, segment_frames)
    return torch.cat([part.any().expand(len(part)) for part in parts])


def _ff(detector: Detector, clip: Tensor, mask: Tensor) -> float:
    reconstruction = detector.reconstruct(clip[None])
    assert reconstruction is not None  # an auto-encoder's
    intact = (reconstruction - clip).square().mean()
    replaced = torch.where(mask, reconstruction[0], clip)[None]
    return max(0.0, 1 - float(detector.score(replaced)) / float(intact))


def rise_one_by_one(
    detector: Detector,
    x: Tensor,
    maps: Sequence[Tensor],
    fractions: Sequence[float],
    ties: Tensor,
    *,
    insert: bool,
) -> Tensor:
    """Deletion or insertion (see :mod:`soundproof.faithfulness.deletion`), one pass for each point.

    Args:
        detector: Detector.
        x: Maps [B, n_freq, n_frames].
        maps: Relevance [B, n_freq, n_frames] each.
        fractions: Parts of all cells, from 0 to 1.
        ties: Random numbers [B, n_cells]; cells that tie go by them.
        insert: Put cells back, instead of removing them.

    Returns:
        float64 [n_fractions, n_maps, B].
    """
    values = torch.empty(len(fractions), len(maps), len(x), dtype=torch.float64)
    with torch.no_grad():
        for e, relevance in enumerate(maps):
            for b, clip in enumerate(x):
                median = clip.sort(dim=-1).values[:, (clip.shape[-1] - 1) // 2, None].expand_as(clip)
                kept, shown = (median, clip) if insert else (clip, median)
                shuffled = ties[b].argsort(stable=True)
                order = shuffled[relevance[b].flatten()[shuffled].argsort(descending=True, stable=True)]
                for f, fraction in enumerate(fractions):
                    first = order[: round(fraction * clip.numel())]
                    changed = kept.flatten().clone()
                    changed[first] = shown.flatten()[first]
                    values[f, e, b] = detector.score(changed.view_as(clip)[None])
    return values / (values[-1] if insert else values[0])
