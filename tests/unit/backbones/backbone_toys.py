"""Inputs and weights by formula: the same numbers were given to the networks' published code."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def wave(*shape: int) -> Tensor:
    """Values between 0 and 1 that repeat nowhere."""
    n = int(np.prod(shape))
    i = np.arange(n, dtype=np.float64)
    values = 0.5 + 0.5 * np.sin(0.37 * i + 0.0011 * i * i / n**0.5)
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def by_formula(shapes: dict[str, torch.Size]) -> dict[str, Tensor]:
    """Tensors that follow from their published names and shapes alone."""
    return {name: _tensor(name, shape) for name, shape in shapes.items()}


def _tensor(name: str, shape: torch.Size) -> Tensor:
    values = torch.sin(1.3 * torch.arange(shape.numel(), dtype=torch.float64) + len(name))
    if name.endswith("running_var"):
        values = 1 + 0.5 * values
    elif name.endswith("running_mean"):
        values = 0.1 * values
    elif len(shape) == 1:
        values = 1 + 0.2 * values if name.endswith("weight") else 0.1 * values
    else:
        values = values * (2 / shape[1:].numel()) ** 0.5
    return values.reshape(shape).float()


def facts(values: Tensor) -> list[float]:
    """Mean, deviation, one value in a third of the way, and the largest magnitude."""
    third = values.flatten()[values.numel() // 3]
    return [float(value) for value in (values.mean(), values.std(correction=0), third, values.abs().max())]
