"""Model-randomisation check: a map that survives random weights explains nothing that was learnt.

Source: Adebayo et al. 2018, arXiv 1810.03292 (all layers at once). The weights are redrawn, every explainer
runs again, and its new map is compared with the old one by Spearman's rank correlation over all cells, of the
signed relevance (protocol ``signed``) and of its magnitude (``absolute``). A map that is constant ranks nothing
and counts as unrelated, 0.

0 is not what unrelated maps reach where relevance is a factor times the cell's distance from a baseline
(Integrated Gradients, GradSHAP): both maps then hold the same clip. Rows ``randomisation_floor`` tell what is
left if the factors share nothing: the similarity of two maps of independent Gaussian noise times that distance.
Other methods have no such rows. The ceiling stands in :mod:`soundproof.faithfulness.trainings`.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from soundproof.core.errors import ConfigError
from soundproof.faithfulness.settings import RandomisationSettings
from soundproof.faithfulness.similarity import VARIANTS, Ranked, ranked, similarity_of
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext, long_rows
from soundproof.randomness.seeding import seed_from
from soundproof.storage.measurements import rows_of

METRIC = "randomisation_similarity"
FLOOR = "randomisation_floor"

_LOG = logging.getLogger(__name__)


def randomisation(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[RandomisationSettings],
) -> pd.DataFrame:
    """Compare each map with the one of the same explainer after the weights are redrawn.

    Args:
        detector: Frozen detector; it is left as it is.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Setting ``draws`` (the mean over them is reported), and ``explain``.

    Returns:
        Metrics ``randomisation_similarity``, lower = better, and ``randomisation_floor``. Explainers whose maps
        came from outside have no rows; nor has any explainer of a detector that has no weights to redraw. Both
        are said in the log.

    Raises:
        ConfigError: Nobody can explain anew.
    """
    if context.explain is None:
        raise ConfigError(
            "model randomisation", "nothing that makes new maps", "run it where the explainers run"
        )
    settings = context.settings
    strangers = [with_random_weights(detector, context.seed, draw) for draw in range(settings.draws)]
    if any(_same_state(detector, stranger) for stranger in strangers):
        _LOG.warning("%s: %s has no weights to redraw", METRIC, type(detector).__name__)
        return rows_of([], [])
    names, similarities = [], []
    for name, relevance in maps.items():
        anew = [context.explain(name, stranger, x, context.clip_ids) for stranger in strangers]
        redone = [other for other in anew if other is not None]
        if not redone:
            _LOG.warning("%s: left out '%s', which cannot be run again", METRIC, name)
            continue
        names.append(name)
        own = _ranked(relevance)
        similarities.append(_mean_similarity([(own, _ranked(other)) for other in redone]))
    return pd.concat(
        [_rows(METRIC, names, similarities, context), _rows(FLOOR, *_floors(names, x, context), context)],
        ignore_index=True,
    )


def _floors(
    names: Sequence[str], x: Tensor, context: FaithfulnessContext[RandomisationSettings]
) -> tuple[list[str], list[np.ndarray]]:
    """Explainers that multiply by the input, and how alike two maps of noise times that input are."""
    found: dict[str, np.ndarray] = {}
    known: list[tuple[Tensor, np.ndarray]] = []
    for name in names:
        distance = None if context.input_factor is None else context.input_factor(name, x)
        if distance is None:
            continue
        # explainers with the same baseline have the same floor
        floors = (floor for other, floor in known if torch.equal(other, distance))
        floor = next(floors, None)
        if floor is None:
            floor = _floor(distance, context)
            known.append((distance, floor))
        found[name] = floor
    return list(found), list(found.values())


def _floor(distance: Tensor, context: FaithfulnessContext[RandomisationSettings]) -> np.ndarray:
    """How alike two maps of noise times a distance [B, n_freq, n_frames] are, float64 [2, B]."""
    pairs = []
    for draw in range(context.settings.draws):
        noise = context.gaussian("noise times input", draw, 2, *distance.shape[1:]) * distance.cpu()[:, None]
        pairs.append((_ranked(noise[:, 0]), _ranked(noise[:, 1])))
    return _mean_similarity(pairs)


def _ranked(maps: Tensor) -> Ranked:
    return ranked(maps.detach().cpu().numpy())


def _mean_similarity(pairs: Sequence[tuple[Ranked, Ranked]]) -> np.ndarray:
    """Mean similarity over pairs of maps of the same clips, float64 [2, B]."""
    means: np.ndarray = np.mean([similarity_of(one, other) for one, other in pairs], axis=0)
    return means


def _rows(
    metric: str,
    names: Sequence[str],
    values: Sequence[np.ndarray],
    context: FaithfulnessContext[RandomisationSettings],
) -> pd.DataFrame:
    """Rows of values [2, B] of each explainer."""
    if not names:
        return rows_of([], [])
    return pd.concat(
        [
            long_rows(
                torch.from_numpy(of_protocol[None]),
                metric=metric,
                protocol=protocol,
                explainers=names,
                parameters=[None],
                clip_ids=context.clip_ids,
            )
            for protocol, of_protocol in zip(VARIANTS, np.stack(values, axis=1), strict=True)
        ],
        ignore_index=True,
    )


def with_random_weights(detector: Detector, seed: int, draw: int) -> Detector:
    """A copy of the detector whose weights are redrawn by the seed and the number of the draw."""
    stranger = copy.deepcopy(detector)
    stranger.randomise(seed_from("randomise", seed, draw))
    return stranger.freeze()


def _same_state(one: Detector, other: Detector) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(tensor, theirs[name]) for name, tensor in one.state_dict().items())
