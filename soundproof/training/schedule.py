"""What shapes a training: the loop's settings, and a digest of everything together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields

import torch

from soundproof.detectors.base import Detector, TrainingClips, TrainingRun
from soundproof.provenance import digest
from soundproof.registry import Parameters


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The loop's part of a detector's settings (:data:`soundproof.detectors.registry.TRAINING`)."""

    epochs: int
    patience: int
    min_delta: float
    batch_size: int
    learning_rate: float
    restart_epochs: int
    min_learning_rate: float
    validation_fraction: float

    @classmethod
    def of(cls, settings: Parameters) -> Schedule:
        """Pick the loop's fields from a detector's settings."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


def fingerprint(detector: Detector, clips: TrainingClips, run: TrainingRun, window: int | None) -> str:
    """Digest of all that shapes a training.

    Of the maps only the first and the last are read: another recipe changes every one of them.

    Args:
        detector: Detector to train.
        clips: Clips to train on.
        run: Seed and device.
        window: How many clips are shuffled together, None for all.
    """
    sample = clips.read([0, len(clips) - 1])
    return digest(
        {
            "detector": type(detector).__qualname__,
            "settings": detector.settings.model_dump(mode="json"),
            "shape": list(detector.shape),
            "clips": clips.frame["clip_id"].tolist(),
            "maps": hashlib.sha256(sample.numpy().tobytes()).hexdigest(),
            "seed": run.seed,
            "window": window,
            "device": run.device.type,
            "torch": torch.__version__,
        }
    )
