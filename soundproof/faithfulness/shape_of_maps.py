"""Numbers of maps as they are, beside that of noise: they ask neither the detector nor where the fault is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import pandas as pd
from torch import Tensor

from soundproof.faithfulness.registry import RANDOM_CELLS
from soundproof.faithfulness.settings import FaithfulnessSettings
from soundproof.interfaces.faithfulness import FaithfulnessContext
from soundproof.storage.measurements import UNIFORM, Block, rows_of

_LOG = logging.getLogger(__name__)


def measured_of_magnitudes(
    metric: str,
    of_magnitudes: Callable[[Tensor], Tensor],
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[FaithfulnessSettings],
) -> pd.DataFrame:
    """Rows of a number that hangs on the magnitudes of a map's cells, in whatever order they stand.

    Args:
        metric: Name of the metric.
        of_magnitudes: The number of each row [n, n_cells] of float64 magnitudes; the largest of a row is 1.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Clip ids, by which noise is drawn.

    Returns:
        The number of each map; and of a map of Gaussian noise (explainer ``random_cells``). A map that is zero
        everywhere has none, which the log says.
    """
    noise = context.gaussian(metric, 0, x[0].numel())
    blocks = [Block(metric, UNIFORM, None, _numbers(of_magnitudes, noise).numpy(), RANDOM_CELLS)]
    for explainer, relevance in maps.items():
        values = _numbers(of_magnitudes, relevance.flatten(1)).cpu().numpy()
        blocks.append(Block(metric, None, None, values, explainer))
    rows = rows_of(blocks, context.clip_ids)
    nothing = rows["value"].isna()
    if nothing.any():
        _LOG.warning("%s: %d maps are zero everywhere and have none", metric, int(nothing.sum()))
    return rows[~nothing].reset_index(drop=True)


def _numbers(of_magnitudes: Callable[[Tensor], Tensor], cells: Tensor) -> Tensor:
    """Number of each row [n, n_cells], float64 [n]; NaN of a row of zeros."""
    # scaled by the largest first, so that no sum overflows
    magnitudes = cells.double().abs()
    return of_magnitudes(magnitudes / magnitudes.amax(dim=1, keepdim=True))
