"""FeatEx: tells machines apart, and how far a sound lies from the normal ones it was told apart by.

Kevin Wilkinghoff, "Self-Supervised Learning for Anomalous Sound Detection", ICASSP 2024, arXiv 2312.09578; the
detector that Buck et al. 2026 (arXiv 2601.19017, "P3") explain.

What differs from the publication, because a detector here sees one map (recipe ``stft``: magnitudes, 1024/512 at
16 kHz) and explanations must reach all that it hears:

* The spectrum branch takes the map's spectrum (:func:`soundproof.detectors.featex.branches.spectrum`), as a map has
  no phases to build the full-length Fourier transform from. Both inputs are functions of the map, so gradients and
  removed bands reach both. Kernels and strides follow
  :func:`soundproof.detectors.featex.branches.spectrum_layers`.
* Mixup mixes magnitudes instead of waveforms.
* Clips keep their length, instead of being repeated or cut to 18 s.
* The shared training loop keeps a part of the clips for validation, and the weights of the best epoch.
* A score is the distance to the nearest reference of *any* individual: it is not told which one a clip shows.

Not settled by what we know of the publication, hence ours: no biases, trainable class centres, chances drawn per
clip, the plain head sees the batch before StatEx and FeatEx, and target clips get no k-means centres.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from soundproof.detectors.base import TrainingClips, TrainingRun
from soundproof.detectors.featex.augmentation import (
    draw_partners,
    exchange_features,
    exchange_labels,
    exchange_statistics,
    mix,
)
from soundproof.detectors.featex.branches import EMBEDDING, SpectrumBranch, StftBranch
from soundproof.detectors.featex.heads import SubClusterAdaCos
from soundproof.detectors.featex.references import CLASS_COLUMNS, groups, normal_references
from soundproof.detectors.reading import in_chunks
from soundproof.errors import ConfigError, DataError
from soundproof.registry import Parameters
from soundproof.training.loop import GradientTrained

CLASSES_PER_CLASS = {"plain": 1, "statex": 3, "featex": 9}
"""Heads in the order of their weights: each exchange triples the classes."""


class FeatEx(GradientTrained):
    """Two-branch embedding, learned as a classification of machines, sections, domains and attributes.

    The classification heads are needed in training alone and are not kept.

    Args:
        shape: (n_freq, n_frames) of magnitude maps.
        settings: See the registry entry.

    Raises:
        ConfigError: No head with a weight: nothing to learn from.
    """

    references: Tensor

    def __init__(self, shape: tuple[int, int], settings: Parameters) -> None:
        super().__init__(shape, settings)
        chosen: Any = settings
        both = chosen.branches == "both"
        self.spectrum = SpectrumBranch(shape[0], chosen.width) if chosen.branches != "stft" else None
        self.stft = StftBranch(shape[0], chosen.width) if chosen.branches != "spectrum" else None
        self.n_dims = EMBEDDING * (2 if both else 1)
        self.weights = {
            name: weight
            for name, weight in zip(CLASSES_PER_CLASS, chosen.loss_weights, strict=True)
            if weight > 0 and (both or name == "plain")
        }
        if not self.weights:
            raise ConfigError(
                f"FeatEx with 'loss_weights' {list(chosen.loss_weights)} and 'branches: {chosen.branches}'",
                "no loss to learn from (one branch alone has the first of the three only)",
                "give the first weight a positive value",
            )
        self.heads = nn.ModuleDict()
        self.register_buffer("references", torch.zeros(0, self.n_dims))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Learn the embedding, then keep what stands for normal sound.

        Raises:
            DataError: Fewer than three clips, or all of one class.
            TrainingError: The loss is not finite.
        """
        settings: Any = self.settings
        n_classes = int(groups(clips.frame, CLASS_COLUMNS).max()) + 1
        if n_classes == 1:
            raise DataError(
                "classes for FeatEx to tell apart (machine, machine_id, domain, attributes)",
                f"all {len(clips)} training clips are of one class",
                "train on several machines at once ('scope: pooled') or individuals, or use another detector",
            )
        for name in self.weights:
            self.heads[name] = SubClusterAdaCos(
                self.n_dims, n_classes * CLASSES_PER_CLASS[name], settings.sub_clusters
            )
        history = super().fit(clips, run)
        self.heads = nn.ModuleDict()
        with torch.no_grad():
            embeddings = torch.cat([self.embed(maps.to(run.device)) for maps in in_chunks(clips)])
        found = normal_references(embeddings, clips.frame, settings.centres, run.seed)
        self.references = found.to(run.device)
        return history

    def training_targets(self, frame: pd.DataFrame) -> Tensor:
        """Class of each clip, one-hot float32 [n_clips, n_classes]."""
        return functional.one_hot(torch.tensor(groups(frame, CLASS_COLUMNS))).float()

    def training_loss(self, x: Tensor, targets: Tensor | None, generator: torch.Generator) -> Tensor:
        """Weighted sum of the heads' losses, on augmented clips in training and on plain ones else."""
        if targets is None:
            raise ValueError("FeatEx learns from classes")
        views = self._augmented(x, targets, generator) if self.training else self._plain(x, targets)
        losses = [weight * self.heads[name](*views[name]) for name, weight in self.weights.items()]
        return torch.stack(losses).sum()

    def embed(self, x: Tensor) -> Tensor:
        """Embedding of length 1, [B, 256] (one branch alone: [B, 128])."""
        parts = [branch(x) for branch in (self.spectrum, self.stft) if branch is not None]
        return functional.normalize(torch.cat(parts, dim=1))

    def score(self, x: Tensor) -> Tensor:
        """Cosine distance to the nearest reference [B], 0 to 2; differentiable almost everywhere."""
        return 1 - (self.embed(x) @ self.references.T).amax(dim=1)

    @property
    def cam_layer(self) -> nn.Module | None:
        """Last residual block of the STFT branch; None without that branch."""
        return None if self.stft is None else self.stft.blocks[-1]

    def _plain(self, x: Tensor, labels: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        embedding = self.embed(x)
        return {
            name: (embedding, functional.pad(labels, (0, labels.shape[1] * (CLASSES_PER_CLASS[name] - 1))))
            for name in self.weights
        }

    def _augmented(
        self, x: Tensor, labels: Tensor, generator: torch.Generator
    ) -> dict[str, tuple[Tensor, Tensor]]:
        settings: Any = self.settings
        x, labels = mix(x, labels, settings.mixup, generator)
        if self.spectrum is None or self.stft is None or list(self.weights) == ["plain"]:
            return {"plain": (self.embed(x), labels)}
        spectrum = self.spectrum(x)
        views = {}
        if "plain" in self.weights:
            views["plain"] = (torch.cat([spectrum, self.stft(x)], dim=1), labels)
        partners = draw_partners(len(x), settings.statex, generator)
        stft = self.stft(exchange_statistics(x, *partners))
        labels = exchange_labels(labels, *partners)
        views["statex"] = (torch.cat([spectrum, stft], dim=1), labels)
        partners = draw_partners(len(x), settings.featex, generator)
        stft = exchange_features(stft, *partners)
        views["featex"] = (torch.cat([spectrum, stft], dim=1), exchange_labels(labels, *partners))
        return views
