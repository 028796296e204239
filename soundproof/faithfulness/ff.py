"""FF: how much of the anomaly score goes away when the time an explanation points at is replaced.

Source: Elrashid et al., arXiv 2601.12660, faithfulness. With the curve c_t = sum of the signed relevance over
frequency and theta_p its p-quantile (linear interpolation, curve not normalised):

* ``frame``: m_t = [c_t >= theta_p];
* ``segment``: m_t = 1 in every segment that holds such a frame, and inside an annotated interval; only clips
  with an annotated frame have rows;
* x' = m r + (1 - m) x in all bands, and FF_p = 1 - score(x') / score(x).

The paper takes the reconstruction r = g(x) and the mean squared reconstruction error; where that error is the
detector's score, as in all auto-encoders here, the two forms are the same. Protocols:

* ``as_published``: max(0, FF_p), which hides replacements that raise the score; by segment, the clip's last frame
  counts as unannotated, since the published labels of 400 frames end with ``[..., 399)``;
* ``unclipped``: FF_p;
* ``corrected``: FF_p, with as many frames replaced for every curve as for one without ties; a tie at theta_p is
  split at random (:mod:`soundproof.randomness.ties`). The published rule replaces all of a tie: curves with ties, such as the
  blocks of an occlusion window, then replace more frames than their rivals, in the extreme the whole clip. Without
  ties the two are the same.

FF is built on the reconstruction error, so that the error map is favoured by construction.

Chance rows replace frames at random: as many as the explainer's own curve does by the published rule, clipped
(``chance_uniform``, one per explainer, beside ``as_published``), or as many as every curve does
(``chance_uniform_unclipped`` under the name ``uniform_frames``, beside ``corrected``). Random frames scatter, and
touch more segments than clustered ones; ``chance_circular_shift_unclipped`` shifts each explainer's own frames in
time instead (beside ``corrected``).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from soundproof.detectors.batching import in_passes
from soundproof.faithfulness.background import background
from soundproof.faithfulness.frame_marks import (
    equal_frame_masks,
    frame_masks,
    frame_ranks,
    segment_masks,
    shifted_masks,
)
from soundproof.faithfulness.registry import UNIFORM_FRAMES, Background
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import CHANCE, SHIFT, FaithfulnessContext, long_rows
from soundproof.randomness.ties import tie_breakers

_LOG = logging.getLogger(__name__)
_AS_PUBLISHED = ("as_published", CHANCE)
"""Protocols whose annotation ends before the clip's last frame."""


def reconstruction_ff(
    detector: Detector, x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext
) -> pd.DataFrame:
    """FF as the paper has it: replace by the detector's reconstruction.

    The error map is favoured by construction, since it shows where reconstruction and clip differ.

    Args:
        detector: Frozen detector that reconstructs.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Settings ``percentiles``, ``draws`` and ``shifts``, annotated frames, segment length, pass size.

    Returns:
        Metrics ``ff_frame`` and ``ff_segment``; the parameter is the percentile.

    Raises:
        ConfigError: The detector has no reconstruction.
    """
    return _ff(detector, x, maps, context, "reconstruction", "ff")


def background_ff(
    detector: Detector, x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext
) -> pd.DataFrame:
    """FF for any detector with positive scores: replace by a background taken from the clip itself.

    Args and returns as :func:`reconstruction_ff`, with the further setting ``replacement`` and the metrics
    ``ff_background_frame`` and ``ff_background_segment``.
    """
    settings: Any = context.settings
    return _ff(detector, x, maps, context, settings.replacement, "ff_background")


def _ff(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext,
    kind: Background,
    prefix: str,
) -> pd.DataFrame:
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
    if not positive.all():
        _LOG.warning("%s: left out %d clips whose score is not positive", prefix, int((~positive).sum()))
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
    maps: Mapping[str, Tensor], n_frames: int, device: torch.device, context: FaithfulnessContext
) -> dict[str, Tensor]:
    """Frames to replace, bool [n_percentiles, width, B, n_frames], by what they are for.

    By the published rule and in equal number there is one per explainer; random frames in equal number one per
    draw; as many random ones as the published rule marks (explainers x draws); and shifted (shifts x explainers).
    """
    settings: Any = context.settings
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
        f"{CHANCE}_unclipped": uniform,
        CHANCE: own.flatten(1, 2),
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
    context: FaithfulnessContext,
) -> pd.DataFrame:
    """Turn the parts of FF, each [n_percentiles, width, B] as :func:`_marks` has them, into rows."""
    settings: Any = context.settings
    clip_ids = [clip_id for clip_id, keep in zip(context.clip_ids, defined.tolist(), strict=True) if keep]
    parts = {name: part[..., defined] for name, part in ff.items()}
    own, shifted = parts[CHANCE], parts[SHIFT]
    of_draws = own.clamp(min=0).reshape(len(own), len(explainers), settings.draws, own.shape[-1])
    uniform = parts[f"{CHANCE}_unclipped"].mean(dim=1, keepdim=True)
    by_protocol = {
        "as_published": (explainers, parts["as_published"].clamp(min=0)),
        "unclipped": (explainers, parts["unclipped"]),
        "corrected": (explainers, parts["corrected"]),
        CHANCE: (explainers, of_draws.mean(dim=2)),
        f"{CHANCE}_unclipped": ([UNIFORM_FRAMES], uniform),
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
