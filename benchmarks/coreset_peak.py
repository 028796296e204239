"""A coreset in two levels in a process of its own, which then tells its peak memory in MiB.

Usage: ``python -m benchmarks.coreset_peak N_CLIPS DEVICE``
"""

from __future__ import annotations

import sys

import torch

from benchmarks.resident import peak_resident_bytes
from soundproof.detectors.embedding.coreset import TwoLevel

DIMENSIONS = 896
OF_CLIP = 40
PASSED_ON = 0.3
"""Part of the patches that the first level passes on."""
CHOSEN = 5
"""Each choice of the second level reads all that the first passed on: a few show its memory as well as many."""


def main(n_clips: int, device: str) -> None:
    """Choose from clips that are made one after the other, and write the peak memory to standard output."""
    torch.set_num_threads(1)
    levels = TwoLevel(n_clips, round(PASSED_ON * n_clips * OF_CLIP), 0)
    for clip in range(n_clips):
        generator = torch.Generator().manual_seed(clip)
        levels.add(torch.randn(OF_CLIP, DIMENSIONS, generator=generator).to(device))
    levels.choose(CHOSEN)
    peak = torch.cuda.max_memory_allocated(device) if device != "cpu" else peak_resident_bytes()
    sys.stdout.write(f"{peak / (1 << 20):.1f}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
