"""expVAE: where the latents of a clip look (Liu et al. 2020, arXiv 1911.07389).

See :mod:`soundproof.detectors.generative.latent_attention`; the attention of a clip depends on that clip alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from soundproof.attribution.captum_passes import by_clips
from soundproof.attribution.settings import ExpVaeSettings
from soundproof.detectors.generative.latent_attention import attention, on_map, scaled
from soundproof.interfaces.abilities import lacks
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation


def explain(detector: Detector, x: Tensor, context: ExplainContext[ExpVaeSettings]) -> Explanation:
    """Return the attention of the latents, or what it leaves out, unsigned [B, n_freq, n_frames].

    ``attention_coverage`` says of each clip how much of it the attention covers: the mean of A, 0 to 1. Near 1 it
    is the same everywhere, and neither map tells anything.

    Raises:
        ConfigError: The detector has no latents.
    """
    coverage: list[Tensor] = []

    def attribute(clips: Tensor, clip_ids: Sequence[str]) -> Tensor:
        with torch.enable_grad():
            looked = detector.latents(clips.requires_grad_())
            if looked is None:
                remedy = "explain it with another explainer"
                raise lacks(f"explainer '{context.method}'", type(detector).__name__, ["latents"], remedy)
            seen = attention(*looked)
        covered = scaled(seen)
        coverage.append(covered.mean(dim=(1, 2)))
        shape = (x.shape[1], x.shape[2])
        return on_map(seen, shape) if context.settings.shown == "attention" else 1 - on_map(covered, shape)

    return Explanation(by_clips(attribute, x, context, copies=1), {"attention_coverage": torch.cat(coverage)})
