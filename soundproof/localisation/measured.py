"""What a localisation metric hands over for the maps of one explainer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from soundproof.interfaces.metric import Undefined
from soundproof.storage.measurements import Block
from soundproof.truth.ground_truth import Truth


class Unmeasured(NamedTuple):
    """A measure of the whole set that has no value here.

    Attributes:
        metric: As in the ``metric`` column.
        why: What is missing.
    """

    metric: str
    why: Undefined


Measured = Iterator[Block | Unmeasured]
"""Blocks of values with the metric's chance lines, NaN where a clip has no value."""

Localisation = Callable[[np.ndarray, Truth, Any], Measured]
"""``measure(maps [n_clips, n_freq, n_frames], truth, settings)`` -> blocks, for the maps of one explainer."""
