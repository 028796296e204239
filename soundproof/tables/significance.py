"""Which differences between explainers would survive other clips?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from soundproof.analysis.claim_differences import machines_of
from soundproof.analysis.criteria import all_criteria, per_clip
from soundproof.analysis.favours import favours
from soundproof.analysis.frames import records
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.statistics import wilcoxon_holm

FORMATS = (
    Column("Detector", "detector_title"),
    Column("Axis", "axis_title"),
    Column("A", "a_title"),
    Column("B", "b_title"),
    Column("Median A − B", "median_difference", digits=3),
    Column("Effect (rank-biserial)", "rank_biserial"),
    Column("p (Holm)", "p_holm", digits=4),
    Column("Better", "better"),
    Column("p over machines (Holm)", "p_machines_holm", digits=4),
    Column("Machines", "n_machines"),
    Column("Clips", "n"),
)
CAPTION = (
    "Pairs of explainers on the same clips: Wilcoxon's signed-rank test on means over these trainings, two-sided, "
    "with Holm's correction over the pairs of one detector and axis. The effect runs from −1 (B larger on "
    "every clip) to 1; 0 is no difference, as by chance. 'Better' names the winner where p (Holm) < 0.05, for "
    "these machines. Clips of one machine may be much alike: p over machines flips the signs of all its clips at "
    "once (signed ranks of clustered data, exact), and says whether the difference would be expected of other "
    "machines. Of M machines it cannot fall below 2 / 2^M before the correction: five or fewer decide nothing. "
    "Every map marks equally many frames, ties split at random. Where one recording gave several clips, their mean "
    "counts once."
)
LEVEL = 0.05


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector, axis and pair of explainers."""
    present = results.measurements["detector"].dropna().unique()
    parts = []
    for detector in results.detectors(present):
        for criterion in (criterion for criterion in all_criteria() if criterion.tested):
            clips = per_clip(results, criterion, detector)
            if clips.shape[1] < 2 or clips.shape[0] < 2:
                continue
            clips = clips[results.explainers(clips.columns)]
            tested = wilcoxon_holm(*_independent(results, clips))
            parts.append(
                tested.assign(
                    detector=detector,
                    detector_title=results.detector_title(detector),
                    axis=criterion.name,
                    axis_title=criterion.title,
                    a_title=tested["a"].map(results.explainer_title),
                    b_title=tested["b"].map(results.explainer_title),
                    better=_better(tested, results, criterion.higher_is_better),
                )
            )
    if not parts:
        return absent("fewer than two explainers or clips were measured", FORMATS, CAPTION)
    frame = pd.concat(parts, ignore_index=True)
    return FinishedTable(frame, CAPTION + favours(frame["axis"]), FORMATS)


def _independent(results: StudyResults, clips: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """One row per recording, the mean of its clips, with its machine; where each clip is one, the clips."""
    recordings = results.recordings_of(clips.index)
    machines = machines_of(results, clips.index)
    if recordings is None:
        return clips, machines
    of_first = pd.Series(machines, index=recordings).groupby(level=0).first()
    means = clips.groupby(recordings).mean()
    return means, of_first.reindex(means.index).to_numpy(dtype=str)


def _better(tested: pd.DataFrame, results: StudyResults, higher_is_better: bool) -> list[str]:
    better = []
    for row in records(tested):
        if row["p_holm"] >= LEVEL or row["rank_biserial"] == 0:
            better.append("undecided")
        else:
            winner = row["a"] if (row["rank_biserial"] > 0) == higher_is_better else row["b"]
            better.append(results.explainer_title(winner))
    return better
