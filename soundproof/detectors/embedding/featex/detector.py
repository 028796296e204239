"""FeatEx: tells machines apart, and how far a sound lies from the normal ones it was told apart by.

Kevin Wilkinghoff, "Self-Supervised Learning for Anomalous Sound Detection", ICASSP 2024, arXiv 2312.09578; the
detector that Buck et al. 2026 (arXiv 2601.19017, "P3") explain.

``protocol: as_published`` follows the author's public code (wilkinghoff/ssl4asd), ``corrected`` departs from it in
three points:

* The plain head sees the clips as its labels describe them, before StatEx; as published, it sees them after
  StatEx with the labels from before.
* The scale of AdaCos is that of its paper; as published, it is a constant angle's
  (:class:`soundproof.detectors.embedding.featex.heads.SubClusterAdaCos`).
* Partners are drawn anew for each exchange; as published, the batch is mirrored each time.

Both share what else the code does: the network, StatEx over frequency, untrained class centres of the plain head
and trained ones of the other two, ``1e-5 w^2`` added to the loss for each weight of convolutions and dense layers
(not of squeeze-excitations, norms and class centres), k-means centres that are not normalised, and scores by the
references of the clip's own individual (machine and machine_id, such as a section).

What differs from the publication in both, because a detector here sees one map (recipe ``stft``: magnitudes,
1024/512 at 16 kHz) and explanations must reach all that it hears:

* The spectrum branch takes the map's spectrum
  (:func:`soundproof.detectors.embedding.featex.branches.spectrum`), as a map has no phases to
  build the full-length Fourier transform from. Both inputs are functions of the map, so gradients and removed bands
  reach both. Kernels and strides follow
  :func:`soundproof.detectors.embedding.featex.branches.spectrum_layers`.
* Mixup mixes magnitudes instead of waveforms.
* Clips keep their length, instead of being repeated or cut to 18 s.
* The shared training loop keeps a part of the clips for validation, and the weights of the best epoch.
* Initial weights, momentum and epsilon of norms, and epsilon of Adam are PyTorch's.
* Equal embeddings count once among the references, and few clips stand for themselves.
"""

from __future__ import annotations

