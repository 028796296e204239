"""Is an explained detector better than what needs no explanation? Paired over clips, and said in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from soundproof.analysis.joint_areas import JointArea, joint_areas
from soundproof.analysis.results import StudyResults
from soundproof.backbones.registry import BACKBONES
from soundproof.detection.registry import CHANCE_AUC
from soundproof.detectors.registry import DETECTORS, LEVEL_CONTROL
from soundproof.statistics.recordings import interval_of

BEATEN_BY, NOT_BETTER_THAN = "beaten_by", "not_better_than"
NO_SOUND = "the data set ships spectrograms without sound, so no level was measured"
NOT_SCORED = "no test clip was scored"


class Rival(NamedTuple):
    """An explained detector and one that it should beat.

    Attributes:
        detector: Label of the explained detector.
        rival: Label of the control, or of a detector that is not explained.
        difference: Area of the rival minus that of the detector.
        low: Lower end of its paired 95 % interval over clips; NaN: too few clips.
        high: Upper end.
    """

    detector: str
    rival: str
    difference: float
    low: float
    high: float

    @property
    def beats(self) -> bool:
        """The rival is better, and would be with other clips."""
        return bool(self.low > 0)


def is_control(results: StudyResults, label: str) -> bool:
    """Whether the detector is a trivial rule."""
    kind = results.kind(label)
    return kind == LEVEL_CONTROL or (kind in DETECTORS and DETECTORS[kind].control)


def _is_baseline(results: StudyResults, label: str) -> bool:
    kind = results.kind(label)
    return kind in DETECTORS and DETECTORS[kind].baseline


def _is_simpler(results: StudyResults, rival: str, detector: str) -> bool:
    """Whether the rival is a baseline, or the same detector on a control of its backbone."""
    if _is_baseline(results, rival):
        return True
    backbones = [results.backbones.get(label) for label in (rival, detector)]
    stands_on_control = [name is not None and BACKBONES[name].control for name in backbones]
    return results.kind(rival) == results.kind(detector) and stands_on_control == [True, False]


def rivals(results: StudyResults, areas: Mapping[str, JointArea]) -> list[Rival]:
    """Controls and baselines that an explained detector does not beat, and others that beat it.

    A control counts unless the detector is better within the paired interval; with too few clips for an interval,
    unless its area is larger. Another detector (a baseline, the same on a control of its backbone, or one that
    nobody explains) counts where it is better within the interval.
    """
    explained = set(results.measurements.loc[results.measurements["explainer"].notna(), "detector"])
    found = []
    for detector in (label for label in areas if label in explained and not is_control(results, label)):
        for rival in (label for label in areas if label != detector):
            control = is_control(results, rival)
            if rival in explained and not control and not _is_simpler(results, rival, detector):
                continue
            pair = _compare(areas, detector, rival)
            undecided = np.isnan(pair.low)
            worse = pair.difference < 0 if undecided else pair.high < 0
            if pair.beats or (control and not worse):
                found.append(pair)
    return found


def level_with(results: StudyResults, areas: Mapping[str, JointArea]) -> list[Rival]:
    """Simpler detectors beside explained ones where neither is better within the paired interval over clips.

    Simpler are baselines, and the same detector on a control of its backbone (random weights, no network).
    Detectors with too few clips for an interval are level with none: nothing is known of the difference.
    """
    explained = set(results.measurements.loc[results.measurements["explainer"].notna(), "detector"])
    pairs = [
        _compare(areas, detector, rival)
        for detector in (label for label in areas if label in explained)
        for rival in (label for label in areas if label != detector and _is_simpler(results, label, detector))
        if not (is_control(results, detector) or _is_baseline(results, detector))
    ]
    return [pair for pair in pairs if pair.low <= 0 <= pair.high]


def _compare(areas: Mapping[str, JointArea], detector: str, rival: str) -> Rival:
    ours, theirs = areas[detector], areas[rival]
    paired = bool(ours.replicates.size and theirs.replicates.size)
    differences = theirs.replicates - ours.replicates if paired else np.empty(0)
    return Rival(detector, rival, theirs.value - ours.value, *interval_of(differences))


def with_rivals(frame: pd.DataFrame, results: StudyResults) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Add to a table with one row per detector what beats it, and rows that say why a detector has no number.

    Returns:
        The frame with columns ``beaten_by`` and ``not_better_than`` (printed names) and ``reason``, and the
        sentences that a reader must not miss.
    """
    areas = joint_areas(results)
    found = rivals(results, areas)
    columns = {BEATEN_BY: True, NOT_BETTER_THAN: False}
    for column, beats in columns.items():
        names = {
            label: ", ".join(
                results.detector_title(pair.rival)
                for pair in found
                if pair.detector == label and pair.beats is beats
            )
            for label in frame["detector"]
        }
        frame = frame.assign(**{column: frame["detector"].map(names)})
    return _with_reasons(frame, results), tuple(_sentences(results, areas, found))


def _with_reasons(frame: pd.DataFrame, results: StudyResults) -> pd.DataFrame:
    missing = [
        {
            "detector": label,
            "detector_title": results.detector_title(label),
            "reason": NO_SOUND if label == LEVEL_CONTROL else NOT_SCORED,
            BEATEN_BY: "",
            NOT_BETTER_THAN: "",
        }
        for label in results.detector_kinds
        if label not in set(frame["detector"])
    ]
    frame = frame.assign(reason="")
    if not missing:
        return frame
    # counts would become floating-point numbers beside a missing one
    counts = dict.fromkeys(frame.select_dtypes("integer").columns, "Int64")
    return pd.concat([frame.astype(counts), pd.DataFrame(missing)], ignore_index=True)


def _sentences(results: StudyResults, areas: Mapping[str, JointArea], found: list[Rival]) -> list[str]:
    title = results.detector_title
    said = []
    for detector in dict.fromkeys(pair.detector for pair in found):
        pairs = [pair for pair in found if pair.detector == detector]
        ours = f"{title(detector)} (AUC {areas[detector].value:.2f})"
        beaten = [_words(pair, results, areas) for pair in pairs if pair.beats]
        if beaten:
            said.append(
                f"{ours} is beaten by {'; '.join(beaten)}. However good explanations of {title(detector)} are, "
                "they explain the lesser detector."
            )
        equal = [_words(pair, results, areas) for pair in pairs if not pair.beats]
        if equal:
            said.append(
                f"{ours} is not shown to be better than a rule that learnt nothing: {'; '.join(equal)}. "
                "Explanations of it need not show a fault."
            )
    for label, area in areas.items():
        low, high = area.interval
        if is_control(results, label) and not low <= CHANCE_AUC <= high and not np.isnan(low):
            said.append(
                f"{title(label)} alone tells the classes apart here (AUC {area.value:.2f} [{low:.2f}, {high:.2f}]; "
                "chance 0.50): a detector may score well without having learnt what a fault is."
            )
    return said


def _words(pair: Rival, results: StudyResults, areas: Mapping[str, JointArea]) -> str:
    interval = (
        "too few clips for an interval"
        if np.isnan(pair.low)
        else f"[{pair.low:+.2f}, {pair.high:+.2f}], paired over clips"
    )
    area = areas[pair.rival].value
    return f"{results.detector_title(pair.rival)}, {area:.2f}, difference {pair.difference:+.2f} ({interval})"
