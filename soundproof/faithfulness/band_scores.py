"""Scores of a whole test set with one frequency band removed: does detection need the band?

Source: P3 (arXiv 2601.19017), the table of AUC without each band. Detector level: no explainer is involved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
import torch

from soundproof.core.errors import ArtefactError
from soundproof.detectors.batching import rows_per_pass
from soundproof.detectors.individuals import Individuals, batches_by_individual
from soundproof.faithfulness.band_settings import BandProtocol, BandSettings
from soundproof.faithfulness.without_bands import partitions, scores_without_bands
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import COLUMNS, long_rows, typed
from soundproof.storage.maps import ROWS_PER_GROUP, MapReader

METRIC = "band_removed_score"


def score_without_bands(
    detector: Detector,
    features: MapReader,
    clip_ids: Sequence[str],
    settings: BandSettings,
    device: torch.device,
    memory_budget_bytes: int,
    individuals: Individuals | None = None,
) -> pd.DataFrame:
    """Score clips with each band removed.

    Args:
        detector: Fitted detector; frozen and moved to ``device``.
        features: What it scores.
        clip_ids: Clips to score; all test clips, for areas under the ROC curve.
        settings: Bands and what stands in their place.
        device: Where to compute.
        memory_budget_bytes: How much the maps held at once, and how much one pass, may take.
        individuals: Individual of each clip, for detectors that compare clips with their own kind.

    Returns:
        Frame of :data:`soundproof.interfaces.faithfulness.COLUMNS` with metric ``band_removed_score``, no explainer,
        parameter k = 1 (lowest) .. K and protocol ``<scale><K>/<removal>``; ordered by protocol, parameter,
        clip.

    Raises:
        ArtefactError: A score is not finite, or a clip is missing.
        ConfigError: More bands than bins, or a band without a bin.
    """
    detector.to(device).freeze()
    size = rows_per_pass(detector, device, memory_budget_bytes, gradients=False)
    of_bin = partitions(features.axes.frequencies_hz, settings)
    # clips, their sorted copy and the index of the sort
    bytes_per_clip = features.axes.shape[0] * features.axes.shape[1] * 16
    at_once = max(1, min(ROWS_PER_GROUP, memory_budget_bytes // bytes_per_clip))
    parts = [typed(pd.DataFrame(columns=list(COLUMNS)))]
    for of_individual, ids, values in batches_by_individual(
        detector, features, at_once, clip_ids, individuals
    ):
        x = torch.from_numpy(values).to(device, torch.float32)
        _, without = scores_without_bands(of_individual, x, of_bin, settings.removals, size)
        parts += _rows(without, ids, settings)
    frame = pd.concat(parts).sort_values(["protocol", "parameter", "clip_id"], ignore_index=True)
    if frame["value"].isna().any() or frame["value"].abs().eq(float("inf")).any():
        raise ArtefactError(
            "finite scores of clips without a band", "NaN or infinity", "retrain the detector"
        )
    return frame


def _rows(
    without: dict[int, torch.Tensor], clip_ids: list[str], settings: BandSettings
) -> Iterator[pd.DataFrame]:
    for count, scores in without.items():
        for removal, of_removal in zip(settings.removals, scores, strict=True):
            yield long_rows(
                of_removal[:, None],
                metric=METRIC,
                protocol=str(BandProtocol(settings.scale, count, removal)),
                explainers=[None],
                parameters=[float(k) for k in range(1, count + 1)],
                clip_ids=clip_ids,
            )
