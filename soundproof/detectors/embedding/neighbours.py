"""Exact nearest neighbours: candidates by one matrix product, then distances computed directly.

A product gives |x|² - 2 x.y + |y|², whose terms cancel where x and y are close: a vector is then not at distance 0
from itself, and not surely its own nearest neighbour. So the product chooses candidates alone, with a proven margin
for its rounding, and the winners' distances are sums of squared differences.
"""

from __future__ import annotations

import torch
from torch import Tensor

from soundproof.core.errors import DataError
from soundproof.detectors.embedding.shrinking import in_shrinking_chunks

SPARE = 3
"""Candidates beyond the neighbours asked for. Each costs a distance; too few cost some queries a second search."""
_QUERIES = 512
_BANK = 16384
_GATHERED = 1 << 24
"""Numbers that are gathered at once for direct distances."""


def search(queries: Tensor, bank: Tensor, k: int = 1) -> Tensor:
    """Find the ``k`` nearest vectors of a bank for each query, nearest first; of equally near ones the first.

    Not differentiable: feed what it finds to :func:`distances`.

    Args:
        queries: [n_queries, n_dims].
        bank: [n, n_dims], of the same type and on the same device.
        k: Neighbours.

    Returns:
        Rows of the bank, int64 [n_queries, k].

    Raises:
        DataError: The bank has fewer than ``k`` vectors.
    """
    if len(bank) < k:
        raise DataError(
            f"{k} nearest neighbour(s)",
            f"{len(bank)} vectors to search in",
            "lower the number of neighbours, or keep more patches",
        )
    with torch.no_grad():
        queries, bank = queries.detach(), bank.detach()
        squares = bank.square().sum(dim=1)
        found = in_shrinking_chunks(
            lambda start, end: _search(queries[start:end], bank, squares, k, k + SPARE),
            len(queries),
            _QUERIES,
            "search for neighbours",
        )
        return torch.cat([torch.empty(0, k, dtype=torch.int64, device=bank.device), *found])


def distances(queries: Tensor, vectors: Tensor) -> Tensor:
    """Euclidean distances along the last dimension, by differences: exactly 0 for equal vectors.

    The gradient is 0 where the distance is 0.
    """
    squares = (queries - vectors).square().sum(dim=-1)
    apart = squares > 0
    return torch.where(apart, torch.where(apart, squares, 1).sqrt(), 0)


def _search(queries: Tensor, bank: Tensor, squares: Tensor, k: int, width: int) -> Tensor:
    """Search with ``width`` candidates, and with more where the next one might be as near."""
    n = len(bank)
    width = min(width, n)
    rough, candidates = _candidates(queries, bank, squares, width)
    # in the order of the bank, so that a stable sort leaves ties in it
    candidates = candidates.sort(dim=1).values
    exact = _squared(queries, bank, candidates)
    exact, order = exact.sort(dim=1, stable=True)
    nearest = candidates.gather(1, order[:, :k])
    if width == n:
        return nearest
    unit = torch.finfo(bank.dtype).eps / 2
    # rounding of dot products and of direct sums: Higham 2002, Accuracy and Stability, section 3.1
    reach = queries.square().sum(dim=1).sqrt() + squares.max().sqrt()
    margin = 2 * (bank.shape[1] + 4) * unit * reach.square()
    unsure = (rough.amax(dim=1) - margin <= exact[:, k - 1]).nonzero()[:, 0]
    if len(unsure):
        nearest[unsure] = _search(queries[unsure], bank, squares, k, 8 * width)
    return nearest


def _candidates(queries: Tensor, bank: Tensor, squares: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Rough squared distances and rows of the ``width`` nearest, each [n_queries, width], in any order."""
    own = queries.square().sum(dim=1, keepdim=True)
    values = queries.new_empty(len(queries), 0)
    rows = torch.empty(len(queries), 0, dtype=torch.int64, device=bank.device)
    for start in range(0, len(bank), _BANK):
        part = torch.addmm(squares[start : start + _BANK], queries, bank[start : start + _BANK].T, alpha=-2)
        best = (part + own).topk(min(width, part.shape[1]), dim=1, largest=False, sorted=False)
        values = torch.cat([values, best.values], dim=1)
        rows = torch.cat([rows, best.indices + start], dim=1)
        if values.shape[1] > width:
            kept = values.topk(width, dim=1, largest=False, sorted=False)
            values, rows = kept.values, rows.gather(1, kept.indices)
    return values, rows


def _squared(queries: Tensor, bank: Tensor, candidates: Tensor) -> Tensor:
    """Squared distances [n_queries, width] by differences."""
    width, dims = candidates.shape[1], bank.shape[1]
    size = max(1, _GATHERED // (width * dims))
    parts = [
        (bank[rows] - some[:, None]).square().sum(dim=2)
        for some, rows in zip(torch.split(queries, size), torch.split(candidates, size), strict=True)
    ]
    return torch.cat(parts)
