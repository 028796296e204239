"""Robustness: does a map stay where it is when the sound changes in ways that change no fault?

After the sensitivity of Yeh et al. 2019 (arXiv 1901.09392), with changes that recordings really differ by
(:mod:`soundproof.faithfulness.changed_sounds`) in the place of a ball around the input. The changed sound goes
through the study's recipe and is explained anew; the new map of a sound that starts later is moved back first.
Random draws of an explainer are drawn anew, as they are for any other recording.

* ``robustness``: Spearman's rank correlation with the map on file over all cells, as it is (signed).
* ``relative_stability``: how much less the map changes than the input did, after the relative input stability of
  Agarwal et al. 2022 (arXiv 2203.06877), minus its logarithm. With the change of an array a to b,
  |a - b| / |a - mean(a)| in Euclidean norms over all cells, it is log10(change of the input / change of the map).
  0: the map changes as much as the input, which is what the input itself does; -1: ten times as much. They divide
  cell by cell, and a cell near zero then rules the clip; whole norms do not hang on where a scale has its zero.
  A change of less than 1e-6 counts as that much, and where the input changes by less there is no value, nor where
  it is constant, or the map is. A shift in time has none: moved back, the input has hardly changed.

Chance rows (explainer ``random_cells``), of each change, are two maps of independent noise. A high value is no
merit by itself: the clip's own map changes as little as the clip does, whatever the detector learnt. Read it beside
the input control.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from torch import Tensor

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.hearing import hearing_sound
from soundproof.faithfulness.changed_sounds import changed_maps
from soundproof.faithfulness.registry import RANDOM_CELLS
from soundproof.faithfulness.settings import Change, RobustnessSettings
from soundproof.faithfulness.similarity import similarity
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext
from soundproof.storage.measurements import UNIFORM, Block, rows_of

METRIC = "robustness"
RELATIVE = "relative_stability"
LATER: Change = "later"
LEAST = 1e-6
"""Change of an array below which it is that of rounding."""


def robustness(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[RobustnessSettings],
) -> pd.DataFrame:
    """Compare each map with those of the same explainer for the clip's changed sounds.

    Args:
        detector: Frozen detector.
        x: Maps on file [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Sounds of the clips, ``explain``, which changes, and their size.

    Returns:
        Metrics ``robustness`` and ``relative_stability``, the change as protocol, and their chance rows. Explainers
        whose maps came from outside have no rows.

    Raises:
        ConfigError: Nobody can explain anew.
        DataError: There is no sound, it cannot be read, or it is not the one that ``x`` was made of.
    """
    if context.explain is None:
        raise ConfigError(METRIC, "nothing that makes new maps", "run it where the explainers run")
    if context.sounds is None:
        raise DataError(f"the sound of clips for '{METRIC}'", "none", "leave it out, or take data with sound")
    blocks: list[Block] = []
    for change, samples, changed in changed_maps(x, context.sounds, context):
        # one that hears gets clip by clip
        of_sound = hearing_sound(detector, context.sounds, context.clip_ids[0], samples[0][None], changed)
        by = None if change == LATER else _change(x, changed)
        one, other = (context.uniform(f"{METRIC} {change}", draw, *x.shape[1:]) for draw in range(2))
        blocks += _compared(one, other, by, f"{UNIFORM}_{change}", RANDOM_CELLS)
        # other names, so that what an explainer draws is drawn anew
        names = [f"{clip_id} {change}" for clip_id in context.clip_ids]
        for explainer, relevance in maps.items():
            anew = context.explain(explainer, of_sound, changed, names)
            if anew is None:
                continue
            again = anew.roll(-1, dims=2) if change == LATER else anew
            blocks += _compared(relevance, again, by, change, explainer)
    return rows_of(blocks, context.clip_ids).dropna(subset=["value"], ignore_index=True)


def _compared(own: Tensor, anew: Tensor, by: np.ndarray | None, protocol: str, explainer: str) -> list[Block]:
    """Both numbers of maps [B, n_freq, n_frames] whose input changed ``by`` so much [B]; None: nobody asks."""
    alike: np.ndarray = similarity(own.cpu().numpy(), anew.detach().cpu().numpy())[0]
    found = [Block(METRIC, protocol, None, alike, explainer)]
    if by is not None:
        asked = np.where(by < LEAST, np.nan, by)
        stable = np.log10(asked / np.maximum(_change(own, anew), LEAST))
        found.append(Block(RELATIVE, protocol, None, stable, explainer))
    return found


def _change(own: Tensor, anew: Tensor) -> np.ndarray:
    """Change of arrays [B, n_freq, n_frames], float64 [B]; NaN of a constant one."""
    cells = own.detach().double().flatten(1)
    moved = (cells - anew.detach().double().flatten(1)).norm(dim=1)
    spread = (cells - cells.mean(dim=1, keepdim=True)).norm(dim=1)
    change: np.ndarray = (moved / spread.where(spread > 0, float("nan"))).cpu().numpy()
    return change
