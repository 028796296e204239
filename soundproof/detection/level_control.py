"""The level control: how far does the loudness of a clip's sound alone tell the classes apart?

No detector can stand for it, because detectors see maps, and a map may be normalised or standardised. The level is
measured where sound is read (:mod:`soundproof.features.level`), before anything else happens to it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from soundproof.features.level import LEVEL

DIGITS = 3
"""Decimals of a score in dB: clips made to one level differ by rounding errors, whose order means nothing."""


def level_rows(levels: Mapping[str, float], clips: pd.DataFrame) -> pd.DataFrame:
    """Score each test clip by how far its level lies from the usual one, to either side.

    The usual level is the mean over the normal training clips of the clip's own machine, of all machines where
    its own has none: one model for all machines would hide a change behind the differences between them.

    Args:
        levels: Level in dBFS by clip; data that ship no sound have none.
        clips: The part's rows of the ``clips`` table.

    Returns:
        Columns clip_id, metric (``anomaly_score``, in dB, and ``level_dbfs``), value: two rows per test clip
        whose level is known; none where no training clip has a level.
    """
    known = clips.assign(level=clips["clip_id"].map(dict(levels)).astype(np.float64)).dropna(subset=["level"])
    train = known[known["split"].eq("train") & known["label"].eq("normal")]
    test = known[known["split"].eq("test")] if len(train) else known.iloc[:0]
    own = test["machine"].map(train.groupby("machine")["level"].mean()).astype(np.float64)
    usual = own.fillna(train["level"].mean())
    parts = (("anomaly_score", (test["level"] - usual).abs().round(DIGITS)), (LEVEL, test["level"]))
    rows = [
        pd.DataFrame({"clip_id": test["clip_id"], "metric": metric, "value": values})
        for metric, values in parts
    ]
    return pd.concat(rows, ignore_index=True)
