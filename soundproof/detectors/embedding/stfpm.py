"""STFPM: a student learns a frozen teacher's maps on normal clips, and fails on others (Wang et al. 2021, BMVC).

``as_published`` in the settings of Barusco et al. 2025, arXiv 2502.18328, and as public code has it: the student
starts with the teacher's own weights, so that it has nothing to learn. Its maps are the teacher's, and the score of
every clip is 0, until weight decay and a batch norm that follows small batches move it. ``corrected``:

* The student starts from random weights, as the method assumes.
* Its batch norm is set by the normal clips before it learns and stays: batches of four are too small for it.
* Layers are brought to the map by their true strides and offsets; the map is smoothed in Hz and seconds.

Differs from the publication in both: the shared training loop keeps a part of the clips for validation, and the
weights of the best epoch.
"""

from __future__ import annotations

import copy
from typing import Self

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from soundproof.core.errors import ConfigError
from soundproof.detectors.embedding.detector import EmbeddingDetector
from soundproof.detectors.embedding.patches import along_both, axes_of, linear_weights
from soundproof.detectors.embedding.settings import StfpmSettings, resolved
from soundproof.interfaces.backbone import Backbone
from soundproof.interfaces.detector import TrainingClips, TrainingRun, reset_parameters
from soundproof.training.loop import GradientTrained

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


class Stfpm(EmbeddingDetector, GradientTrained):
    """How far the student's maps are from the teacher's: 1 - cosine in each cell, multiplied over layers.

    Both are normalised to length 1 over channels, and half their squared difference is taken, which is 1 - cosine
    and exactly 0 where they are equal. One layer at 0 silences a cell.
    """

    settings: StfpmSettings
    published = {"smoothing": "none"}  # noqa: RUF012
    scores_map = True

    def __init__(
        self, shape: tuple[int, int], settings: StfpmSettings, backbone: Backbone | None = None
    ) -> None:
        super().__init__(shape, settings, backbone)
        if not any(True for _ in self.backbone.parameters()):
            raise ConfigError(
                "a student that learns the backbone's maps ('stfpm')",
                "a backbone without weights",
                "choose a backbone that is a network",
            )
        self.random_student = resolved(settings, "student", self.published) == "random"
        self.frozen_norms = resolved(settings, "student_norms", self.published) == "frozen"
        self.student = copy.deepcopy(self.backbone)
        # its weights are this fit's own
        self.student.origin = None
        self.student.requires_grad_(True)
        if self.random_student:
            reset_parameters(self.student)
        self._some: Tensor | None = None
        self._layer_weights: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Train the student.

        Raises:
            DataError: Fewer than three clips.
            TrainingError: The loss is not finite.
        """
        self.prepare(clips, run)
        self._some = self.calibration_clips(clips, run)
        history = super().fit(clips, run)
        self._some = None
        return history

    def initialise(self, seed: int) -> None:
        """Give the student the weights that training starts from."""
        if not self.random_student:
            self.student.load_state_dict(self.backbone.state_dict())
            return
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            reset_parameters(self.student)
        if self._some is not None:
            with torch.no_grad():
                self._calibrate(self._some)

    def train(self, mode: bool = True) -> Self:
        """Switch the student; its batch norm stays in evaluation where it is frozen."""
        super().train(mode)
        if self.frozen_norms:
            for module in self.student.modules():
                if isinstance(module, _NORMS):
                    module.eval()
        return self

    def randomise(self, seed: int) -> None:
        """Redraw the weights of teacher and student; their normalisation stays."""
        buffers = {name: value.clone() for name, value in self.student.named_buffers()}
        super().randomise(seed)
        for name, value in buffers.items():
            self.student.get_buffer(name).copy_(value)

    def training_loss(self, x: Tensor, targets: Tensor | None, generator: torch.Generator) -> Tensor:
        """Mean over clips and cells of 1 - cosine, summed over layers."""
        return torch.stack([layer.mean() for layer in self.layer_scores(x)]).sum()

    def layer_scores(self, x: Tensor) -> list[Tensor]:
        """1 - cosine between teacher and student in each cell of each layer, [B, f, t], 0 to 2."""
        x = x.to(self.channel_scale.dtype)
        return [
            (functional.normalize(taught, dim=1) - functional.normalize(learnt, dim=1)).square().sum(dim=1)
            / 2
            for taught, learnt in zip(self.layer_maps(x), self.student(x), strict=True)
        ]

    def cell_scores(self, x: Tensor) -> Tensor:
        """Layers on the cells of the map, multiplied (``fusion``), before smoothing, [B, n_freq, n_frames]."""
        settings = self.settings
        layers = self.layer_scores(x)
        weights = self._to_map(layers, (x.shape[1], x.shape[2]))
        fused = torch.stack(
            [along_both(rows, layer, columns) for layer, (rows, columns) in zip(layers, weights, strict=True)]
        ).prod(dim=0)
        if settings.fusion == "product":
            return fused
        apart = fused > 0
        return torch.where(apart, torch.where(apart, fused, 1) ** (1 / len(layers)), 0)

    def anomaly_map(self, x: Tensor) -> Tensor:
        """The same, smoothed."""
        n_freq, n_frames = x.shape[1], x.shape[2]
        scores = self.cell_scores(x)
        if self.chosen.smoothing == "none":
            return scores
        rows = self.smoothed(torch.eye(n_freq, dtype=torch.float64), 0)
        columns = self.smoothed(torch.eye(n_frames, dtype=torch.float64), 1)
        return along_both(rows, scores, columns)

    def _calibrate(self, some: Tensor) -> None:
        """Set what the student normalises by to the statistics of some normal clips, as it sees them untrained."""
        self.student.calibrate(some)
        if not self.frozen_norms:
            return
        norms = [module for module in self.student.modules() if isinstance(module, _NORMS)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            # this batch counts alone
            norm.momentum = 1.0
            norm.train()
        self.student(some)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()

    def _to_map(self, layers: list[Tensor], map_shape: tuple[int, int]) -> list[tuple[Tensor, Tensor]]:
        if map_shape not in self._layer_weights:
            cells = [torch.arange(size, dtype=torch.float64) for size in map_shape]
            weights = []
            for layer, values in zip(self.backbone.layers, layers, strict=True):
                axes = axes_of(layer, (values.shape[1], values.shape[2]), map_shape, self.chosen.grid)
                weights.append((linear_weights(axes[0], cells[0]), linear_weights(axes[1], cells[1])))
            self._layer_weights[map_shape] = weights
        return self._layer_weights[map_shape]
