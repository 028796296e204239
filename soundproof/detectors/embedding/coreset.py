"""A few vectors that cover many: greedy k-centres, over all vectors or in two levels.

Greedy k-centres (Gonzalez 1985) adds, again and again, the vector that is farthest from those chosen. Its covering
radius (the largest distance of any vector to the nearest chosen one) is at most twice the smallest possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from soundproof.core.errors import DataError

_AT_ONCE = 1 << 18
"""Numbers of vectors whose distances are computed at once: they stay in a processor's cache."""
_AT_ONCE_ON_ACCELERATOR = 1 << 26
"""The same there: few starts of kernels, and a quarter of a GiB."""
_STEPS_UNSEEN = 256
"""Choices on an accelerator between two looks at what it found: each look waits for it."""
_SAFE = 1 + 1e-4
"""Margin for rounding where the triangle inequality spares a distance."""

Report = Callable[[int], None]


@dataclass(frozen=True)
class Centres:
    """Chosen vectors.

    Attributes:
        indices: Their rows in the order of choice, int64 [n_chosen]; fewer than asked for where the
            rest are copies.
        radius: Largest distance of any vector to the nearest chosen one.
    """

    indices: Tensor
    radius: float


def k_centres(points: Tensor, k: int, start: int, report: Report | None = None) -> Centres:
    """Choose up to ``k`` of ``points`` [n, n_dims] greedily; of equally far ones the first.

    On a CPU, distances that the triangle inequality shows to change nothing are not computed: a new centre c is no
    nearer to a point than the point's own centre m where d(c, m) >= 2 d(point, m). An accelerator computes all: to
    ask it which are needed takes longer. Memory beyond the points: 20 bytes a point and the centres.

    Args:
        points: Vectors.
        k: How many to choose.
        start: Row of the first.
        report: Told how many are chosen, after each.

    Raises:
        DataError: ``k`` is more than there are.
    """
    n, n_dims = points.shape
    if not 0 < k <= n:
        raise DataError(
            f"a coreset of {k} patches",
            f"{n} patches to choose from",
            "choose a smaller coreset, or more clips",
        )
    if points.device.type != "cpu":
        return _by_all_distances(points, k, start, report)
    centres = points.new_empty(k, n_dims)
    chosen = [start]
    squared = torch.full((n,), torch.inf, dtype=points.dtype, device=points.device)
    owner = torch.zeros(n, dtype=torch.int64, device=points.device)
    # one place for all differences: fresh memory costs more than the arithmetic
    work = points.new_empty(max(1, min(n, _AT_ONCE // n_dims)), n_dims)
    while True:
        number = len(chosen) - 1
        centres[number] = points[chosen[-1]]
        if number == 0:
            _nearer(points, None, centres[0], 0, squared, owner, work)
        else:
            between = (centres[:number] - centres[number]).square().sum(dim=1)
            near = (between[owner] < 4 * _SAFE * squared).nonzero()[:, 0]
            # most of them: all in order cost less than most by their rows
            some = near if 2 * len(near) < n else None
            _nearer(points, some, centres[number], number, squared, owner, work)
        if report is not None:
            report(len(chosen))
        farthest = squared.max()
        if len(chosen) == k or float(farthest) == 0:
            indices = torch.tensor(chosen, device=points.device)
            return Centres(indices, float(farthest.sqrt()))
        chosen.append(int((squared == farthest).nonzero()[0, 0]))


def _by_all_distances(points: Tensor, k: int, start: int, report: Report | None) -> Centres:
    """The same choice without waiting for what was found: only every so often is it looked at."""
    n, n_dims = points.shape
    indices = torch.full((k,), start, dtype=torch.int64, device=points.device)
    farthest = points.new_empty(k)
    squared = points.new_full((n,), torch.inf)
    at_once = max(1, _AT_ONCE_ON_ACCELERATOR // n_dims)
    spans = [slice(first, first + at_once) for first in range(0, n, at_once)]
    chosen = 0
    for number in range(k):
        centre = points.index_select(0, indices[number : number + 1])
        for span in spans:
            away = (points[span] - centre).square_().sum(dim=1)
            torch.minimum(squared[span], away, out=squared[span])
        # of equal ones the first
        farthest[number], following = squared.max(dim=0)
        chosen = number + 1
        if chosen < k:
            indices[chosen] = following
        if chosen % _STEPS_UNSEEN == 0:
            if report is not None:
                report(chosen)
            if float(farthest[number]) == 0:
                break
    # of copies none is chosen twice
    spent = (farthest[:chosen] == 0).nonzero()
    chosen = int(spent[0, 0]) + 1 if len(spent) else chosen
    if report is not None:
        report(chosen)
    return Centres(indices[:chosen], float(farthest[chosen - 1].sqrt()))


def _nearer(
    points: Tensor,
    rows: Tensor | None,
    centre: Tensor,
    number: int,
    squared: Tensor,
    owner: Tensor,
    work: Tensor,
) -> None:
    """Note for ``rows`` of the points (None: all) where a new centre is nearer than their own."""
    n = len(points) if rows is None else len(rows)
    for first in range(0, n, len(work)):
        last = min(first + len(work), n)
        differences = work[: last - first]
        some: Tensor | slice = slice(first, last)
        if rows is None:
            torch.sub(points[first:last], centre, out=differences)
        else:
            some = rows[first:last]
            torch.index_select(points, 0, some, out=differences)
            differences.sub_(centre)
        away = differences.square_().sum(dim=1)
        # before the distances are overwritten: of a slice they are a view
        owner[some] = torch.where(away < squared[some], number, owner[some])
        squared[some] = torch.minimum(squared[some], away)


def projection(n_dims: int, onto: int, seed: int) -> Tensor:
    """Random matrix [n_dims, onto] that keeps distances about as they are (Johnson and Lindenstrauss 1984)."""
    generator = torch.Generator().manual_seed(seed)
    drawn: Tensor = torch.randn(n_dims, onto, generator=generator) / onto**0.5
    return drawn


@dataclass(frozen=True)
class Chosen:
    """A coreset with its vectors.

    Attributes:
        vectors: [n_chosen, n_dims].
        radius: Covering radius over all vectors, or a bound of it: see who made it. Distances are those that were
            used for choosing, after a projection where there is one.
    """

    vectors: Tensor
    radius: float


def exact(
    read: Callable[[], Iterator[Tensor]], k: int, seed: int, onto: int = 0, report: Report | None = None
) -> Chosen:
    """Greedy k-centres over all vectors.

    With a projection the vectors themselves are never held together: they are read a second time, for the chosen.

    Args:
        read: Reads all vectors, in parts [n, n_dims], always in the same order.
        k: How many to choose.
        seed: Of the first vector and of the projection.
        onto: Dimensions that distances are projected to; 0: none.
        report: Told how many are chosen.

    Returns:
        The coreset; its radius is the covering radius.

    Raises:
        DataError: ``k`` is more than there are.
    """
    matrix: Tensor | None = None
    parts = []
    for part in read():
        if onto and matrix is None:
            matrix = projection(part.shape[1], onto, seed).to(part)
        parts.append(part if matrix is None else part @ matrix)
    # one block: a list beside its concatenation would take twice the memory
    points = _stacked(parts)
    centres = k_centres(points, k, _start(len(points), seed), report)
    if matrix is None:
        return Chosen(points[centres.indices], centres.radius)
    return Chosen(_reread(read(), centres.indices), centres.radius)


class TwoLevel:
    """Greedy k-centres over each part's vectors, then over all that these gave; each part is seen once.

    Args:
        n_parts: How many parts come.
        pool: Vectors that all parts together pass on, evenly; a part that has fewer passes on all.
        seed: Of the first vector of each greedy choice.

    Attributes:
        seen: Vectors that came so far.
    """

    def __init__(self, n_parts: int, pool: int, seed: int) -> None:
        self._quota = max(1, -(-pool // n_parts))
        self._seed = seed
        self._n_parts = n_parts
        self._pool = torch.empty(0, 0)
        self._filled = 0
        self.seen = 0
        self._widest = 0.0

    def add(self, part: Tensor) -> None:
        """First level: choose from the vectors [n, n_dims] of one part, say a clip's."""
        self.seen += len(part)
        if len(part) <= self._quota:
            self._pass_on(part)
            return
        centres = k_centres(part, self._quota, _start(len(part), self._seed))
        self._pass_on(part[centres.indices])
        self._widest = max(self._widest, centres.radius)

    def choose(self, k: int, report: Report | None = None) -> Chosen:
        """Second level; what the parts passed on is given up.

        Returns:
            The coreset. Its radius is a bound: the largest radius of the first level plus that of the second.

        Raises:
            DataError: ``k`` is more vectors than there were.
        """
        points, self._pool = self._pool[: self._filled], torch.empty(0, 0)
        # a part of many copies passes on fewer than its quota
        if len(points) <= k <= self.seen:
            return Chosen(points, self._widest)
        centres = k_centres(points, k, _start(len(points), self._seed), report)
        return Chosen(points[centres.indices], self._widest + centres.radius)

    def _pass_on(self, vectors: Tensor) -> None:
        """Keep vectors in one block: a list of them, joined at the end, would take twice the memory."""
        if self._filled == 0:
            # memory that is not written to is not taken
            self._pool = vectors.new_empty(self._n_parts * len(vectors), vectors.shape[1])
        end = self._filled + len(vectors)
        if end > len(self._pool):
            more = vectors.new_empty(max(end, 2 * len(self._pool)) - len(self._pool), vectors.shape[1])
            self._pool = torch.cat([self._pool, more])
        self._pool[self._filled : end] = vectors
        self._filled = end


def _start(n: int, seed: int) -> int:
    return int(torch.randint(n, (), generator=torch.Generator().manual_seed(seed)))


def _stacked(parts: list[Tensor]) -> Tensor:
    """Concatenate, and free each part as soon as it is copied."""
    if not parts:
        raise DataError("patches to choose from", "none", "add training clips")
    whole = parts[0].new_empty(sum(map(len, parts)), parts[0].shape[1])
    end = len(whole)
    while parts:
        part = parts.pop()
        whole[end - len(part) : end] = part
        end -= len(part)
    return whole


def _reread(parts: Iterator[Tensor], indices: Tensor) -> Tensor:
    """Collect the rows ``indices`` of vectors that come in parts."""
    order = indices.sort()
    found, before = [], 0
    for part in parts:
        here = order.values[(order.values >= before) & (order.values < before + len(part))]
        found.append(part[here.to(part.device) - before])
        before += len(part)
    vectors = torch.cat(found)
    return vectors[order.indices.argsort().to(vectors.device)]
