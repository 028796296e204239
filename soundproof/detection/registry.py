"""Which measures of detectors exist. Declarations only: importing this loads no numerical library.

To add one: write its function, add its entry here. One that judges single runs stands in the table of detection
where it is ``shown``, where a study asks for it (``detection``), and where the paper that it compares with
reports it.
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
        rivals: ``"package.module:attribute"`` of a function ``(n_normal, n_anomalous)`` that gives what needs no
            knowledge of the clips, by :data:`CHANCE` and :data:`FLAG_ALL`; empty: its ``level`` says all.
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
    rivals: str = ""
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
CHANCE, FLAG_ALL = "chance", "flag_all"
"""Rivals of a measure that depends on the share of anomalies: rankings that ignore the label, and flagging
every clip."""

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
            header="PR-AUC (average precision)",
            implementation="soundproof.detection.areas:average_precision",
            citation="Davis and Goadrich 2006, doi:10.1145/1143844.1143874",
            higher_is_better=True,
            chance="the expectation of a random ranking, about the share of anomalous clips",
            unit="mean precision, 0..1",
            placements="soundproof.detection.areas:average_precision_placements",
            rivals="soundproof.detection.areas:average_precision_rivals",
        ),
        DetectionEntry(
            name="max_f1",
            title="Max F1",
            header="Max F1 (oracle threshold)",
            implementation="soundproof.detection.areas:max_f1",
            citation="Barusco et al. 2025, arXiv 2502.18328",
            higher_is_better=True,
            chance="the expectation of the best threshold of a random ranking, which is at least what calling "
            "every clip anomalous has (flag all)",
            unit="F1 at the threshold that is best on these very clips, an oracle; 0..1",
            placements="soundproof.detection.areas:max_f1_placements",
            rivals="soundproof.detection.areas:max_f1_rivals",
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

ASKED: Registry[DetectionEntry] = Registry(
    "detection measure",
    [entry for entry in DETECTION.values() if entry.of == "run" and not entry.shown],
)
"""Measures of single runs that a study asks for by name; the shown ones it has without asking."""
