"""What metrics of a whole set share: batches of all explained clips, normal ones included, and rows of rankings.

A metric of single clips gets the maps of anomalous clips. One of a whole set gets a stream of batches that it may
read more than once, so that 10^8 cells never stand in memory, and normal clips count as in P2 (arXiv
2502.18328): all their cells and frames are negatives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from soundproof.interfaces.metric import Undefined
from soundproof.localisation.measured import Measured, Unmeasured
from soundproof.localisation.registry import INFLUENCE
from soundproof.statistics.binned_ranking import BinnedRanking, Bounded, ClipCounts, RankingHistogram
from soundproof.statistics.precision_recall import average_precision_chance, best_f1_chance, flag_all_f1
from soundproof.storage.measurements import FLAG_ALL, SHIFT, UNIFORM, Block
from soundproof.truth.ground_truth import Truth

Batches = Callable[[], Iterator[tuple[np.ndarray, Truth]]]
"""``batches()`` -> (maps [n, n_freq, n_frames], truth) of the clips, some at a time, in a fixed order."""
Pooled = Callable[[Batches, Any], Measured]
"""``measure(batches, settings)`` -> blocks of the set, for the maps of one explainer."""

ERROR = "error_bound"
"""Protocol of how far the exact number may lie from the one beside it, since items are counted in bins."""
EXACT, ENERGY = "exact_stems", "energy_rule"
"""Protocols by ground truth: what the event dominates in the mixture, and P2's rule on the event alone."""
GROUPS = 1024
"""Groups of bins by which a clip's weight in a ranking is read."""
_MEASURES: Mapping[str, Callable[[BinnedRanking], Bounded]] = {
    "auroc": BinnedRanking.auroc,
    "ap": BinnedRanking.average_precision,
    "max_f1": BinnedRanking.best_f1,
}


class Items(NamedTuple):
    """What is ranked of a batch of clips, with time as its last axis.

    Attributes:
        scores: [n, ...].
        truths: By protocol which of them are positive, bool [n, ...].
        known: Clips that somebody labelled, bool [n]; the others are left out.
    """

    scores: np.ndarray
    truths: Mapping[str, np.ndarray]
    known: np.ndarray


ItemsOf = Callable[[np.ndarray, Truth], Items]


def ranking_of_set(level: str, batches: Batches, items_of: ItemsOf) -> Measured:
    """Rank all items of a set: area under the ROC curve, average precision and best F1, by each ground truth.

    Beside each value stand the bound of its error and its rivals: a random order, what the map's own ranking earns
    shifted in time (of the area, where the mean over all shifts of all clips is exact: each marked item is spread
    evenly over the frames of its clip), and calling everything positive (of the F1). How much each clip weighs in a
    value stands in rows of single clips (:meth:`soundproof.statistics.binned_ranking.ClipCounts.influences`).

    Args:
        level: What is ranked, in front of the names of measures, such as ``pooled_cell``.
        batches: Maps and truth.
        items_of: Makes items of them.
    """
    counted, protocols = _counted(batches, items_of)
    by_clip, there = _counted_by_clip(batches, items_of, counted.groups(GROUPS), protocols)
    for index, protocol in enumerate(protocols):
        ranking = counted.ranking(index)
        if not ranking.n_positive or not ranking.n_negative:
            for name in _MEASURES:
                yield Unmeasured(f"{level}_{name}", Undefined("the set holds one class only"))
            continue
        rivals = _rivals(ranking, counted.ranking(len(protocols) + index))
        end = f"_{protocol}" if protocol else ""
        for name, measure in _MEASURES.items():
            metric, found = f"{level}_{name}", measure(ranking)
            yield Block(metric, protocol, None, found.value)
            yield Block(metric, f"{ERROR}{end}", None, found.error)
            for rival, chance in rivals[name].items():
                yield Block(metric, f"{rival}{end}", None, chance)
            weights = by_clip.influences(index, found.value, measure)
            if weights is None:
                continue
            yield Block(metric, f"{INFLUENCE}{end}", None, _spread_over(there, weights))
            # beside values of clips a reader looks for chance of clips
            for rival, chance in rivals[name].items():
                yield Block(metric, f"{rival}{end}", None, _spread_over(there, np.full(len(weights), chance)))


def _counted(batches: Batches, items_of: ItemsOf) -> tuple[RankingHistogram, list[str]]:
    """Counts by each ground truth and then by each one spread over time, and their protocols."""
    counted: RankingHistogram | None = None
    protocols: list[str] = []
    for maps, truth in batches():
        scores, truths, known = items_of(maps, truth)
        if counted is None:
            protocols = list(truths)
            counted = RankingHistogram(2 * len(protocols))
        marked = [truths[name][known] for name in protocols]
        spread = [np.broadcast_to(part.mean(axis=-1, keepdims=True), part.shape) for part in marked]
        counted.add(scores[known], *marked, *spread)
    if counted is None:
        raise ValueError("a set without clips")
    return counted, protocols


def _counted_by_clip(
    batches: Batches, items_of: ItemsOf, groups: np.ndarray, protocols: list[str]
) -> tuple[ClipCounts, np.ndarray]:
    """Counts clip by clip, and which of all clips they are."""
    by_clip, there = ClipCounts(groups, len(protocols)), []
    for maps, truth in batches():
        scores, truths, known = items_of(maps, truth)
        there.append(known)
        for row in np.flatnonzero(known):
            by_clip.add(scores[row], *(truths[name][row] for name in protocols))
    return by_clip, np.concatenate(there)


def _rivals(ranking: BinnedRanking, spread: BinnedRanking) -> dict[str, dict[str, float]]:
    """What each measure is compared with, by protocol."""
    n_positive, n_items = ranking.n_positive, ranking.n_positive + ranking.n_negative
    return {
        "auroc": {UNIFORM: 0.5, SHIFT: spread.auroc().value},
        "ap": {UNIFORM: average_precision_chance(n_positive, n_items)},
        "max_f1": {
            UNIFORM: best_f1_chance(n_positive, n_items),
            FLAG_ALL: flag_all_f1(n_positive, n_items),
        },
    }


def _spread_over(there: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values of the clips that are there, NaN for the others, float64 [n_clips]."""
    out = np.full(len(there), np.nan)
    out[there] = values
    return out
