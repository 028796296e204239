"""Insertion curves: the score while cells come back in the order of their relevance.

All else is as in :mod:`soundproof.faithfulness.deletion`, which tells of both.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from torch import Tensor

from soundproof.faithfulness.replaced_cells import cell_replacement
from soundproof.faithfulness.settings import CurveSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext


def insertion(
    detector: Detector, x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext[CurveSettings]
) -> pd.DataFrame:
    """Start from the background and put the most relevant cells back first.

    Args, returns and errors as :func:`soundproof.faithfulness.deletion.deletion`, with ``insertion_auc`` and
    ``insertion_curve``; the curve's parameter is the fraction of cells put back.
    """
    return cell_replacement(detector, x, maps, context, "insertion")
