"""What all auto-encoders share: score, error map and the plain or masked training loss."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from soundproof.detectors.reconstruction.masking import hide_patches
from soundproof.randomness.seeding import seed_from
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
        return self._loss(x, targets, generator, self.reconstruct)

    def trivial_loss(
        self, x: Tensor, targets: Tensor | None, generator: torch.Generator, band_means: Tensor
    ) -> Tensor:
        """The same loss of a reconstruction that is the mean of each band, 0 on standardised maps."""
        return self._loss(x, targets, generator, lambda seen: band_means[:, None].expand_as(seen))

    @property
    def redraws_in_validation(self) -> bool:
        """Whether each validation hides other cells."""
        settings: Any = self.settings
        return bool(settings.masks == "redrawn")

    def training_targets(self, frame: pd.DataFrame) -> Tensor | None:
        """Seed of each clip's mask, int64 [n_clips], where a clip has one mask; it depends on the clip alone."""
        settings: Any = self.settings
        if settings.mask_ratio == 0 or settings.masks != "per_clip":
            return None
        return torch.tensor([seed_from("mask", clip_id) for clip_id in frame["clip_id"]])

    def _loss(
        self,
        x: Tensor,
        targets: Tensor | None,
        generator: torch.Generator,
        reconstruct: Callable[[Tensor], Tensor],
    ) -> Tensor:
        settings: Any = self.settings
        if settings.mask_ratio == 0:
            return (reconstruct(x) - x).square().mean(dim=(1, 2)).mean()
        hidden = self._hidden(len(x), targets, generator)
        error = (reconstruct(x.masked_fill(hidden, 0)) - x).square()
        # a sum over all cells: picking the hidden ones would make the device wait for their number
        return error.mul(hidden).sum() / hidden.sum()

    def _hidden(self, n_clips: int, seeds: Tensor | None, generator: torch.Generator) -> Tensor:
        settings: Any = self.settings
        if seeds is None:
            return hide_patches(n_clips, self.shape, settings.mask_patch, settings.mask_ratio, generator)
        masks = [
            hide_patches(
                1,
                self.shape,
                settings.mask_patch,
                settings.mask_ratio,
                torch.Generator().manual_seed(seed),
            )
            for seed in seeds.tolist()
        ]
        return torch.cat(masks).to(seeds.device)
