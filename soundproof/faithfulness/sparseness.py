"""Sparseness: on how few cells does a map lay its relevance? The Gini index of its magnitudes.

Source: Chalasani et al. 2020, arXiv 1810.06583, with the index as Hurley and Rickard 2009
(doi:10.1109/TIT.2009.2027527) write it: with the magnitudes m_1 <= ... <= m_n of the cells,
G = sum_k (2k - n - 1) m_k / (n sum_k m_k). 0: all cells alike; 1 - 1/n: one cell holds everything.

It says nothing of where the cells lie: a sparse map may be wrong, and a fault may be broad. It is there so that
what compares maps by their highest cells (IoU, deletion) can be read: a map whose relevance lies everywhere is cut
somewhere. Chance rows (explainer ``random_cells``) are those of Gaussian noise, about sqrt(2) - 1 = 0.41.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import torch
from torch import Tensor

from soundproof.faithfulness.settings import FaithfulnessSettings
from soundproof.faithfulness.shape_of_maps import measured_of_magnitudes
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext


def sparseness(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[FaithfulnessSettings],
) -> pd.DataFrame:
    """Gini index of each map's magnitudes, 0..1, higher = sparser.

    Args, returns as :func:`soundproof.faithfulness.shape_of_maps.measured_of_magnitudes`.
    The detector is not asked.
    """
    return measured_of_magnitudes("sparseness", gini, x, maps, context)


def gini(magnitudes: Tensor) -> Tensor:
    """Gini index of each row [n, n_cells] of magnitudes, [n]; NaN of a row of zeros."""
    n_cells = magnitudes.shape[1]
    places = torch.arange(1, n_cells + 1, dtype=magnitudes.dtype, device=magnitudes.device)
    ascending = torch.sort(magnitudes, dim=1)[0]
    return ascending @ (2 * places - n_cells - 1) / (n_cells * magnitudes.sum(dim=1))
