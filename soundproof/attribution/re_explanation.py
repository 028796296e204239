"""Explain with other weights: what metrics that re-explain (model randomisation) call back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from soundproof.attribution.registry import EXPLAINERS
from soundproof.detectors.batching import rows_per_pass
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext
from soundproof.interfaces.replacement import NormalClips


def re_explainer(
    explainers: Mapping[str, Mapping[str, Any]],
    seed: int,
    device: torch.device,
    memory_budget_bytes: int,
    normal: NormalClips | None = None,
) -> Callable[[str, Detector, Tensor, Sequence[str]], Tensor | None]:
    """Return ``explain(label, detector, x, clip_ids)``, which makes new maps or says None for foreign ones.

    Args:
        explainers: Label: ``{kind, settings...}``.
        seed: Run seed; random draws equal those of the original explanation.
        device: Where to compute.
        memory_budget_bytes: Memory for the detector's activations.
        normal: Normal training clips of the same part, for what is taken from them.
    """

    def explain(label: str, detector: Detector, x: Tensor, clip_ids: Sequence[str]) -> Tensor | None:
        entry, settings = EXPLAINERS.choose(explainers[label])
        if entry.made_elsewhere:
            return None
        context = ExplainContext(
            settings=settings,
            clip_ids=clip_ids,
            rows_per_pass=rows_per_pass(
                detector, device, memory_budget_bytes, gradients="gradients" in entry.needed(settings)
            ),
            method=label,
            seed=seed,
            normal=normal,
        )
        relevance: Tensor = entry.load()(detector, x, context).relevance
        return relevance

    return explain


def input_factor_of(
    explainers: Mapping[str, Mapping[str, Any]], normal: NormalClips | None = None
) -> Callable[[str, Tensor], Tensor | None]:
    """Return ``factor(label, x)``: the distance from the baseline that relevance is a multiple of, or None.

    Args:
        explainers: Label: ``{kind, settings...}``.
        normal: Normal training clips of the same part, for baselines that are taken from them.
    """

    def factor(label: str, x: Tensor) -> Tensor | None:
        entry, settings = EXPLAINERS.choose(explainers[label])
        if entry.times_distance_from is None:
            return None
        # here, since Captum takes a second to load and most jobs need none of it
        from soundproof.attribution.captum_passes import baseline_of

        return x - baseline_of(x, entry.times_distance_from(settings), normal)

    return factor
