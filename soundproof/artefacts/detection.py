"""T1: how well each detector tells anomalous from normal clips."""

from __future__ import annotations

import pandas as pd

from soundproof.artefacts.finished import Column, FinishedTable, absent
from soundproof.artefacts.frames import records
from soundproof.artefacts.interval_words import AREAS
from soundproof.artefacts.learning import learning_warnings
from soundproof.artefacts.measures import titled
from soundproof.artefacts.ranking import ALL_DOMAINS, CHANCE_AUC, mean_areas, run_areas, side_by_side
from soundproof.results import StudyResults

LOUDNESS_FREE = (0.35, 0.65)
"""Outside this range of AUC, the clip's level alone counts as separating the classes."""
FORMATS = (
    Column("Detector", "detector_title"),
    Column("AUC", "auc", "auc_ci_low", "auc_ci_high"),
    Column("sd over seeds", "auc_sd_seeds", digits=3),
    Column("pAUC (FPR ≤ 0.1)", "pauc", "pauc_ci_low", "pauc_ci_high"),
    Column("sd over seeds (pAUC)", "pauc_sd_seeds", digits=3),
    Column("Chance", "chance"),
    Column("Normal / anomalous clips", "clips"),
    Column("Seeds", "n_seeds"),
)
CAPTION = (
    "Detection of anomalous clips: area under the ROC curve and standardised partial area up to a "
    f"false-positive rate of 0.1. {AREAS} Both areas are 0.5 by chance. The control scores a clip by the mean "
    "of its map alone."
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector."""
    runs, reasons = run_areas(results)
    if runs.empty:
        reason = "; ".join(reasons) or "the study has no anomaly scores of test clips"
        return absent(reason, FORMATS, CAPTION)
    areas = mean_areas(runs[runs["domain"].eq(ALL_DOMAINS)], ["detector", "metric"])
    facts = areas.drop_duplicates("detector").set_index("detector")
    frame = titled(side_by_side(areas, ["detector"], "metric"), results).assign(chance=CHANCE_AUC)
    for name in ("n_seeds", "n_machines", "n_normal", "n_anomalous"):
        frame[name] = frame["detector"].map(facts[name])
    frame["clips"] = [f"{n} / {a}" for n, a in zip(frame["n_normal"], frame["n_anomalous"], strict=True)]
    caption = CAPTION + _means(int(frame["n_machines"].max()))
    if reasons:
        caption += f" Left out: {'; '.join(reasons)}."
    return FinishedTable(frame, caption, FORMATS, level_warnings(frame, results) + learning_warnings(results))


def _means(n_machines: int) -> str:
    if n_machines == 1:
        return ""
    return f" Areas are computed within each of the {n_machines} machines and averaged."


def level_warnings(frame: pd.DataFrame, results: StudyResults) -> tuple[str, ...]:
    """Warn where the level alone separates the classes, so that nobody takes loudness for understanding."""
    low, high = LOUDNESS_FREE
    controls = frame[frame["detector"].map(results.kind).eq("clip_level")]
    return tuple(
        f"The mean of a clip's map alone separates the classes here (AUC {row['auc']:.2f}): a detector may score "
        "well by level or spectral balance, and explanations of such a detector need not show a fault."
        for row in records(controls)
        if not low <= row["auc"] <= high
    )
