"""Faithfulness on the sound against faithfulness on the features: do they agree, and which finds the fault?"""

from __future__ import annotations

import math

import pandas as pd

from soundproof.analysis.criteria import criteria_named
from soundproof.analysis.interval_words import OVER_CLIPS
from soundproof.analysis.measures import select, titled
from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.analysis.within_clips import agreement_of_clips, agreement_of_explainers
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.interfaces.metric import Criterion
from soundproof.tables.sound_findings import SOUND, agreements_found, predictions_found

ON_SOUND = ("sound_deletion", "sound_insertion")
ON_FEATURES = {"sound_deletion": "deletion", "sound_insertion": "insertion"}
PLACES = ("cell_auroc", "frame_auroc")
"""Criteria of localisation that are predicted: the first that the study has."""
_RANKED = "explainers of a clip"
FORMATS = (
    Column("Detector", "detector_title"),
    Column("On the sound", "on_sound"),
    Column("On the features", "on_features"),
    Column("Ranked", "ranked"),
    Column("Statistic", "statistic"),
    Column("Agreement", "value", "ci_low", "ci_high"),
    Column("Clips", "n_clips"),
)
CAPTION = (
    "Where taking marked cells out of the sound (or keeping nothing else) agrees with replacing them in the map of "
    "features. tau-b ranks the explainers of a clip by both and averages over clips; rho ranks the clips of one "
    "explainer. 1: the same order, 0: agreement by chance. Controls are left out. "
    f"{OVER_CLIPS}"
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: for each detector and pair of criteria all explainers, then each of them."""
    frames = [
        frame.assign(detector=detector, on_sound=one.title, on_features=other.title)
        for detector in _explained(results)
        for family, feature in ON_FEATURES.items()
        for one in _measured(results, (family,))
        for other in _measured(results, (feature,))
        for frame in _agreements(results, one, other, detector)
    ]
    if not frames:
        return absent(_why(results), FORMATS, CAPTION)
    frame = titled(pd.concat(frames, ignore_index=True), results)
    found = agreements_found(frame[frame["ranked"].eq(_RANKED)])
    return FinishedTable(frame, f"{CAPTION} {found}".rstrip(), FORMATS)


def _agreements(results: StudyResults, one: Criterion, other: Criterion, detector: str) -> list[pd.DataFrame]:
    ranked = agreement_of_explainers(results, one, other, detector).assign(ranked=_RANKED, statistic="tau-b")
    # one rho over all clips of an explainer has no interval over clips
    each = agreement_of_clips(results, one, other, detector).assign(
        statistic="rho", ci_low=math.nan, ci_high=math.nan
    )
    each = each.assign(ranked=[f"clips, {results.explainer_title(name)}" for name in each.pop("explainer")])
    return [frame for frame in (ranked, each) if not frame.empty]


PREDICTION_FORMATS = (
    Column("Detector", "detector_title"),
    Column("Faithfulness", "criterion"),
    Column("Of", "kind"),
    Column("Predicts", "place"),
    Column("tau-b", "value", "ci_low", "ci_high"),
    Column("sd over seeds", "sd_seeds", digits=3),
    Column("Clips", "n_clips"),
    Column("Seeds", "n_seeds"),
)
PREDICTION_CAPTION = (
    "Does the explanation that is called more faithful also mark the fault better? Kendall's tau-b over the "
    "explainers of a clip between each criterion of faithfulness and localisation, averaged over clips: 1 where "
    "both rank alike, 0 by chance. Controls are left out. A detector may use cells that are no fault, so agreement "
    f"need not be high for a criterion to be right. {OVER_CLIPS}"
)


def build_predictions(results: StudyResults) -> FinishedTable:
    """Make the table of predictions: one row per detector and criterion of faithfulness, best first."""
    places = [
        criterion for name in PLACES for criterion in criteria_named([name]) if _rows(results, criterion)
    ]
    families = tuple(FAITHFULNESS)
    frames = [
        agreement_of_explainers(results, criterion, places[0], detector).assign(
            criterion=criterion.title,
            kind=SOUND if criterion.metric in ON_SOUND else "the features",
            place=places[0].title,
        )
        for detector in _explained(results)
        for criterion in (_measured(results, families) if places else [])
    ]
    found = [frame for frame in frames if not frame.empty]
    if not found or not _measured(results, ON_SOUND):
        reason = why_missing(results, *PLACES) if not places else _why(results)
        return absent(reason, PREDICTION_FORMATS, PREDICTION_CAPTION)
    frame = pd.concat(found, ignore_index=True).sort_values("value", ascending=False, kind="stable")
    frame = titled(frame, results)
    return FinishedTable(
        frame, f"{PREDICTION_CAPTION} {predictions_found(frame)}".rstrip(), PREDICTION_FORMATS
    )


def _measured(results: StudyResults, families: tuple[str, ...]) -> list[Criterion]:
    """Criteria of faithfulness with values per clip, in the order of print."""
    return [
        criterion
        for family in families
        for criterion in FAITHFULNESS[family].criteria
        if criterion.judges == "faithfulness" and criterion.summary == "mean" and _rows(results, criterion)
    ]


def _rows(results: StudyResults, criterion: Criterion) -> bool:
    return not select(results, criterion.metric, criterion.protocols, criterion.parameters).empty


def _explained(results: StudyResults) -> list[str]:
    rows = results.measurements
    return results.detectors(rows.loc[rows["explainer"].notna(), "detector"])


def _why(results: StudyResults) -> str:
    if not _measured(results, ON_SOUND):
        return why_missing(results, *ON_SOUND)
    return "no clip has three explanations that were measured on the sound and on the features"
