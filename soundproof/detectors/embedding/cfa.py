"""CFA: patches are taught to lie near a memory of normal ones (Lee et al. 2022, arXiv 2206.04325).

A descriptor (one convolution 1 x 1 that also sees coordinates) is trained so that each patch lies within a
hypersphere around its K nearest memory entries and outside those of the next J.

``as_published`` in the settings of Barusco et al. 2025, arXiv 2502.18328, and as public code has it: the radius is
left out of the optimiser, so that it stays at 1e-5, the repulsion is identically 0, and only the attraction trains.
The memory is a running mean in which a last, smaller batch counts as a whole one. ``corrected``:

* The radius is learnt, from where half of the patches lie inside; the memory is the mean over clips.
* One memory entry for each band, and a descriptor that sees frequency alone: positions in time stand for nothing.
* Borders, grids and smoothing as in :mod:`soundproof.detectors.embedding.patchcore`.

Differs from the publication in both: the shared training loop keeps a part of the clips for validation, and the
weights of the best epoch.
"""

from __future__ import annotations

import logging

import pandas as pd
import torch
from torch import Tensor, nn

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.embedding.detector import EmbeddingDetector
from soundproof.detectors.embedding.neighbours import distances, search
from soundproof.detectors.embedding.settings import CfaSettings, resolved
from soundproof.interfaces.backbone import Backbone
from soundproof.interfaces.detector import TrainingClips, TrainingRun
from soundproof.randomness.seeding import seed_from
from soundproof.training.loop import GradientTrained

logger = logging.getLogger(__name__)

FIXED_RADIUS = 1e-5


