"""Complexity: over how many cells does a map spread its relevance? The entropy of its magnitudes.

Source: Bhatt et al. 2020, arXiv 2005.00631: with the share p_k of the magnitudes that cell k of n holds,
H = -sum_k p_k log p_k; here over its largest value, log n, so that maps of different grids can be compared. 1: all
cells alike; 0: one cell holds everything. ``n ** H`` is the number of equal cells that would be as complex.

As :mod:`soundproof.faithfulness.sparseness` it says nothing of where the cells lie. Chance rows (explainer
``random_cells``) are those of Gaussian noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd
import torch
from torch import Tensor

from soundproof.faithfulness.settings import FaithfulnessSettings
from soundproof.faithfulness.shape_of_maps import measured_of_magnitudes
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext


def complexity(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[FaithfulnessSettings],
) -> pd.DataFrame:
    """Entropy of each map's magnitudes over the largest possible one, 0..1, lower = simpler.

    Args, returns as :func:`soundproof.faithfulness.shape_of_maps.measured_of_magnitudes`.
    The detector is not asked.
    """
    return measured_of_magnitudes("complexity", relative_entropy, x, maps, context)


def relative_entropy(magnitudes: Tensor) -> Tensor:
    """Entropy of each row [n, n_cells] of magnitudes over log n_cells, [n]; NaN of a row of zeros."""
    shares = magnitudes / magnitudes.sum(dim=1, keepdim=True)
    return -torch.xlogy(shares, shares).sum(dim=1) / math.log(magnitudes.shape[1])
