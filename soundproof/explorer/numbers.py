"""Numbers of single clips: their scores, those of normal clips, and every criterion of every explanation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from soundproof.analysis.bands import quality_rho
from soundproof.analysis.criteria import all_criteria
from soundproof.analysis.frames import groups, means
from soundproof.analysis.measures import SHARED_CHANCE, chance_rows, select
from soundproof.analysis.results import StudyResults
from soundproof.explorer.view import Measure, Measured
from soundproof.illustrations.part_files import Explanation
from soundproof.interfaces.metric import Criterion
from soundproof.storage.fits import Fit
from soundproof.storage.measurements import UNIFORM

SCORE = "anomaly_score"
KEYS = ("detector", "explainer", "clip_id")


@dataclass(frozen=True)
class Numbers:
    """What was measured of clips.

    Attributes:
        measures: Criteria of which any explained clip has a value.
        scores: Score by clip and detector.
        normals: Scores of normal test clips by detector and machine.
        explanations: Numbers by clip, explanation and measure.
    """

    measures: tuple[Measure, ...]
    scores: Mapping[str, Mapping[str, float]]
    normals: Mapping[tuple[str, str], np.ndarray]
    explanations: Mapping[str, Mapping[Explanation, Mapping[str, Measured]]]


def numbers_of(results: StudyResults, fits: Iterable[Fit]) -> Numbers:
    """Gather the numbers of some trainings; means over the parameters of a criterion.

    Args:
        results: The study.
        fits: Trainings whose maps are shown.
    """
    shown = set(fits)
    rows = results.measurements
    keys = zip(rows["detector"], rows["seed"], strict=True)
    of_shown = replace(results, measurements=rows[[key in shown for key in keys]])
    scores = select(of_shown, SCORE)
    found: dict[str, dict[Explanation, dict[str, Measured]]] = defaultdict(lambda: defaultdict(dict))
    measures = []
    for criterion in all_criteria():
        values = list(_of_criterion(of_shown, criterion))
        for clip_id, explanation, measured in values:
            found[clip_id][explanation][criterion.name] = measured
        if values:
            judges = criterion.judges or ""
            measures.append(Measure(criterion.name, criterion.title, judges, criterion.higher_is_better))
    return Numbers(tuple(measures), _by_clip(scores), _of_normals(scores, results.clips), found)


def _of_criterion(results: StudyResults, criterion: Criterion) -> Iterator[tuple[str, Explanation, Measured]]:
    """Clip, explanation and number of all clips that have one; as tables have them, before any mean over clips."""
    of_metric = (criterion.metric, criterion.protocols, criterion.parameters)
    rows = quality_rho(results) if criterion.summary == "fisher_of_bands" else select(results, *of_metric)
    chance = chance_rows(results, criterion.metric, UNIFORM, *of_metric[1:])
    of_chance = _means(chance)
    # chance that all explainers share has a name of its own
    shared = next((name for name in SHARED_CHANCE if chance["explainer"].eq(name).any()), None)
    for (detector, explainer, clip_id), value in _means(rows).items():
        level = of_chance.get((detector, shared or explainer, clip_id), criterion.level)
        yield clip_id, (detector, explainer), Measured(value, level)


def _means(rows: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Mean over the parameters of each detector, explainer and clip."""
    found = means(rows, KEYS).dropna() if len(rows) else rows
    keys = zip(*(found[name] for name in KEYS), strict=True)
    return dict(zip(keys, found["value"].astype(float), strict=True))


def _by_clip(scores: pd.DataFrame) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for clip_id, detector, value in zip(scores["clip_id"], scores["detector"], scores["value"], strict=True):
        found[clip_id][detector] = float(value)
    return found


def _of_normals(scores: pd.DataFrame, clips: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
    normal = clips.loc[clips["label"].eq("normal"), ["clip_id"]]
    return {
        (str(detector), str(machine)): part["value"].to_numpy(np.float64)
        for (detector, machine), part in groups(scores.merge(normal, on="clip_id"), ["detector", "machine"])
    }
