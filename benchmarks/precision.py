"""What rounding the factors of products saves, and how far it moves scores and maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor

from benchmarks.rows import Row
from benchmarks.setting import Setting, clip_names
from benchmarks.timing import interleaved
from soundproof.attribution.registry import EXPLAINERS
from soundproof.interfaces.explainer import Explainer
from soundproof.training.determinism import set_determinism

EXPLAINED_BY = "smooth_grad"


def precision(setting: Setting) -> list[Row]:
    """Score and explain in float32, and with fewer bits: the setting ``tf32`` (GPUs), and bf16 by autocast.

    A difference is relative to the norm of what float32 gives, all clips together.
    """
    rounded = ("tf32", "bf16") if setting.device.type == "cuda" else ("bf16",)
    rows = []
    for case, work in _jobs(setting).items():
        timings = interleaved(
            {name: partial(_within, name, setting, work) for name in ("strict", *rounded)},
            setting.repeats,
            setting.device,
        )
        strict = timings["strict"]
        for name in rounded:
            rows.append(
                Row(
                    benchmark="precision",
                    case=f"{case}, {name}",
                    unit="ms/clip",
                    ours=1e3 * timings[name].seconds / setting.clips,
                    against="float32",
                    other=1e3 * strict.seconds / setting.clips,
                    ratio=strict.over(timings[name]),
                    sense="x faster",
                )
            )
            moved = float((timings[name].result.float() - strict.result).norm() / strict.result.norm())
            rows.append(
                Row(
                    benchmark="precision",
                    case=f"{case}, {name}: relative difference",
                    unit="1",
                    ours=moved,
                    against="norm of what float32 gives",
                    other=1.0,
                    ratio=moved,
                    sense="x of it",
                )
            )
    return rows


def _jobs(setting: Setting) -> Mapping[str, Callable[[], Tensor]]:
    x, entry = setting.maps(setting.clips), EXPLAINERS[EXPLAINED_BY]
    explain: Explainer = entry.load()
    context = setting.context(EXPLAINED_BY, clip_names(setting.clips))

    def score() -> Tensor:
        with torch.no_grad():
            return setting.detector.score(x)

    return {"score": score, entry.title: lambda: explain(setting.detector, x, context).relevance}


def _within(name: str, setting: Setting, work: Callable[[], Tensor]) -> Tensor:
    with _rounding(name, setting.device):
        return work()


@contextmanager
def _rounding(name: str, device: torch.device) -> Iterator[None]:
    if name == "bf16":
        with torch.autocast(device.type, dtype=torch.bfloat16):
            yield
        return
    set_determinism(precision="tf32" if name == "tf32" else "strict")
    try:
        yield
    finally:
        set_determinism()
