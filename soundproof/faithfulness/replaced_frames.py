"""Scores of clips with frames replaced, and FF from them: what FF shares between its replacements."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import torch
from torch import Tensor

from soundproof.detectors.background import background
from soundproof.detectors.batching import in_passes
from soundproof.faithfulness.frame_marks import (
    equal_frame_masks,
    frame_masks,
    frame_ranks,
    segment_masks,
    shifted_masks,
)
from soundproof.faithfulness.left_out import say_left_out
from soundproof.faithfulness.registry import UNIFORM_FRAMES
from soundproof.faithfulness.settings import FfSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext, long_rows
from soundproof.interfaces.replacement import Background
from soundproof.randomness.ties import tie_breakers
from soundproof.storage.measurements import SHIFT, UNIFORM

_AS_PUBLISHED = ("as_published", UNIFORM)
"""Protocols whose annotation ends before the clip's last frame."""


def frame_replacement(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[FfSettings],
    kind: Background,
    prefix: str,
) -> pd.DataFrame:
    """FF with one kind of replacement; see :mod:`soundproof.faithfulness.ff`.

    Args:
        detector: Frozen detector.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Settings, annotated frames, segment length, pass size.
        kind: What stands in a replaced frame.
        prefix: First words of the metrics' names.

    Returns:
        Metrics ``<prefix>_frame`` and ``<prefix>_segment``; the parameter is the percentile.

    Raises:
        ConfigError: A reconstruction is asked for and the detector has none.
    """
    n_frames = x.shape[-1]
    annotated = torch.stack(
        [
            torch.zeros(n_frames, dtype=torch.bool, device=x.device)
            if frames is None
            else frames.to(x.device)
            for frames in context.annotated
        ]
    )
    marks = _marks(maps, n_frames, x.device, context)
    widths = [part.shape[1] for part in marks.values()]
    by_frame = torch.cat(list(marks.values()), dim=1)
    published = _without_last_frame(annotated)
    reach = [
        (published if name in _AS_PUBLISHED else annotated).expand(width, *annotated.shape)
        for name, width in zip(marks, widths, strict=True)
    ]
    by_segment = segment_masks(by_frame, context.segment_frames) & torch.cat(reach)
    masks = torch.stack([by_frame, by_segment])
    with torch.no_grad():
        r = background(detector, x, kind, context.rows_per_pass)
        intact, replaced = _scores(detector, x, r, masks, context.rows_per_pass)
    positive = intact > 0
    say_left_out(prefix, int((~positive).sum()))
    frame_ff, segment_ff = (
        dict(zip(marks, torch.split(1 - of_level / intact, widths, dim=1), strict=True))
        for of_level in replaced
    )
    return pd.concat(
        [
            _rows(frame_ff, positive, f"{prefix}_frame", list(maps), context),
            _rows(segment_ff, positive & annotated.any(dim=1), f"{prefix}_segment", list(maps), context),
        ],
        ignore_index=True,
    )


def _marks(
    maps: Mapping[str, Tensor], n_frames: int, device: torch.device, context: FaithfulnessContext[FfSettings]
) -> dict[str, Tensor]:
    """Frames to replace, bool [n_percentiles, width, B, n_frames], by what they are for.

    By the published rule and in equal number there is one per explainer; random frames in equal number one per
    draw; as many random ones as the published rule marks (explainers x draws); and shifted (shifts x explainers).
    """
    settings = context.settings
    percentiles = settings.percentiles
    n_clips = len(context.clip_ids)
    ties = torch.from_numpy(tie_breakers(context.clip_ids, n_frames)).to(device)
    curves = [relevance.sum(dim=1, dtype=torch.float64) for relevance in maps.values()]
    stacked = torch.stack(curves) if curves else ties.new_empty(0, n_clips, n_frames)
    random = torch.stack([context.uniform(UNIFORM_FRAMES, d, n_frames) for d in range(settings.draws)]).to(
        device
    )
    published = frame_masks(stacked, percentiles)
    equal = equal_frame_masks(stacked, percentiles, ties)
    uniform = equal_frame_masks(random, percentiles, ties)
    own = frame_ranks(random, ties) < published.sum(dim=-1)[:, :, None, :, None]
    draws = [context.uniform("shifts", draw, len(percentiles)) for draw in range(settings.shifts)]
    shifts = torch.stack(draws).to(device) if draws else ties.new_empty(0, n_clips, len(percentiles))
    return {
        "as_published": published,
        "unclipped": published,
        "corrected": equal,
        f"{UNIFORM}_unclipped": uniform,
        UNIFORM: own.flatten(1, 2),
        SHIFT: shifted_masks(equal, shifts).flatten(1, 2),
    }


