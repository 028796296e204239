"""What metrics of a whole set share: batches of all explained clips, normal ones included, and rows of rankings.

A metric of single clips gets the maps of anomalous clips. One of a whole set gets a stream of batches that it may
read more than once, so that 10^8 cells never stand in memory, and normal clips count as in P2 (arXiv
2502.18328): all their cells and frames are negatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from soundproof.interfaces.metric import Undefined
from soundproof.localisation.measured import Measured, Unmeasured
from soundproof.statistics.binned_ranking import BinnedRanking
from soundproof.statistics.precision_recall import average_precision_chance, best_f1_chance, flag_all_f1
from soundproof.storage.measurements import FLAG_ALL, UNIFORM, Block
from soundproof.truth.ground_truth import Truth

Batches = Callable[[], Iterator[tuple[np.ndarray, Truth]]]
"""``batches()`` -> (maps [n, n_freq, n_frames], truth) of the clips, some at a time, in a fixed order."""
Pooled = Callable[[Batches, Any], Measured]
"""``measure(batches, settings)`` -> blocks of the set, for the maps of one explainer."""

ERROR = "error_bound"
"""Protocol of how far the exact number may lie from the one beside it, since items are counted in bins."""


def ranking_blocks(level: str, protocol: str, ranking: BinnedRanking) -> Measured:
    """Area under the ROC curve, average precision and best F1 of a ranking, with bounds of error and rivals.

    Args:
        level: What is ranked, in front of the names of measures, such as ``pooled_cell``.
        protocol: Which ground truth judges.
        ranking: The ranking.
    """
    names = {measure: f"{level}_{measure}" for measure in ("auroc", "ap", "max_f1")}
    n_positive, n_items = ranking.n_positive, ranking.n_positive + ranking.n_negative
    if not n_positive or not ranking.n_negative:
        for name in names.values():
            yield Unmeasured(name, Undefined("the set holds one class only"))
        return
    found = {
        "auroc": (ranking.auroc(), 0.5),
        "ap": (ranking.average_precision(), average_precision_chance(n_positive, n_items)),
        "max_f1": (ranking.best_f1(), best_f1_chance(n_positive, n_items)),
    }
    end = f"_{protocol}" if protocol else ""
    for measure, (bounded, chance) in found.items():
        yield Block(names[measure], protocol, None, bounded.value)
        yield Block(names[measure], f"{ERROR}{end}", None, bounded.error)
        yield Block(names[measure], f"{UNIFORM}{end}", None, chance)
    yield Block(names["max_f1"], f"{FLAG_ALL}{end}", None, flag_all_f1(n_positive, n_items))
