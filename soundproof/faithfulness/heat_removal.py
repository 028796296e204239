"""P2's faithfulness: does the score fall when what is hot in the map is taken out of the clip?

Source: Barusco et al. 2025, arXiv 2502.18328, after the code of a fork of the authors' library. The heat M of a map
is the map brought to 0..1 by its own minimum and maximum, clip by clip; a constant map has no heat. With S the
clip's map as the detector sees it, f the score, and B = [M > 0.5]:

``soft_removal`` (FF1) takes heat out in proportion.

* ``as_published``: S' = S (1 - M n) with n = 1 / (1 + 10^(SNR/20)), the event's share, or n = 1 where no SNR
  is used. It moves every cell towards the *number* 0, which on a scale in dB is louder than most sound.
* ``corrected``: S' = S + M (N - S), towards what is normal: N is the median of the cell's band over the clip
  (or the clip's median). On a scale in dB this is a gain below or above 1 on the cell's power, and on any
  scale the same in whatever unit: a shift or factor of a band changes nothing.

``clean_background`` (FF2) puts the clean background S_bg, known from stems, into the hot half.

* ``as_published`` and ``corrected``: S' = S (1 - B) + S_bg B.

What becomes of the scores:

* ``as_published``: (f(S) - f(S')) / (max - min), the extremes taken over all f(S) and f(S') of the explainer's
  clips, normal ones included, whose clean background is themselves. One extreme clip moves all others.
* ``corrected``: 1 - f(S') / f(S), clip by clip, of anomalous clips alone. One whose score is not positive has
  no such share; it is left out and counted in the log.

Rivals, each measured as the map itself is: its own heat at random cells of the clip (``chance_uniform``), the heat
shifted in time (``chance_circular_shift``), and heat 1 everywhere (``flag_all``), which needs no map. The first two
remove as much as the map does: a map that is hot all over removes more than one with a single peak.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from soundproof.detectors.batching import in_passes
from soundproof.faithfulness.left_out import say_left_out
from soundproof.faithfulness.settings import HeatSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext, long_rows
from soundproof.storage.measurements import FLAG_ALL, SHIFT, UNIFORM

_LOG = logging.getLogger(__name__)
PUBLISHED, CORRECTED = "as_published", "corrected"
INTACT, REMOVED = "intact", "removed"
"""Protocols of the raw scores that the published scale is made from."""
Change = Callable[[Tensor, Tensor], Tensor]
"""``change(heat[n, n_freq, n_frames], clip[n])`` -> the changed maps [n, n_freq, n_frames]."""


def heat_of(relevance: Tensor) -> Tensor:
    """Bring each map [..., n_freq, n_frames] to 0..1 by its own extremes; a constant one to 0."""
    low = relevance.amin(dim=(-2, -1), keepdim=True)
    span = relevance.amax(dim=(-2, -1), keepdim=True) - low
    return torch.where(span > 0, (relevance - low) / torch.where(span > 0, span, 1), 0)


def on_the_published_scale(rows: pd.DataFrame) -> pd.DataFrame:
    """Divide published differences by the range of the scores, explainer by explainer, and drop the raw scores.

    Args:
        rows: What :func:`heat_removal` returned, of all clips that one model explains.

    Returns:
        The rows without raw scores; without published ones where all scores of an explainer are equal.
    """
    raw = rows["protocol"].isin([INTACT, REMOVED])
    scores = rows[raw].groupby("explainer")["value"]
    span = (scores.max() - scores.min()).replace(0.0, np.nan)
    kept = rows[~raw]
    published = kept["protocol"].str.endswith(PUBLISHED)
    scale = kept["explainer"].map(span).where(published, 1.0)
    out = kept.assign(value=kept["value"] / scale)
    lost = int(out["value"].isna().sum())
    if lost:
        _LOG.warning("%s: left out %d published rows: all scores are equal", rows["metric"].iloc[0], lost)
    return out.dropna(subset=["value"]).reset_index(drop=True)


class _Scores(NamedTuple):
    """Scores of changed clips.

    Attributes:
        by_kind: Own heat, then random and shifted ones, float64 [n_kinds, n_maps, B].
        of_all: Heat 1 everywhere, float64 [B].
    """

    by_kind: Tensor
    of_all: Tensor


def heat_removal(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[HeatSettings],
    metric: str,
    changes: Mapping[str, Change],
) -> pd.DataFrame:
    """Score clips whose hot cells were changed, beside the rivals of their heat.

    Args:
        detector: Frozen detector.
        x: Maps [B, n_freq, n_frames].
        maps: Relevance [B, n_freq, n_frames] by explainer.
        context: Labels of the clips, from which random cells are drawn, and the size of a pass.
        metric: Name of the rows.
        changes: What heat does to a clip, as published and corrected.

    Returns:
        Rows for :func:`on_the_published_scale`.
    """
    heats = heat_of(torch.stack([relevance.to(x) for relevance in maps.values()]))
    places = _places(context, x)
    with torch.no_grad():
        intact = in_passes(detector.score, x, context.rows_per_pass).double()
        scores: dict[Change, _Scores] = {}
        for change in changes.values():
            if change not in scores:
                scores[change] = _scores(detector, heats, places, change, context.rows_per_pass)
    known = context.anomalous or [False] * len(x)
    anomalous = torch.tensor(known, dtype=torch.bool, device=x.device)
    judged = anomalous & (intact > 0)
    say_left_out(metric, int((anomalous & ~judged).sum()))
    published, corrected = scores[changes[PUBLISHED]], scores[changes[CORRECTED]]
    draws, every = context.settings.draws, torch.ones_like(judged)
    parts = {
        **_with_rivals(PUBLISHED, published, draws, lambda left: intact - left),
        **_with_rivals(CORRECTED, corrected, draws, lambda left: 1 - left / intact),
        INTACT: intact.expand(len(heats), -1),
        REMOVED: published.by_kind[0],
    }
    return pd.concat(
        [
            long_rows(
                values[None][..., kept],
                metric=metric,
                protocol=protocol,
                explainers=list(maps),
                parameters=[None],
                clip_ids=[name for name, keep in zip(context.clip_ids, kept.tolist(), strict=True) if keep],
            )
            for protocol, values in parts.items()
            for kept in [judged if protocol.endswith(CORRECTED) else every]
        ],
        ignore_index=True,
    )


def _with_rivals(
    protocol: str, scores: _Scores, draws: int, of: Callable[[Tensor], Tensor]
) -> dict[str, Tensor]:
    """What the maps earn and what their rivals do, each [n_maps, B], by protocol."""
    own, shifted = of(scores.by_kind[: 1 + draws]), of(scores.by_kind[1 + draws :])
    found = {protocol: own[0], f"{UNIFORM}_{protocol}": own[1:].mean(dim=0)}
    if len(shifted):
        found[f"{SHIFT}_{protocol}"] = shifted.mean(dim=0)
    return found | {f"{FLAG_ALL}_{protocol}": of(scores.of_all).expand_as(own[0])}


def _places(context: FaithfulnessContext[HeatSettings], x: Tensor) -> Tensor:
    """Where each cell's heat comes from, int64 [n_kinds, B, n_cells]: itself, a random cell, an earlier frame."""
    n_clips, n_freq, n_frames = x.shape
    cells = torch.arange(n_freq * n_frames).view(n_freq, n_frames)
    kinds = [cells.flatten().expand(n_clips, -1)]
    for draw in range(context.settings.draws):
        kinds.append(context.uniform("heat", draw, n_freq * n_frames).argsort(dim=1))
    for draw in range(context.settings.shifts):
        lags = (context.uniform("heat shifts", draw) * n_frames).long().tolist()
        kinds.append(torch.stack([cells.roll(lag, dims=1).flatten() for lag in lags]))
    return torch.stack(kinds).to(x.device)


