"""Insertion of :mod:`soundproof.faithfulness.on_sound`, which tells of it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from torch import Tensor

from soundproof.faithfulness.on_sound import removal_on_sound
from soundproof.faithfulness.settings import SoundSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext


def sound_insertion(
    detector: Detector, x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext[SoundSettings]
) -> pd.DataFrame:
    """Keep nothing of the sound but the most relevant cells.

    Args, returns and errors as :func:`soundproof.faithfulness.sound_deletion.sound_deletion`, with
    ``sound_insertion`` and ``sound_insertion_curve``.
    """
    return removal_on_sound(detector, x, maps, context, "sound_insertion")
