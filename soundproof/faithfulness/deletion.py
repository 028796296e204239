"""Deletion and insertion curves: the score while cells go, or come back, in the order of their relevance.

Source: Petsiuk et al. 2018, arXiv 1806.07421, with the anomaly score in place of a class probability. Cells
are ranked by *signed* relevance, highest first; cells that tie go in a random order of the clip's own
(:mod:`soundproof.randomness.ties`), so that a map that ranks nothing is a random map. After k of n cells,

* ``deletion``: the k highest cells show the background, the others the clip (lower area = better);
* ``insertion``: the k highest cells show the clip, the others the background (higher area = better).

Scores are divided by the intact clip's so that clips can be averaged: 1 is the intact clip. What is left when
every cell is removed is not forced to 0: where the background itself scores nearly as high as the clip, dividing
by the small fall between them would let single clips rule the mean. A clip whose score is not positive has no
such share; it is left out and counted in the log. The area is the trapezoid rule's over k / n.

What a cell is replaced by decides who wins: the reconstruction favours the error map by construction, since that
map shows where clip and reconstruction differ; zero favours Occlusion, which fills its windows so by default. The
protocol names the replacement.

Chance rows (explainer ``random_cells``, protocol ``chance_uniform_<replacement>``) rank the cells at random.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from torch import Tensor

from soundproof.faithfulness.replaced_cells import cell_replacement
from soundproof.faithfulness.settings import CurveSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext


def deletion(
    detector: Detector, x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext[CurveSettings]
) -> pd.DataFrame:
    """Remove the most relevant cells first.

    Args:
        detector: Frozen detector.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Settings ``fractions``, ``replacement`` (one or several) and ``draws``; pass size.

    Returns:
        Metrics ``deletion_auc`` and ``deletion_curve``, the replacement as protocol; the curve's parameter is the
        fraction of cells removed.

    Raises:
        ConfigError: A reconstruction is asked for and the detector has none.
    """
    return cell_replacement(detector, x, maps, context, "deletion")
