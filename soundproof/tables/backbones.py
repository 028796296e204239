"""What does a pretrained network add to detectors on its patches?"""

from __future__ import annotations

from soundproof.analysis.by_backbone import BY_BACKBONE, MISSING, by_backbone, without_controls
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent

FORMATS = (
    Column("Detector", "kind_title"),
    Column("Backbone", "backbone_title"),
    Column("Clip AUC", "auc", "auc_ci_low", "auc_ci_high"),
    Column("Chance", "auc_chance"),
    Column("Beyond random weights", "beyond_random", "beyond_random_ci_low", "beyond_random_ci_high"),
    Column("Beyond no network", "beyond_none", "beyond_none_ci_low", "beyond_none_ci_high"),
    Column("Cell AUROC of its own map", "cell_auroc", "cell_auroc_ci_low", "cell_auroc_ci_high"),
    Column("Chance: uniform", "cell_chance_uniform"),
    Column("Chance: shifted", "cell_chance_shift"),
    Column("Normal / anomalous clips", "clips"),
    Column("Explained clips", "n_clips"),
    Column("Seeds", "n_seeds"),
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector and backbone."""
    frame = by_backbone(results)
    if frame.empty:
        return absent(MISSING, FORMATS, BY_BACKBONE)
    return FinishedTable(frame, BY_BACKBONE, FORMATS, without_controls(results))
