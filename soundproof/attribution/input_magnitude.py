"""Control: how far each cell of the spectrogram lies from 0, which knows nothing of the detector."""

from __future__ import annotations

from torch import Tensor

from soundproof.core.registry import Parameters
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation


def explain(detector: Detector, x: Tensor, context: ExplainContext[Parameters]) -> Explanation:
    """Return the absolute value of the clip's own map, unsigned [B, n_freq, n_frames], in the unit of the map."""
    return Explanation(x.abs())
