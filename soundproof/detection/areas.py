"""Does the score rank anomalous clips above normal ones? Areas, and the F1 that the best threshold would have.

All of them judge the ranking alone, on raw scores. Areas need no threshold; the best F1 has one that is chosen
on the clips it is measured on, an oracle that no deployed detector has. A set without anomalies, or
without normal clips, has no such metric: the answer is then
:class:`soundproof.interfaces.metric.Undefined`, never a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import hmean
from sklearn.metrics import average_precision_score, roc_auc_score

from soundproof.core.errors import DataError
from soundproof.detection.registry import CHANCE, FLAG_ALL, MAX_FPR
from soundproof.interfaces.metric import Undefined
from soundproof.statistics.areas import Placements, jackknifed, partial_placements
from soundproof.statistics.precision_recall import (
    average_precision_chance,
    average_precision_of,
    best_f1_chance,
    best_f1_of,
    flag_all_f1,
)
from soundproof.statistics.roc import weighted_curve


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
    missing = one_class(scores, anomalous)
    return missing or float(roc_auc_score(anomalous, scores))


def partial_auc(scores: np.ndarray, anomalous: np.ndarray, max_fpr: float = MAX_FPR) -> float | Undefined:
    """Partial area up to ``max_fpr``, standardised so that chance is 0.5 and the best is 1 (McClish 1989).

    Args, returns and errors as :func:`roc_auc`.
    """
    missing = one_class(scores, anomalous)
    return missing or float(roc_auc_score(anomalous, scores, max_fpr=max_fpr))


def average_precision(scores: np.ndarray, anomalous: np.ndarray) -> float | Undefined:
    """Average precision: step-wise sum of precision over recall, without interpolation.

    Args, returns and errors as :func:`roc_auc`.
    """
    missing = one_class(scores, anomalous)
    return missing or float(average_precision_score(anomalous, scores))


def max_f1(scores: np.ndarray, anomalous: np.ndarray) -> float | Undefined:
    """F1 at the threshold that is best on these very clips (arXiv 2502.18328 reports it as F1): an oracle.

    Args, returns and errors as :func:`roc_auc`.
    """
    missing = one_class(scores, anomalous)
    if missing:
        return missing
    curve = weighted_curve(scores, (~anomalous).astype(np.float64), anomalous.astype(np.float64))
    return float(best_f1_of(*curve, float(anomalous.mean())))


def average_precision_placements(scores: np.ndarray, anomalous: np.ndarray) -> Placements:
    """:func:`average_precision`, with what each clip contributes to it at the set's share of anomalies.

    Args:
        scores: Finite, [n_clips], higher = more anomalous.
        anomalous: bool [n_clips], with both classes.
    """
    share = float(anomalous.mean())
    return jackknifed(scores, anomalous, lambda fpr, tpr: average_precision_of(fpr, tpr, share))


def max_f1_placements(scores: np.ndarray, anomalous: np.ndarray) -> Placements:
    """:func:`max_f1`, with what each clip contributes to it; without a clip the best threshold may be another.

    Args as :func:`average_precision_placements`.
    """
    share = float(anomalous.mean())
    return jackknifed(scores, anomalous, lambda fpr, tpr: best_f1_of(fpr, tpr, share))


def average_precision_rivals(n_normal: int, n_anomalous: int) -> Mapping[str, float]:
    """Average precision of rankings that ignore the label, in expectation."""
    return {CHANCE: average_precision_chance(n_anomalous, n_normal + n_anomalous)}


def max_f1_rivals(n_normal: int, n_anomalous: int) -> Mapping[str, float]:
    """Best F1 of rankings that ignore the label, in expectation, and F1 of calling every clip anomalous."""
    n_clips = n_normal + n_anomalous
    return {CHANCE: best_f1_chance(n_anomalous, n_clips), FLAG_ALL: flag_all_f1(n_anomalous, n_clips)}


def pauc_placements(scores: np.ndarray, anomalous: np.ndarray) -> Placements:
    """:func:`partial_auc` up to :data:`MAX_FPR`, with what each clip contributes to it.

    Args:
        scores: Finite, [n_clips], higher = more anomalous.
        anomalous: bool [n_clips], with both classes.
    """
    return partial_placements(scores, anomalous, MAX_FPR)


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


def one_class(scores: np.ndarray, anomalous: np.ndarray) -> Undefined | None:
    """Explain why a ranking metric has no value, or None where it has one.

    Args and errors as :func:`roc_auc`.
    """
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
