"""Each localisation metric with its chance lines, as the blocks from which the measurement rows are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from soundproof.localisation import cells
from soundproof.localisation.aupro import aupro
from soundproof.localisation.chance import circular_shift_chance, uniform_chance
from soundproof.localisation.frames import frame_auroc, frame_curves
from soundproof.localisation.segments import Protocol, segment_f1
from soundproof.localisation.truth import Truth
from soundproof.metrics import Undefined

UNIFORM = "chance_uniform"
SHIFT = "chance_circular_shift"


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
    """Segment F1 under both protocols; the chance lines follow the corrected one.

    Clips without an event are undefined: their F1 could only be zero.
    """
    annotated = truth.frames(maps.shape[2])
    curves = frame_curves(maps, settings.reduction)
    segment_frames = max(1, round(settings.segment_s * truth.frames_per_second))
    common = (curves, annotated, segment_frames, settings.percentiles)
    measured = {protocol: segment_f1(*common, protocol) for protocol in get_args(Protocol)}
    for protocol, values in {
        **measured,
        UNIFORM: uniform_chance(*common),
        SHIFT: circular_shift_chance(*common),
    }.items():
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
    yield Block("cell_ap", "", None, float(average_precision_score(positive, scores)))
    yield Block("cell_ap", UNIFORM, None, cells.average_precision_chance(int(positive.sum()), positive.size))


def aupro_rows(maps: np.ndarray, truth: Truth, settings: Any) -> Iterator[Block]:
    """AU-PRO of the set; its parameter is the integration limit."""
    value = aupro(maps, truth.cells(), settings.limit, settings.connectivity)
    yield Block("aupro", "", settings.limit, value)
    if not isinstance(value, Undefined):
        yield Block("aupro", UNIFORM, settings.limit, settings.limit / 2)


def iou_rows(maps: np.ndarray, truth: Truth, settings: Any) -> Iterator[Block]:
    """IoU at fixed quantiles, and each clip's best over a grid, which is an oracle: it looks at the truth."""
    masks = truth.cells()
    n_positive = masks.sum(axis=(1, 2)).tolist()
    n_items = masks[0].size
    measured = cells.iou(maps, masks, settings.quantiles)
    shifted = cells.iou_shifted(maps, masks, settings.quantiles)
    for column, quantile in enumerate(settings.quantiles):
        n_marked = cells.binarise(maps, quantile).sum(axis=(1, 2)).tolist()
        pairs = zip(n_marked, n_positive, strict=True)
        uniform = [cells.iou_chance(marked, n, n_items) if n else np.nan for marked, n in pairs]
        yield Block("iou", "", quantile, measured[:, column])
        yield Block("iou", UNIFORM, quantile, np.array(uniform))
        yield Block("iou", SHIFT, quantile, shifted[:, column])
    best = cells.iou(maps, masks, cells.ORACLE_QUANTILES).max(axis=1)
    yield Block("iou_oracle", "", None, best)
    chance = [cells.oracle_iou_chance(n, n_items) if n else np.nan for n in n_positive]
    yield Block("iou_oracle", UNIFORM, None, np.array(chance))