def _scores(detector: Detector, heats: Tensor, places: Tensor, change: Change, size: int) -> _Scores:
    """Score every clip after a change by every kind of heat; rows are made pass by pass, never all at once.

    A pass holds copies by one map: those by a map that several detectors have in common, as the input and the
    random map are, make the same batch for all of them (:mod:`soundproof.backbones.shared_maps`).

    Args:
        detector: Frozen detector.
        heats: [n_maps, B, n_freq, n_frames], 0..1.
        places: int64 [n_kinds, B, n_cells].
        change: What heat does to a clip.
        size: Rows per pass.
    """
    n_maps, n_clips = heats.shape[:2]
    kinds, clips = (torch.arange(n, device=heats.device) for n in (len(places), n_clips))
    rows = torch.cartesian_prod(kinds, clips)

    def score(of_map: int, rows: Tensor) -> Tensor:
        kind, clip = rows.unbind(dim=1)
        heat = heats[of_map, clip].flatten(1).gather(1, places[kind, clip])
        return detector.score(change(heat.view(-1, *heats.shape[2:]), clip))

    def score_of_all(clips: Tensor) -> Tensor:
        return detector.score(change(torch.ones_like(heats[0, clips]), clips))

    by_map = [in_passes(partial(score, of_map), rows, size).double() for of_map in range(n_maps)]
    return _Scores(
        torch.stack([scores.view(len(places), n_clips) for scores in by_map], dim=1),
        in_passes(score_of_all, clips, size).double(),
    )
