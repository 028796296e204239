"""Explainers beside their floor and beside a plain Captum loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from benchmarks.captum_loop import explain_one_by_one
from benchmarks.rows import TOLERANCE, Aim, Row, check_same
from benchmarks.setting import SIX, Setting, clip_names
from benchmarks.timing import Timing, interleaved, summed
from soundproof.attribution.registry import EXPLAINERS
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import Explainer

NEAR_THE_FLOOR = Aim("at most", 1.15)
SUM_OF_SIX = Aim("at least", 2.0)
AT_A_KINK = 0.02
"""Relative difference of Grad-CAM's maps: little is left of the means of gradients, so that a unit whose input is 0
but for rounding shows; the other explainers' maps are mostly the error itself."""
PASS_SIZES = {"cpu": (8, 16, 32, 64), "cuda": (64, 128, 256, 512)}


def attribution(setting: Setting) -> list[Row]:
    """Time each of P1's six explainers.

    The floor of an explainer is the number of passes that its registry entry states times the time of a map in a
    bare pass, at the batch size where that is shortest, measured in the same rounds.
    """
    best = {kind: _best_size(setting, kind) for kind in _PASSES}
    rows, ours, loops = [], [], []
    for name in SIX:
        of_name, own, loop = _one(setting, name, best)
        rows += of_name
        ours.append(own)
        loops.append(loop)
    own, loop = summed(ours), summed(loops)
    return [*rows, _against_loop("sum of the six", own, loop, 1, SUM_OF_SIX)]


def _one(setting: Setting, name: str, best: dict[str, int]) -> tuple[list[Row], Timing, Timing]:
    """Rows of one explainer, and the times of a clip in it: ours and the loop's."""
    entry = EXPLAINERS[name]
    settings = entry.settings({})
    passes = entry.passes(settings, setting.shape)
    n = setting.clips if sum(passes) > 2 else setting.many
    x = setting.maps(n)
    context = setting.context(name, clip_names(n))
    explain: Explainer = entry.load()
    needed = {kind: count for kind, count in zip(_PASSES, passes, strict=True) if count}
    bare = {kind: partial(_PASSES[kind], setting.detector, setting.maps(best[kind])) for kind in needed}
    timings = interleaved(
        {
            "ours": lambda: explain(setting.detector, x, context).relevance,
            "loop": lambda: explain_one_by_one(name, setting.plain, x, context),
            **bare,
        },
        setting.repeats,
        setting.device,
    )
    tolerance = AT_A_KINK if name == "grad_cam" else TOLERANCE
    check_same(f"relevance of {name}", timings["ours"].result, timings["loop"].result, tolerance)
    own, loop = (_per(timings[variant], n) for variant in ("ours", "loop"))
    floor = summed([_per(timings[kind], best[kind] / count) for kind, count in needed.items()])
    against_floor = Row(
        benchmark="attribution",
        case=entry.title,
        unit="ms/clip",
        ours=1e3 * own.seconds,
        against=f"floor: {passes.forward} forward, {passes.gradient} gradient",
        other=1e3 * floor.seconds,
        ratio=own.over(floor),
        sense="x of it",
        aim=NEAR_THE_FLOOR,
    )
    return [against_floor, _against_loop(entry.title, own, loop, 1, None)], own, loop


def _per(timing: Timing, n: float) -> Timing:
    return Timing(tuple(seconds / n for seconds in timing.rounds), None)


def _against_loop(case: str, ours: Timing, loop: Timing, n: int, aim: Aim | None) -> Row:
    return Row(
        benchmark="attribution",
        case=case,
        unit="ms/clip",
        ours=1e3 * ours.seconds / n,
        against="Captum, clip by clip",
        other=1e3 * loop.seconds / n,
        ratio=loop.over(ours),
        sense="x faster",
        aim=aim,
    )


def _forward(detector: Detector, x: Tensor) -> None:
    with torch.no_grad():
        detector.score(x)


def _gradient(detector: Detector, x: Tensor) -> None:
    x = x.detach().requires_grad_()
    torch.autograd.grad(detector.score(x).sum(), x)


_PASSES: dict[str, Callable[[Detector, Tensor], None]] = {"forward": _forward, "gradient": _gradient}


def _best_size(setting: Setting, kind: str) -> int:
    """Maps per pass at which a map is quickest."""
    variants = {
        str(size): partial(_PASSES[kind], setting.detector, setting.maps(size))
        for size in PASS_SIZES[setting.device.type]
    }
    timings = interleaved(variants, setting.repeats, setting.device)
    return int(min(timings, key=lambda size: timings[size].seconds / int(size)))
