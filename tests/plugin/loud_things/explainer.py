"""An explainer: the squares of the cells."""

from __future__ import annotations

from torch import Tensor

from soundproof.core.registry import Parameters
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation


def explain(detector: Detector, x: Tensor, context: ExplainContext[Parameters]) -> Explanation:
    """Relevance: x²."""
    return Explanation(x.square())
