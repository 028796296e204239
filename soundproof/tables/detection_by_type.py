"""Which kinds of fault does each detector find? The first question of an engineer."""

from __future__ import annotations

import pandas as pd

from soundproof.analysis.joint_areas import FEWEST, joint_areas
from soundproof.analysis.ranking import CHANCE_AUC, scores
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent

FORMATS = (
    Column("Anomaly type", "anomaly_type"),
    Column("Detector", "detector_title"),
    Column("AUC", "auc", "auc_ci_low", "auc_ci_high"),
    Column("Chance", "chance"),
    Column("Normal / anomalous clips", "clips"),
    Column("Machines", "n_machines"),
    Column("Seeds", "n_seeds"),
)
CAPTION = (
    "Detection by type of anomaly: area under the ROC curve of the anomalies of one type against all normal clips "
    "of the same machine, as a mean over machines that have the type and over seeds, with 95 % bootstrap intervals "
    "over clips (resampled within class and machine, the same resamples for all detectors). 0.5 by chance. No "
    f"interval where a machine has fewer than {FEWEST} clips of a class. Detectors whose area is low for one type "
    "and high for another average the two in the detection table."
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per anomaly type and detector."""
    scored = scores(results)
    if scored.empty:
        return absent("the study has no anomaly scores of test clips", FORMATS, CAPTION)
    anomalies = scored[scored["label"].eq("anomaly")]
    if anomalies.empty:
        return absent("no anomalous clip in the set", FORMATS, CAPTION)
    unknown = anomalies.loc[anomalies["anomaly_type"].isna(), "clip_id"].nunique()
    rows = [
        {
            "anomaly_type": kind,
            "detector_title": results.detector_title(detector),
            "detector": detector,
            "auc": area.value,
            "auc_ci_low": area.interval[0],
            "auc_ci_high": area.interval[1],
            "chance": CHANCE_AUC,
            "clips": f"{area.n_normal} / {area.n_anomalous}",
            "n_normal": area.n_normal,
            "n_anomalous": area.n_anomalous,
            "n_machines": area.n_machines,
            "n_seeds": area.n_seeds,
        }
        for kind in sorted(anomalies["anomaly_type"].dropna().unique())
        for detector, area in joint_areas(results, kind).items()
    ]
    if not rows:
        reason = (
            f"the type of none of the {unknown} anomalous test clips is known"
            if unknown == anomalies["clip_id"].nunique()
            else "no machine has normal clips beside its anomalies"
        )
        return absent(reason, FORMATS, CAPTION)
    left_out = f" Left out: {unknown} anomalous clips of unknown type." if unknown else ""
    return FinishedTable(pd.DataFrame(rows), CAPTION + left_out, FORMATS)
