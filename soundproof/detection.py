"""Detection metrics: does the score rank anomalous clips above normal ones?

All of them judge the ranking alone, on raw scores; no threshold is chosen. A set without anomalies, or
without normal clips, has no such metric: the answer is then :class:`soundproof.metrics.Undefined`, never a
number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import hmean
from sklearn.metrics import average_precision_score, roc_auc_score

from soundproof.errors import DataError
from soundproof.metrics import Undefined
from soundproof.roc import area_up_to, weighted_curve
from soundproof.seeding import seed_from

MAX_FPR = 0.1
_CHUNK = 200  # bootstrap replicates held in memory at once


def roc_auc(scores: np.ndarray, anomalous: np.ndarray) -> float | Undefined:
    """Area under the ROC curve.

    Args:
        scores: [n_clips], higher = more anomalous.
        anomalous: bool [n_clips].

    Returns:
        The area, 0..1, or why there is none.

    Raises:
        DataError: A score is not finite, or lengths differ.
    """
    missing = _one_class(scores, anomalous)
    return missing or float(roc_auc_score(anomalous, scores))


def partial_auc(scores: np.ndarray, anomalous: np.ndarray, max_fpr: float = MAX_FPR) -> float | Undefined:
    """Partial area up to ``max_fpr``, standardised so that chance is 0.5 and the best is 1 (McClish 1989).

    Args, returns and errors as :func:`roc_auc`.
    """
    missing = _one_class(scores, anomalous)
    return missing or float(roc_auc_score(anomalous, scores, max_fpr=max_fpr))


def average_precision(scores: np.ndarray, anomalous: np.ndarray) -> float | Undefined:
    """Average precision: step-wise sum of precision over recall, without interpolation.

    Args, returns and errors as :func:`roc_auc`.
    """
    missing = _one_class(scores, anomalous)
    return missing or float(average_precision_score(anomalous, scores))


def harmonic_mean(values: Sequence[float]) -> float:
    """Harmonic mean over machines, domains and metrics, as the DCASE challenges rank systems.

    Args:
        values: Areas, each 0..1; a single zero makes the mean zero.

    Raises:
        DataError: No value, or a value that is negative or not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0 or not np.isfinite(array).all() or (array < 0).any():
        raise DataError("areas to average", f"{list(values)}", "leave out undefined areas before averaging")
    return float(hmean(array))


def detection_table(
    scores: np.ndarray,
    anomalous: np.ndarray,
    *names: str | int | float,
    max_fpr: float = MAX_FPR,
    n_resamples: int = 2000,
    level: float = 0.95,
) -> pd.DataFrame | Undefined:
    """AUC and standardised partial AUC with percentile bootstrap intervals.

    Clips are resampled within their class, so that every replicate holds both.

    Args:
        scores: [n_clips], higher = more anomalous.
        anomalous: bool [n_clips].
        names: What the draws depend on, besides the class sizes: data set, detector, seed, ...
        max_fpr: Limit of the partial area.
        n_resamples: Bootstrap replicates.
        level: Coverage.

    Returns:
        Columns metric (``auc``, ``pauc``), value, ci_low, ci_high; or why there is none.

    Raises:
        DataError: A score is not finite, or lengths differ.
    """
    if missing := _one_class(scores, anomalous):
        return missing
    rng = np.random.default_rng(seed_from("detection_table", *names))
    replicates = [
        _resampled_areas(scores, anomalous, min(_CHUNK, n_resamples - done), max_fpr, rng)
        for done in range(0, n_resamples, _CHUNK)
    ]
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(replicates, axis=1), [tail, 1 - tail], axis=1)
    values = [roc_auc(scores, anomalous), partial_auc(scores, anomalous, max_fpr)]
    return pd.DataFrame({"metric": ["auc", "pauc"], "value": values, "ci_low": low, "ci_high": high})


def _resampled_areas(
    scores: np.ndarray, anomalous: np.ndarray, n: int, max_fpr: float, rng: np.random.Generator
) -> np.ndarray:
    """AUC and standardised partial AUC of ``n`` replicates, [2, n], each a reweighting of one ranking."""
    normal = np.zeros((n, len(scores)))
    anomaly = np.zeros((n, len(scores)))
    for weights, members in ((normal, ~anomalous), (anomaly, anomalous)):
        size = int(members.sum())
        weights[:, members] = rng.multinomial(size, np.full(size, 1 / size), size=n)
    fpr, tpr = weighted_curve(scores, normal, anomaly)
    least, most = max_fpr**2 / 2, max_fpr
    partial = 0.5 * (1 + (area_up_to(fpr, tpr, max_fpr) - least) / (most - least))
    return np.stack([area_up_to(fpr, tpr, 1.0), partial])


def _one_class(scores: np.ndarray, anomalous: np.ndarray) -> Undefined | None:
    """Explain why a ranking metric has no value, or None where it has one."""
    if scores.shape != anomalous.shape or not np.isfinite(scores).all():
        n_bad = int((~np.isfinite(scores)).sum())
        raise DataError(
            "one finite score per clip",
            f"{scores.shape} scores for {anomalous.shape} labels, {n_bad} scores not finite",
            "look at the detector's scores: clips lost on the way, or a training that diverged",
        )
    if not anomalous.any():
        return Undefined("no anomalous clip in the set")
    if anomalous.all():
        return Undefined("no normal clip in the set")
    return None
