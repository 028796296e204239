"""Two metrics: does the highest cell lie in the fault, and does the score hang on it?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from loud_things.peaks import highest
from soundproof.core.registry import Parameters
from soundproof.faithfulness.registry import RANDOM_CELLS
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext, long_rows
from soundproof.localisation.measured import Measured
from soundproof.storage.measurements import UNIFORM, Block
from soundproof.truth.ground_truth import Truth


def peak_hit(maps: np.ndarray, truth: Truth, settings: Parameters) -> Measured:
    """1 where the highest cell of a map [n_clips, n_freq, n_frames] is in the mask, else 0."""
    masks = truth.cells().reshape(len(maps), -1)
    yield Block("peak_hit", "", None, masks[np.arange(len(maps)), highest(maps)].astype(np.float64))
    yield Block("peak_hit", UNIFORM, None, masks.mean(axis=1))


def peak_effect(
    detector: Detector, x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext[Parameters]
) -> pd.DataFrame:
    """Part of the score that goes with the highest cell."""
    drawn = context.uniform("peak_effect", 0, *x.shape[1:]).to(x.device)
    with torch.no_grad():
        whole = detector.score(x).double()
        rows = []
        for name, relevance in {**maps, RANDOM_CELLS: drawn}.items():
            left = x.clone().flatten(1)
            left[torch.arange(len(x)), torch.from_numpy(highest(relevance.cpu().numpy()))] = 0
            share = 1 - detector.score(left.view_as(x)).double() / whole
            rows.append(
                long_rows(
                    share[None, None],
                    metric="peak_effect",
                    protocol=UNIFORM if name == RANDOM_CELLS else None,
                    explainers=[name],
                    parameters=[None],
                    clip_ids=context.clip_ids,
                )
            )
    return pd.concat(rows, ignore_index=True)
