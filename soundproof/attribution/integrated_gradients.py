"""Integrated Gradients (Sundararajan et al. 2017, arXiv 1703.01365, equation 1), integrated by Captum."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from captum.attr import IntegratedGradients
from torch import Tensor

from soundproof.attribution.captum_passes import (
    baseline_of,
    by_clips,
    completeness,
    gradients_in_passes,
)
from soundproof.attribution.settings import IntegratedGradientsSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation


def explain(
    detector: Detector, x: Tensor, context: ExplainContext[IntegratedGradientsSettings]
) -> Explanation:
    """Return signed relevance [B, n_freq, n_frames] and its completeness (gap and error, each [B]).

    Relevance should sum to ``score(x) - score(baseline)``. A gap that is large beside that difference says that the
    path needs more steps (or that the score is not smooth).
    """
    settings = context.settings
    # found once: normal clips are read from a file
    baseline = baseline_of(x, settings.baseline, context.normal)
    of_clip = dict(zip(context.clip_ids, baseline, strict=True))
    integrated = IntegratedGradients(detector.score)
    integrated.gradient_func = gradients_in_passes(context.rows_per_pass)

    def attribute(clips: Tensor, clip_ids: Sequence[str]) -> Tensor:
        relevance: Tensor = integrated.attribute(
            clips, baselines=torch.stack([of_clip[clip_id] for clip_id in clip_ids]), n_steps=settings.steps
        )
        return relevance

    relevance = by_clips(attribute, x, context, copies=settings.steps)
    return Explanation(relevance, completeness(detector, x, baseline, relevance, context.rows_per_pass))
