"""Areas under the ROC curve of the same clips scored in several ways, with intervals of areas and differences."""

from __future__ import annotations

import numpy as np

from soundproof.randomness.seeding import seed_from
from soundproof.statistics.recordings import recording_weights


def paired_areas(
    scores: np.ndarray,
    anomalous: np.ndarray,
    *names: str | int | float,
    n_resamples: int = 2000,
    recordings: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Area of each variant, as a mean over seeds, and its bootstrap replicates.

    Clips are resampled within their class. One resample serves all variants and seeds, which share their clips, so
    that the replicates of a difference are the differences of replicates.

    Args:
        scores: Finite scores [n_variants, n_seeds, n_clips], higher = more anomalous.
        anomalous: bool [n_clips], with both classes.
        names: What the draws depend on, besides the class sizes.
        n_resamples: Bootstrap replicates.
        recordings: What is resampled within each class, with all of its clips: the recording of each clip
            [n_clips]; None: clips.

    Returns:
        Areas [n_variants] and replicates [n_variants, n_resamples], 0..1.
    """
    rng = np.random.default_rng(seed_from("paired_areas", *names))
    units = np.arange(len(anomalous)) if recordings is None else recordings
    positive, negative = (
        drawn / drawn.sum(axis=1, keepdims=True)
        for drawn in (recording_weights(units[of], rng, n_resamples) for of in (anomalous, ~anomalous))
    )
    areas, replicates = [], []
    for variant in scores:
        raised, resting = variant[:, anomalous, np.newaxis], variant[:, np.newaxis, ~anomalous]
        # a tie counts half, as in the Mann-Whitney statistic, which the area is
        ordered = ((raised > resting) + 0.5 * (raised == resting)).mean(axis=0)
        areas.append(ordered.mean())
        replicates.append(((positive @ ordered) * negative).sum(axis=1))
    return np.array(areas), np.stack(replicates)
