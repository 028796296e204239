"""Means and covariances at many positions, from samples that come bit by bit, and their Cholesky factors."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from soundproof.core.errors import DataError

Shrinkage = Literal["oas", "ledoit_wolf"]

_FLOOR = 1e-9
"""Least mean variance of a position, as a part of the largest: one that never varies must not divide by 0."""


class Moments:
    """Running mean and covariance at each position, in float64.

    Sums are taken about the first sample: about 0 they would cancel where the mean is far from it.

    Args:
        full: Covariances of all channels; else variances alone.

    Attributes:
        n: Samples at each position so far.
    """

    def __init__(self, *, full: bool) -> None:
        self.n = 0
        self._full = full
        self._origin = torch.zeros(())
        self._sum = torch.zeros(())
        self._products = torch.zeros(())
        # of the squared lengths of samples: of their squares, and of the samples times them
        self._fourth = torch.zeros(())
        self._third = torch.zeros(())

    def add(self, samples: Tensor) -> None:
        """Take in samples [positions, n, channels], float64."""
        if self.n == 0:
            self._origin = samples[:, :1].clone()
            self._sum = torch.zeros_like(self._origin[:, 0])
            size = (*self._sum.shape, self._sum.shape[1]) if self._full else self._sum.shape
            self._products = self._sum.new_zeros(size)
            self._fourth = self._sum.new_zeros(len(samples))
            self._third = torch.zeros_like(self._sum)
        away = samples - self._origin
        self._sum += away.sum(dim=1)
        if self._full:
            self._products.baddbmm_(away.transpose(1, 2), away)
            lengths = away.square().sum(dim=2)
            self._fourth += lengths.square().sum(dim=1)
            self._third += torch.einsum("pn,pnc->pc", lengths, away)
        else:
            self._products += away.square().sum(dim=1)
        self.n += samples.shape[1]

    @property
    def mean(self) -> Tensor:
        """[positions, channels]."""
        return self._origin[:, 0] + self._sum / self.n

    @property
    def covariance(self) -> Tensor:
        """[positions, channels, channels], over n - 1; variances [positions, channels] where it is not full."""
        return self._scatter / (self.n - 1)

    def shrunk(self, rule: Shrinkage) -> Tensor:
        """Covariances over n, moved towards their mean variance by what the rule finds best.

        Args:
            rule: ``ledoit_wolf`` (Ledoit and Wolf 2004, J. Multivariate Analysis 88, lemma 3.2 to 3.4) or ``oas``
                (Chen et al. 2010, IEEE Trans. Signal Processing 58, equation 23), both as scikit-learn has them.

        Returns:
            [positions, channels, channels].
        """
        covariance = self._scatter / self.n
        variances = covariance.diagonal(dim1=1, dim2=2)
        mean = variances.mean(dim=1)
        squares = covariance.square().sum(dim=(1, 2))
        shares = self._oas(squares, mean) if rule == "oas" else self._ledoit_wolf(squares, mean)
        target = torch.diag_embed((shares * mean)[:, None].expand_as(variances))
        return (1 - shares)[:, None, None] * covariance + target

    @property
    def _scatter(self) -> Tensor:
        """Sum of products of deviations from the mean, or of their squares."""
        shift = self._sum / self.n
        taken = self._sum[..., None] * shift[:, None] if self._full else self._sum * shift
        return self._products - taken

    def _oas(self, squares: Tensor, mean: Tensor) -> Tensor:
        """Part of the target [positions], from the sum of squared covariances and the mean variance."""
        n_channels = self._sum.shape[1]
        alpha = squares / n_channels**2
        wide = (self.n + 1) * (alpha - mean.square() / n_channels)
        return torch.where(wide > 0, (alpha + mean.square()) / wide, 1).clamp_max(1)

    def _ledoit_wolf(self, squares: Tensor, mean: Tensor) -> Tensor:
        """The same from the spread of the samples' own products about the covariance."""
        n_channels = self._sum.shape[1]
        delta = squares / n_channels - mean.square()
        beta = ((self._fourth_central() / self.n - squares) / (n_channels * self.n)).clamp(min=0)
        # a covariance that is its target already needs no shrinkage
        return torch.where(delta > 0, torch.minimum(beta, delta) / torch.where(delta > 0, delta, 1), 0)

    def _fourth_central(self) -> Tensor:
        """Sum over samples of the fourth power of their distance from the mean [positions]."""
        shift = self._sum / self.n
        length = shift.square().sum(dim=1)
        # |a - d|^4 = (|a|^2 - 2 a.d + |d|^2)^2, summed over the samples a about the origin
        total = self._products.diagonal(dim1=1, dim2=2).sum(dim=1)
        along = torch.einsum("pc,pcd,pd->p", shift, self._products, shift)
        crossed = (self._third * shift).sum(dim=1)
        return self._fourth - 4 * crossed + 2 * length * total + 4 * along - 3 * self.n * length.square()


def factor(covariances: Tensor, regularisation: float, position: str, *, relative: bool) -> Tensor:
    """Add to each variance and take the Cholesky factor, or the root of variances.

    Args:
        covariances: [positions, channels, channels], or variances [positions, channels].
        regularisation: What is added.
        position: What a position is called, for the error.
        relative: It is a part of the position's mean variance; else it is added as it is.

    Returns:
        Lower factors, or standard deviations; of the same shape.

    Raises:
        DataError: Patches that are all alike (relative), or a covariance that is not positive definite.
    """
    full = covariances.ndim == 3
    variances = covariances.diagonal(dim1=1, dim2=2) if full else covariances
    added = torch.full_like(variances[:, :1], regularisation)
    if relative:
        mean = variances.mean(dim=1, keepdim=True).clamp_min(0)
        if not bool(mean.any()):
            raise DataError("normal patches that differ", "all of them alike", "add other training clips")
        floor = _FLOOR * mean.max()
        # without any regularisation as well, a position that never varies gets some variance
        added = torch.where(mean > floor, regularisation * mean, (regularisation or 1) * floor)
    if not full:
        raised = variances + added
        _refuse((raised <= 0).any(dim=1), position)
        return raised.sqrt()
    raised = covariances + torch.diag_embed(added.expand_as(variances))
    found: tuple[Tensor, Tensor] = torch.linalg.cholesky_ex(raised)
    factors, failed = found
    _refuse(failed != 0, position)
    return factors


def _refuse(failed: Tensor, position: str) -> None:
    if bool(failed.any()):
        first = int(failed.nonzero()[0, 0])
        raise DataError(
            f"a positive definite covariance of normal patches for each {position} of the patch grid",
            f"none for {position} {first} ({int(failed.sum())} of {len(failed)})",
            "raise 'regularisation', set 'covariance: diagonal', keep fewer 'channels', or add training clips",
        )
