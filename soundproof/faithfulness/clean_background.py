"""FF2 of :mod:`soundproof.faithfulness.heat_removal`, which tells of it: the clean background in the hot half."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import torch
from torch import Tensor

from soundproof.faithfulness.heat_removal import CORRECTED, PUBLISHED, heat_removal
from soundproof.faithfulness.settings import HeatSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext

_HOT = 0.5


def clean_background(
    detector: Detector, x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext[HeatSettings]
) -> pd.DataFrame:
    """FF2: put the clean background into the hot half.

    Args and returns as :func:`soundproof.faithfulness.soft_removal.soft_removal`; the context holds the
    backgrounds.

    Raises:
        ValueError: It holds none.
    """
    clean = context.backgrounds
    if clean is None:
        raise ValueError("clean backgrounds are needed; the caller leaves the metric out without them")

    def swapped(heat: Tensor, clip: Tensor) -> Tensor:
        return torch.where(heat > _HOT, clean[clip], x[clip])

    return heat_removal(
        detector, x, maps, context, "clean_background", dict.fromkeys((PUBLISHED, CORRECTED), swapped)
    )
