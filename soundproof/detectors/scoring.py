"""Score clips in passes of bounded memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from soundproof.core.errors import ArtefactError
from soundproof.detectors.batching import rows_per_pass
from soundproof.detectors.individuals import Individuals, batches_by_individual
from soundproof.interfaces.detector import Detector
from soundproof.storage.maps import MapReader


def score_maps(
    detector: Detector,
    features: MapReader,
    clip_ids: Sequence[str],
    device: torch.device,
    memory_budget_bytes: int,
    individuals: Individuals | None = None,
) -> pd.DataFrame:
    """Score clips, each as of its individual where that is known.

    Returns:
        Columns clip_id, metric (``anomaly_score``), value, one row per clip in the given order.

    Raises:
        ArtefactError: A score is not finite.
        DataError: The clips were scored elsewhere, but not all of them.
    """
    detector.freeze()
    if detector.scored_elsewhere:
        values = detector.scores_of(clip_ids).cpu().numpy()
        return pd.DataFrame({"clip_id": list(clip_ids), "metric": "anomaly_score", "value": values})
    size = rows_per_pass(detector, device, memory_budget_bytes, gradients=False)
    scores: list[np.ndarray] = []
    with torch.no_grad():
        for of_individual, _, maps in batches_by_individual(detector, features, size, clip_ids, individuals):
            scores.append(of_individual.score(torch.from_numpy(maps).to(device)).double().cpu().numpy())
    values = np.concatenate(scores)
    if not np.isfinite(values).all():
        broken = clip_ids[int(np.argmin(np.isfinite(values)))]
        raise ArtefactError(f"a finite score of clip '{broken}'", "NaN or infinity", "retrain the detector")
    return pd.DataFrame({"clip_id": list(clip_ids), "metric": "anomaly_score", "value": values})
