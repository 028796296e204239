"""Band memory: nearest normal neighbours band by band, without any training.

The idea is that of BEAM (arXiv 2603.13749), normal embeddings kept per sub-band, here on any backbone and written
from its description alone. A clip's relevance by band comes with the score.
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from soundproof.detectors.embedding.coreset import TwoLevel
from soundproof.detectors.embedding.memory import MemoryDetector
from soundproof.detectors.embedding.neighbours import distances, search
from soundproof.detectors.embedding.settings import BandMemorySettings
from soundproof.detectors.reading import no_history
from soundproof.interfaces.backbone import Backbone
from soundproof.interfaces.detector import TrainingClips, TrainingRun
from soundproof.randomness.seeding import seed_from

_FLOOR = 1e-6
"""Least usual distance of a band, as a part of the largest."""


class BandMemory(MemoryDetector):
    """Mean distance of a window of a band to its nearest normal ones, by the distance that is usual in that band.

    Patches are averaged over windows of their row, so that a steady sound counts more than a single frame of it.

    Attributes:
        usual: Median distance of each row's normal vectors to the nearest other of their rows, [rows].
    """

    settings: BandMemorySettings
    usual: Tensor

    def __init__(
        self, shape: tuple[int, int], settings: BandMemorySettings, backbone: Backbone | None = None
    ) -> None:
        super().__init__(shape, settings, backbone)
        self.register_buffer("usual", torch.ones(0))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Remember the windows of each band, or a coreset of them.

        Raises:
            DataError: Fewer windows in a band than neighbours asked for, or maps too small.
        """
        self.prepare(clips, run)
        settings = self.settings
        levels: list[TwoLevel] = []
        for patches in self.training_patches(clips, run):
            of_rows, _ = self._windows(patches[None], self.shape[1])
            if not levels:
                levels = [
                    TwoLevel(len(clips), settings.per_band, seed_from("band memory", run.seed, row))
                    for row in range(of_rows.shape[1])
                ]
            for level, vectors in zip(levels, of_rows[0], strict=True):
                level.add(vectors)
        self.remember([level.choose(min(settings.per_band, level.seen)).vectors for level in levels])
        # two at least: the usual distance is that to another vector
        self.refuse_few(len(levels), max(2, settings.neighbours))
        usual = torch.stack([self._usual(row) for row in range(len(levels))])
        # a band whose windows are all the same has no scale of its own
        self.usual = usual.clamp_min(_FLOOR * usual.max()) if usual.any() else torch.ones_like(usual)
        return no_history()

    def cell_scores(self, x: Tensor) -> Tensor:
        """Score of the window that each cell of the patch grid lies in, [B, rows, columns]."""
        settings = self.settings
        windows, of_column = self._windows(self.patches(x), x.shape[2])
        away = self.neighbours(windows, settings.neighbours)[0].mean(dim=-1)
        if settings.band_scale == "normal":
            away = away / self.usual[:, None]
        return away[:, :, of_column]

    def _windows(self, patches: Tensor, n_frames: int) -> tuple[Tensor, Tensor]:
        """Means over windows [B, rows, windows, n_channels], and the window of each column [columns]."""
        settings = self.settings
        n_columns = patches.shape[2]
        length = n_columns
        if settings.window_s is not None:
            columns_per_second = float(self.frames_per_second) * n_columns / n_frames
            length = max(1, round(settings.window_s * columns_per_second))
        # columns that do not fill a window join the last one
        n_windows = max(1, n_columns // length)
        of_column = (torch.arange(n_columns, device=patches.device) // length).clamp_max(n_windows - 1)
        member = functional.one_hot(of_column, n_windows).to(patches)
        means = torch.einsum("brcd,cw->brwd", patches, member / member.sum(dim=0))
        return means, of_column

    def _usual(self, row: int) -> Tensor:
        vectors = self.bank[self.bank_rows == row]
        start, end = self.span(row)
        others = self.bank[start:end]
        # the nearest is the vector itself
        second = search(vectors, others, 2)[:, 1]
        ordered, _ = distances(vectors, others[second]).sort()
        return ordered[(len(ordered) - 1) // 2]
