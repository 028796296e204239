"""What the machine has, told without importing torch."""

from __future__ import annotations

from pathlib import Path

_NVIDIA = Path("/dev/nvidia0")


def jobs_want_gpu(device: str) -> bool:
    """Whether jobs ask their scheduler for a GPU.

    On a workstation they do where there is one. A cluster's login node need not have any: there the configuration
    says ``device: cuda``.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``.
    """
    return device == "cuda" or (device == "auto" and _NVIDIA.exists())
