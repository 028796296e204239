"""PaDiM: a Gaussian of normal patches at each position (Defard et al. 2021, ICPR workshops).

``as_published`` in the settings of Barusco et al. 2025, arXiv 2502.18328; ``corrected`` for sound:

* A Gaussian for each band, pooled over time: the time of one clip is not that of another, so a position in time
  stands for nothing, and clips had to have one length. Pooling gives each Gaussian as many times more samples.
* The regularisation is relative to the mean variance. As an absolute number it decides alone in directions that the
  clips do not span, and its effect hangs on the scale of the features.
* Borders, grids and smoothing as in :mod:`soundproof.detectors.embedding.patchcore`.

Both estimate and solve in float64, by a Cholesky factor and without an inverse.
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from soundproof.core.errors import DataError
from soundproof.detectors.embedding.covariance import Moments, factor
from soundproof.detectors.embedding.detector import EmbeddingDetector
from soundproof.detectors.embedding.settings import SHRINKAGES, PadimSettings, resolved
from soundproof.detectors.reading import no_history
from soundproof.interfaces.backbone import Backbone
from soundproof.interfaces.detector import TrainingClips, TrainingRun
from soundproof.randomness.seeding import seed_from

_WORDS = {"cell": "cell", "band": "row"}


class PaDiM(EmbeddingDetector):
    """Mahalanobis distance of each patch from the normal ones at its position; the clip score is the map's.

    Attributes:
        kept: Channels that count, drawn at random, ascending.
        mean: [positions, channels], float64.
        cholesky: Lower factor of each covariance [positions, channels, channels], float64; with ``covariance:
            diagonal`` the standard deviations [positions, channels].
    """

    settings: PadimSettings
    scores_map = True
    kept: Tensor
    mean: Tensor
    cholesky: Tensor

    def __init__(
        self, shape: tuple[int, int], settings: PadimSettings, backbone: Backbone | None = None
    ) -> None:
        super().__init__(shape, settings, backbone)
        self.register_buffer("kept", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(0, dtype=torch.float64))
        self.register_buffer("cholesky", torch.zeros(0, dtype=torch.float64))
        self.position: str = resolved(settings, "position", self.published)

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Estimate the Gaussians, as many at a time as the memory budget holds.

        Raises:
            DataError: Fewer than two patches at a position, patches that are all alike, or a covariance that is not
                positive definite.
        """
        self.prepare(clips, run)
        settings = self.settings
        n_channels = len(self.channel_scale)
        drawn = torch.randperm(
            n_channels, generator=torch.Generator().manual_seed(seed_from("padim channels", run.seed))
        )
        kept, _ = drawn[: settings.channels].sort()
        self.kept = kept.to(run.device)
        full = settings.covariance == "full"
        n_kept = len(self.kept)
        with torch.no_grad():
            n_positions = self._positions(self.patches(clips.read([0]).to(run.device))).shape[0]
        of_one = 8 * n_kept * (n_kept if full else 1)
        at_once = max(1, run.memory_budget_bytes // (2 * of_one))
        rule = resolved(settings, "covariance_rule", self.published)
        shrinks = rule in SHRINKAGES
        means, seconds = [], []
        for start in range(0, n_positions, at_once):
            moments = Moments(full=full)
            for patches in self.training_patches(clips, run):
                moments.add(self._positions(patches[None])[start : start + at_once])
            if moments.n < 2:
                raise DataError(
                    f"at least two normal patches for each {_WORDS[self.position]} of the patch grid",
                    f"{moments.n} of {len(clips)} clip(s)",
                    "add training clips",
                )
            means.append(moments.mean)
            seconds.append(moments.shrunk(rule) if shrinks else moments.covariance)
        self.mean = torch.cat(means)
        self.cholesky = factor(
            torch.cat(seconds),
            0 if shrinks else settings.regularisation,
            _WORDS[self.position],
            relative=rule != "absolute",
        )
        return no_history()

    def cell_scores(self, x: Tensor) -> Tensor:
        """Mahalanobis distance of each patch [B, rows, columns].

        Raises:
            DataError: Clips of another length than the training clips, where each cell has its Gaussian.
        """
        settings = self.settings
        patches = self.patches(x)
        n_clips, n_rows, n_columns, _ = patches.shape
        values = self._positions(patches)
        if len(values) != len(self.mean):
            raise DataError(
                f"clips with a patch grid of {len(self.mean)} cells, as in training ('position: cell')",
                f"{n_rows} x {n_columns} cells ({x.shape[2]} frames)",
                "cut clips to one length, or set 'position: band'",
            )
        # [positions, channels, samples]
        away = (values - self.mean[:, None]).transpose(1, 2)
        if settings.covariance == "full":
            whitened = torch.linalg.solve_triangular(self.cholesky, away, upper=False)
        else:
            whitened = away / self.cholesky[..., None]
        squares = whitened.square().sum(dim=1)
        apart = squares > 0
        scores = torch.where(apart, torch.where(apart, squares, 1).sqrt(), 0).to(patches.dtype)
        if self.position == "cell":
            return scores.T.reshape(n_clips, n_rows, n_columns)
        return scores.view(n_rows, n_clips, n_columns).transpose(0, 1)

    def redraw_memory(self, generator: torch.Generator) -> None:
        """Draw other means of the same deviation over positions, and forget how channels move together."""
        if not len(self.mean):
            return
        deviation, middle = torch.std_mean(self.mean, dim=0, correction=0)
        drawn = torch.randn(self.mean.shape, generator=generator, dtype=torch.float64).to(self.mean.device)
        self.mean = drawn * deviation + middle
        if self.cholesky.ndim == 3:
            variances = self.cholesky.square().sum(dim=2)
            self.cholesky = torch.diag_embed(variances.sqrt())

    def _positions(self, patches: Tensor) -> Tensor:
        """Kept channels by position, float64 [positions, samples, channels]: of clips, or of clips and columns."""
        kept = patches[..., self.kept].double()
        n_clips, n_rows, n_columns, n_kept = kept.shape
        if self.position == "cell":
            return kept.reshape(n_clips, n_rows * n_columns, n_kept).transpose(0, 1)
        return kept.transpose(0, 1).reshape(n_rows, n_clips * n_columns, n_kept)
