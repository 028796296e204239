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
* ``corrected``: FF_p, and frames at the minimum of the curve are never replaced. Where ties reach down to the
  minimum, theta_p *is* the minimum and the published rule replaces the whole clip: a map that is zero nearly
  everywhere would win. Without such ties it equals ``unclipped``.

Chance rows (explainer ``uniform_frames``) replace the frames that a curve of random numbers picks: as many as
any curve without ties does. They come clipped (``chance_uniform``, beside ``as_published``) and unclipped
(``chance_uniform_unclipped``).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from soundproof.batching import in_passes
from soundproof.detectors.base import Detector
from soundproof.faithfulness.background import background
from soundproof.faithfulness.base import CHANCE, FaithfulnessContext, long_rows
from soundproof.faithfulness.registry import UNIFORM_FRAMES, Background
from soundproof.localisation.segments import cell_starts

_LOG = logging.getLogger(__name__)


def reconstruction_ff(
    detector: Detector, x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext
) -> pd.DataFrame:
    """FF as the paper has it: replace by the detector's reconstruction.

    The error map is favoured by construction, since it shows where reconstruction and clip differ.

    Args:
        detector: Frozen detector that reconstructs.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Settings ``percentiles`` and ``draws``, annotated frames, segment length, pass size.

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
    settings: Any = context.settings
    n_frames = x.shape[-1]
    curves = [relevance.sum(dim=1, dtype=torch.float64) for relevance in maps.values()]
    curves += [context.uniform(UNIFORM_FRAMES, draw, n_frames).to(x.device) for draw in range(settings.draws)]
    annotated = torch.stack(
        [
            torch.zeros(n_frames, dtype=torch.bool, device=x.device)
            if frames is None
            else frames.to(x.device)
            for frames in context.annotated
        ]
    )
    published, corrected = frame_masks(torch.stack(curves), settings.percentiles)
    by_frame = torch.stack([published, published, corrected])
    in_reach = torch.stack([_without_last_frame(annotated), annotated, annotated])[:, None, None]
    by_segment = segment_masks(by_frame, context.segment_frames) & in_reach
    masks = torch.stack([by_frame, by_segment])
    with torch.no_grad():
        r = background(detector, x, kind, context.rows_per_pass)
        intact, replaced = _scores(detector, x, r, masks, context.rows_per_pass)
    positive = intact > 0
    if not positive.all():
        _LOG.warning("%s: left out %d clips whose score is not positive", prefix, int((~positive).sum()))
    frame_ff, segment_ff = 1 - replaced / intact
    return pd.concat(
        [
            _rows(frame_ff, positive, f"{prefix}_frame", list(maps), context),
            _rows(segment_ff, positive & annotated.any(dim=1), f"{prefix}_segment", list(maps), context),
        ],
        ignore_index=True,
    )


def frame_masks(curves: Tensor, percentiles: tuple[float, ...]) -> Tensor:
    """Mark the frames at or above each percentile of their own curve.

    Args:
        curves: float64 [n_curves, B, n_frames].
        percentiles: Percentiles, 0..100.

    Returns:
        bool [2, n_percentiles, n_curves, B, n_frames]; first the published rule, then the one that spares
        frames at the minimum of the curve.
    """
    quantiles = torch.tensor(percentiles, dtype=curves.dtype, device=curves.device) / 100
    published = curves >= torch.quantile(curves, quantiles, dim=-1, keepdim=True)
    return torch.stack([published, published & (curves > curves.amin(dim=-1, keepdim=True))])


def _without_last_frame(annotated: Tensor) -> Tensor:
    """Annotated frames [B, n_frames] as the published labels have them."""
    out = annotated.clone()
    out[:, -1] = False
    return out


def segment_masks(frames: Tensor, segment_frames: int) -> Tensor:
    """Extend marked frames to the segments that hold them.

    Args:
        frames: bool [..., n_frames].
        segment_frames: Frames in a segment; for a remainder see
            :func:`soundproof.localisation.segments.cell_starts`.

    Returns:
        bool like ``frames``.
    """
    n_frames = frames.shape[-1]
    segments = torch.empty_like(frames)
    for start, stop in pairwise([*cell_starts(n_frames, segment_frames).tolist(), n_frames]):
        segments[..., start:stop] = frames[..., start:stop].any(dim=-1, keepdim=True)
    return segments


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
    ff: Tensor, defined: Tensor, metric: str, explainers: list[str], context: FaithfulnessContext
) -> pd.DataFrame:
    """Turn FF [3 protocols, n_percentiles, n_explainers + n_draws, B] into rows."""
    settings: Any = context.settings
    clip_ids = [clip_id for clip_id, keep in zip(context.clip_ids, defined.tolist(), strict=True) if keep]
    n_maps = len(explainers)
    published, unclipped, corrected = ff[..., defined]
    by_protocol = {
        "as_published": (explainers, published[:, :n_maps].clamp(min=0)),
        "unclipped": (explainers, unclipped[:, :n_maps]),
        "corrected": (explainers, corrected[:, :n_maps]),
        CHANCE: ([UNIFORM_FRAMES], published[:, n_maps:].clamp(min=0).mean(dim=1, keepdim=True)),
        f"{CHANCE}_unclipped": ([UNIFORM_FRAMES], unclipped[:, n_maps:].mean(dim=1, keepdim=True)),
    }
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
