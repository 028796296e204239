"""FF with a replacement that any detector has: a background taken from the clip itself.

All else is as in :mod:`soundproof.faithfulness.ff`.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from torch import Tensor

from soundproof.faithfulness.replaced_frames import frame_replacement
from soundproof.faithfulness.settings import FfBackgroundSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext


def ff_background(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[FfBackgroundSettings],
) -> pd.DataFrame:
    """FF for any detector with positive scores: replace by a background taken from the clip itself.

    Args and returns as :func:`soundproof.faithfulness.ff.ff`, with the further setting ``replacement`` and the
    metrics ``ff_background_frame`` and ``ff_background_segment``.
    """
    return frame_replacement(detector, x, maps, context, context.settings.replacement, "ff_background")
