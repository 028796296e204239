"""SmoothGrad (Smilkov et al. 2017, arXiv 1706.03825): saliency averaged over noisy copies of the clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from captum.attr import Saliency
from torch import Tensor

from soundproof.attribution.captum_passes import ClipNoiseTunnel, by_clips, gradients_in_passes
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation


def explain(detector: Detector, x: Tensor, context: ExplainContext) -> Explanation:
    """Return the mean of ``|d score / d x|`` at ``x + noise``, unsigned [B, n_freq, n_frames].

    The absolute value is taken per noisy copy, before the mean (as P1 does).
    """
    settings: Any = context.settings
    saliency = Saliency(detector.score)
    saliency.gradient_func = gradients_in_passes(context.rows_per_pass)

    def attribute(clips: Tensor, clip_ids: Sequence[str]) -> Tensor:
        tunnel = ClipNoiseTunnel(saliency, [context.generator(clip_id) for clip_id in clip_ids])
        relevance: Tensor = tunnel.attribute(
            clips, nt_type="smoothgrad", nt_samples=settings.samples, stdevs=settings.sigma, abs=True
        )
        return relevance

    return Explanation(by_clips(attribute, x, context, copies=settings.samples))
