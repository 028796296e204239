"""Faithfulness curves of six explainers beside loops over clips and points."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from torch import Tensor

from benchmarks.faithfulness_loop import ff_one_by_one, rise_one_by_one
from benchmarks.rows import Aim, Row, check_same
from benchmarks.setting import Setting, clip_names
from benchmarks.timing import interleaved
from soundproof.faithfulness.registry import FAITHFULNESS, RANDOM_CELLS, UNIFORM_FRAMES
from soundproof.interfaces.faithfulness import CHANCE, Faithfulness, FaithfulnessContext
from soundproof.randomness.ties import tie_breakers

FF_CURVES = Aim("at least", 5.0)


def faithfulness(setting: Setting) -> list[Row]:
    """Time FF (ten percentiles, frame and segment) and deletion and insertion (nine points).

    Both sides compute the chance lines; ours has two further protocols of FF beside the published one.
    """
    x = setting.maps(setting.clips)
    maps = setting.relevance(x)
    rows = []
    for name in ("ff", "deletion", "insertion"):
        entry = FAITHFULNESS[name]
        context = _context(setting, name, len(x))
        measure: Faithfulness = entry.load()
        timings = interleaved(
            {
                "ours": lambda: measure(setting.detector, x, maps, context),  # noqa: B023  # runs within this turn
                "loop": lambda: _loop(setting, name, x, maps, context),  # noqa: B023
            },
            setting.repeats,
            setting.device,
        )
        _check(name, timings["ours"].result, timings["loop"].result, list(maps))
        rows.append(
            Row(
                benchmark="faithfulness",
                case=f"{entry.title}, six explainers",
                unit="ms/clip",
                ours=1e3 * timings["ours"].seconds / len(x),
                against="clip by clip, point by point",
                other=1e3 * timings["loop"].seconds / len(x),
                ratio=timings["loop"].over(timings["ours"]),
                sense="x faster",
                aim=FF_CURVES if name == "ff" else None,
            )
        )
    return rows


def _context(setting: Setting, name: str, n: int) -> FaithfulnessContext:
    n_frames = setting.shape[1]
    event = torch.zeros(n_frames, dtype=torch.bool, device=setting.device)
    event[n_frames // 4 : n_frames // 2] = True
    return FaithfulnessContext(
        settings=FAITHFULNESS[name].settings({}),
        clip_ids=clip_names(n),
        annotated=[event] * n,
        frames_per_second=setting.axes.frames_per_second,
        segment_frames=min(40, n_frames // 10),
        rows_per_pass=setting.rows_per_pass(gradients=False),
    )


def _loop(
    setting: Setting, name: str, x: Tensor, maps: dict[str, Tensor], context: FaithfulnessContext
) -> Tensor:
    """Values [..., n_maps + 1, B] of a plain script; the last are those of the chance line."""
    settings: Any = context.settings
    if name == "ff":
        curves = [relevance.sum(dim=1, dtype=torch.float64) for relevance in maps.values()]
        curves += [
            context.uniform(UNIFORM_FRAMES, draw, x.shape[-1]).to(x.device) for draw in range(settings.draws)
        ]
        annotated = [frames for frames in context.annotated if frames is not None]
        values = ff_one_by_one(
            setting.plain, x, curves, annotated, settings.percentiles, context.segment_frames
        )
    else:
        drawn = [
            context.uniform(RANDOM_CELLS, draw, *x.shape[1:]).to(x.device) for draw in range(settings.draws)
        ]
        all_maps = [*maps.values(), *drawn]
        ties = torch.from_numpy(tie_breakers(context.clip_ids, x[0].numel())).to(x.device)
        insert = name == "insertion"
        values = rise_one_by_one(setting.plain, x, all_maps, settings.fractions, ties, insert=insert)
    chance = values[..., len(maps) :, :].mean(dim=-2, keepdim=True)
    return torch.cat([values[..., : len(maps), :], chance], dim=-2)


def _check(name: str, ours: pd.DataFrame, loop: Tensor, explainers: list[str]) -> None:
    if name == "ff":
        # maps without ties replace as many frames as any other: the chance of one is that of all
        one = ours["protocol"].eq(CHANCE) & ours["explainer"].eq(explainers[0])
        ours = pd.concat(
            [ours[ours["protocol"].eq("as_published")], ours[one].assign(explainer=UNIFORM_FRAMES)]
        )
        parts = [("ff_frame", loop[0]), ("ff_segment", loop[1])]
    else:
        parts = [(f"{name}_curve", loop)]
    chance = UNIFORM_FRAMES if name == "ff" else RANDOM_CELLS
    for metric, expected in parts:
        of_metric = ours[ours["metric"] == metric]
        found = of_metric.pivot_table(index="explainer", columns=["parameter", "clip_id"], values="value")
        values = torch.tensor(found.loc[[*explainers, chance]].to_numpy())
        check_same(metric, values, expected.transpose(0, 1).flatten(1))