class Cfa(EmbeddingDetector, GradientTrained):
    """Distance to the nearest memory entry, softened: softmin over the K nearest of d, first entry, times d.

    K equal distances d give d / K: a patch that is far from everything alike scores a K-th of its distance.

    Attributes:
        memory: Memory entries [n_entries, n_descriptors].
        radius: Of the hyperspheres.
        active: Parts of the last training batch's terms that are above 0: attraction, repulsion.
    """

    settings: CfaSettings
    published = {"smoothing": "three_cells"}  # noqa: RUF012
    memory: Tensor
    active: Tensor

    def __init__(
        self, shape: tuple[int, int], settings: CfaSettings, backbone: Backbone | None = None
    ) -> None:
        super().__init__(shape, settings, backbone)
        self.position: str = resolved(settings, "position", self.published)
        n_channels = len(self.channel_scale)
        if settings.narrower > n_channels:
            raise ConfigError(
                f"descriptors with a {settings.narrower}th of the channels ('narrower')",
                f"{n_channels} channels",
                "lower 'narrower', or choose another backbone",
            )
        n_coordinates = 2 if self.position == "cell" else 1
        self.descriptor = nn.Linear(n_channels + n_coordinates, n_channels // settings.narrower)
        self.trained_radius = resolved(settings, "radius", self.published) == "trained"
        self.radius = nn.Parameter(torch.tensor(FIXED_RADIUS), requires_grad=self.trained_radius)
        self._radius_at_start = FIXED_RADIUS
        self.register_buffer("memory", torch.zeros(0, n_channels // settings.narrower))
        self.register_buffer("active", torch.zeros(2))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Fill the memory with untrained descriptors, then train them towards it.

        Raises:
            DataError: Fewer than three clips, fewer memory entries than K + J, or maps too small.
            TrainingError: The loss is not finite.
        """
        self.prepare(clips, run)
        # the weights that training starts from
        if not run.goes_on:
            self.initialise(seed_from("initial weights", run.seed))
        self.to(run.device)
        settings = self.settings
        with torch.no_grad():
            self.memory = self._memory(clips, run)
            needed = settings.nearest + settings.negatives
            if len(self.memory) < needed:
                raise DataError(
                    f"{needed} memory entries ('nearest' and 'negatives')",
                    f"{len(self.memory)}, one for each "
                    f"{'cell' if self.position == 'cell' else 'row'} of the patch grid",
                    "lower 'nearest' and 'negatives', or set 'position: cell'",
                )
            self._radius_at_start = self._start(clips, run)
        history = super().fit(clips, run)
        logger.info(
            "radius %.4g; attraction acts on %.0f %%, repulsion on %.0f %% of the last batch",
            self.radius.item(),
            *(100 * self.active).tolist(),
        )
        return history

    def initialise(self, seed: int) -> None:
        """Draw the descriptor and set the radius to its start."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.descriptor.reset_parameters()
        with torch.no_grad():
            self.radius.fill_(self._radius_at_start)

    def redraw_memory(self, generator: torch.Generator) -> None:
        """Replace memory entries by random ones with the same mean and deviation in each dimension."""
        if len(self.memory):
            deviation, mean = torch.std_mean(self.memory, dim=0, correction=0)
            self.memory = (
                torch.randn(self.memory.shape, generator=generator).to(self.memory) * deviation + mean
            )

    def described(self, x: Tensor) -> Tensor:
        """Descriptors of all patches [B, rows, columns, n_descriptors]."""
        patches = self.patches(x)
        n_clips, n_rows, n_columns, _ = patches.shape
        rows = torch.linspace(-1, 1, n_rows).to(patches)[:, None].expand(n_rows, n_columns)
        coordinates = [rows]
        if self.position == "cell":
            coordinates.append(torch.linspace(-1, 1, n_columns).to(patches).expand(n_rows, n_columns))
        where = torch.stack(coordinates, dim=-1).expand(n_clips, -1, -1, -1)
        out: Tensor = self.descriptor(torch.cat([patches, where], dim=-1))
        return out

    def cell_scores(self, x: Tensor) -> Tensor:
        """Softened distance of each patch [B, rows, columns]."""
        settings = self.settings
        described = self.described(x)
        found = search(described.flatten(0, 2), self.memory, settings.nearest)
        away = torch.stack(
            [distances(described.flatten(0, 2), self.memory[rows]) for rows in found.unbind(1)], dim=1
        )
        scores = softened(away)
        return scores.view(described.shape[:3])

    def training_loss(self, x: Tensor, targets: Tensor | None, generator: torch.Generator) -> Tensor:
        """Attraction and repulsion of a batch, averaged over patches and memory entries, over ``nu``."""
        settings = self.settings
        terms, acting = [], []
        # a clip at a time: all distances to the memory are held
        for clip in self.described(x):
            squared = _squared_distances(clip.flatten(0, 1), self.memory)
            attraction, repulsion = soft_boundary(
                squared, self.radius, settings.nearest, settings.negatives, settings.alpha
            )
            terms.append(attraction.mean() + repulsion.mean())
            acting.append(torch.stack([(attraction > 0).double().mean(), (repulsion > 0).double().mean()]))
        if self.training:
            self.active.copy_(torch.stack(acting).mean(dim=0).detach())
        loss: Tensor = torch.stack(terms).mean() / settings.nu
        return loss

    def _memory(self, clips: TrainingClips, run: TrainingRun) -> Tensor:
        settings = self.settings
        size = settings.batch_size
        if settings.protocol == "as_published":
            memory = torch.zeros(())
            for turn, start in enumerate(range(0, len(clips), size)):
                rows = list(range(start, min(start + size, len(clips))))
                mean = self._entries(clips.read(rows).to(run.device)).mean(dim=0)
                memory = running_mean(memory.to(mean), turn, mean)
            return memory
        total = torch.zeros((), dtype=torch.float64)
        for start in range(0, len(clips), size):
            rows = list(range(start, min(start + size, len(clips))))
            entries = self._entries(clips.read(rows).to(run.device)).double()
            total = total.to(entries) + entries.sum(dim=0)
        return (total / len(clips)).to(self.channel_scale.dtype)

    def _entries(self, x: Tensor) -> Tensor:
        """What each clip contributes to the memory [B, n_entries, n_descriptors]."""
        described = self.described(x)
        return described.flatten(1, 2) if self.position == "cell" else described.mean(dim=2)

    def _start(self, clips: TrainingClips, run: TrainingRun) -> float:
        settings = self.settings
        if settings.radius_start is not None:
            return float(settings.radius_start)
        if not self.trained_radius:
            return FIXED_RADIUS
        some = clips.read(list(range(min(settings.batch_size, len(clips))))).to(run.device)
        described = self.described(some).flatten(0, 2)
        nearest, _ = distances(described, self.memory[search(described, self.memory, 1)[:, 0]]).sort()
        return max(FIXED_RADIUS, float(nearest[(len(nearest) - 1) // 2]))


def soft_boundary(
    squared: Tensor, radius: Tensor, nearest: int, negatives: int, alpha: float
) -> tuple[Tensor, Tensor]:
    """The two terms of the loss, not negative, before they are averaged.

    Args:
        squared: Squared distances of patches to memory entries [n, n_entries].
        radius: Radius r of the hyperspheres.
        nearest: Entries K that attract: max(0, d² - r²).
        negatives: Next entries J that repel: max(0, r² - d² - alpha).
        alpha: Margin.

    Returns:
        Attraction [n, K], repulsion [n, J].
    """
    # sorted whole: the gradient of a partial choice is not deterministic on every device
    ordered, _ = squared.sort(dim=1)
    attraction = (ordered[:, :nearest] - radius.square()).clamp_min(0)
    repulsion = (radius.square() - ordered[:, nearest : nearest + negatives] - alpha).clamp_min(0)
    return attraction, repulsion


def softened(away: Tensor) -> Tensor:
    """Softmin of distances [n, K], nearest first, at the nearest, times the nearest: [n]."""
    return (-away).softmax(dim=1)[:, 0] * away[:, 0]


def running_mean(before: Tensor, turn: int, mean: Tensor) -> Tensor:
    """Memory after batch number ``turn`` (from 0), as published: each batch counts alike, however small."""
    return (before * turn + mean) / (turn + 1)


def _squared_distances(vectors: Tensor, others: Tensor) -> Tensor:
    products = vectors.square().sum(dim=1, keepdim=True) + others.square().sum(dim=1) - 2 * vectors @ others.T
    return products.clamp_min(0)
