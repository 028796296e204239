"""Occlusion (Zeiler and Fergus 2014, arXiv 1311.2901): how far the score falls when a window is blanked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from captum.attr import Occlusion
from torch import Tensor

from soundproof.attribution.captum_passes import baseline_of, by_clips
from soundproof.attribution.registry import occlusion_counts
from soundproof.core.errors import ConfigError
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation


def explain(detector: Detector, x: Tensor, context: ExplainContext) -> Explanation:
    """Return signed relevance [B, n_freq, n_frames].

    A cell has the mean of ``score(x) - score(x with the window blanked)`` over the windows that cover it.

    Raises:
        ConfigError: Window larger than the map, or a stride that leaves cells uncovered.
    """
    settings: Any = context.settings
    shape = int(x.shape[1]), int(x.shape[2])
    _check_cover(settings, shape)
    windows = math.prod(occlusion_counts(settings, shape))
    occlusion = Occlusion(detector.score)

    def attribute(clips: Tensor, clip_ids: Sequence[str]) -> Tensor:
        relevance: Tensor = occlusion.attribute(
            clips,
            sliding_window_shapes=settings.window,
            strides=settings.stride,
            baselines=baseline_of(clips, settings.baseline),
            perturbations_per_eval=max(1, context.rows_per_pass // len(clips)),
        )
        return relevance

    return Explanation(by_clips(attribute, x, context, copies=windows))


def _check_cover(settings: Any, shape: tuple[int, int]) -> None:
    axes = zip(("frequency bins", "frames"), shape, settings.window, settings.stride, strict=True)
    for axis, size, window, stride in axes:
        if window > size or window < min(stride, size):
            raise ConfigError(
                f"occlusion window of {window} {axis}, stride {stride}",
                f"maps of {size} {axis}",
                "choose stride <= window <= size of the map, so that every cell is covered",
            )
