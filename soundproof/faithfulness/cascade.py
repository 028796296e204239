"""Cascading randomisation: how deep must weights be redrawn before a map changes?

Source: Adebayo et al. 2018, arXiv 1810.03292, cascading randomisation: layers are redrawn from the output to the
input, each stage keeping what the ones before it redrew. After each stage every explainer runs again, and its new
map is compared with the one on file as in :mod:`soundproof.faithfulness.randomisation`, whose redrawn weights these
are: at the last stage all weights (and what else was learnt) are those of its first draws.

A map that changes only near the end shows what the first layers make of the input, whatever stands on them. Layers
are the modules that own what redrawing changes, in the order in which scoring a clip leaves them. What the detector
itself owns (a memory of normal clips that a network's output is compared with) is left last, and redrawn first.

There are no chance rows: unrelated maps reach 0, and what a map of another training reaches is told by
``training_similarity``. Nothing is decided by it, since each stage asks less than all layers at once.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping
from itertools import chain, count
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from soundproof.core.errors import ConfigError
from soundproof.faithfulness.randomisation import with_random_weights
from soundproof.faithfulness.settings import CascadeSettings
from soundproof.faithfulness.similarity import VARIANTS, ranked, similarity_of
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext
from soundproof.storage.measurements import Block, rows_of

METRIC = "cascade"

_LOG = logging.getLogger(__name__)


def cascade(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[CascadeSettings],
) -> pd.DataFrame:
    """Compare each map with those of the same explainer while more and more layers are redrawn.

    Args:
        detector: Frozen detector; it is left as it is.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Settings ``stages`` and ``draws`` (the mean over them is reported), and ``explain``.

    Returns:
        Metric ``cascade``, Spearman's rank correlation, protocols ``signed`` and ``absolute``; the parameter is the
        share of layers that are redrawn. Explainers whose maps came from outside have no rows; nor has any
        explainer of a detector that has no weights to redraw, which the log says.

    Raises:
        ConfigError: Nobody can explain anew.
    """
    if context.explain is None:
        raise ConfigError(
            "cascading randomisation", "nothing that makes new maps", "run it where the explainers run"
        )
    strangers = [
        with_random_weights(detector, context.seed, draw).state_dict()
        for draw in range(context.settings.draws)
    ]
    layers = layers_from_the_output(detector, x[:1], strangers[0])
    if not layers:
        _LOG.warning("%s: %s has no weights to redraw", METRIC, type(detector).__name__)
    stages = context.settings.stages
    counts = sorted({ceil(len(layers) * stage / stages) for stage in range(1, stages + 1)} - {0})
    own = {name: ranked(relevance.detach().cpu().numpy()) for name, relevance in maps.items()}
    blocks: list[Block] = []
    for n_redrawn in counts:
        redrawn = list(chain.from_iterable(layers[:n_redrawn]))
        mixed = [_with_entries(detector, stranger, redrawn) for stranger in strangers]
        for name, of_clips in own.items():
            anew = [context.explain(name, one, x, context.clip_ids) for one in mixed]
            redone = [ranked(other.detach().cpu().numpy()) for other in anew if other is not None]
            if redone:
                alike = np.mean([similarity_of(of_clips, other) for other in redone], axis=0)
                share = n_redrawn / len(layers)
                blocks += [
                    Block(METRIC, protocol, share, values, name)
                    for protocol, values in zip(VARIANTS, alike, strict=True)
                ]
    return rows_of(blocks, context.clip_ids)


def layers_from_the_output(detector: Detector, x: Tensor, stranger: Mapping[str, Tensor]) -> list[list[str]]:
    """Entries of the ``state_dict`` that a stranger has otherwise, layer by layer, those nearest the output first.

    Args:
        detector: Frozen detector.
        x: A clip [1, n_freq, n_frames], by whose score the order of the layers is found.
        stranger: ``state_dict`` of the same detector with other weights.
    """
    left_at: dict[str, int] = {}

    def noting(name: str) -> Callable[..., None]:
        def note(*_: Any) -> None:
            # a module that is called again is as near the output as its last call
            left_at[name] = next(clock)

        return note

    clock = count()
    hooks = [module.register_forward_hook(noting(name)) for name, module in detector.named_modules()]
    try:
        with torch.no_grad():
            detector.score(x)
    finally:
        for hook in hooks:
            hook.remove()
    layers: dict[str, list[str]] = {}
    for entry, values in detector.state_dict().items():
        if not torch.equal(values, stranger[entry]):
            owner = entry.rpartition(".")[0]
            while owner and owner not in left_at:
                owner = owner.rpartition(".")[0]
            layers.setdefault(owner, []).append(entry)
    end = next(clock)
    return [
        layers[owner] for owner in sorted(layers, key=lambda owner: left_at.get(owner, end), reverse=True)
    ]


def _with_entries(detector: Detector, stranger: Mapping[str, Tensor], entries: list[str]) -> Detector:
    """The detector with some entries of its ``state_dict`` from a stranger's."""
    mixed = copy.deepcopy(detector)
    mixed.load_state_dict({**detector.state_dict(), **{entry: stranger[entry] for entry in entries}})
    return mixed.freeze()
