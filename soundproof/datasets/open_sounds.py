"""Build the sound of clips from a study's choices; apart from data sets, since fetching them needs none of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from soundproof.clips.selection import part_of, rates_of
from soundproof.datasets.open import open_dataset
from soundproof.features.recipes import FeatureSettings
from soundproof.features.sounds import ClipSounds
from soundproof.interfaces.dataset import AudioDataset
from soundproof.storage.maps import Scaling


def open_sounds(
    settings: Mapping[str, Any],
    data_dir: Path,
    clips: pd.DataFrame,
    part: str,
    scaling: Scaling | None = None,
) -> ClipSounds | None:
    """Return the sound of a part's clips; None where they come as spectrograms, which nobody can turn back.

    Args:
        settings: Choices ``dataset`` and ``features`` of the study.
        data_dir: Folder of downloads.
        clips: The ``clips`` table.
        part: The part.
        scaling: How the maps of the part were scaled.

    Raises:
        ConfigError: As :func:`soundproof.datasets.open.open_dataset`.
        DataError: The recipe leaves no band.
    """
    dataset = open_dataset(settings["dataset"], data_dir)
    if not isinstance(dataset, AudioDataset):
        return None
    recipe = FeatureSettings(**settings["features"])
    return ClipSounds(dataset, part_of(clips, part), recipe, rates_of(clips), scaling)
