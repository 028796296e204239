"""Deletion of :mod:`soundproof.faithfulness.on_sound`, which tells of it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from torch import Tensor

from soundproof.faithfulness.on_sound import removal_on_sound
from soundproof.faithfulness.settings import SoundSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext


def sound_deletion(
    detector: Detector, x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext[SoundSettings]
) -> pd.DataFrame:
    """Remove the most relevant cells from the sound.

    Args:
        detector: Frozen detector.
        x: Maps on file [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Sounds of the clips; settings ``shares``, ``fillings`` and ``draws``; pass size.

    Returns:
        Metrics ``sound_deletion`` and ``sound_deletion_curve``, whose parameter is the share of cells removed.

    Raises:
        DataError: There is no sound, it cannot be read, or it is not the one that ``x`` was made of.
    """
    return removal_on_sound(detector, x, maps, context, "sound_deletion")
