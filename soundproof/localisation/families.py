"""Each localisation metric with its chance lines, as the blocks from which the measurement rows are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

import numpy as np
from sklearn.metrics import roc_auc_score

from soundproof.interfaces.metric import Undefined
from soundproof.localisation import cells
from soundproof.localisation.aupro import aupro
from soundproof.localisation.aupro_parts import (
    INFLUENCE,
    clip_influences,
    false_positive_shares,
    region_counts,
)
from soundproof.localisation.average_precision import average_precision
from soundproof.localisation.chance import circular_shift_chance, uniform_chance
from soundproof.localisation.frames import frame_auroc, frame_curves
from soundproof.localisation.segments import Protocol, flag_all_f1, segment_f1
from soundproof.randomness.ties import n_top
from soundproof.truth.ground_truth import Truth

UNIFORM = "chance_uniform"
SHIFT = "chance_circular_shift"
FLAG_ALL = "flag_all"
"""Segment F1 of flagging every segment: no chance line, but the rival that needs no map at all."""


class Block(NamedTuple):
    """Values of one measure under one protocol at one parameter.

    Attributes:
        metric: As in the ``metric`` column.
        protocol: As in the ``protocol`` column; empty where there is only one.
        parameter: Percentile, quantile or limit; None where the measure has none.
        value: One per clip, float64 [n_clips] with NaN for undefined; or one for the whole set.
    """

    metric: str
    protocol: str
    parameter: float | None
    value: np.ndarray | float | Undefined


def segment_f1_rows(maps: np.ndarray, truth: Truth, settings: Any) -> Iterator[Block]:
    """Segment F1 under both protocols, each with chance lines for as many peaks, and of flagging every segment.

    Clips without an event are undefined: their F1 could only be zero.
    """
    annotated = truth.frames(maps.shape[2])
    curves = frame_curves(maps, settings.reduction)
    segment_frames = max(1, round(settings.segment_s * truth.frames_per_second))
    common = (curves, annotated, segment_frames, settings.percentiles)
    every = np.repeat(
        flag_all_f1(annotated, segment_frames)[:, np.newaxis], len(settings.percentiles), axis=1
    )
    measured = {FLAG_ALL: every}
    ties = truth.ties(maps.shape[2])
    for protocol in get_args(Protocol):
        suffix = "" if protocol == "corrected" else f"_{protocol}"
        measured |= {
            protocol: segment_f1(*common, protocol, ties),
            f"{UNIFORM}{suffix}": uniform_chance(*common, protocol, ties),
            f"{SHIFT}{suffix}": circular_shift_chance(*common, protocol, ties),
        }
    for protocol, values in measured.items():
        defined = np.where(truth.with_events()[:, np.newaxis], values, np.nan)
        for percentile, column in zip(settings.percentiles, defined.T, strict=True):
            yield Block("segment_f1", protocol, percentile, column)


def frame_auroc_rows(maps: np.ndarray, truth: Truth, settings: Any) -> Iterator[Block]:
    """Frame AUROC; both chance lines are 0.5 wherever the clip has a value."""
    values = frame_auroc(frame_curves(maps, settings.reduction), truth.frames(maps.shape[2]))
    yield Block("frame_auroc", "", None, values)
    for protocol in (UNIFORM, SHIFT):
        yield Block("frame_auroc", protocol, None, np.where(np.isnan(values), np.nan, 0.5))


def cell_ranking_rows(maps: np.ndarray, truth: Truth, settings: Any) -> Iterator[Block]:
    """Cell AUROC and average precision, clip by clip and (one row each) over the pooled cells of the set."""
    masks = truth.cells()
    auroc = cells.cell_auroc(maps, masks)
    yield Block("cell_auroc", "", None, auroc)
    yield Block("cell_auroc", UNIFORM, None, np.where(np.isnan(auroc), np.nan, 0.5))
    yield Block("cell_auroc", SHIFT, None, cells.cell_auroc_shifted(maps, masks))
    yield Block("cell_ap", "", None, cells.cell_average_precision(maps, masks))
    n_positive = masks.sum(axis=(1, 2)).tolist()
    chance = [cells.average_precision_chance(n, masks[0].size) if n else np.nan for n in n_positive]
    yield Block("cell_ap", UNIFORM, None, np.array(chance))
    yield from _pooled_ranking(maps.ravel(), masks.ravel())


def _pooled_ranking(scores: np.ndarray, positive: np.ndarray) -> Iterator[Block]:
    if not positive.any() or positive.all():
        missing = Undefined("the masks of the set hold one class of cells only")
        yield Block("cell_auroc", "", None, missing)
        yield Block("cell_ap", "", None, missing)
        return
    yield Block("cell_auroc", "", None, float(roc_auc_score(positive, scores)))
    yield Block("cell_auroc", UNIFORM, None, 0.5)
    yield Block("cell_ap", "", None, average_precision(scores, positive))
    yield Block("cell_ap", UNIFORM, None, cells.average_precision_chance(int(positive.sum()), positive.size))


def aupro_rows(maps: np.ndarray, truth: Truth, settings: Any) -> Iterator[Block]:
    """AU-PRO of the set and what stands behind it; its parameter is the integration limit.

    ``aupro_false_positives`` says which part of the false positives lies where (chance beside it), and
    ``aupro_regions`` how many regions count; its parameter is the size of the smallest that does.
    """
    masks, limit = truth.cells(), settings.limit
    value = aupro(maps, masks, limit, settings.connectivity, settings.min_cells)
    yield Block("aupro", "", limit, value)
    if isinstance(value, Undefined):
        return
    yield Block("aupro", UNIFORM, limit, limit / 2)
    influences = clip_influences(maps, masks, value, limit, settings.connectivity, settings.min_cells)
    if not isinstance(influences, Undefined):
        yield Block("aupro", INFLUENCE, limit, influences)
        yield Block("aupro", UNIFORM, limit, np.full(len(maps), limit / 2))
    for place, (share, chance) in false_positive_shares(maps, masks, limit).items():
        yield Block("aupro_false_positives", place, limit, share)
        yield Block("aupro_false_positives", f"{UNIFORM}_{place}", limit, chance)
    counts = region_counts(masks, settings.connectivity, settings.min_cells)
    for protocol, count in zip(("counted", "ignored"), counts, strict=True):
        yield Block("aupro_regions", protocol, float(settings.min_cells), float(count))


def iou_rows(maps: np.ndarray, truth: Truth, settings: Any) -> Iterator[Block]:
    """IoU at fixed quantiles, and each clip's best over a grid, which is an oracle: it looks at the truth."""
    masks = truth.cells()
    n_positive = masks.sum(axis=(1, 2)).tolist()
    n_items = masks[0].size
    ties = truth.ties(n_items)
    measured = cells.iou(maps, masks, settings.quantiles, ties)
    shifted = cells.iou_shifted(maps, masks, settings.quantiles, ties)
    for column, quantile in enumerate(settings.quantiles):
        marked = n_top(n_items, quantile)
        uniform = [cells.iou_chance(marked, n, n_items) if n else np.nan for n in n_positive]
        yield Block("iou", "", quantile, measured[:, column])
        yield Block("iou", UNIFORM, quantile, np.array(uniform))
        yield Block("iou", SHIFT, quantile, shifted[:, column])
    best = cells.iou(maps, masks, cells.ORACLE_QUANTILES, ties).max(axis=1)
    yield Block("iou_oracle", "", None, best)
    chance = [cells.oracle_iou_chance(n, n_items) if n else np.nan for n in n_positive]
    yield Block("iou_oracle", UNIFORM, None, np.array(chance))
