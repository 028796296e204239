"""Means and covariances at many positions, from samples that come bit by bit, and their Cholesky factors."""

from __future__ import annotations

import torch
from torch import Tensor

from soundproof.core.errors import DataError

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

    def add(self, samples: Tensor) -> None:
        """Take in samples [positions, n, channels], float64."""
        if self.n == 0:
            self._origin = samples[:, :1].clone()
            self._sum = torch.zeros_like(self._origin[:, 0])
            size = (*self._sum.shape, self._sum.shape[1]) if self._full else self._sum.shape
            self._products = self._sum.new_zeros(size)
        away = samples - self._origin
        self._sum += away.sum(dim=1)
        if self._full:
            self._products.baddbmm_(away.transpose(1, 2), away)
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
        shift = self._sum / self.n
        taken = self._sum[..., None] * shift[:, None] if self._full else self._sum * shift
        return (self._products - taken) / (self.n - 1)


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
        added = regularisation * mean.clamp_min(_FLOOR * mean.max())
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
