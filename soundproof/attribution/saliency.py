"""Saliency: strength of the score's gradient (Simonyan et al. 2014, arXiv 1312.6034, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

from captum.attr import Saliency
from torch import Tensor

from soundproof.attribution.captum_passes import by_clips, gradients_in_passes
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation


def explain(detector: Detector, x: Tensor, context: ExplainContext) -> Explanation:
    """Return ``|d score / d x|``, unsigned [B, n_freq, n_frames]."""
    saliency = Saliency(detector.score)
    saliency.gradient_func = gradients_in_passes(context.rows_per_pass)

    def attribute(clips: Tensor, clip_ids: Sequence[str]) -> Tensor:
        relevance: Tensor = saliency.attribute(clips.requires_grad_(), abs=True)
        return relevance

    return Explanation(by_clips(attribute, x, context, copies=1))
