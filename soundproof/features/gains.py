"""One gain per machine individual: its clips differ in level as they did in the room; a knock turns none down."""

from __future__ import annotations

import numpy as np
import pandas as pd

from soundproof.core.errors import DataError
from soundproof.interfaces.dataset import AudioDataset


def gains_of_individuals(dataset: AudioDataset, clips: pd.DataFrame) -> dict[str, float]:
    """Return each clip's factor on its samples, that of its machine and individual.

    With it the median peak of each individual's normal training clips becomes full scale.

    Args:
        dataset: Where the clips come from; training clips are read once more for this.
        clips: Rows of the ``clips`` table.

    Raises:
        DataError: An individual has no normal training clip, or only silent ones.
    """
    gains: dict[str, float] = {}
    for (machine, individual), own in clips.groupby(["machine", "machine_id"], sort=False):
        normal = own.loc[(own["split"] == "train") & (own["label"] == "normal"), "clip_id"]
        peaks = [float(np.abs(dataset.read(clip_id).samples).max()) for clip_id in normal]
        peak = float(np.median(peaks)) if peaks else 0.0
        if not peak:
            raise DataError(
                f"the level of machine '{machine}', individual '{individual}' (level: individual)",
                "no normal training clip with sound",
                "add some, or choose 'level: keep' or 'level: normalise'",
            )
        gains |= dict.fromkeys(own["clip_id"], 1 / peak)
    return gains
