"""One batching helper for everything that sends maps through a detector.

Whoever explains or perturbs lines up *rows* (clips, integration steps, noisy copies, occluded or partly replaced
maps) and sends them through in passes of bounded memory. Results do not depend on the size of a pass beyond
float rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from soundproof.detectors.base import Detector

ROWS_ON_CPU = 16
"""More rows a pass bring nothing on a CPU (measured: 8 to 16 is the optimum at 80 x 400)."""
ROWS_ON_ACCELERATOR = 512


def rows_per_pass(
    detector: Detector, device: torch.device, memory_budget_bytes: int, *, gradients: bool
) -> int:
    """How many maps go through the detector at once within a memory budget.

    The memory of one map is measured, not guessed: one pass is run and the tensors that autograd keeps (or, without
    gradients, the largest few activations) are counted.
    """
    at_most = ROWS_ON_CPU if device.type == "cpu" else ROWS_ON_ACCELERATOR
    return max(1, min(at_most, memory_budget_bytes // _bytes_per_row(detector, device, gradients=gradients)))


def _bytes_per_row(detector: Detector, device: torch.device, *, gradients: bool) -> int:
    kept = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.untyped_storage().nbytes()
        return tensor

    x = torch.zeros(1, *detector.shape, device=device, requires_grad=True)
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        detector.score(x)
    weights = sum(p.untyped_storage().nbytes() for p in detector.parameters())
    activations = max(kept - weights, x.nbytes)
    # backward holds gradients beside activations; a plain forward frees most activations on its way
    return 2 * activations if gradients else max(activations // 2, x.nbytes)


def in_passes(function: Callable[[Tensor], Tensor], rows: Tensor, size: int) -> Tensor:
    """Apply ``function`` to at most ``size`` rows at a time and concatenate the results along dimension 0."""
    if len(rows) <= size:
        return function(rows)
    return torch.cat([function(part) for part in torch.split(rows, size)])


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
