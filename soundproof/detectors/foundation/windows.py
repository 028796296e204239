"""Windows that cover an axis, and how scores of those that cover a cell become one (WinCLIP, arXiv 2303.14814)."""

from __future__ import annotations

import torch
from torch import Tensor


def starts(n_cells: int, length: int, step: int) -> list[int]:
    """First cells of windows that cover an axis; the last ends where the axis does.

    Args:
        n_cells: Cells of the axis, no fewer than ``length``.
        length: Cells of a window.
        step: Cells from one window to the next, no more than ``length``.
    """
    last = n_cells - length
    return [*range(0, last, step), last]


def harmonic_over(scores: Tensor, begins: list[int], length: int, n_cells: int) -> Tensor:
    """Harmonic mean, at each cell, of the scores of the windows that cover it.

    Args:
        scores: Of each window, not negative [n_windows, B].
        begins: Their first cells, which cover the axis.
        length: Cells of a window.
        n_cells: Cells of the axis.

    Returns:
        [B, n_cells]; next to 0 where a window scores 0.
    """
    cells = torch.arange(n_cells, device=scores.device)
    first = torch.tensor(begins, device=scores.device)[:, None]
    covers = ((cells >= first) & (cells < first + length)).to(scores.dtype)
    # a score of 0 has an infinite inverse, which times "does not cover" would be no number
    inverse = scores.clamp_min(torch.finfo(scores.dtype).tiny).reciprocal()
    return covers.sum(0) / (inverse.T @ covers)


def harmonic(*scores: Tensor) -> Tensor:
    """Harmonic mean of scores of several scales, which are not negative and fit each other's shape."""
    tiny = torch.finfo(scores[0].dtype).tiny
    inverse = torch.zeros((), dtype=scores[0].dtype, device=scores[0].device)
    for one in scores:
        inverse = inverse + one.clamp_min(tiny).reciprocal()
    return len(scores) / inverse
