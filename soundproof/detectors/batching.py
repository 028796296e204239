"""One batching helper for everything that sends maps through a detector.

Whoever explains or perturbs lines up *rows* (clips, integration steps, noisy copies, occluded or partly replaced
maps) and sends them through in passes of bounded memory. Results do not depend on the size of a pass beyond
float rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from soundproof.interfaces.detector import Detector

FEWEST_ON_CPU = 16
CELLS_ON_CPU = 1 << 19
"""More cells a pass bring nothing on a CPU; with fewer, starting a layer takes a share of its time that can be seen
(measured: 64 maps of 40 x 200, 32 to 64 of 128 x 120, 16 to 32 of 80 x 400 and of 257 x 160 are the optimum)."""
ROWS_ON_ACCELERATOR = 512
PART_OF_ACCELERATOR = 8
"""A pass may take one part in so many of a GPU's memory, where that is more than the budget."""


def rows_per_pass(
    detector: Detector, device: torch.device, memory_budget_bytes: int, *, gradients: bool
) -> int:
    """How many maps go through the detector at once within a memory budget.

    The memory of one map is measured, not guessed: one map goes through, and what autograd keeps for the way back
    is counted. At least one row goes through, whatever the budget.

    Args:
        detector: Detector, on ``device``.
        device: Where the passes will run.
        memory_budget_bytes: Memory that the activations of a pass may take; on a GPU at least an eighth of all that
            it has, so that the size is the same however much of it is free.
        gradients: The passes differentiate the score (activations are kept for the way back).
    """
    at_most = ROWS_ON_ACCELERATOR
    if device.type == "cpu":
        at_most = min(at_most, max(FEWEST_ON_CPU, CELLS_ON_CPU // math.prod(detector.shape)))
    if detector.scored_elsewhere:
        # nothing goes through it
        return at_most
    if device.type == "cuda":
        whole = torch.cuda.get_device_properties(device).total_memory
        memory_budget_bytes = max(memory_budget_bytes, whole // PART_OF_ACCELERATOR)
    return max(1, min(at_most, memory_budget_bytes // _bytes_per_row(detector, device, gradients=gradients)))


def _bytes_per_row(detector: Detector, device: torch.device, *, gradients: bool) -> int:
    """Upper estimate of what one row occupies.

    A dispatch mode would follow every tensor exactly, but the first one costs seconds of imports in each job.
    """
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    x = torch.zeros(1, *detector.shape, device=device, requires_grad=True)
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        score = detector.for_a_trial().score(x)
    for weight in (*detector.parameters(), *detector.buffers()):
        kept.pop(weight.untyped_storage().data_ptr(), None)
    activations = max(sum(kept.values()), x.nbytes)
    del score  # until here no storage may be freed and its address used again
    # gradients stand beside activations on the way back; without gradients, most are freed on the way forward
    return 2 * activations if gradients else activations


def in_passes(function: Callable[[Tensor], Tensor], rows: Tensor, size: int) -> Tensor:
    """Apply ``function`` to at most ``size`` rows at a time and concatenate the results along dimension 0."""
    if len(rows) <= size:
        return function(rows)
    passes = -(-len(rows) // size)
    # equal passes: a small last one would cost more per row
    return torch.cat([function(part) for part in torch.tensor_split(rows, passes)])
