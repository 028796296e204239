"""Controls: maps that know nothing about the detector: noise, and the spectrogram that everybody can look at."""

from __future__ import annotations

import torch
from torch import Tensor

from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation


def explain_at_random(detector: Detector, x: Tensor, context: ExplainContext) -> Explanation:
    """Return independent uniform values in [0, 1), unsigned [B, n_freq, n_frames]."""
    maps = [torch.rand(x.shape[1:], generator=context.generator(clip_id)) for clip_id in context.clip_ids]
    return Explanation(torch.stack(maps).to(x))


def explain_by_input(detector: Detector, x: Tensor, context: ExplainContext) -> Explanation:
    """Return the clip's own map, signed [B, n_freq, n_frames], in the unit of the map."""
    return Explanation(x.clone())


def explain_by_magnitude(detector: Detector, x: Tensor, context: ExplainContext) -> Explanation:
    """Return the absolute value of the clip's own map, unsigned [B, n_freq, n_frames], in the unit of the map."""
    return Explanation(x.abs())
