"""Areas under the ROC curve of all detectors on the same resampled clips, as means over machines.

One resample of a machine's clips serves all detectors, so that the replicates of a difference are the differences
of replicates; machines are resampled apart, each within its classes, and averaged replicate by replicate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from soundproof.analysis.frames import means
from soundproof.analysis.ranking import scores
from soundproof.analysis.results import StudyResults
from soundproof.statistics.paired_areas import paired_areas
from soundproof.statistics.recordings import interval_of

FEWEST = 5
"""Clips (recordings, where one gives several clips) of a class below which a bootstrap is no interval."""
_KEYS = ("detector", "machine", "label", "clip_id", "seed")


@dataclass(frozen=True)
class JointArea:
    """Area of one detector, as a mean over seeds and machines.

    Attributes:
        value: The area, 0..1.
        replicates: Bootstrap replicates [n_resamples], in step with those of the other detectors; empty where
            every machine has fewer than :data:`FEWEST` clips of a class.
        n_seeds: Trainings.
        n_machines: Machines that have clips of both classes.
        n_normal: Normal clips, all machines together.
        n_anomalous: Anomalous clips, all machines together.
    """

    value: float
    replicates: np.ndarray
    n_seeds: int
    n_machines: int
    n_normal: int
    n_anomalous: int

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the percentile interval; NaN where there is none."""
        return interval_of(self.replicates)


def joint_areas(results: StudyResults, anomaly_type: str | None = None) -> dict[str, JointArea]:
    """Area of each detector over the clips of all domains; none where no machine has both classes.

    Args:
        results: The study.
        anomaly_type: Count the anomalies of this type alone (against all normal clips of their machine); None: all.
    """

    def drawn() -> dict[str, JointArea]:
        rows = _of_clips(results)
        if anomaly_type is not None:
            rows = rows[rows["label"].eq("normal") | rows["anomaly_type"].eq(anomaly_type)]
        found: dict[str, list[JointArea]] = {}
        for detector, area in _of_machines(rows, results.recordings, (results.study, anomaly_type or "")):
            found.setdefault(detector, []).append(area)
        return {detector: _mean(found[detector]) for detector in results.detectors(found)}

    return results.once(("joint areas", anomaly_type), drawn)


def _of_clips(results: StudyResults) -> pd.DataFrame:
    """Scores in the order of :data:`_KEYS`, one row for each."""
    keys = [*_KEYS, "anomaly_type"]
    return results.once("scores of clips", lambda: means(scores(results), keys).dropna(subset=["value"]))


def _of_machines(
    rows: pd.DataFrame, recordings: pd.Series | None, names: tuple[str, str]
) -> Iterator[tuple[str, JointArea]]:
    """Area of each detector on each machine.

    Rows are cut by position, since a frame for each would cost more than its area.
    """
    detectors, machines, labels, clip_ids, seeds = (rows[name].to_numpy() for name in _KEYS)
    values = rows["value"].to_numpy(np.float64)
    starts = np.flatnonzero(_changes(detectors) | _changes(machines))
    for run in map(slice, starts, [*starts[1:], len(rows)]):
        detector, machine = detectors[run.start], machines[run.start]
        new_clip = _changes(labels[run]) | _changes(clip_ids[run])
        of_seed, columns = np.unique(seeds[run], return_inverse=True)
        table = np.full((new_clip.sum(), len(of_seed)), np.nan)
        table[new_clip.cumsum() - 1, columns] = values[run]
        anomalous, ids = labels[run][new_clip] == "anomaly", clip_ids[run][new_clip]
        counts = int((~anomalous).sum()), int(anomalous.sum())
        if not min(counts):
            continue
        units = ids if recordings is None else recordings[ids].to_numpy()
        # draws hang on the machine, not on the detector: that pairs the detectors
        areas, replicates = paired_areas(
            table.T[np.newaxis],
            anomalous,
            "joint_areas",
            *names,
            machine,
            recordings=units,
        )
        independent = min(len(set(units[of])) for of in (anomalous, ~anomalous))
        drawn = replicates[0] if independent >= FEWEST else np.empty(0)
        yield str(detector), JointArea(float(areas[0]), drawn, table.shape[1], 1, *counts)


def _changes(ordered: np.ndarray) -> np.ndarray:
    """Where a column begins or differs from the row before, bool [n_rows]."""
    return np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)]


def _mean(parts: list[JointArea]) -> JointArea:
    # a machine with too few clips for an interval would be taken for exactly known beside the others
    known = all(part.replicates.size for part in parts)
    return JointArea(
        float(np.mean([part.value for part in parts])),
        np.mean([part.replicates for part in parts], axis=0) if known else np.empty(0),
        max(part.n_seeds for part in parts),
        len(parts),
        sum(part.n_normal for part in parts),
        sum(part.n_anomalous for part in parts),
    )
