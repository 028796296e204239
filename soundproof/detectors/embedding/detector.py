"""What all detectors on patches of a backbone share: from a map to patches, and from patches to map and score."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from soundproof.backbones.build import build_backbone
from soundproof.core.errors import DataError
from soundproof.detectors.embedding.patches import PatchGrid, along_both, patches_of, refuse_small
from soundproof.detectors.embedding.settings import MapSettings, Resolved
from soundproof.detectors.embedding.shrinking import in_shrinking_chunks
from soundproof.detectors.embedding.smoothing import gaussian_matrix, sigmas_of_bands, sigmas_of_frames
from soundproof.interfaces.backbone import Backbone
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun
from soundproof.randomness.seeding import seed_from

logger = logging.getLogger(__name__)

_CLIPS_AT_ONCE = 8
"""Clips that go through the backbone together while a detector is fitted."""
_CALIBRATED_ON = 32
"""Clips at most that a backbone's normalisation is set by."""
_BUILT_WITH = 0
"""Seed of the weights that a backbone without trained ones has before the fit draws them."""


class EmbeddingDetector(Detector):
    """A detector that compares patches of a backbone's maps with those of normal clips.

    Scores are raw: nothing is rescaled by a batch or a test set, so a clip's score depends on that clip alone.

    Args:
        shape: (n_freq, n_frames) of the maps; except where positions are compared, clips of other lengths are taken
            as well.
        settings: Validated parameters, see :mod:`soundproof.detectors.embedding.settings`.
        backbone: Network to use; None: the one that the settings name.

    Attributes:
        published: Settings that this detector's publication has other than the others'.
        scores_map: The clip score is taken from the smoothed map, not from the patches.
    """

    settings: MapSettings
    published: ClassVar[Mapping[str, Any]] = {}
    scores_map: ClassVar[bool] = False
    backbone: Backbone
    frequencies_hz: Tensor
    frames_per_second: Tensor
    channel_scale: Tensor

    def __init__(
        self, shape: tuple[int, int], settings: MapSettings, backbone: Backbone | None = None
    ) -> None:
        super().__init__(shape, settings)
        self.chosen = self._choose(settings)
        self._given = backbone is not None
        self.backbone = backbone or build_backbone(settings.backbone, shape, _BUILT_WITH)
        n_channels = sum(layer.channels for layer in self.backbone.layers)
        self.register_buffer("frequencies_hz", torch.zeros(shape[0], dtype=torch.float64))
        self.register_buffer("frames_per_second", torch.zeros((), dtype=torch.float64))
        self.register_buffer("channel_scale", torch.ones(n_channels))
        self._grids: dict[tuple[int, int], PatchGrid] = {}
        self._ways_back: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def _choose(self, settings: MapSettings) -> Resolved:
        """The shared settings, nothing left open."""
        return Resolved.of(settings, self.published)

    @abstractmethod
    def cell_scores(self, x: Tensor) -> Tensor:
        """How unusual each cell of the patch grid is, [B, rows, columns]; not negative."""

    def score(self, x: Tensor) -> Tensor:
        """Largest value, mean, or mean of the largest ones (``clip_score``), [B]."""
        return self.summarised(self.anomaly_map(x) if self.scores_map else self.cell_scores(x))

    def anomaly_map(self, x: Tensor) -> Tensor:
        """Scores of the patch grid on the cells of the map, smoothed, [B, n_freq, n_frames]."""
        return self.on_map(self.cell_scores(x), (x.shape[1], x.shape[2]))

    def embed(self, x: Tensor) -> Tensor:
        """Mean patch of each clip [B, n_channels]."""
        return self.patches(x).mean(dim=(1, 2))

    def train(self, mode: bool = True) -> Self:
        """Switch everything but the backbone, which stays in evaluation."""
        super().train(mode)
        self.backbone.eval()
        return self

    def randomise(self, seed: int) -> None:
        """Redraw weights, and what was learnt from normal clips.

        Weights of the backbone are drawn from a normal distribution with each tensor's own deviation; its
        normalisation stays, because it describes the input and not what was learnt about it.
        """
        before = {name: value.clone() for name, value in self.backbone.state_dict().items()}
        super().randomise(seed)
        self.backbone.load_state_dict(before)
        with torch.no_grad():
            for name, weight in self.backbone.named_parameters():
                if weight.ndim > 1:
                    generator = torch.Generator().manual_seed(seed_from("backbone", seed, name))
                    drawn = torch.randn(weight.shape, generator=generator)
                    weight.copy_(drawn * weight.std(correction=0).cpu())
        self.redraw_memory(torch.Generator().manual_seed(seed_from("memory", seed)))

    def redraw_memory(self, generator: torch.Generator) -> None:
        """Replace what a fit keeps of normal patches by random values of about the same size."""

    def prepare(self, clips: TrainingClips, run: TrainingRun) -> None:
        """Make the backbone and the grid ready for a fit.

        Raises:
            DataError: No clips, maps too small for the neighbourhood, or clips that the backbone cannot learn from.
        """
        if len(clips) == 0:
            raise DataError("normal training clips", "none", "add training clips")
        choice = self.settings.backbone
        if not self._given and choice.kind == "random" and run.seed != _BUILT_WITH:
            shared = self.backbone.shared
            self.backbone = build_backbone(choice, self.shape, run.seed)
            self.backbone.shared = shared
            # a detector is rebuilt without knowing the run's seed: the file has to hold these weights
            self.backbone.origin = None
        self.to(run.device)
        self.frequencies_hz.copy_(torch.tensor(clips.axes.frequencies_hz))
        self.frames_per_second.fill_(clips.axes.frames_per_second)
        self._ways_back.clear()
        self.backbone.learn_once(clips, run)
        some = self.calibration_clips(clips, run)
        with torch.no_grad():
            self.backbone.calibrate_once(some)
        self.channel_scale.fill_(1)
        self.patches(some[:1])
        if self.chosen.channel_scale == "channel":
            self.channel_scale.copy_(self._deviations(clips, run))

    def calibration_clips(self, clips: TrainingClips, run: TrainingRun) -> Tensor:
        """Some training clips, spread evenly over all, [n, n_freq, n_frames]."""
        step = -(-len(clips) // _CALIBRATED_ON)
        return clips.read(list(range(0, len(clips), step))).to(run.device)

    def layer_maps(self, x: Tensor) -> list[Tensor]:
        """Maps of the backbone, one [B, channels, f, t] per layer; others may look at the same ones."""
        return self.backbone.maps(x.to(self.channel_scale.dtype))

    def grid_of(self, maps: list[Tensor], map_shape: tuple[int, int]) -> PatchGrid:
        """The patch grid of clips of one length.

        Raises:
            DataError: Maps too small for the neighbourhood.
        """
        if map_shape not in self._grids:
            sizes = [(layer.shape[2], layer.shape[3]) for layer in maps]
            refuse_small(self.backbone.layers, sizes, self.chosen.neighbourhood)
            chosen = self.chosen
            self._grids[map_shape] = PatchGrid.of(
                self.backbone.layers, sizes, map_shape, chosen.grid, chosen.upsampling
            )
        return self._grids[map_shape]

    def patches(self, x: Tensor) -> Tensor:
        """Patches of maps [B, n_freq, n_frames]: [B, rows, columns, n_channels]."""
        maps = self.layer_maps(x)
        grid = self.grid_of(maps, (x.shape[1], x.shape[2]))
        patches = patches_of(maps, grid, self.chosen.neighbourhood, self.chosen.border)
        return patches / self.channel_scale if self.chosen.channel_scale == "channel" else patches

    def training_patches(self, clips: TrainingClips, run: TrainingRun) -> Iterator[Tensor]:
        """Patches [rows, columns, n_channels] of one clip after the other, without gradients, on the device."""

        def read(start: int, end: int) -> Tensor:
            with torch.no_grad():
                return self.patches(clips.read(list(range(start, end))).to(run.device))

        for some in in_shrinking_chunks(read, len(clips), _CLIPS_AT_ONCE, "patches of training clips"):
            # a copy: a clip that is kept must not keep its neighbours
            yield from (patches.clone() for patches in some)

    def on_map(self, values: Tensor, map_shape: tuple[int, int]) -> Tensor:
        """Bring values of the patch grid [B, rows, columns] to the cells of the map and smooth them."""
        if map_shape not in self._ways_back:
            rows, columns = self._grids[map_shape].to_map
            self._ways_back[map_shape] = self.smoothed(rows, 0), self.smoothed(columns, 1)
        rows, columns = self._ways_back[map_shape]
        return along_both(rows, values, columns)

    def summarised(self, values: Tensor) -> Tensor:
        """One number a clip of its values [B, ...], as ``clip_score`` says."""
        flat = values.flatten(1)
        if self.chosen.clip_score == "mean":
            return flat.mean(dim=1)
        if self.chosen.clip_score == "max":
            return flat.amax(dim=1)
        kept = max(1, round(self.chosen.top_q * flat.shape[1]))
        return flat.sort(dim=1, descending=True).values[:, :kept].mean(dim=1)

    def smoothed(self, weights: Tensor, side: int) -> Tensor:
        """Weights [n, ...] that make the cells of one side of the map (0: bands), followed by the smoothing."""
        chosen, n = self.chosen, len(weights)
        if chosen.smoothing == "none":
            return weights
        if chosen.smoothing == "hz_and_seconds":
            sigmas = (
                sigmas_of_bands(chosen.smoothing_hz, self.frequencies_hz)
                if side == 0
                else sigmas_of_frames(chosen.smoothing_s, float(self.frames_per_second), n)
            )
            return gaussian_matrix(sigmas) @ weights
        sigmas = torch.full((n,), chosen.smoothing_cells[side])
        return gaussian_matrix(sigmas, 1 if chosen.smoothing == "three_cells" else None) @ weights

    def _deviations(self, clips: TrainingClips, run: TrainingRun) -> Tensor:
        """Standard deviation of each channel over all training patches; 1 for one that never varies."""
        total, squares, n = torch.zeros(()), torch.zeros(()), 0
        origin: Tensor | None = None
        for patches in self.training_patches(clips, run):
            flat = patches.flatten(0, 1).double()
            origin = flat.mean(dim=0) if origin is None else origin
            away = flat - origin
            total, squares = total.to(away) + away.sum(dim=0), squares.to(away) + away.square().sum(dim=0)
            n += len(flat)
        deviations = (squares / n - (total / n).square()).clamp_min(0).sqrt()
        # rounding leaves a constant channel a little above 0
        varies = deviations > 1e-6 * deviations.max()
        return torch.where(varies, deviations, 1)
