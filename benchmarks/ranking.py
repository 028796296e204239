"""Ranking of the cells of whole sets in bins, beside scikit-learn's exact one, and its memory at 10^8 cells."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.ranking_peak import POSITIVE
from benchmarks.rows import Aim, BenchmarkError, Row
from benchmarks.setting import Setting
from benchmarks.timing import interleaved
from soundproof.statistics.binned_ranking import Bounded, RankingHistogram

OF_CLIP = 1 << 14
"""Cells of a clip in the memory benchmark, whose batches hold the clips of a stored file."""
BATCHES = 100
"""With the usual 64 clips a batch, 10^8 cells in all."""
BOUND_MIB, BOUND_OF_ERROR = 1024, 1e-3


def ranking(setting: Setting) -> list[Row]:
    """Rank the cells of some clips, and stream 10^8 within 1 GiB and a thousandth."""
    rng = np.random.default_rng(0)
    n_cells = max(1000, setting.clips * setting.shape[0] * setting.shape[1])
    positive = rng.random(n_cells) < POSITIVE
    scores = rng.standard_normal(n_cells, np.float32) + positive
    timings = interleaved(
        {"ours": partial(_ours, scores, positive), "sklearn": partial(_by_scikit, scores, positive)},
        setting.repeats,
        setting.device,
    )
    for bounded, exact in zip(timings["ours"].result, timings["sklearn"].result, strict=True):
        if abs(bounded.value - exact) > bounded.error + 1e-9:
            raise BenchmarkError(
                f"a ranking within {bounded.error} of the exact one",
                f"{bounded.value} instead of {exact}",
                "find out which of the two is wrong",
            )
    of_batch = OF_CLIP * setting.stored_clips
    peak, bound = peak_and_bound(BATCHES, of_batch)
    case = f"{BATCHES * of_batch:.2g} cells in {BATCHES} batches"
    return [
        Row(
            benchmark="ranking",
            case=f"AUC and AP of {n_cells} cells in bins",
            unit="s",
            ours=timings["ours"].seconds,
            against="scikit-learn, exact",
            other=timings["sklearn"].seconds,
            ratio=timings["sklearn"].over(timings["ours"]),
            sense="x faster",
        ),
        Row(
            benchmark="ranking",
            case=f"peak memory, {case}",
            unit="MiB",
            ours=peak,
            against="1 GiB",
            other=BOUND_MIB,
            ratio=peak / BOUND_MIB,
            sense="x of it",
            aim=Aim("at most", 1.0),
        ),
        Row(
            benchmark="ranking",
            case=f"largest bound of error, {case}",
            unit="of 1",
            ours=bound,
            against="a thousandth",
            other=BOUND_OF_ERROR,
            ratio=bound / BOUND_OF_ERROR,
            sense="x of it",
            aim=Aim("at most", 1.0),
        ),
    ]


def peak_and_bound(n_batches: int, n_cells: int) -> tuple[float, float]:
    """Peak memory in MiB and largest bound of error of batches of so many cells, in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.ranking_peak", str(n_batches), str(n_cells)]
    peak, bound = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(peak), float(bound)


def _ours(scores: np.ndarray, positive: np.ndarray) -> tuple[Bounded, Bounded]:
    counted = RankingHistogram()
    counted.add(scores, positive)
    found = counted.ranking()
    return found.auroc(), found.average_precision()


def _by_scikit(scores: np.ndarray, positive: np.ndarray) -> tuple[float, float]:
    return float(roc_auc_score(positive, scores)), float(average_precision_score(positive, scores))
