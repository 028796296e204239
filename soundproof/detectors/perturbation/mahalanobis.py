"""Mahalanobis: how far from the nearest class of normal sound? (Lee et al. 2018, arXiv 1807.03888).

The score is the smallest ``(h - m_c)' S^-1 (h - m_c)`` over classes c, with h FeatEx' embedding, m_c the mean of a
class and S the covariance within classes, after one step towards a smaller one. Other than there: S is shrunk (OAS,
Chen et al. 2010), since normal clips are fewer than dimensions; the last layer stands alone, since the published
weights of several layers come from a regression on given anomalies; and the step is chosen on normal clips.
"""

from __future__ import annotations

import torch
from sklearn.covariance import OAS
from torch import Tensor

from soundproof.detectors.embedding.featex.references import CLASS_COLUMNS, groups
from soundproof.detectors.perturbation.settings import MahalanobisSettings
from soundproof.detectors.perturbation.stepping import Stepping
from soundproof.detectors.reading import in_chunks
from soundproof.interfaces.detector import TrainingClips, TrainingRun

_FLOOR = 1e-6
"""Added to variances, over the largest: dimensions that no clip uses must not divide by 0."""


class Mahalanobis(Stepping):
    """Squared distance from the nearest class mean in the classes' common spread, after one step.

    Attributes:
        means: Mean embedding of each class, float64 [n_classes, n_dims].
        cholesky: Lower factor of the common covariance, float64 [n_dims, n_dims].
    """

    settings: MahalanobisSettings
    means: Tensor
    cholesky: Tensor

    def __init__(self, shape: tuple[int, int], settings: MahalanobisSettings) -> None:
        super().__init__(shape, settings)
        self.register_buffer("means", torch.zeros(0, self.n_dims, dtype=torch.float64))
        self.register_buffer("cholesky", torch.eye(self.n_dims, dtype=torch.float64))

    def learn(self, clips: TrainingClips, run: TrainingRun) -> None:
        """Take means and covariance of the embeddings of all training clips."""
        with torch.no_grad():
            seen = torch.cat([self.embed(maps.to(run.device)) for maps in in_chunks(clips)]).double()
        classes = torch.tensor(groups(clips.frame, CLASS_COLUMNS)).to(run.device)
        self.means = torch.stack(
            [seen[classes == number].mean(dim=0) for number in range(int(classes.max()) + 1)]
        )
        self.cholesky.copy_(within(seen - self.means[classes]))

    def plain_score(self, x: Tensor) -> Tensor:
        """Smallest squared distance, [B]."""
        away = self.embed(x).double()[:, None] - self.means
        white = torch.linalg.solve_triangular(self.cholesky, away.flatten(0, 1).T, upper=False)
        distances: Tensor = white.square().sum(dim=0).unflatten(0, away.shape[:2])
        return distances.amin(dim=1)


def within(away: Tensor) -> Tensor:
    """Lower Cholesky factor of the shrunk covariance of centred values [n, n_dims], float64 on the CPU."""
    covariance = torch.from_numpy(OAS(assume_centered=True).fit(away.cpu().numpy()).covariance_)
    floor = max(_FLOOR * float(covariance.diagonal().max()), torch.finfo(torch.float32).tiny)
    factor: Tensor = torch.linalg.cholesky(
        covariance + floor * torch.eye(len(covariance), dtype=torch.float64)
    )
    return factor