import copy

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.embedding.featex.augmentation import (
    draw_partners,
    exchange_features,
    exchange_labels,
    exchange_statistics,
    mix,
)
from soundproof.detectors.embedding.featex.blocks import kernels
from soundproof.detectors.embedding.featex.branches import EMBEDDING, SpectrumBranch, StftBranch
from soundproof.detectors.embedding.featex.heads import SubClusterAdaCos
from soundproof.detectors.embedding.featex.references import (
    CLASS_COLUMNS,
    groups,
    individual_number,
    normal_references,
)
from soundproof.detectors.embedding.featex.settings import FeatExSettings
from soundproof.detectors.reading import in_chunks
from soundproof.interfaces.detector import TrainingClips, TrainingRun
from soundproof.randomness.seeding import seed_from
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

    settings: FeatExSettings
    references: Tensor
    owners: Tensor

    def __init__(self, shape: tuple[int, int], settings: FeatExSettings) -> None:
        super().__init__(shape, settings)
        both = settings.branches == "both"
        self.spectrum = SpectrumBranch(shape[0], settings.width) if settings.branches != "stft" else None
        self.stft = StftBranch(shape, settings.width) if settings.branches != "spectrum" else None
        self.n_dims = EMBEDDING * (2 if both else 1)
        self.weights = {
            name: weight
            for name, weight in zip(CLASSES_PER_CLASS, settings.loss_weights, strict=True)
            if weight > 0 and (both or name == "plain")
        }
        if not self.weights:
            raise ConfigError(
                f"FeatEx with 'loss_weights' {list(settings.loss_weights)} and 'branches: {settings.branches}'",
                "no loss to learn from (one branch alone has the first of the three only)",
                "give the first weight a positive value",
            )
        self.heads = nn.ModuleDict()
        self.register_buffer("references", torch.zeros(0, self.n_dims))
        self.register_buffer("owners", torch.zeros(0, dtype=torch.int64))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Learn the embedding, then keep what stands for normal sound.

        Raises:
            DataError: Fewer than three clips, or all of one class.
            TrainingError: The loss is not finite.
        """
        settings = self.settings
        n_classes = int(groups(clips.frame, CLASS_COLUMNS).max()) + 1
        if n_classes == 1:
            raise DataError(
                "classes for FeatEx to tell apart (machine, machine_id, domain, attributes)",
                f"all {len(clips)} training clips are of one class",
                "train on several machines at once ('scope: pooled') or individuals, or use another detector",
            )
        for name in self.weights:
            self.heads[name] = SubClusterAdaCos(
                self.n_dims,
                n_classes * CLASSES_PER_CLASS[name],
                settings.sub_clusters,
                trained=name != "plain",
                protocol=settings.protocol,
            )
        history = super().fit(clips, run)
        self.use_heads(clips, run)
        self.heads = nn.ModuleDict()
        with torch.no_grad():
            embeddings = torch.cat([self.embed(maps.to(run.device)) for maps in in_chunks(clips)])
        found = normal_references(embeddings, clips.frame, settings.centres, run.seed)
        self.references = found.embeddings.to(run.device)
        self.owners = found.owners.to(run.device)
        return history

    def use_heads(self, clips: TrainingClips, run: TrainingRun) -> None:
        """Keep what a detector needs of the trained heads, which go after this; FeatEx needs nothing of them."""

    def training_targets(self, frame: pd.DataFrame) -> Tensor:
        """Class of each clip, one-hot float32 [n_clips, n_classes]."""
        return functional.one_hot(torch.tensor(groups(frame, CLASS_COLUMNS))).float()

    def training_loss(self, x: Tensor, targets: Tensor | None, generator: torch.Generator) -> Tensor:
        """Weighted sum of the heads' losses, on augmented clips in training and on plain ones else.

        The L2 term joins in training alone: validation asks how well classes are told apart.
        """
        if targets is None:
            raise ValueError("FeatEx learns from classes")
        views = self._augmented(x, targets, generator) if self.training else self._plain(x, targets)
        losses = [weight * self.heads[name](*views[name]) for name, weight in self.weights.items()]
        if self.training:
            losses.append(self.penalty())
        return torch.stack(losses).sum()

    def penalty(self) -> Tensor:
        """L2 term: setting ``l2`` times the sum of the squared weights of convolutions and dense layers."""
        branches = [branch for branch in (self.spectrum, self.stft) if branch is not None]
        squares = [weight.square().sum() for branch in branches for weight in kernels(branch)]
        penalty: Tensor = self.settings.l2 * torch.stack(squares).sum()
        return penalty

    def embed(self, x: Tensor) -> Tensor:
        """Embedding of length 1, [B, 256] (one branch alone: [B, 128])."""
        parts = [branch(x) for branch in (self.spectrum, self.stft) if branch is not None]
        return functional.normalize(torch.cat(parts, dim=1))

    def score(self, x: Tensor) -> Tensor:
        """Distance to the nearest reference [B], 0 to 2; differentiable almost everywhere.

        The cosine distance to a reference clip, the mean cosine distance to the clips of a centre. References of
        all individuals count, those of one in what :meth:`for_individual` returns.
        """
        return 1 - (self.embed(x) @ self.references.T).amax(dim=1)

    def for_individual(self, machine: str, machine_id: str) -> FeatEx:
        """A view that compares with the references of this individual; all of them where it has none."""
        own = self.owners == individual_number(machine, machine_id)
        if bool(own.all()) or not bool(own.any()):
            return self
        view = copy.copy(self)  # shares all weights and layers
        view._buffers = {**self._buffers, "references": self.references[own], "owners": self.owners[own]}
        return view

    def randomise(self, seed: int) -> None:
        """Redraw all weights, and the references evenly over all directions: they were learnt as well."""
        super().randomise(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_from("featex references", seed))
            drawn = functional.normalize(torch.randn(self.references.shape))
        self.references = drawn.to(self.references)

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
        settings = self.settings
        published = settings.protocol == "as_published"
        x, labels = mix(x, labels, settings.mixup, generator, mirrored=published)
        if self.spectrum is None or self.stft is None or list(self.weights) == ["plain"]:
            return {"plain": (self.embed(x), labels)}
        spectrum = self.spectrum(x)
        partners = draw_partners(len(x), settings.statex, generator, mirrored=published)
        stft = self.stft(exchange_statistics(x, *partners))
        views = {}
        if "plain" in self.weights:
            seen = stft if published else self.stft(x)
            views["plain"] = (torch.cat([spectrum, seen], dim=1), labels)
        labels = exchange_labels(labels, *partners)
        views["statex"] = (torch.cat([spectrum, stft], dim=1), labels)
        partners = draw_partners(len(x), settings.featex, generator, mirrored=published)
        stft = exchange_features(stft, *partners)
        views["featex"] = (torch.cat([spectrum, stft], dim=1), exchange_labels(labels, *partners))
        return views
