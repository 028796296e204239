"""FF1 of :mod:`soundproof.faithfulness.heat_removal`, which tells of it: heat is taken out in proportion."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import torch
from torch import Tensor

from soundproof.detectors.background import background
from soundproof.faithfulness.heat_removal import CORRECTED, PUBLISHED, Change, heat_removal
from soundproof.faithfulness.settings import SoftRemovalSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext


def soft_removal(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[SoftRemovalSettings],
) -> pd.DataFrame:
    """FF1: take heat out in proportion.

    Args:
        detector: Frozen detector.
        x: Maps [B, n_freq, n_frames].
        maps: Relevance [B, n_freq, n_frames] by explainer.
        context: Labels and SNRs of the clips, from which random cells are drawn, and the size of a pass.

    Returns:
        Rows for :func:`soundproof.faithfulness.heat_removal.on_the_published_scale`.
    """
    share = _event_share(context).to(x)[:, None, None]
    with torch.no_grad():
        normal = background(detector, x, context.settings.replacement, context.rows_per_pass)
    changes: dict[str, Change] = {
        PUBLISHED: lambda heat, clip: x[clip] * (1 - heat * share[clip]),
        CORRECTED: lambda heat, clip: x[clip] + heat * (normal[clip] - x[clip]),
    }
    return heat_removal(detector, x, maps, context, "soft_removal", changes)


def _event_share(context: FaithfulnessContext[SoftRemovalSettings]) -> Tensor:
    """Part of the heat that counts, by clip [B]: the event's share of the mixture; 1 where no SNR is used."""
    sign = {"ignore": 0, "background_over_event": 1, "event_over_background": -1}[context.settings.snr]
    known = context.snr_db or [None] * len(context.clip_ids)
    return torch.tensor(
        [1.0 if snr is None or not sign else 1 / (1 + 10 ** (sign * snr / 20)) for snr in known],
        dtype=torch.float64,
    )
