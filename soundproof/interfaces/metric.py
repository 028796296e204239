"""Facts that every metric declares, and the criteria by which its numbers judge explanations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

from soundproof.core.registry import Entry
from soundproof.interfaces.abilities import ABILITIES, Ability

Category = Literal["localisation", "faithfulness", "detection"]
Need = Literal[
    Ability,
    "events",
    "masks",
    "event_maps",
    "background",
    "normals",
    "sound",
    "stems",
    "physics",
    "re-explanation",
]
"""An ability of the detector, ground truth (``event_maps``: of the event alone), the clean background of the
clips, normal clips of the same machine, their sound, its parts or the physics that it was drawn from, or somebody
who explains again."""
Judged = Literal["localisation", "faithfulness", "sanity", "robustness", "complexity", "plausibility"]
"""What a criterion judges. What comes after sanity is told beside a verdict and decides nothing on it: a map may
stay where it is, or be sparse, and be wrong, and a plausible removal is a better question, no better answer."""
Summary = Literal["mean", "fisher_of_bands"]

MEASURED = ("", "corrected")
"""Protocols of what is printed unless something else is asked for; as-published variants are asked for by name."""


@dataclass(frozen=True)
class Undefined:
    """A metric that has no value here, and why; a number in its place would be a guess.

    Attributes:
        reason: What is missing, in words that can stand in a table's footnote.
    """

    reason: str


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One number per detector and explainer by which explanations are judged.

    Tables and figures of quality, significance, agreement, cost and the headline are made from the criteria that
    metrics declare; none of them lists any by name.

    Attributes:
        name: Column in tables.
        title: Name in print.
        metric: Name in the ``metric`` column; its own name where none is given.
        parameters: Parameters that are averaged; None: all.
        protocols: Protocols to keep.
        level: Chance level where it is a constant and no chance rows were measured.
        summary: How values become one: a plain mean, or the Fisher-z mean of rank correlations over the bands of
            one partition.
        judges: What it judges; None: the category of its metric, which fills it in.
        higher_is_better: Direction; the metric fills it in: its own, or the other one where that is ``turned``.
        turned: Its direction is not that of its metric.
        favours: Which explainer it favours by the way it is built, in a sentence; empty: none.
        tested: Whether differences between explainers are tested on it. Of criteria that ask nearly the same
            question one is tested, since every test weakens the others that it is read beside.
        decides: Whether it may decide on its aspect in a verdict; one that may not is told beside those that do.
        headline: Place among the headlines, lowest first and equal ones in the order of the registries; None: none.
        ceiling: Name in the ``metric`` column, with the same protocols, of what the same map reaches where nothing
            is wrong; who does not stay on the better side of it has shown nothing. Empty: there is no such rival.
    """

    name: str
    title: str
    metric: str = ""
    parameters: tuple[float, ...] | None = None
    protocols: tuple[str, ...] = MEASURED
    level: float | None = None
    summary: Summary = "mean"
    judges: Judged | None = None
    higher_is_better: bool = True
    turned: bool = False
    favours: str = ""
    tested: bool = True
    decides: bool = True
    headline: int | None = 4
    ceiling: str = ""

    def __post_init__(self) -> None:
        if not self.metric:
            object.__setattr__(self, "metric", self.name)

    @property
    def words(self) -> str:
        """Title as it stands inside a sentence: ``cell AUROC``, but ``FF frame``."""
        return self.title if self.title[1:2].isupper() else f"{self.title[:1].lower()}{self.title[1:]}"


@dataclass(frozen=True, kw_only=True)
class MetricEntry(Entry):
    """Facts of a metric.

    Attributes:
        category: What it judges.
        higher_is_better: Direction; it holds for every measure of the family, but for criteria that are turned.
        needs: What must exist besides the map.
        chance: How its chance line is obtained.
        unit: Unit and range of the value.
        measures: Names that it writes in the ``metric`` column; its own name where none are given.
        criteria: What explanations are judged by; where none are given, the first of its measures as a plain mean.
        of_set: ``"package.module:attribute"`` of a function that makes the rows of a metric out of what its
            implementation gave for all clips, batch by batch; empty: they are its rows as they are.
        package: Package that its implementation imports and that this one does not bring; empty: none.
        pooled: It judges all explained clips of a set together, normal ones included, and reads them batch by batch
            (:mod:`soundproof.localisation.pooled`).
    """

    category: Category
    higher_is_better: bool
    needs: frozenset[Need]
    chance: str
    unit: str
    measures: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    of_set: str = ""
    package: str = ""
    pooled: bool = False

    def __post_init__(self) -> None:
        unknown = self.needs - set(get_args(Need))
        if unknown or self.category not in get_args(Category):
            raise ValueError(
                f"metric '{self.name}': unknown need {sorted(unknown)} or category '{self.category}'"
            )
        if not self.measures:
            object.__setattr__(self, "measures", (self.name,))
        if self.category != "detection":
            object.__setattr__(self, "criteria", self._criteria(self.category))

    def _criteria(self, category: Judged) -> tuple[Criterion, ...]:
        criteria = self.criteria or (Criterion(name=self.measures[0], title=self.title),)
        named = {name for criterion in criteria for name in (criterion.metric, criterion.ceiling) if name}
        strange = sorted(named - set(self.measures))
        if strange:
            raise ValueError(f"metric '{self.name}' is judged by '{strange[0]}', which it does not measure")
        return tuple(
            replace(
                criterion,
                judges=criterion.judges or category,
                higher_is_better=self.higher_is_better != criterion.turned,
            )
            for criterion in criteria
        )


def abilities(needs: frozenset[Need]) -> frozenset[Ability]:
    """Those needs that a detector answers."""
    return frozenset(cast(Ability, need) for need in needs if need in ABILITIES)
