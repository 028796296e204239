"""Captum's rule for maximum pooling, under the rule of jobs that every kernel is deterministic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

_NAMES = ("max_unpool1d", "max_unpool2d", "max_unpool3d")


@contextmanager
def unpooling() -> Iterator[None]:
    """Let maximum pooling be undone, as DeepLift's rule does, which PyTorch refuses in deterministic mode.

    It refuses since two windows may hand their value to one place, and which is written last is not settled.
    Windows that do not overlap have a place each, as those of all detectors here; where those of a module of one's
    own do, a CPU still goes in order. Nothing else is let through.
    """
    originals = {name: getattr(functional, name) for name in _NAMES}

    def let_through(name: str) -> Any:
        def unpool(*args: Any, **kwargs: Any) -> Tensor:
            mode = torch.get_deterministic_debug_mode()
            torch.set_deterministic_debug_mode("default")
            try:
                found: Tensor = originals[name](*args, **kwargs)
                return found
            finally:
                torch.set_deterministic_debug_mode(mode)

        return unpool

    for name in _NAMES:
        setattr(functional, name, let_through(name))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(functional, name, original)
