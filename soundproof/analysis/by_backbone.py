"""Clip and cell areas of detectors on patches, by the network that the patches come from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from soundproof.analysis.joint_areas import FEWEST, joint_areas
from soundproof.analysis.measures import measure
from soundproof.analysis.results import StudyResults
from soundproof.attribution.registry import OWN_MAP
from soundproof.backbones.registry import BACKBONES
from soundproof.detection.registry import CHANCE_AUC
from soundproof.detectors.registry import DETECTORS
from soundproof.statistics.recordings import interval_of

CELLS = "cell_auroc"
CONTROLS = tuple(name for name, entry in BACKBONES.items() if entry.control)
BY_BACKBONE = (
    "Detectors on patches by backbone, beside the two controls: the same network with random weights, and no "
    "network (patches of the map itself). Clip AUC: area under the ROC curve of the clip score, mean over machines "
    "and seeds. Cell AUROC: of the detector's own map against the exact mask of each explained clip, mean over "
    f"clips and seeds. In brackets 95 % bootstrap intervals over clips, none below {FEWEST} clips of a class. Only "
    "what a trained network reaches beyond both controls may be credited to its training: the differences of clip "
    "areas are paired over clips, and one whose interval holds 0 shows nothing."
)
MISSING = "no detector of the study stands on a backbone, or none was scored"
_CELL_COLUMNS = {
    "value": CELLS,
    "ci_low": f"{CELLS}_ci_low",
    "ci_high": f"{CELLS}_ci_high",
    "chance_uniform": "cell_chance_uniform",
    "chance_shift": "cell_chance_shift",
    "n_clips": "n_clips",
}


class Credit(NamedTuple):
    """A detector on a trained network and one of its controls.

    Attributes:
        detector: Label of the detector.
        control: Label of the control.
        difference: Clip area of the detector minus that of the control.
        low: Lower end of its 95 % interval, paired over clips; NaN: too few clips.
        high: Upper end.
    """

    detector: str
    control: str
    difference: float
    low: float
    high: float


def credits(results: StudyResults) -> list[Credit]:
    """What each trained network adds to its detector's clip area, control by control, paired over clips."""
    areas = joint_areas(results)
    found = []
    for detector, controls in results.controls.items():
        for control in (label for label in controls if {detector, label} <= set(areas)):
            ours, theirs = areas[detector], areas[control]
            paired = bool(ours.replicates.size and theirs.replicates.size)
            differences = ours.replicates - theirs.replicates if paired else np.empty(0)
            found.append(Credit(detector, control, ours.value - theirs.value, *interval_of(differences)))
    return found


def credit_words(results: StudyResults, detector: str) -> str:
    """Whether what a detector finds may be credited to its network's training, in a sentence; empty: no control."""
    own = [credit for credit in credits(results) if credit.detector == detector]
    if not own:
        return ""
    areas = joint_areas(results)

    def told(credit: Credit) -> str:
        interval = (
            "too few clips for an interval"
            if np.isnan(credit.low)
            else f"[{credit.low:+.2f}, {credit.high:+.2f}], paired over clips"
        )
        area = areas[credit.control].value
        return f"{results.detector_title(credit.control)} reaches {area:.2f}, {credit.difference:+.2f} ({interval})"

    not_exceeded = [credit for credit in own if not credit.low > 0]
    if not_exceeded:
        return f"This may not be credited to the network's training: {'; '.join(map(told, not_exceeded))}."
    return f"Its network's training adds to it: {'; '.join(map(told, own))}."


def by_backbone(results: StudyResults) -> pd.DataFrame:
    """One row per detector that stands on a backbone, those of a kind together; empty without any.

    Columns: detector, kind, kind_title, backbone, backbone_title, auc with auc_ci_low, auc_ci_high and auc_chance,
    cell_auroc likewise with cell_chance_uniform and cell_chance_shift (missing where its own map was not measured);
    of trained networks beyond_random and beyond_none with their intervals: what they add to a control's clip area.
    """
    areas = joint_areas(results)
    rows = [
        {
            "detector": label,
            "kind": results.kind(label),
            "kind_title": DETECTORS[results.kind(label)].title,
            "backbone": results.backbones[label],
            "backbone_title": BACKBONES[results.backbones[label]].title,
            "auc": areas[label].value,
            "auc_ci_low": areas[label].interval[0],
            "auc_ci_high": areas[label].interval[1],
            "auc_chance": CHANCE_AUC,
            "clips": f"{areas[label].n_normal} / {areas[label].n_anomalous}",
            "n_seeds": areas[label].n_seeds,
        }
        for label in results.detectors(results.backbones)
        if label in areas
    ]
    if not rows:
        return pd.DataFrame()
    frame = pd.DataFrame(rows)
    first = {kind: row for row, kind in reversed(list(enumerate(frame["kind"])))}
    frame = frame.sort_values("kind", key=lambda kinds: kinds.map(first), kind="stable")
    frame = frame.merge(_cells(results), on="detector", how="left", validate="one_to_one")
    return frame.merge(_beyond(results, frame["detector"]), on="detector", how="left", validate="one_to_one")


def without_controls(results: StudyResults) -> tuple[str, ...]:
    """A sentence for each kind of detector that stands on a trained network without a control beside it."""
    standing: dict[str, set[str]] = {}
    for label in results.detectors(results.backbones):
        standing.setdefault(results.kind(label), set()).add(results.backbones[label])
    said = []
    for kind, backbones in standing.items():
        if backbones <= set(CONTROLS):
            continue
        entry = DETECTORS[kind]
        lacking = [name for name in CONTROLS if name not in backbones]
        for why, names in (
            ("what its network's training adds is not known", filter(entry.stands_on, lacking)),
            (
                "it learns what a network makes of clips",
                (name for name in lacking if not entry.stands_on(name)),
            ),
        ):
            if named := " or ".join(f"'{name}'" for name in names):
                said.append(f"{entry.title} has no row with the backbone {named}: {why}.")
    return tuple(said)


def _beyond(results: StudyResults, detectors: pd.Series) -> pd.DataFrame:
    """What each detector adds to its controls, missing where it has no such control."""
    ends = {"": "difference", "_ci_low": "low", "_ci_high": "high"}
    frame = pd.DataFrame({"detector": detectors})
    for control in CONTROLS:
        of_control = {
            credit.detector: credit
            for credit in reversed(credits(results))
            if results.backbones[credit.control] == control
        }
        for end, name in ends.items():
            values = {label: getattr(credit, name) for label, credit in of_control.items()}
            frame[f"beyond_{control}{end}"] = detectors.map(values).astype("float64")
    return frame


def _cells(results: StudyResults) -> pd.DataFrame:
    measured = measure(results, CELLS)
    if measured.empty:
        return pd.DataFrame(columns=["detector", *_CELL_COLUMNS.values()])
    own = measured[[results.explainer_kind(name) == OWN_MAP for name in measured["explainer"]]]
    own = own.drop_duplicates("detector")
    return own[["detector", *_CELL_COLUMNS]].rename(columns=_CELL_COLUMNS)
