"""Detectors that hear: each is told the sounds of the clips whose maps it is asked about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from soundproof.interfaces.detector import Detector, Heard
from soundproof.interfaces.sounds import Sounds
from soundproof.storage.maps import MapReader


def hearing(detector: Detector, features: MapReader, clip_ids: Sequence[str], maps: np.ndarray) -> Detector:
    """The detector as it scores maps of these clips; itself where it looks at maps alone.

    Args:
        detector: Fitted detector.
        features: File of the clips, with their sounds.
        clip_ids: The clips [n]. Of one clip any number of changed maps can be asked; of several one of each.
        maps: Their maps [n, n_freq, n_frames], unchanged.

    Raises:
        ArtefactError: It hears, and the file keeps no sounds.
    """
    if not detector.hears:
        return detector
    return detector.hearing(heard_in(features, clip_ids, maps))


def hearing_sound(
    detector: Detector, sounds: Sounds, clip_id: str, samples: Tensor, maps: Tensor
) -> Detector:
    """The detector as it scores maps of changed sounds; itself where it looks at maps alone.

    Args:
        detector: Fitted detector.
        sounds: Sounds of the clips.
        clip_id: Clip that was changed.
        samples: The changed sounds [n, n_samples], at the rate of ``sounds``.
        maps: Their maps [n, n_freq, n_frames].
    """
    if not detector.hears:
        return detector
    return detector.hearing(Heard(sounds.heard(samples, clip_id), maps))


def heard_in(features: MapReader, clip_ids: Sequence[str], maps: np.ndarray) -> Heard:
    """Sounds and maps of clips on file.

    Raises:
        ArtefactError: The file keeps no sounds.
    """
    return Heard(
        torch.from_numpy(features.sounds(clip_ids)), torch.from_numpy(maps.astype(np.float32, copy=False))
    )
