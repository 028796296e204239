"""The detector's own anomaly map as an explanation: squared error per cell, patch distance ..."""

from __future__ import annotations

import torch
from torch import Tensor

from soundproof.core.errors import ConfigError
from soundproof.detectors.batching import in_passes
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation


def explain(detector: Detector, x: Tensor, context: ExplainContext) -> Explanation:
    """Return ``detector.anomaly_map(x)``, unsigned [B, n_freq, n_frames].

    Raises:
        ConfigError: The detector has no map.
    """

    def own_map(rows: Tensor) -> Tensor:
        found = detector.anomaly_map(rows)
        if found is None:
            raise ConfigError(
                f"explainer '{context.method}'",
                f"{type(detector).__name__} has no anomaly map",
                "explain it with another explainer",
            )
        return found

    with torch.no_grad():
        return Explanation(in_passes(own_map, x, context.rows_per_pass))
