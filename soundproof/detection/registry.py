"""Which measures of detectors exist. Declarations only: importing this loads no numerical library.

To add one: write its function, add its entry here. One that judges single runs stands in the table of detection
where it is ``shown``, and where the paper that a study compares with reports it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from soundproof.core.registry import Registry
from soundproof.interfaces.metric import Category, MetricEntry, Need

Judges = Literal["run", "bands", "challenge"]


@dataclass(frozen=True, kw_only=True)
class DetectionEntry(MetricEntry):
    """Facts of a measure of detectors.

    Attributes:
        of: What it is computed from. ``run``: the scores of one training on one machine, by a function
            ``(scores [n_clips], anomalous bool [n_clips]) -> float | Undefined``; ``bands``: the same of scores
            with frequency bands removed; ``challenge``: the areas of all machines and sections.
        scores: Name of the scores in the ``metric`` column.
        level: Chance level; None where it depends on the clips.
        header: Heading of its column; its title where none is given.
        placements: ``"package.module:attribute"`` of a function of scores and labels that gives the value with what
            each clip contributes to it (:class:`soundproof.statistics.areas.Placements`), from which intervals are
            made; empty: it has no interval.
        max_fpr: Highest false-positive rate that counts, for the interval.
        shown: Whether the table of detection has it in every study.
    """

    category: Category = "detection"
    needs: frozenset[Need] = frozenset()
    of: Judges = "run"
    scores: str = "anomaly_score"
    level: float | None = None
    header: str = ""
    placements: str = ""
    max_fpr: float = 1.0
    shown: bool = False

    @property
    def heading(self) -> str:
        """Heading of its column."""
        return self.header or self.title


CHANCE_AUC = 0.5
"""Area under the ROC curve of any ranking that ignores the label."""
MAX_FPR = 0.1
"""Highest false-positive rate that counts in a partial area."""

DETECTION: Registry[DetectionEntry] = Registry(
    "detection metric",
    [
        DetectionEntry(
            name="auc",
            title="AUC",
            implementation="soundproof.detection.areas:roc_auc",
            citation="Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747",
            higher_is_better=True,
            chance="0.5, exact for any ranking that ignores the label",
            level=CHANCE_AUC,
            unit="area, 0..1",
            placements="soundproof.statistics.areas:auc_placements",
            shown=True,
        ),
        DetectionEntry(
            name="pauc",
            title="pAUC",
            header="pAUC (FPR ≤ 0.1)",
            implementation="soundproof.detection.areas:partial_auc",
            citation="McClish 1989, doi:10.1177/0272989X8900900307 (standardised)",
            higher_is_better=True,
            chance="0.5 by standardisation",
            level=CHANCE_AUC,
            unit="standardised area, 0..1",
            placements="soundproof.detection.areas:pauc_placements",
            max_fpr=MAX_FPR,
            shown=True,
        ),
        DetectionEntry(
            name="average_precision",
            title="AP",
            implementation="soundproof.detection.areas:average_precision",
            citation="Davis and Goadrich 2006, doi:10.1145/1143844.1143874",
            higher_is_better=True,
            chance="about the share of anomalous clips",
            unit="mean precision, 0..1",
        ),
        DetectionEntry(
            name="dcase_score",
            title="DCASE score",
            implementation="soundproof.detection.dcase_score:official_score",
            citation="evaluators of DCASE Challenge Task 2, 2020 to 2025",
            higher_is_better=True,
            chance="0.5, as the areas that it averages",
            level=CHANCE_AUC,
            unit="mean of areas, 0..1; harmonic since 2021",
            of="challenge",
        ),
        DetectionEntry(
            name="auc_without_band",
            title="AUC without a band",
            implementation="soundproof.detection.areas:roc_auc",
            citation="Buck et al. 2026, arXiv 2601.19017",
            higher_is_better=True,
            chance="0.5, exact for any ranking that ignores the label; beside it the intact AUC of the same clips",
            level=CHANCE_AUC,
            unit="area, 0..1",
            of="bands",
            scores="band_removed_score",
        ),
    ],
)
