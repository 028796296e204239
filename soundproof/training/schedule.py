"""What shapes a training: the loop's settings, and a digest of everything together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingWarmRestarts, LRScheduler

from soundproof.core.registry import Parameters
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun
from soundproof.storage.provenance import digest

LOOP = 2
"""Raised with each change of what a checkpoint holds or of how the loop goes on from it."""
SGD_MOMENTUM = 0.9


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The loop's part of a detector's settings (:data:`soundproof.detectors.registry.TRAINING`)."""

    epochs: int
    patience: int
    min_delta: float
    batch_size: int
    optimizer: Literal["adamw", "adam", "adamw_amsgrad", "sgd"]
    weight_decay: float
    learning_rate: float
    restart_epochs: int | None
    min_learning_rate: float
    validation_fraction: float
    last_batch: Literal["drop", "keep", "drop_everywhere"]

    @classmethod
    def of(cls, settings: Parameters) -> Schedule:
        """Pick the loop's fields from a detector's settings."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})

    def optimizer_of(self, weights: Iterable[nn.Parameter]) -> Optimizer:
        """Optimiser of ``weights``: AdamW shrinks them by ``weight_decay``, others add it to their gradients."""
        common: dict[str, Any] = {"lr": self.learning_rate, "weight_decay": self.weight_decay, "fused": True}
        if self.optimizer == "sgd":
            return SGD(weights, momentum=SGD_MOMENTUM, **common)
        if self.optimizer == "adam":
            return Adam(weights, **common)
        return AdamW(weights, amsgrad=self.optimizer == "adamw_amsgrad", **common)

    def scheduler_of(self, optimizer: Optimizer) -> LRScheduler:
        """Learning rate over the epochs: a cosine with restarts, or always the same."""
        if self.restart_epochs is None:
            return ConstantLR(optimizer, factor=1.0)
        return CosineAnnealingWarmRestarts(optimizer, T_0=self.restart_epochs, eta_min=self.min_learning_rate)


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
            "loop": LOOP,
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
