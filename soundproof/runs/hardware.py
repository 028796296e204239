"""What the machine has, told without importing torch."""

from __future__ import annotations

import os
from pathlib import Path

_NVIDIA = Path("/dev/nvidia0")


def jobs_want_gpu(device: str, *, here: bool) -> bool:
    """Whether jobs ask their scheduler for a GPU.

    On a workstation they do where there is one. On a cluster the machine that asks says nothing about the nodes,
    and a GPU is waited for and paid for: there the configuration says ``device: cuda``.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``.
        here: Whether jobs run on this machine.
    """
    return device == "cuda" or (device == "auto" and here and _NVIDIA.exists())


def hide_gpus() -> None:
    """Let this process and those that it starts see no GPU."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
