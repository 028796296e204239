"""Intersection over union as rows, at fixed quantiles and at the oracle's."""

from __future__ import annotations

import numpy as np

from soundproof.localisation import cells
from soundproof.localisation.measured import Measured
from soundproof.localisation.settings import IouSettings
from soundproof.randomness.ties import n_top
from soundproof.storage.measurements import SHIFT, UNIFORM, Block
from soundproof.truth.ground_truth import Truth


def measure(maps: np.ndarray, truth: Truth, settings: IouSettings) -> Measured:
    """IoU at fixed quantiles, and each clip's best over a grid, which is an oracle: it looks at the truth."""
    masks = truth.cells()
    n_positive = masks.sum(axis=(1, 2)).tolist()
    n_items = masks[0].size
    ties = truth.ties(n_items)
    n_fixed = len(settings.quantiles)
    # in one call, since each ranks all cells
    measured = cells.iou(maps, masks, (*settings.quantiles, *cells.ORACLE_QUANTILES), ties)
    shifted = cells.iou_shifted(maps, masks, settings.quantiles, ties)
    for column, quantile in enumerate(settings.quantiles):
        marked = n_top(n_items, quantile)
        uniform = [cells.iou_chance(marked, n, n_items) if n else np.nan for n in n_positive]
        yield Block("iou", "", quantile, measured[:, column])
        yield Block("iou", UNIFORM, quantile, np.array(uniform))
        yield Block("iou", SHIFT, quantile, shifted[:, column])
    yield Block("iou_oracle", "", None, measured[:, n_fixed:].max(axis=1))
    chance = [cells.oracle_iou_chance(n, n_items) if n else np.nan for n in n_positive]
    yield Block("iou_oracle", UNIFORM, None, np.array(chance))
