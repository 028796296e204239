"""Detection metrics: does the score rank anomalous clips above normal ones?

All of them judge the ranking alone, on raw scores; no threshold is chosen. A set without anomalies, or
without normal clips, has no such metric: the answer is then :class:`soundproof.interfaces.metric.Undefined`, never a
number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import hmean
from sklearn.metrics import average_precision_score, roc_auc_score

from soundproof.core.errors import DataError
from soundproof.interfaces.metric import Undefined
from soundproof.statistics.areas import Placements, auc_placements, partial_placements

MAX_FPR = 0.1


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


def area_placements(
    scores: np.ndarray, anomalous: np.ndarray, max_fpr: float = MAX_FPR
) -> dict[str, Placements] | Undefined:
    """AUC and standardised partial AUC, with what each clip contributes to them.

    Returns:
        ``auc`` and ``pauc``, from which :func:`soundproof.statistics.areas.joint_interval` makes intervals; or why
        there is none. Args and errors as :func:`roc_auc`.
    """
    return _one_class(scores, anomalous) or {
        "auc": auc_placements(scores, anomalous),
        "pauc": partial_placements(scores, anomalous, max_fpr),
    }


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
