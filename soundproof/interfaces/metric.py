"""Facts that every metric declares, whatever it measures, and the registry of detection metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from soundproof.core.registry import Entry, Registry

Category = Literal["localisation", "faithfulness", "detection"]
Need = Literal["events", "masks", "gradients", "reconstruction", "re-explanation"]


@dataclass(frozen=True)
class Undefined:
    """A metric that has no value here, and why; a number in its place would be a guess.

    Attributes:
        reason: What is missing, in words that can stand in a table's footnote.
    """

    reason: str


@dataclass(frozen=True, kw_only=True)
class MetricEntry(Entry):
    """Facts of a metric.

    Attributes:
        category: What it judges.
        higher_is_better: Direction; it holds for every measure of the family.
        needs: What must exist besides the map: ground truth, or an ability of the detector.
        chance: How its chance line is obtained.
        unit: Unit and range of the value.
        measures: Names that it writes in the ``metric`` column; its own name where none are given.
    """

    category: Category
    higher_is_better: bool
    needs: frozenset[Need]
    chance: str
    unit: str
    measures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = self.needs - set(get_args(Need))
        if unknown or self.category not in get_args(Category):
            raise ValueError(
                f"metric '{self.name}': unknown need {sorted(unknown)} or category '{self.category}'"
            )
        if not self.measures:
            object.__setattr__(self, "measures", (self.name,))


DETECTION: Registry[MetricEntry] = Registry(
    "detection metric",
    [
        MetricEntry(
            name="auc",
            title="AUC",
            implementation="soundproof.detection.areas:roc_auc",
            citation="Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747",
            category="detection",
            higher_is_better=True,
            needs=frozenset(),
            chance="0.5, exact for any ranking that ignores the label",
            unit="area, 0..1",
        ),
        MetricEntry(
            name="pauc",
            title="pAUC",
            implementation="soundproof.detection.areas:partial_auc",
            citation="McClish 1989, doi:10.1177/0272989X8900900307 (standardised)",
            category="detection",
            higher_is_better=True,
            needs=frozenset(),
            chance="0.5 by standardisation",
            unit="standardised area, 0..1",
        ),
        MetricEntry(
            name="average_precision",
            title="AP",
            implementation="soundproof.detection.areas:average_precision",
            citation="Davis and Goadrich 2006, doi:10.1145/1143844.1143874",
            category="detection",
            higher_is_better=True,
            needs=frozenset(),
            chance="about the share of anomalous clips",
            unit="mean precision, 0..1",
        ),
    ],
)
