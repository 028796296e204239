"""Cell AUROC and average precision as rows, by clip and over the pooled cells of the set."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from soundproof.core.registry import Parameters
from soundproof.interfaces.metric import Undefined
from soundproof.localisation import cells
from soundproof.localisation.average_precision import average_precision
from soundproof.localisation.measured import Measured, Unmeasured
from soundproof.statistics.precision_recall import average_precision_chance
from soundproof.storage.measurements import SHIFT, UNIFORM, Block
from soundproof.truth.ground_truth import Truth


def measure(maps: np.ndarray, truth: Truth, settings: Parameters) -> Measured:
    """Cell AUROC and average precision, clip by clip and (one row each) over the pooled cells of the set."""
    masks = truth.cells()
    auroc = cells.cell_auroc(maps, masks)
    yield Block("cell_auroc", "", None, auroc)
    yield Block("cell_auroc", UNIFORM, None, np.where(np.isnan(auroc), np.nan, 0.5))
    yield Block("cell_auroc", SHIFT, None, cells.cell_auroc_shifted(maps, masks))
    yield Block("cell_ap", "", None, cells.cell_average_precision(maps, masks))
    n_positive = masks.sum(axis=(1, 2)).tolist()
    chance = [average_precision_chance(n, masks[0].size) if n else np.nan for n in n_positive]
    yield Block("cell_ap", UNIFORM, None, np.array(chance))
    yield from _pooled_ranking(maps.ravel(), masks.ravel())


def _pooled_ranking(scores: np.ndarray, positive: np.ndarray) -> Measured:
    if not positive.any() or positive.all():
        missing = Undefined("the masks of the set hold one class of cells only")
        yield Unmeasured("cell_auroc", missing)
        yield Unmeasured("cell_ap", missing)
        return
    yield Block("cell_auroc", "", None, float(roc_auc_score(positive, scores)))
    yield Block("cell_auroc", UNIFORM, None, 0.5)
    yield Block("cell_ap", "", None, average_precision(scores, positive))
    yield Block("cell_ap", UNIFORM, None, average_precision_chance(int(positive.sum()), positive.size))
