"""Gaussian: how unusual are the mean and the deviation of each band? The baseline that networks must beat."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.covariance import OAS, LedoitWolf
from torch import Tensor

from soundproof.core.errors import DataError
from soundproof.core.registry import Parameters
from soundproof.detectors.reading import in_chunks, no_history
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun

_FLAT = 1e-12
"""Least variance of a band over the frames of a clip: the root has no gradient at 0."""
_FLOOR = 1e-9
"""Least variance over the clips, as a part of the largest: a constant statistic must not divide by 0."""


class Gaussian(Detector):
    """A Gaussian over each clip's mean and standard deviation (over frames) of every band.

    With z [2 n_freq] these statistics, m their mean over the training clips and S their covariance (shrunk:
    Ledoit and Wolf 2004, or OAS, Chen et al. 2010; or its diagonal alone), a clip scores the squared Mahalanobis
    distance (z - m)' S^-1 (z - m). One Gaussian is fitted to all clips it is given: where a study pools its
    machines, there is one for all of them.

    The anomaly map divides the score among the bands and then among the frames, without remainder:

    * A statistic contributes the square of its part of the corr-max transformation, R^-1/2 D^-1 (z - m) with D
      the standard deviations and R the correlations of S (Garthwaite and Koch 2016, Australian and New Zealand
      Journal of Statistics 58). These squares are not negative, and their sum is the score. A band has the sum
      of its two.
    * A frame has that part of its band's contribution which its squared distance from the band's mean over
      the training clips has among all frames.
    """

    centre: Tensor
    cholesky: Tensor
    corr_max: Tensor

    def __init__(self, shape: tuple[int, int], settings: Parameters) -> None:
        super().__init__(shape, settings)
        size = 2 * shape[0]
        self.register_buffer("centre", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("cholesky", torch.eye(size, dtype=torch.float64))
        self.register_buffer("corr_max", torch.eye(size, dtype=torch.float64))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Estimate mean and covariance of the clips' statistics.

        Raises:
            DataError: Fewer than two clips, or clips that are all alike.
        """
        statistics = torch.cat([_statistics(part) for part in in_chunks(clips)]).numpy()
        if len(statistics) < 2 or not np.ptp(statistics, axis=0).any():
            found = f"{len(statistics)} clip(s) with the same mean and deviation in every band"
            raise DataError("normal training clips that differ", found, "add training clips")
        settings: Any = self.settings
        covariance = _covariance(statistics, settings.covariance)
        self.centre.copy_(torch.from_numpy(statistics.mean(axis=0)))
        self.cholesky.copy_(torch.from_numpy(np.linalg.cholesky(covariance)))
        self.corr_max.copy_(torch.from_numpy(_corr_max(covariance)))
        self.to(run.device)
        return no_history()

    def score(self, x: Tensor) -> Tensor:
        """Squared Mahalanobis distance of each clip [B], float64."""
        away = _statistics(x) - self.centre
        whitened = torch.linalg.solve_triangular(self.cholesky, away.T, upper=False)
        squares: Tensor = whitened.square()
        return squares.sum(dim=0)

    def anomaly_map(self, x: Tensor) -> Tensor:
        """Contribution of each cell [B, n_freq, n_frames], not negative; a clip's cells sum to its score."""
        n_freq, n_frames = x.shape[1:]
        squares = ((_statistics(x) - self.centre) @ self.corr_max.T).square()
        of_band = squares[:, :n_freq] + squares[:, n_freq:]
        distance = (x.double() - self.centre[:n_freq, None]).square()
        total = distance.sum(dim=2, keepdim=True)
        part = torch.where(total > 0, distance / total.clamp_min(torch.finfo(total.dtype).tiny), 1 / n_frames)
        return (of_band[:, :, None] * part).to(x.dtype)


def _statistics(x: Tensor) -> Tensor:
    """Mean and standard deviation over frames of every band, [B, 2 n_freq], float64."""
    wide = x.double()
    deviation = wide.var(dim=2, correction=0).clamp_min(_FLAT).sqrt()
    return torch.cat([wide.mean(dim=2), deviation], dim=1)


def _covariance(statistics: np.ndarray, kind: str) -> np.ndarray:
    if kind == "diagonal":
        variances = statistics.var(axis=0)
        return np.diag(np.maximum(variances, _FLOOR * variances.max()))
    estimator = {"ledoit_wolf": LedoitWolf, "oas": OAS}[kind]()
    # both may find that no shrinkage is needed, and leave a constant statistic without variance
    covariance: np.ndarray = estimator.fit(statistics).covariance_
    covariance += _FLOOR * np.diag(covariance).max() * np.eye(len(covariance))
    return covariance


def _corr_max(covariance: np.ndarray) -> np.ndarray:
    """R^-1/2 D^-1 of a covariance D R D, [n, n]: symmetric in correlations, so that each row keeps its name."""
    deviations = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.outer(deviations, deviations))
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T / deviations)
