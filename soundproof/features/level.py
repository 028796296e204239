"""Level of a clip's sound, before anything normalises it."""

from __future__ import annotations

import numpy as np

LEVEL = "level_dbfs"
"""Column of a features file, and metric of a measured level."""
SILENCE_DBFS = -200.0
"""Level of digital silence, which has no logarithm: far below the last bit of any format."""


def level_dbfs(samples: np.ndarray) -> float:
    """Root mean square of a clip in dB, where 0 is a constant at full scale (a full-scale sine has -3.01).

    Args:
        samples: [n_samples], full scale = 1, as the data set gives them: neither resampled nor scaled.
    """
    mean_square = float(np.mean(np.square(samples, dtype=np.float64)))
    return 10 * np.log10(mean_square) if mean_square > 10 ** (SILENCE_DBFS / 10) else SILENCE_DBFS
