"""What do the families of explainable detectors reach on the same clips, by score and by their own map?"""

from __future__ import annotations

from typing import Any, get_args

import pandas as pd

from soundproof.analysis.by_backbone import CELLS
from soundproof.analysis.joint_areas import FEWEST, joint_areas
from soundproof.analysis.measures import measure, titled
from soundproof.analysis.results import StudyResults
from soundproof.attribution.registry import INPUT_MAP, OWN_MAP
from soundproof.detection.registry import CHANCE_AUC
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.faithfulness.settings import Change
from soundproof.localisation.registry import INFLUENCE

_MEASURED: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    # column, measure, which of its rows, heading
    (CELLS, CELLS, {}, "Cell AUROC"),
    ("iou", "iou", {"parameters": (0.98,)}, "IoU (q 0.98)"),
    ("iou_oracle", "iou_oracle", {}, "IoU (oracle q)"),
    ("aupro", "aupro", {"protocols": ("", INFLUENCE)}, "AU-PRO"),
    ("deletion", "deletion_auc", {"protocols": ("clip_median",)}, "Deletion (clip median)"),
    ("deletion_band", "deletion_auc", {"protocols": ("band_median",)}, "Deletion (band median)"),
    ("robustness", "robustness", {"protocols": get_args(Change)}, "Robustness"),
)
_OF_MEASURE = ("value", "ci_low", "ci_high", "chance_uniform")
_LEADING = (Column("Family", "family"), Column("Detector", "detector_title"))
_AREAS = (
    Column("Clip AUC", "auc", "auc_ci_low", "auc_ci_high"),
    Column("Chance", "auc_chance"),
    Column("Normal / anomalous clips", "clips"),
)
CAPTION = (
    "Members of the families of explainable anomaly detection (survey: arXiv 2302.06670) on the same clips, each "
    "with its own map. Clip AUC: area under the ROC curve of the score, mean over machines and seeds. Of the map: "
    "cell AUROC, intersection over union with the mask at a fixed quantile and at each clip's best one, which is "
    "an oracle that looks at the truth, AU-PRO, deletion (lower is better), and robustness, the rank correlation "
    "with the map of the same clip made louder, softer, later or noisy (or what else the study asks for). "
    "Chance: cells in random order. "
    "Input: the same measure of the clip's own spectrogram, which needs no detector. Constant maps: clips whose "
    "map has one value everywhere and tells nothing. In brackets 95 % bootstrap intervals over clips, none below "
    f"{FEWEST} clips of a class. Settings were not chosen by these numbers; seconds stand in the table of costs."
)
_NOT_MEASURED = Column("Not measured", "absent")


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector, families together in the order of the study.

    A member that needs what only its user can bring has a row that says so.
    """
    areas = joint_areas(results)
    labels = [label for label in results.detectors(results.families) if label in areas]
    if not labels:
        return absent("the study has no detector with scores of both classes", (*_LEADING, *_AREAS), CAPTION)
    frame = pd.DataFrame(
        {
            "detector": label,
            "family": results.families[label],
            "auc": areas[label].value,
            "auc_ci_low": areas[label].interval[0],
            "auc_ci_high": areas[label].interval[1],
            "auc_chance": CHANCE_AUC,
            "clips": f"{areas[label].n_normal} / {areas[label].n_anomalous}",
        }
        for label in labels
    )
    formats = [*_LEADING, *_AREAS]
    for name, metric, which, heading in _MEASURED:
        found = measure(results, metric, **which)
        if found.empty:
            continue
        frame = frame.merge(_of_kind(results, found, OWN_MAP, name), on="detector", how="left")
        of_input = _of_kind(results, found, INPUT_MAP, f"{name}_input")[["detector", f"{name}_input"]]
        frame = frame.merge(of_input, on="detector", how="left")
        formats += [
            Column(heading, name, f"{name}_ci_low", f"{name}_ci_high"),
            Column(f"Chance of {heading}", f"{name}_chance_uniform"),
            Column(f"Input: {heading}", f"{name}_input"),
        ]
    frame["constant"] = frame["detector"].map(_constant(results))
    frame = titled(frame, results)
    formats.append(Column("Constant maps", "constant"))
    if results.absent:
        rows = [
            {"detector_title": one["title"], "family": one["family"], "absent": one["reason"]}
            for one in results.absent
        ]
        frame = pd.concat([frame, pd.DataFrame(rows)], ignore_index=True)
        formats.append(_NOT_MEASURED)
    first = {family: row for row, family in reversed(list(enumerate(frame["family"])))}
    frame = frame.sort_values("family", key=lambda names: names.map(first), kind="stable", ignore_index=True)
    return FinishedTable(frame, CAPTION, tuple(formats))


def _of_kind(results: StudyResults, found: pd.DataFrame, kind: str, name: str) -> pd.DataFrame:
    rows = found[[results.explainer_kind(label) == kind for label in found["explainer"]]]
    columns = {column: name if column == "value" else f"{name}_{column}" for column in _OF_MEASURE}
    return rows.drop_duplicates("detector")[["detector", *columns]].rename(columns=columns)


def _constant(results: StudyResults) -> dict[str, str]:
    """By detector, how many of its own maps have one value everywhere, of how many."""
    rows = results.of_metric("constant_map")
    own = rows[[results.explainer_kind(label) == OWN_MAP for label in rows["explainer"]]]
    counted = own.groupby("detector")["value"].agg(["sum", "size"])
    return {str(label): f"{int(found)} of {n}" for label, found, n in counted.itertuples()}
