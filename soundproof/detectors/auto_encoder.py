"""What all auto-encoders share: score, error map and the plain or masked training loss."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from soundproof.detectors.masking import hide_patches
from soundproof.training.loop import GradientTrained


class AutoEncoder(GradientTrained):
    """A detector that scores a clip by how badly it is reconstructed.

    Trained plainly (``mask_ratio`` 0, "AE") or on reconstructing hidden patches ("MAE"); the score is that of the
    full, unmasked map in both cases (Elrashid et al. 2026, "P1" in these modules).
    """

    @abstractmethod
    def reconstruct(self, x: Tensor) -> Tensor:
        """Reconstruction [B, n_freq, n_frames] of maps [B, n_freq, n_frames]."""

    def anomaly_map(self, x: Tensor) -> Tensor:
        """Squared reconstruction error of each cell [B, n_freq, n_frames]."""
        return (self.reconstruct(x) - x).square()

    def score(self, x: Tensor) -> Tensor:
        """Mean squared reconstruction error of each clip [B].

        ``x`` is input and target, and the gradient flows through both (P1's scalar under explanation; one value
        per clip where P1's code averages over the batch).
        """
        return self.anomaly_map(x).mean(dim=(1, 2))

    def training_loss(self, x: Tensor, targets: Tensor | None, generator: torch.Generator) -> Tensor:
        """Mean squared error over all cells, or over the hidden cells alone where training is masked.

        Hidden cells are set to 0 as P1 does; on a dB-like scale that is a middling level, not silence.
        """
        settings: Any = self.settings
        if settings.mask_ratio == 0:
            return self.score(x).mean()
        hidden = hide_patches(len(x), self.shape, settings.mask_patch, settings.mask_ratio, generator)
        error = (self.reconstruct(x.masked_fill(hidden, 0)) - x).square()
        # a sum over all cells: picking the hidden ones would make the device wait for their number
        return error.mul(hidden).sum() / hidden.sum()
