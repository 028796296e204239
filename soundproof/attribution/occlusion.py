"""Occlusion (Zeiler and Fergus 2014, arXiv 1311.2901): how far the score falls when a window is blanked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import torch
from torch import Tensor

from soundproof.attribution.base import ExplainContext, Explanation
from soundproof.attribution.captum_parts import baseline_of
from soundproof.attribution.registry import occlusion_counts
from soundproof.batching import in_passes, stream_in_passes
from soundproof.detectors.base import Detector
from soundproof.errors import ConfigError

Window = tuple[slice, slice]


def explain(detector: Detector, x: Tensor, context: ExplainContext) -> Explanation:
    """Return signed relevance [B, n_freq, n_frames].

    A cell has the mean of ``score(x) - score(x with the window blanked)`` over the windows that cover it. The
    values are Captum's Occlusion; the windows of several clips share a pass, and a window is written in place
    instead of being mixed in by whole-map masks.

    Raises:
        ConfigError: Window larger than the map, or a stride that leaves cells uncovered.
    """
    settings: Any = context.settings
    windows = _windows(settings, (int(x.shape[1]), int(x.shape[2])))
    baseline = baseline_of(x, settings.baseline)

    def occluded() -> Iterator[Tensor]:
        for clip, blank in zip(x, baseline, strict=True):
            for window in windows:
                row = clip.clone()
                row[window] = blank[window]
                yield row

    with torch.no_grad():
        before = in_passes(detector.score, x, context.rows_per_pass)
        scores = list(stream_in_passes(detector.score, occluded(), context.rows_per_pass))
        falls = before[:, None] - torch.stack(scores).view(len(x), len(windows))
        relevance, covered = torch.zeros_like(x), torch.zeros_like(x[0])
        for window, fall in zip(windows, falls.unbind(dim=1), strict=True):
            relevance[:, *window] += fall[:, None, None]
            covered[window] += 1
        return Explanation(relevance / covered)


def _windows(settings: Any, shape: tuple[int, int]) -> list[Window]:
    for axis, size, window, stride in zip(
        ("frequency bins", "frames"), shape, settings.window, settings.stride, strict=True
    ):
        if window > size or (stride > window and size > window):
            raise ConfigError(
                f"occlusion window of {window} {axis}, stride {stride}",
                f"maps of {size} {axis}",
                "choose stride <= window <= size of the map, so that every cell is covered",
            )
    counts = occlusion_counts(settings, shape)
    starts = product(
        *(range(0, count * stride, stride) for count, stride in zip(counts, settings.stride, strict=True))
    )
    (high, wide) = settings.window
    return [(slice(row, row + high), slice(column, column + wide)) for row, column in starts]
