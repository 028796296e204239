"""What shapes a training: optimiser and learning rate, and a digest of everything together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingWarmRestarts, LRScheduler

from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun
from soundproof.storage.provenance import digest
from soundproof.training.settings import TrainingSettings

LOOP = 2
"""Raised with each change of what a checkpoint holds or of how the loop goes on from it."""
SGD_MOMENTUM = 0.9


def optimizer_of(settings: TrainingSettings, weights: Iterable[nn.Parameter]) -> Optimizer:
    """Optimiser of ``weights``: AdamW shrinks them by ``weight_decay``, others add it to their gradients."""
    common: dict[str, Any] = {
        "lr": settings.learning_rate,
        "weight_decay": settings.weight_decay,
        "fused": True,
    }
    if settings.optimizer == "sgd":
        return SGD(weights, momentum=SGD_MOMENTUM, **common)
    if settings.optimizer == "adam":
        return Adam(weights, **common)
    return AdamW(weights, amsgrad=settings.optimizer == "adamw_amsgrad", **common)


def scheduler_of(settings: TrainingSettings, optimizer: Optimizer) -> LRScheduler:
    """Learning rate over the epochs: a cosine with restarts, or always the same."""
    if settings.restart_epochs is None:
        return ConstantLR(optimizer, factor=1.0)
    return CosineAnnealingWarmRestarts(
        optimizer, T_0=settings.restart_epochs, eta_min=settings.min_learning_rate
    )


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
