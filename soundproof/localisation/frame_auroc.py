"""Frame AUROC as rows."""

from __future__ import annotations

import numpy as np

from soundproof.localisation.frames import frame_auroc, frame_curves
from soundproof.localisation.measured import Measured
from soundproof.localisation.settings import FrameAurocSettings
from soundproof.storage.measurements import SHIFT, UNIFORM, Block
from soundproof.truth.ground_truth import Truth


def measure(maps: np.ndarray, truth: Truth, settings: FrameAurocSettings) -> Measured:
    """Frame AUROC; both chance lines are 0.5 wherever the clip has a value."""
    values = frame_auroc(frame_curves(maps, settings.reduction), truth.frames(maps.shape[2]))
    yield Block("frame_auroc", "", None, values)
    for protocol in (UNIFORM, SHIFT):
        yield Block("frame_auroc", protocol, None, np.where(np.isnan(values), np.nan, 0.5))