def _without_last_frame(annotated: Tensor) -> Tensor:
    """Annotated frames [B, n_frames] as the published labels have them."""
    out = annotated.clone()
    out[:, -1] = False
    return out


def _scores(detector: Detector, x: Tensor, r: Tensor, masks: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Score each clip, and each clip with each mask of it replaced; equal rows are scored once.

    Neighbouring percentiles and explainers often pick the same segments. The intact clip is the row of the
    empty mask. Rows are made pass by pass, never all at once.

    Args:
        detector: Frozen detector.
        x: Maps [B, n_freq, n_frames].
        r: What replaces them, the same shape.
        masks: bool [..., B, n_frames].
        size: Rows per pass.

    Returns:
        float64 [B] and float64 [..., B].
    """
    n_clips, n_frames = len(x), x.shape[-1]
    clip = torch.arange(n_clips, dtype=torch.int16, device=x.device)[:, None]
    flat = masks.reshape(-1, n_clips, n_frames)
    every = torch.cat([torch.zeros_like(flat[:1]), flat])
    keys = torch.cat([clip.expand(len(every), -1, -1), every.to(clip.dtype)], dim=-1)
    distinct, row_of = torch.unique(keys.flatten(0, 1), dim=0, return_inverse=True)

    def score(rows: Tensor) -> Tensor:
        clips, mask = rows[:, 0].long(), rows[:, 1:].bool()
        return detector.score(torch.where(mask[:, None, :], r[clips], x[clips]))

    scores = in_passes(score, distinct, size).double()[row_of].reshape(len(every), n_clips)
    return scores[0], scores[1:].reshape(masks.shape[:-1])


def _rows(
    ff: Mapping[str, Tensor],
    defined: Tensor,
    metric: str,
    explainers: list[str],
    context: FaithfulnessContext[FfSettings],
) -> pd.DataFrame:
    """Turn the parts of FF, each [n_percentiles, width, B] as :func:`_marks` has them, into rows."""
    settings = context.settings
    clip_ids = [clip_id for clip_id, keep in zip(context.clip_ids, defined.tolist(), strict=True) if keep]
    parts = {name: part[..., defined] for name, part in ff.items()}
    own, shifted = parts[UNIFORM], parts[SHIFT]
    of_draws = own.clamp(min=0).reshape(len(own), len(explainers), settings.draws, own.shape[-1])
    uniform = parts[f"{UNIFORM}_unclipped"].mean(dim=1, keepdim=True)
    by_protocol = {
        "as_published": (explainers, parts["as_published"].clamp(min=0)),
        "unclipped": (explainers, parts["unclipped"]),
        "corrected": (explainers, parts["corrected"]),
        UNIFORM: (explainers, of_draws.mean(dim=2)),
        f"{UNIFORM}_unclipped": ([UNIFORM_FRAMES], uniform),
    }
    if settings.shifts:
        of_shifts = shifted.reshape(len(shifted), settings.shifts, len(explainers), shifted.shape[-1])
        by_protocol[f"{SHIFT}_unclipped"] = (explainers, of_shifts.mean(dim=1))
    return pd.concat(
        [
            long_rows(
                values,
                metric=metric,
                protocol=protocol,
                explainers=names,
                parameters=settings.percentiles,
                clip_ids=clip_ids,
            )
            for protocol, (names, values) in by_protocol.items()
        ],
        ignore_index=True,
    )
