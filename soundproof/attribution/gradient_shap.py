"""GradSHAP: mean gradient between baseline and noisy copies (Lundberg and Lee 2017, arXiv 1705.07874)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from captum.attr import GradientAttribution
from captum.log import log_usage
from torch import Tensor

from soundproof.attribution.captum_passes import (
    ClipNoiseTunnel,
    baseline_of,
    by_clips,
    completeness,
    gradients_in_passes,
)
from soundproof.attribution.settings import GradientShapSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation


class PathPointGradient(GradientAttribution):  # type: ignore[misc]
    """Gradient at a given point of the way from baseline to input, times that way.

    The part of Captum's GradientShap that NoiseTunnel averages; Captum's own draws the point from NumPy's
    global generator, so that it depends on what was drawn before.

    Args:
        forward_func: Function to explain.
        points: Position on the way of each row, in [0, 1), [n].
    """

    def __init__(self, forward_func: Callable[[Tensor], Tensor], points: Tensor) -> None:
        super().__init__(forward_func)
        self._points = points[:, None, None]

    @log_usage()  # type: ignore[untyped-decorator]  # NoiseTunnel calls what this decorator wraps
    def attribute(self, inputs: Tensor, baselines: tuple[Tensor]) -> Tensor:
        """Return relevance of the shape of ``inputs`` [n, n_freq, n_frames]."""
        (baseline,) = baselines
        way = inputs - baseline
        gradient: Tensor = self.gradient_func(self.forward_func, (baseline + self._points * way,))[0]
        return way * gradient


def explain(detector: Detector, x: Tensor, context: ExplainContext[GradientShapSettings]) -> Explanation:
    """Return signed relevance [B, n_freq, n_frames] and its completeness (gap and error, each [B]).

    Relevance sums to ``score(x) - score(baseline)`` on average over many samples, but for what the noise moves.
    """
    settings = context.settings
    # found once: normal clips are read from a file
    baseline = baseline_of(x, settings.baseline, context.normal)
    of_clip = dict(zip(context.clip_ids, baseline, strict=True))

    def attribute(clips: Tensor, clip_ids: Sequence[str]) -> Tensor:
        generators = [context.generator(clip_id) for clip_id in clip_ids]
        points = torch.cat([torch.rand(settings.samples, generator=one, dtype=x.dtype) for one in generators])
        method = PathPointGradient(detector.score, points.to(x.device))
        method.gradient_func = gradients_in_passes(context.rows_per_pass)
        relevance: Tensor = ClipNoiseTunnel(method, generators).attribute(
            clips,
            nt_type="smoothgrad",
            nt_samples=settings.samples,
            stdevs=settings.sigma,
            baselines=torch.stack([of_clip[clip_id] for clip_id in clip_ids]),
        )
        return relevance

    relevance = by_clips(attribute, x, context, copies=settings.samples)
    return Explanation(relevance, completeness(detector, x, baseline, relevance, context.rows_per_pass))
