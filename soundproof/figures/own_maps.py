"""A detector's own map among those of an illustrated clip."""

from __future__ import annotations

import numpy as np

from soundproof.analysis.results import StudyResults
from soundproof.attribution.registry import OWN_MAP
from soundproof.illustrations.table import Illustration


def own_map(results: StudyResults, one: Illustration) -> np.ndarray | None:
    """The map [n_freq, n_frames] that the detector itself has of the clip; None where it was not asked for."""
    return next(
        (values for name, values in one.maps.items() if results.explainer_kind(name) == OWN_MAP), None
    )
