"""PatchCore: how far is the strangest patch from those of normal clips?

Roth et al. 2022, CVPR, arXiv 2106.08265.

``as_published`` in the settings of Barusco et al. 2025, arXiv 2502.18328; ``corrected`` for sound:

* A patch is compared with normal ones of its own band and its neighbours, not with those of any frequency: a hum at
  3 kHz does not find its twin at 300 Hz.
* The coreset is chosen in two levels, in bounded memory, by distances without a random projection.
* Means at the border take no zeros from outside; layers lie over each other by their true strides and offsets, and
  so do the cells of the map; the map is smoothed in Hz and seconds.

Both compute distances by differences, search exactly, and leave scores as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial

import pandas as pd
import torch
from torch import Tensor

from soundproof.core.errors import DataError, MemoryShortage
from soundproof.core.progress import progress
from soundproof.detectors.embedding.coreset import Chosen, TwoLevel, exact
from soundproof.detectors.embedding.memory import MemoryDetector
from soundproof.detectors.embedding.neighbours import distances, search
from soundproof.detectors.embedding.settings import PatchCoreSettings, resolved
from soundproof.detectors.reading import no_history
from soundproof.interfaces.backbone import Backbone
from soundproof.interfaces.detector import TrainingClips, TrainingRun
from soundproof.randomness.seeding import seed_from

logger = logging.getLogger(__name__)


class PatchCore(MemoryDetector):
    """Distance to the nearest patch of a coreset of normal ones.

    With ``clip_score: max``, the largest distance s* of a clip's patches, that of patch x* to its nearest m*, is
    re-weighted: s = (1 - exp(d(x*, m*)) / sum over m in N of exp(d(x*, m))) s*, with N the ``neighbours`` nearest
    to m* among those that x* is compared with, m* included. A single neighbour re-weights nothing.

    Attributes:
        covering_radius: Largest distance of a normal patch to the nearest kept one: exact over all patches, or the
            bound of two levels; with a projection in projected distances. The largest of all rows.
    """

    settings: PatchCoreSettings
    covering_radius: Tensor

    def __init__(
        self, shape: tuple[int, int], settings: PatchCoreSettings, backbone: Backbone | None = None
    ) -> None:
        super().__init__(shape, settings, backbone)
        self.register_buffer("covering_radius", torch.zeros((), dtype=torch.float64))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Choose the coreset.

        Raises:
            DataError: Fewer patches than the coreset or the neighbours ask for, or maps too small.
            MemoryShortage: The exact coreset does not fit the memory budget.
        """
        self.prepare(clips, run)
        settings = self.settings
        with torch.no_grad():
            n_rows, n_columns, _ = self.patches(clips.read([0]).to(run.device))[0].shape
        n_groups = 1 if self.band_rows == "all" else n_rows
        of_group = len(clips) * n_rows * n_columns // n_groups
        wanted = settings.coreset_size or max(1, round(settings.coreset_fraction * of_group * n_groups))
        size = -(-wanted // n_groups)
        if size > of_group:
            raise DataError(
                f"a coreset of {wanted} patches ('coreset_size')",
                f"{of_group * n_groups} patches of {len(clips)} training clips",
                "lower 'coreset_size', or set 'coreset_fraction' instead",
            )
        exactly = resolved(settings, "coreset", self.published) == "exact"
        found = (self._exact if exactly else self._in_two_levels)(clips, run, n_groups, of_group, size)
        self.remember([chosen.vectors for chosen in found])
        self.covering_radius.fill_(max(chosen.radius for chosen in found))
        self.refuse_few(n_rows, settings.neighbours)
        logger.info(
            "coreset: %d of %d patches, %s radius %.5g",
            len(self.bank),
            of_group * n_groups,
            "covering" if exactly else "bound of the covering",
            float(self.covering_radius),
        )
        return no_history()

    def cell_scores(self, x: Tensor) -> Tensor:
        """Distance of each patch to the nearest kept one [B, rows, columns]."""
        return self.neighbours(self.patches(x), 1)[0][..., 0]

    def score(self, x: Tensor) -> Tensor:
        """Re-weighted largest distance, or as ``clip_score`` says, [B]."""
        settings = self.settings
        patches = self.patches(x)
        away, found = self.neighbours(patches, 1)
        if self.chosen.clip_score != "max" or settings.neighbours == 1:
            return self.summarised(away)
        away, found = away.flatten(1), found.flatten(1)
        strangest = away.argmax(dim=1)
        clips = torch.arange(len(x), device=x.device)
        weights = [
            self._weight(patches[clip].flatten(0, 1)[cell], cell // patches.shape[2], int(found[clip, cell]))
            for clip, cell in enumerate(strangest.tolist())
        ]
        return torch.stack(weights) * away[clips, strangest]

    def _weight(self, patch: Tensor, row: int, nearest: int) -> Tensor:
        """Factor of a clip's largest distance: near 1 where only the nearest kept patch is about as near."""
        settings = self.settings
        start, end = self.span(row)
        bank = self.bank[start:end]
        around = search(self.bank[nearest][None], bank, settings.neighbours)[0]
        # the first is m* itself, or a copy of it
        return 1 - distances(patch, bank[around]).softmax(dim=0)[0]

    def _exact(
        self, clips: TrainingClips, run: TrainingRun, n_groups: int, of_group: int, size: int
    ) -> list[Chosen]:
        onto = resolved(self.settings, "projection", self.published)
        n_dims = len(self.channel_scale)
        onto = onto if onto < n_dims else 0
        needed = of_group * (onto or n_dims) * self.channel_scale.element_size()
        if needed > run.memory_budget_bytes:
            raise MemoryShortage(
                f"an exact coreset of {of_group} patches with {onto or n_dims} dimensions",
                f"{needed / 2**30:.2f} GiB, and {run.memory_budget_bytes / 2**30:.2f} GiB may be used",
                "set 'coreset: two_level' or a smaller 'projection', or raise 'memory_budget_mb'",
            )
        found = []
        for group in range(n_groups):
            with progress("coreset", size, "patch") as report:
                seed = seed_from("coreset", run.seed, group)
                read = partial(self._groups, clips, run, n_groups, group)
                found.append(exact(read, size, seed, onto, report))
        return found

    def _in_two_levels(
        self, clips: TrainingClips, run: TrainingRun, n_groups: int, of_group: int, size: int
    ) -> list[Chosen]:
        settings = self.settings
        pool = max(size, -(-settings.pool // n_groups))
        levels = [
            TwoLevel(len(clips), pool, seed_from("coreset", run.seed, group)) for group in range(n_groups)
        ]
        with progress("coreset of clips", len(clips), "clip") as report:
            for clip, patches in enumerate(self.training_patches(clips, run)):
                for level, part in zip(levels, patches.flatten(0, 1).chunk(n_groups), strict=True):
                    level.add(part)
                report(clip + 1)
        found = []
        with progress("coreset of bands", n_groups, "band") as report:
            for group, level in enumerate(levels):
                found.append(level.choose(size))
                report(group + 1)
        return found

    def _groups(self, clips: TrainingClips, run: TrainingRun, n_groups: int, group: int) -> Iterator[Tensor]:
        for patches in self.training_patches(clips, run):
            yield patches.flatten(0, 1).chunk(n_groups)[group]
