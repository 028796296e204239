"""Masking, training steps and the loader that feeds them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from benchmarks.rows import Row, check_same
from benchmarks.setting import Setting, clip_names, default_layout
from benchmarks.stored import write_maps
from benchmarks.timing import interleaved
from soundproof.detectors.reconstruction.masking import hide_patches
from soundproof.interfaces.detector import Detector
from soundproof.storage.maps import MapReader
from soundproof.training.batches import Batches
from soundproof.training.clips import MapClips

RATIO, PATCH = 0.3, (4, 4)
"""P1's masked training."""


def masking(setting: Setting) -> list[Row]:
    """Hide the patches of a batch at once, beside a loop over clips and patches."""
    n = setting.batch_size
    timings = interleaved(
        {
            "ours": lambda: hide_patches(n, setting.shape, PATCH, RATIO, _random(setting)),
            "loop": lambda: _hide_one_by_one(n, setting.shape, _random(setting)),
        },
        setting.repeats,
        setting.device,
    )
    check_same("hidden patches", timings["ours"].result, timings["loop"].result, 0.0)
    row = Row(
        benchmark="masking",
        case=f"masks of a batch of {n}",
        unit="ms/clip",
        ours=1e3 * timings["ours"].seconds / n,
        against="patch by patch",
        other=1e3 * timings["loop"].seconds / n,
        ratio=timings["loop"].over(timings["ours"]),
        sense="x faster",
    )
    return [row]


def training(setting: Setting) -> list[Row]:
    """Time a masked training step and, beside it, how long the loader takes to give its clips."""
    detector: Any = setting.new_detector(mask_ratio=RATIO)
    plain: Any = default_layout(setting.new_detector(mask_ratio=RATIO))
    x, n = setting.maps(setting.batch_size), setting.batch_size
    _check_losses(setting, detector, plain, x)
    fused = torch.optim.AdamW(detector.parameters(), lr=1e-3, fused=True)
    default = torch.optim.AdamW(plain.parameters(), lr=1e-3)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.parquet"
        write_maps(path, setting, setting.stored_clips)
        clips = MapClips(MapReader(path), pd.DataFrame({"clip_id": clip_names(setting.stored_clips)}))
        held, streamed = (
            Batches(clips, setting.shape, setting.batch_size, setting.device, budget)
            for budget in (setting.memory_budget_bytes, 0)
        )
        timings = interleaved(
            {
                "step": lambda: _step(fused, detector.training_loss(x, None, _random(setting))),
                "plain": lambda: _step(default, _plain_loss(plain, x, _random(setting))),
                "held": lambda: _epoch(held, setting.stored_clips),
                "streamed": lambda: _epoch(streamed, setting.stored_clips),
            },
            setting.repeats,
            setting.device,
        )
    step = 1e3 * timings["step"].seconds / n
    rows = [
        Row(
            benchmark="training",
            case=f"masked step, batch of {n}",
            unit="ms/clip",
            ours=step,
            against="default layout and optimiser, masks in a loop",
            other=1e3 * timings["plain"].seconds / n,
            ratio=timings["plain"].over(timings["step"]),
            sense="x faster",
        )
    ]
    for name, case in (("held", "loader, clips held in memory"), ("streamed", "loader, clips streamed")):
        rows.append(
            Row(
                benchmark="training",
                case=case,
                unit="ms/clip",
                ours=1e3 * timings[name].seconds / setting.stored_clips,
                against="the step it feeds",
                other=step,
                ratio=timings[name].over(timings["step"]) * n / setting.stored_clips,
                sense="x of it",
            )
        )
    return rows


def _random(setting: Setting) -> torch.Generator:
    return torch.Generator(setting.device).manual_seed(0)


def _hide_one_by_one(n: int, shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """The same patches as :func:`soundproof.detectors.reconstruction.masking.hide_patches`, set one after the other."""
    height, width = PATCH
    rows, columns = -(-shape[0] // height), -(-shape[1] // width)
    draw = torch.rand(n, rows * columns, generator=generator, device=generator.device)
    hidden = torch.zeros(n, *shape, dtype=torch.bool, device=generator.device)
    for clip in range(n):
        for patch in draw[clip].argsort(stable=True)[: round(RATIO * rows * columns)].tolist():
            top, left = patch // columns * height, patch % columns * width
            hidden[clip, top : top + height, left : left + width] = True
    return hidden


def _plain_loss(detector: Detector, x: Tensor, generator: torch.Generator) -> Tensor:
    hidden = _hide_one_by_one(len(x), detector.shape, generator)
    reconstruction = detector.reconstruct(x.masked_fill(hidden, 0))
    assert reconstruction is not None  # an auto-encoder's
    return nn.functional.mse_loss(reconstruction[hidden], x[hidden])


def _check_losses(setting: Setting, detector: Any, plain: Detector, x: Tensor) -> None:
    # dropout draws anew in each call: without it
    detector.eval(), plain.eval()
    with torch.no_grad():
        ours, other = (
            detector.training_loss(x, None, _random(setting)),
            _plain_loss(plain, x, _random(setting)),
        )
    check_same("loss of a masked step", ours[None], other[None])
    detector.train(), plain.train()


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimizer.step()


def _epoch(batches: Batches, n: int) -> None:
    for _ in batches.shuffled(list(range(n)), seed=0):
        pass
