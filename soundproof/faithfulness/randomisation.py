"""Model-randomisation check: a map that survives random weights explains nothing that was learnt.

Source: Adebayo et al. 2018, arXiv 1810.03292 (all layers at once). The weights are redrawn, every explainer
runs again, and its new map is compared with the old one by Spearman's rank correlation over all cells, of the
signed relevance (protocol ``signed``) and of its magnitude (``absolute``). A map that is constant ranks nothing
and counts as unrelated, 0.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr
from torch import Tensor

from soundproof.detectors.base import Detector
from soundproof.errors import ConfigError
from soundproof.faithfulness.base import COLUMNS, FaithfulnessContext, long_rows, typed
from soundproof.seeding import seed_from

METRIC = "randomisation_similarity"

_LOG = logging.getLogger(__name__)


def randomisation(
    detector: Detector, x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext
) -> pd.DataFrame:
    """Compare each map with the one of the same explainer after the weights are redrawn.

    Args:
        detector: Frozen detector; it is left as it is.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Setting ``draws`` (the mean over them is reported), and ``explain``.

    Returns:
        Metric ``randomisation_similarity``, lower = better. Explainers whose maps came from outside have no
        rows; nor has any explainer of a detector that has no weights to redraw. Both are said in the log.

    Raises:
        ConfigError: Nobody can explain anew.
    """
    if context.explain is None:
        raise ConfigError(
            "model randomisation", "nothing that makes new maps", "run it where the explainers run"
        )
    settings: Any = context.settings
    strangers = [_with_random_weights(detector, context.seed, draw) for draw in range(settings.draws)]
    if any(_same_state(detector, stranger) for stranger in strangers):
        _LOG.warning("%s: %s has no weights to redraw", METRIC, type(detector).__name__)
        return typed(pd.DataFrame(columns=list(COLUMNS)))
    names, similarities = [], []
    for name, relevance in maps.items():
        anew = [context.explain(name, stranger, x, context.clip_ids) for stranger in strangers]
        redone = [other for other in anew if other is not None]
        if not redone:
            _LOG.warning("%s: left out '%s', which cannot be run again", METRIC, name)
            continue
        names.append(name)
        similarities.append(np.mean([_similarity(relevance, other) for other in redone], axis=0))
    if not names:
        return typed(pd.DataFrame(columns=list(COLUMNS)))
    values = torch.from_numpy(np.stack(similarities, axis=1))
    return pd.concat(
        [
            long_rows(
                of_protocol[None],
                metric=METRIC,
                protocol=protocol,
                explainers=names,
                parameters=[None],
                clip_ids=context.clip_ids,
            )
            for protocol, of_protocol in zip(("signed", "absolute"), values, strict=True)
        ],
        ignore_index=True,
    )


def _with_random_weights(detector: Detector, seed: int, draw: int) -> Detector:
    stranger = copy.deepcopy(detector)
    stranger.randomise(seed_from("randomise", seed, draw))
    return stranger.freeze()


def _same_state(one: Detector, other: Detector) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(tensor, theirs[name]) for name, tensor in one.state_dict().items())


def _similarity(one: Tensor, other: Tensor) -> np.ndarray:
    """Rank correlation of each clip's maps, signed and of magnitudes, float64 [2, B]."""
    pairs = [
        (a.ravel(), b.ravel())
        for a, b in zip(one.detach().cpu().numpy(), other.detach().cpu().numpy(), strict=True)
    ]
    return np.array([[_rho(a, b) for a, b in pairs], [_rho(np.abs(a), np.abs(b)) for a, b in pairs]])


def _rho(a: np.ndarray, b: np.ndarray) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(spearmanr(a, b).statistic)
