"""Projector: what must be taken from a clip's patches to make them those of an intact clip?

After FoundAD (arXiv 2510.01934): a frozen network looks at normal clips that were broken on purpose, and a small
one on top of it learns to bring their features back to those of the clip as it was. Where it changes the patches of
a clip, the clip is not as normal ones are. Other than there, the projector is two layers on single patches (and the
band that they lie in) instead of a transformer, clips are broken by pieces of sound
(:mod:`soundproof.detectors.embedding.breaking`), and channels are mapped to fewer by random orthogonal directions.
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from soundproof.detectors.embedding.breaking import BrokenClips
from soundproof.detectors.embedding.detector import EmbeddingDetector
from soundproof.detectors.embedding.directions import orthogonal
from soundproof.detectors.embedding.settings import ProjectorSettings
from soundproof.detectors.embedding.some_clips import shots_of
from soundproof.interfaces.backbone import Backbone
from soundproof.interfaces.detector import TrainingClips, TrainingRun, reset_parameters
from soundproof.training.loop import GradientTrained


class Projector(EmbeddingDetector, GradientTrained):
    """Mean square of the change that the projector makes to each patch.

    The projector adds a change to a patch, which is 0 before it learns: an untrained one finds everything normal.

    Attributes:
        directions: From channels to the projector's dimensions, [n_channels, n_dims].
        centre: Mean patch of the training clips in these, [n_dims].
    """

    settings: ProjectorSettings
    directions: Tensor
    centre: Tensor

    def __init__(
        self, shape: tuple[int, int], settings: ProjectorSettings, backbone: Backbone | None = None
    ) -> None:
        super().__init__(shape, settings, backbone)
        n_channels = len(self.channel_scale)
        n_dims = min(settings.dimensions, n_channels)
        self.first = nn.Linear(n_dims + 1, settings.width)
        self.last = nn.Linear(settings.width, n_dims)
        self.register_buffer("directions", torch.zeros(n_channels, n_dims))
        self.register_buffer("centre", torch.zeros(n_dims))
        self._seen: Tensor | None = None

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Look at each clip as it is and broken, so many times, then learn to mend it.

        Raises:
            DataError: Fewer training clips than shots, fewer than three, or maps too small for the neighbourhood.
            TrainingError: The loss is not finite.
        """
        settings = self.settings
        chosen = clips if settings.shots is None else shots_of(clips, settings.shots, run.seed)
        self.prepare(chosen, run)
        n_channels, n_dims = self.directions.shape
        self.directions.copy_(orthogonal(n_channels, n_dims, run.seed))
        seen = [chosen] + [
            BrokenClips(chosen, settings.piece, settings.louder, run.seed, copy)
            for copy in range(settings.breakages)
        ]
        reduced = torch.stack(
            [
                torch.stack([patches @ self.directions for patches in self.training_patches(some, run)])
                for some in seen
            ],
            dim=1,
        )
        self.centre.copy_(reduced[:, 0].flatten(0, 2).double().mean(dim=0))
        self._seen = reduced - self.centre
        history = super().fit(chosen, run)
        self._seen = None
        return history

    def initialise(self, seed: int) -> None:
        """Draw the projector, which changes nothing at first; the backbone stays."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for layer in (self.first, self.last):
                reset_parameters(layer)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def training_targets(self, frame: pd.DataFrame) -> Tensor | None:
        """Patches of each clip as it is, then broken, [n_clips, 1 + breakages, rows, columns, n_dims]."""
        return self._seen

    def training_loss(self, x: Tensor, targets: Tensor | None, generator: torch.Generator) -> Tensor:
        """Mean square between the mended patches of broken clips and those of the clips as they are."""
        intact, seen = _pairs(targets, generator)
        return functional.mse_loss(seen + self.change(seen), intact)

    def trivial_loss(
        self, x: Tensor, targets: Tensor | None, generator: torch.Generator, band_means: Tensor
    ) -> Tensor:
        """The same of a projector that changes nothing."""
        return functional.mse_loss(*_pairs(targets, generator))

    def reduced(self, patches: Tensor) -> Tensor:
        """Patches [B, rows, columns, n_channels] in the projector's dimensions, [B, rows, columns, n_dims]."""
        return patches @ self.directions - self.centre

    def change(self, reduced: Tensor) -> Tensor:
        """What the projector adds to patches [B, rows, columns, n_dims], of the same shape."""
        rows = torch.linspace(-1, 1, reduced.shape[1]).to(reduced)[:, None, None]
        where = rows.expand(*reduced.shape[:3], 1)
        change: Tensor = self.last(functional.gelu(self.first(torch.cat([reduced, where], dim=-1))))
        return change

    def cell_scores(self, x: Tensor) -> Tensor:
        """Mean square of the change to each patch, [B, rows, columns]."""
        return self.change(self.reduced(self.patches(x))).square().mean(dim=-1)


def _pairs(targets: Tensor | None, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Patches of clips as they are, and broken in one of the ways of each, both [B, rows, columns, n_dims]."""
    if targets is None:
        raise ValueError("a projector learns from patches that were made before")
    n_clips, n_ways = targets.shape[:2]
    ways = torch.randint(1, n_ways, (n_clips,), generator=generator, device=targets.device)
    return targets[:, 0], targets[torch.arange(n_clips, device=targets.device), ways]
