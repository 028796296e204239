"""The ceiling of the model-randomisation check: how alike the maps of two trainings are.

Random weights take away what was learnt. How far that can change a map is told by another training of the same
detector, which learnt the same from the same clips: where two trainings agree no better than a training and random
weights, the check cannot tell learning from chance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from soundproof.faithfulness.similarity import VARIANTS, ranked, similarity_of
from soundproof.storage.fits import Fit
from soundproof.storage.maps import ROWS_PER_GROUP, MapReader
from soundproof.storage.measurements import Block, rows_of

METRIC = "training_similarity"


class Compared(NamedTuple):
    """One training beside the others of its detector.

    Attributes:
        detector: Label.
        seed: Run seed of the training.
        rows: Frame of :data:`soundproof.storage.measurements.COLUMNS` with protocols ``signed`` and
            ``absolute``: the mean similarity to the maps of the other trainings.
    """

    detector: str
    seed: int
    rows: pd.DataFrame


def compare_trainings(
    maps: Mapping[Fit, Mapping[str, MapReader]], clip_ids: Sequence[str]
) -> Iterator[Compared]:
    """Compare each training's maps with those of the same detector's other trainings.

    Args:
        maps: Relevance by detector and seed, and by explainer.
        clip_ids: Clips to compare.

    Yields:
        One for each training of a detector that has several.
    """
    seeds: dict[str, list[int]] = defaultdict(list)
    for detector, seed in maps:
        seeds[detector].append(seed)
    for detector, trained in seeds.items():
        if len(trained) < 2:
            continue
        parts: dict[int, list[pd.DataFrame]] = {seed: [] for seed in trained}
        for explainer in maps[detector, trained[0]]:
            readers = [maps[detector, seed][explainer] for seed in trained]
            for start in range(0, len(clip_ids), ROWS_PER_GROUP):
                ids = clip_ids[start : start + ROWS_PER_GROUP]
                means = _mean_similarities([reader.read(ids) for reader in readers])
                for seed, values in zip(trained, means, strict=True):
                    parts[seed].append(_rows(values, explainer, ids))
        for seed in trained:
            yield Compared(detector, seed, pd.concat(parts[seed], ignore_index=True))


def _mean_similarities(relevance: Sequence[np.ndarray]) -> np.ndarray:
    """Mean similarity of each of n maps to the others, float64 [n, 2, B]."""
    n, ranks = len(relevance), [ranked(maps) for maps in relevance]
    sums = np.zeros((n, len(VARIANTS), len(relevance[0])))
    for one in range(n):
        for other in range(one + 1, n):
            found = similarity_of(ranks[one], ranks[other])
            sums[one] += found
            sums[other] += found
    return sums / (n - 1)


def _rows(values: np.ndarray, explainer: str, clip_ids: Sequence[str]) -> pd.DataFrame:
    """Rows of values [2, B], one protocol each."""
    blocks = (
        Block(METRIC, protocol, None, of_clips, explainer)
        for protocol, of_clips in zip(VARIANTS, values, strict=True)
    )
    return rows_of(blocks, clip_ids)
