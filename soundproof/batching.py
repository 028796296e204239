"""One batching helper for everything that sends maps through a detector.

Whoever explains or perturbs lines up *rows* (clips, integration steps, noisy copies, occluded or partly replaced
maps) and sends them through in passes of bounded memory. Results do not depend on the size of a pass beyond
float rounding.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from soundproof.detectors.base import Detector

ROWS_ON_CPU = 16
"""More rows a pass bring nothing on a CPU (measured: 8 to 16 is the optimum at 80 x 400)."""
ROWS_ON_ACCELERATOR = 512


def rows_per_pass(
    detector: Detector, device: torch.device, memory_budget_bytes: int, *, gradients: bool
) -> int:
    """How many maps go through the detector at once within a memory budget.

    The memory of one map is measured, not guessed: one pass is run, and the most that its tensors occupy at any
    time is the size of a row. At least one row goes through, whatever the budget.

    Args:
        detector: Detector, on ``device``.
        device: Where the passes will run.
        memory_budget_bytes: Memory that the activations of a pass may take.
        gradients: The passes differentiate the score (activations are kept for the way back).
    """
    at_most = ROWS_ON_CPU if device.type == "cpu" else ROWS_ON_ACCELERATOR
    return max(1, min(at_most, memory_budget_bytes // _bytes_per_row(detector, device, gradients=gradients)))


def _bytes_per_row(detector: Detector, device: torch.device, *, gradients: bool) -> int:
    held = [*detector.parameters(), *detector.buffers()]
    with torch.set_grad_enabled(gradients), _PeakBytes(ignore=held) as memory:
        x = torch.zeros(1, *detector.shape, device=device, requires_grad=gradients)
        score = detector.score(x)
        if gradients:
            torch.autograd.grad(score.sum(), x)
    return int(memory.peak)


class _PeakBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follow the storage of every tensor that is made inside the block, on any device.

    Args:
        ignore: Tensors that exist anyway; their views cost nothing.

    Attributes:
        peak: Most bytes that were alive at the same time.
    """

    def __init__(self, ignore: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak: int = 0
        self._alive = 0
        self._known = weakref.WeakSet[torch.UntypedStorage]()
        self._known.update(tensor.untyped_storage() for tensor in ignore)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._follow(leaf.untyped_storage())
        return result

    def _follow(self, storage: torch.UntypedStorage) -> None:
        if storage in self._known:
            return
        self._known.add(storage)
        self._alive += storage.nbytes()
        self.peak = max(self.peak, self._alive)
        weakref.finalize(storage, self._free, storage.nbytes())

    def _free(self, size: int) -> None:
        self._alive -= size


def in_passes(function: Callable[[Tensor], Tensor], rows: Tensor, size: int) -> Tensor:
    """Apply ``function`` to at most ``size`` rows at a time and concatenate the results along dimension 0."""
    if len(rows) <= size:
        return function(rows)
    passes = -(-len(rows) // size)
    # equal passes: a small last one would cost more per row
    return torch.cat([function(part) for part in torch.tensor_split(rows, passes)])


def stream_in_passes(
    function: Callable[[Tensor], Tensor], rows: Iterable[Tensor], size: int
) -> Iterator[Tensor]:
    """Yield ``function`` of each row, filling every pass although rows come one by one.

    Args:
        function: Maps [n, ...] to [n, ...].
        rows: Row tensors, produced lazily: no more than ``size`` exist at once.
        size: Rows per pass.
    """
    waiting: list[Tensor] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) == size:
            yield from function(torch.stack(waiting))
            waiting = []
    if waiting:
        yield from function(torch.stack(waiting))
