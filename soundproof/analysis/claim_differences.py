"""The differences that claims are about, with what could have made them come out otherwise.

A claim about explainers or chance is about the trainings at hand: paired over clips, means over seeds. A claim
about training (masked against plain) is about trainings in general: over clips and seeds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from soundproof.analysis.criteria import per_clip_and_seed
from soundproof.analysis.frames import groups
from soundproof.analysis.ranking import ALL_DOMAINS, scores
from soundproof.analysis.results import StudyResults
from soundproof.interfaces.metric import Criterion
from soundproof.statistics.bootstrap import mean_ends
from soundproof.statistics.paired_areas import paired_areas
from soundproof.statistics.recordings import recordings_among
from soundproof.statistics.trainings import (
    Difference,
    area_difference,
    paired_difference,
    training_difference,
)

CLIPS, TRAININGS = "clips", "clips and trainings"


class Measured(NamedTuple):
    """A difference and what its interval is over.

    Attributes:
        difference: Value, interval, p, clips and seeds.
        over: :data:`CLIPS` or :data:`TRAININGS`.
        machines: Ends of the interval over machines, then their clips; NaN where there is none.
    """

    difference: Difference
    over: str
    machines: tuple[float, float] = (np.nan, np.nan)


def over_clips(
    results: StudyResults, difference: pd.Series, n_seeds: int, *names: str | int
) -> Measured | None:
    """Mean of a difference by clip id, for the trainings at hand; None where no clip has one."""
    paired = difference.dropna().sort_index()
    if paired.empty:
        return None
    values, recordings = paired.to_numpy(np.float64), results.recordings_of(paired.index)
    ends = mean_ends(
        values[np.newaxis, :, np.newaxis],
        "claims",
        *names,
        units=recordings,
        machines=machines_of(results, paired.index),
    )
    low, high, *machines = (float(end[0]) for end in ends)
    measured = paired_difference(values, n_seeds, (low, high), recordings)
    return Measured(measured, CLIPS, (machines[0], machines[1]))


def between_trainings(
    results: StudyResults, criterion: Criterion, explainer: str, first: str, second: str
) -> Measured | None:
    """One detector's value less another's, over clips and trainings; None where one was not measured."""
    tables = [per_clip_and_seed(results, criterion, detector) for detector in (first, second)]
    if any(explainer not in table.columns.get_level_values(0) for table in tables):
        return None
    a, b = (table[explainer] for table in tables)
    clips = a.dropna().index.intersection(b.dropna().index).sort_values()
    if clips.empty:
        return None
    of_first, of_second = (side.loc[clips].to_numpy(np.float64) for side in (a, b))
    difference = training_difference(
        of_first,
        of_second,
        results.study,
        criterion.name,
        explainer,
        recordings=results.recordings_of(clips),
    )
    return Measured(difference, TRAININGS)


def between_areas(results: StudyResults, first: str, second: str, domain: str = "") -> Measured | None:
    """One detector's AUC less another's, both as means over machines, over clips and trainings.

    One resample of a machine's clips serves both detectors and all their trainings.
    """
    rows = scores(results)
    rows = rows[rows["detector"].isin([first, second])]
    if domain not in ("", ALL_DOMAINS):
        # the normal clips of a domain meet the anomalous clips of both, as in run_areas
        rows = rows[rows["domain"].eq(domain) | rows["label"].eq("anomaly")]
    labels = results.clips.set_index("clip_id")["label"]
    parts, order, counted = [], None, []
    for (machine,), part in groups(rows, ["machine"]):
        table = part.pivot_table(index="clip_id", columns=["detector", "seed"], values="value").dropna()
        anomalous = labels.reindex(table.index).eq("anomaly").to_numpy()
        if {first, second} <= set(table.columns.get_level_values(0)) and 0 < anomalous.sum() < len(table):
            variants, recordings = (
                table.to_numpy(np.float64).T[:, np.newaxis],
                results.recordings_of(table.index),
            )
            parts.append(paired_areas(variants, anomalous, results.dataset, machine, recordings=recordings))
            counted.append((len(table), recordings_among(len(table), recordings)))
            order = table.columns.get_level_values(0)
    if order is None:
        return None
    areas = np.mean([part[0] for part in parts], axis=0)
    replicates = np.mean([part[1] for part in parts], axis=0)
    n_clips, n_recordings = (sum(numbers) for numbers in zip(*counted, strict=True))
    sides = [order == detector for detector in (first, second)]
    return Measured(
        area_difference(
            (areas[sides[0]], areas[sides[1]]),
            (replicates[sides[0]], replicates[sides[1]]),
            n_clips,
            results.study,
            domain,
            n_recordings=n_recordings,
        ),
        TRAININGS,
    )


def machines_of(results: StudyResults, clip_ids: pd.Index) -> np.ndarray:
    """Machine of each clip, empty where it has none."""
    machines = results.clips.set_index("clip_id")["machine"]
    return machines.reindex(clip_ids).fillna("").to_numpy(dtype=str)
