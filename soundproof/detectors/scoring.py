"""Score clips in passes of bounded memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

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
        Columns clip_id, metric (``anomaly_score``), parameter, value, one row per clip in the given order; then
        as many for each further score of the detector.

    Raises:
        ArtefactError: A score is not finite.
        DataError: The clips were scored elsewhere, but not all of them.
    """
    detector.freeze()
    if detector.scored_elsewhere:
        return _rows("anomaly_score", None, detector.scores_of(clip_ids).cpu().numpy(), clip_ids)
    size = rows_per_pass(detector, device, memory_budget_bytes, gradients=False)
    values: dict[tuple[str, float | None], list[np.ndarray]] = {}
    with torch.no_grad():
        for of_individual, _, maps in batches_by_individual(detector, features, size, clip_ids, individuals):
            x = torch.from_numpy(maps).to(device)
            found: dict[tuple[str, float | None], Tensor] = {("anomaly_score", None): of_individual.score(x)}
            found |= of_individual.further_scores(x)
            for name, scores in found.items():
                values.setdefault(name, []).append(scores.double().cpu().numpy())
    return pd.concat(
        [
            _rows(metric, parameter, np.concatenate(parts), clip_ids)
            for (metric, parameter), parts in values.items()
        ],
        ignore_index=True,
    )


def _rows(metric: str, parameter: float | None, values: np.ndarray, clip_ids: Sequence[str]) -> pd.DataFrame:
    if not np.isfinite(values).all():
        broken = clip_ids[int(np.argmin(np.isfinite(values)))]
        raise ArtefactError(
            f"a finite {metric} of clip '{broken}'", "NaN or infinity", "retrain the detector"
        )
    # no parameter is a missing number
    at = np.nan if parameter is None else parameter
    return pd.DataFrame({"clip_id": list(clip_ids), "metric": metric, "parameter": at, "value": values})
