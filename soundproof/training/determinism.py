"""Bit-reproducible computation: the same inputs, seed, thread count and device type give the same bits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from soundproof.interfaces.precision import Precision


def set_determinism(threads: int | None = None, precision: Precision = "strict") -> None:
    """Make PyTorch choose reproducible kernels for the rest of the process.

    Call it before the first tensor reaches an accelerator: cuBLAS reads its work space setting only once.

    Args:
        threads: Intra-op threads; part of what fixes the order of sums on a CPU. None keeps PyTorch's choice.
        precision: ``strict`` computes in float32 everywhere; ``tf32`` lets NVIDIA GPUs round the factors of
            products and convolutions to 10 bits. On a CPU both are the same.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # the same as use_deterministic_algorithms(True), save that this does not import the compiler (3 s a job)
    torch.set_deterministic_debug_mode("error")
    # every value is written before it is read here: filling fresh memory first changes no bit and costs a tenth
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    # PyTorch's own choice is between the two: convolutions in TF32, products not
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    # fused attention sums gradients in an order that varies; the plain form costs nothing at a few dozen tokens
    torch.backends.cuda.enable_flash_sdp(False)
    torch.backends.cuda.enable_mem_efficient_sdp(False)
    torch.backends.cuda.enable_cudnn_sdp(False)
    # the fused inference path of transformer layers rounds differently from the path that has gradients:
    # a clip's score would depend on whether somebody asked for its gradient
    torch.backends.mha.set_fastpath_enabled(False)
    if threads is not None:
        torch.set_num_threads(threads)


@contextmanager
def layers_seeded(device: torch.device, seed: int) -> Iterator[None]:
    """Seed what layers such as dropout draw from, and leave the global generators as they were."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
