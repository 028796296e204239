"""Scores of clips while cells are replaced in the order of their relevance: what deletion and insertion share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pandas as pd
import torch
from torch import Tensor

from soundproof.core.registry import Parameters
from soundproof.detectors.background import background
from soundproof.detectors.batching import in_passes
from soundproof.faithfulness.left_out import say_left_out
from soundproof.faithfulness.registry import RANDOM_CELLS
from soundproof.faithfulness.settings import CurveSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext, long_rows
from soundproof.interfaces.replacement import Background
from soundproof.randomness.ties import tie_breakers
from soundproof.storage.measurements import UNIFORM

Direction = Literal["deletion", "insertion"]


def cell_replacement(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[CurveSettings],
    name: Direction,
) -> pd.DataFrame:
    """Curves in one direction, for each replacement; see :mod:`soundproof.faithfulness.deletion`.

    Args:
        detector: Frozen detector.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Settings and pass size.
        name: Which way cells go, the first word of the metrics' names.

    Returns:
        Metrics ``<name>_auc`` and ``<name>_curve``.

    Raises:
        ConfigError: A reconstruction is asked for and the detector has none.
    """
    ranks, counts = ranked_cells(x, maps, context)
    return pd.concat(
        [
            _curves(detector, x, list(maps), ranks, counts, context, name, kind)
            for kind in context.settings.replacements
        ],
        ignore_index=True,
    )


def ranked_cells(
    x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext[CurveSettings]
) -> tuple[Tensor, Tensor]:
    """In which order cells go, and how many at each step.

    Args:
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Settings and clip ids, by which ties are split and random orders drawn.

    Returns:
        Rank of each cell by each map, then by each random order, int32 [n_rankings, B, n_freq, n_frames],
        0 = goes first; cells that go at each fraction, int [n_steps].
    """
    settings, cells = context.settings, x[0].numel()
    counts = torch.tensor([round(fraction * cells) for fraction in settings.fractions], device=x.device)
    return ranks_of_cells(x, maps, context, settings.draws), counts


def ranks_of_cells(
    x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext[Parameters], draws: int
) -> Tensor:
    """Rank of each cell by each map, then by each random order, int32 [n_rankings, B, n_freq, n_frames].

    Args:
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Clip ids, by which ties are split and random orders drawn.
        draws: Random orders.
    """
    drawn = [context.uniform(RANDOM_CELLS, d, *x.shape[1:]).to(x.device) for d in range(draws)]
    ties = torch.from_numpy(tie_breakers(context.clip_ids, x[0].numel())).to(x.device)
    shuffled = ties.argsort(dim=1, stable=True)
    return torch.stack([_ranks(relevance, shuffled) for relevance in [*maps.values(), *drawn]])


def _curves(
    detector: Detector,
    x: Tensor,
    explainers: list[str],
    ranks: Tensor,
    counts: Tensor,
    context: FaithfulnessContext[CurveSettings],
    name: Direction,
    kind: Background,
) -> pd.DataFrame:
    """Rows of one replacement; rankings beyond the explainers are random ones."""
    settings = context.settings
    cells = x[0].numel()
    with torch.no_grad():
        r = background(detector, x, kind, context.rows_per_pass, context.normal)
        # inserting is deleting with clip and background in each other's place
        kept, shown = (x, r) if name == "deletion" else (r, x)
        scores = scores_while_replaced(detector, kept, shown, ranks, counts, context.rows_per_pass)
    intact = scores[0, 0] if name == "deletion" else scores[-1, 0]
    positive = intact > 0
    say_left_out(name, int((~positive).sum()))
    curves = (scores / intact)[..., positive]
    area = torch.trapezoid(curves, counts.double() / cells, dim=0)[None]
    clip_ids = [clip_id for clip_id, keep in zip(context.clip_ids, positive.tolist(), strict=True) if keep]
    n_maps = len(explainers)
    return pd.concat(
        [
            long_rows(
                values,
                metric=metric,
                protocol=protocol,
                explainers=names,
                parameters=parameters,
                clip_ids=clip_ids,
            )
            for metric, parameters, all_values in (
                (f"{name}_auc", [None], area),
                (f"{name}_curve", settings.fractions, curves),
            )
            for protocol, names, values in (
                (kind, explainers, all_values[:, :n_maps]),
                (f"{UNIFORM}_{kind}", [RANDOM_CELLS], all_values[:, n_maps:].mean(dim=1, keepdim=True)),
            )
        ],
        ignore_index=True,
    )


def _ranks(relevance: Tensor, shuffled: Tensor) -> Tensor:
    """Rank of each cell, int32 [B, n_freq, n_frames]; 0 = most relevant, ties in the order of ``shuffled``.

    Args:
        relevance: Maps [B, n_freq, n_frames].
        shuffled: The cells of each clip in the order in which ties go, int64 [B, n_freq * n_frames].
    """
    # adding 0 turns -0 into 0, which a sort by bits would tell apart
    values = (relevance.flatten(1) + 0.0).gather(1, shuffled)
    order = shuffled.gather(1, values.argsort(dim=1, descending=True, stable=True))
    places = torch.arange(order.shape[1], dtype=torch.int32, device=order.device)
    ranks = torch.empty_like(order, dtype=torch.int32)
    # the inverse of an order is written down, not sorted for
    return ranks.scatter_(1, order, places.expand_as(order)).reshape(relevance.shape)


def scores_while_replaced(
    detector: Detector, kept: Tensor, shown: Tensor, ranks: Tensor, counts: Tensor, size: int
) -> Tensor:
    """Score every clip while its first cells are taken from ``shown``, the others from ``kept``.

    Rows are made pass by pass, never all at once; those with no or all cells changed are the same for every
    explainer and are scored once.

    Args:
        detector: Frozen detector.
        kept: Maps [B, n_freq, n_frames].
        shown: Maps of the same shape.
        ranks: int32 [n_rankings, B, n_freq, n_frames].
        counts: Cells taken from ``shown``, int [n_steps].
        size: Rows per pass.

    Returns:
        float64 [n_steps, n_rankings, B].
    """
    n_rankings, n_clips = ranks.shape[:2]
    steps = torch.cartesian_prod(
        counts, torch.arange(n_rankings, device=kept.device), torch.arange(n_clips, device=kept.device)
    )
    same_for_all = (steps[:, 0] == 0) | (steps[:, 0] == kept[0].numel())
    steps[same_for_all, 1] = 0
    distinct, row_of = torch.unique(steps, dim=0, return_inverse=True)

    def score(rows: Tensor) -> Tensor:
        count, ranking, clip = rows.unbind(dim=1)
        changed = ranks[ranking, clip] < count[:, None, None]
        return detector.score(torch.where(changed, shown[clip], kept[clip]))

    scores = in_passes(score, distinct, size).double()
    return scores[row_of].reshape(len(counts), n_rankings, n_clips)
