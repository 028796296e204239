"""Control: noise, a map that knows nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from soundproof.core.registry import Parameters
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation


def explain(detector: Detector, x: Tensor, context: ExplainContext[Parameters]) -> Explanation:
    """Return independent uniform values in [0, 1), unsigned [B, n_freq, n_frames]."""
    maps = [torch.rand(x.shape[1:], generator=context.generator(clip_id)) for clip_id in context.clip_ids]
    return Explanation(torch.stack(maps).to(x))
