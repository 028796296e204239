"""Cells of a whole set, ranked together: P2's spectrogram level, by two ground truths.

Source: Barusco et al. 2025, arXiv 2502.18328, after the code of a fork. ``exact_stems``: the cells that the event
dominates in the mixture. ``energy_rule``: the published truth (:mod:`soundproof.truth.energy_rule`). All cells of
normal clips are negatives. Maps are compared as they are: the published code brings them to 0..1 over the set,
which no ranking sees. The best F1 has its threshold from these very cells, an oracle.
"""

from __future__ import annotations

import numpy as np

from soundproof.core.registry import Parameters
from soundproof.localisation.measured import Measured
from soundproof.localisation.pooled import ENERGY, EXACT, Batches, Items, ranking_of_set
from soundproof.truth.energy_rule import energy_mask
from soundproof.truth.ground_truth import Truth


def measure(batches: Batches, settings: Parameters) -> Measured:
    """Area under the ROC curve, average precision and best F1 over all cells of the set, by each ground truth."""
    return ranking_of_set("pooled_cell", batches, _cells)


def _cells(maps: np.ndarray, truth: Truth) -> Items:
    truths = {EXACT: truth.cells(), ENERGY: energy_mask(truth.levels())}
    return Items(maps, truths, np.ones(len(maps), dtype=bool))
