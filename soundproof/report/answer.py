"""What a page says first: does the detector hold, which explanations deserve trust, and on which evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from soundproof.analysis.criteria import criteria_named
from soundproof.analysis.frames import records
from soundproof.analysis.verdict import ASPECTS, BESIDE, Answer, Verdict, deciding
from soundproof.core.errors import ArtefactError
from soundproof.exhibits.writing import read_finished_table
from soundproof.interfaces.metric import Criterion

VERDICT = "verdict"
IS_CONTROL = "detector_is_control"
NOTHING = "The study measured no explanation, so there is none to trust or to distrust."
SYMBOLS = {
    Answer.YES: "✓",
    Answer.PARTLY: "◐",
    Answer.NO: "✗",
    Answer.UNDECIDED: "?",
    Answer.UNMEASURED: "–",
}
MEANINGS = {
    Answer.YES: "better than every rival",
    Answer.PARTLY: "by some criteria",
    Answer.NO: "not better than a rival",
    Answer.UNDECIDED: "undecided",
    Answer.UNMEASURED: "not measured",
}
FEW = 3
"""Detectors of which each has its sentence where a study is summed up."""
_DIGITS = 2


@dataclass(frozen=True)
class Cell:
    """A cell of a matrix.

    Attributes:
        answer: What it says.
        words: The same in words, for those who do not see the sign.
        evidence: The number behind it; empty: none.
    """

    answer: Answer
    words: str
    evidence: str = ""

    @property
    def symbol(self) -> str:
        """A sign for the answer, which is never its only mark."""
        return SYMBOLS[self.answer]


@dataclass(frozen=True)
class Row:
    """An explainer of a detector in the matrices.

    Attributes:
        detector: Printed name.
        explainer: Printed name.
        verdict: The verdict.
        why: What holds, what fails and what is missing, as a sentence.
        aspects: One cell per aspect.
        criteria: One cell per measured criterion, in the order of :attr:`Matrix.criteria`.
    """

    detector: str
    explainer: str
    verdict: Verdict
    why: str
    aspects: tuple[Cell, ...]
    criteria: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """Explainer and detector in words."""
        return f"{self.explainer} of {self.detector}"


@dataclass(frozen=True)
class CriterionHeading:
    """A column of the matrix of criteria.

    Attributes:
        name: Name of the criterion.
        title: Printed name.
        decides: Whether it decides on its aspect.
    """

    name: str
    title: str
    decides: bool


@dataclass(frozen=True)
class DetectorAnswer:
    """Whether an explained detector holds.

    Attributes:
        detector: Printed name.
        answer: Whether it holds.
        words: What was found, as a sentence.
    """

    detector: str
    answer: Answer
    words: str


@dataclass(frozen=True)
class StudyAnswer:
    """The first words of a study's page.

    Attributes:
        detectors: What was found of each explained detector, those that a rival beats first.
        rows: The explanations, in printing order.
        headings: Columns of the matrix of criteria by aspect, and what stands beside the aspects.
        needed: What would be needed to say more.
        controls: The same of detectors that are there as controls of the backbone of one of these; None: of none.
    """

    detectors: tuple[DetectorAnswer, ...]
    rows: tuple[Row, ...]
    headings: tuple[tuple[str, tuple[CriterionHeading, ...]], ...]
    needed: tuple[str, ...]
    controls: StudyAnswer | None = None

    @property
    def lost(self) -> bool:
        """Whether something outdoes an explained detector."""
        return any(found.answer is Answer.NO for found in self.detectors)

    def of(self, verdict: Verdict) -> list[Row]:
        """The explanations of one verdict."""
        return [row for row in self.rows if row.verdict is verdict]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in two sentences or so: of the detectors, then of their explanations."""
        if not self.rows:
            return (NOTHING,)
        counted = []
        for verdict, words in _COUNTED.items():
            rows = self.of(verdict)
            if rows:
                names = f" ({', '.join(row.name for row in rows)})" if verdict in _NAMED else ""
                counted.append(f"{len(rows)} {words}{names}")
        found = f"Of {len(self.rows)} explanations {', '.join(counted)}."
        return (*self._of_detectors(), found)

    def _of_detectors(self) -> tuple[str, ...]:
        """What was found of each detector, or of each kind of answer where they are many."""
        if len(self.detectors) <= FEW:
            return tuple(found.words for found in self.detectors)
        names = {
            words: [found.detector for found in self.detectors if found.answer is answer]
            for answer, words in _OF_DETECTORS.items()
        }
        parts = [f"{words} ({', '.join(names)})" for words, names in names.items() if names]
        return (f"Of {len(self.detectors)} detectors {'; '.join(parts)}.",)


_OF_DETECTORS = {
    Answer.NO: "not better than a rival",
    Answer.UNDECIDED: "undecided",
    Answer.UNMEASURED: "not measured",
    Answer.PARTLY: "better than chance and the controls, but level with a simpler detector",
    Answer.YES: "better than chance, the controls and every simpler detector",
}
_COUNTED = {
    Verdict.YES: "deserve trust",
    Verdict.PARTLY: "deserve trust in part",
    Verdict.NO: "do not",
    Verdict.OPEN: "cannot be judged",
}
_NAMED = (Verdict.YES, Verdict.PARTLY)


def read_answer(tables: Path) -> StudyAnswer:
    """Read the answer of the study whose tables lie in ``tables``.

    Raises:
        ArtefactError: The table of verdicts is missing or damaged, or an older version wrote it.
    """
    frame = read_verdicts(tables)
    # a table without a number holds one row with the reason
    rows = [] if "reason" in frame else records(frame)
    controls = [row for row in rows if row[IS_CONTROL]]
    answer = answer_of([row for row in rows if not row[IS_CONTROL]])
    return replace(answer, controls=answer_of(controls)) if controls else answer


def read_verdicts(tables: Path) -> pd.DataFrame:
    """Read the table of verdicts among a study's tables.

    Raises:
        ArtefactError: The table is missing or damaged, or an older version wrote it.
    """
    frame = read_finished_table(tables, VERDICT).frame
    if "reason" not in frame and IS_CONTROL not in frame:
        raise ArtefactError(
            f"which detectors are controls of others, in {tables / VERDICT}.parquet",
            f"no column '{IS_CONTROL}': an older version wrote it",
            "run the study to its end: ./run snakemake --cores all",
        )
    return frame


def answer_of(rows: Sequence[Mapping[str, Any]]) -> StudyAnswer:
    """The answer that rows of the table of verdicts give, each an explanation, in their order."""
    measured = [
        criterion
        for criterion in criteria_named(name for row in rows for name in row)
        if any(row[criterion.name] != Answer.UNMEASURED for row in rows)
    ]
    titles = ASPECTS | BESIDE
    by_aspect = {name: [criterion for criterion in measured if criterion.judges == name] for name in titles}
    headings = tuple(
        (titles[name], tuple(_heading(criterion, criteria) for criterion in criteria))
        for name, criteria in by_aspect.items()
        if criteria
    )
    ordered = [criterion for criteria in by_aspect.values() for criterion in criteria]
    detectors = {
        row["detector"]: DetectorAnswer(
            row["detector_title"], Answer(row["detector_answer"]), row["detector_words"]
        )
        for row in rows
    }
    needs = [row[column] for column in ("detector_needed", "needed") for row in rows]
    needed = dict.fromkeys(text for need in needs for text in need.split("; ") if text)
    return StudyAnswer(
        tuple(sorted(detectors.values(), key=lambda found: found.answer is not Answer.NO)),
        tuple(_row(row, ordered) for row in rows),
        headings,
        tuple(needed),
    )


def _heading(criterion: Criterion, of_aspect: list[Criterion]) -> CriterionHeading:
    return CriterionHeading(criterion.name, criterion.title, criterion in deciding(of_aspect))


def _row(row: Mapping[str, Any], criteria: list[Criterion]) -> Row:
    aspects = tuple(Cell(Answer(row[name]), row[f"{name}_counts"]) for name in ASPECTS)
    return Row(
        row["detector_title"],
        row["explainer_title"],
        Verdict(row["verdict"]),
        _why(row),
        aspects,
        tuple(_cell(row, criterion) for criterion in criteria),
    )


def _why(row: Mapping[str, Any]) -> str:
    """Aspects by answer; where some hold, also the criteria that fail."""
    words = {
        Answer.YES: "",
        Answer.PARTLY: "partly ",
        Answer.NO: "not ",
        Answer.UNDECIDED: "undecided whether ",
    }
    parts = [
        ", ".join(f"{before}{title.lower()}" for name, title in ASPECTS.items() if row[name] == answer)
        for answer, before in words.items()
    ]
    if row["failed"] and row["verdict"] == Verdict.PARTLY:
        parts.append(f"fails by {row['failed']}")
    return "; ".join(part for part in parts if part)


def _cell(row: Mapping[str, Any], criterion: Criterion) -> Cell:
    answer, name = Answer(row[criterion.name]), criterion.name
    if answer is Answer.UNMEASURED:
        return Cell(answer, MEANINGS[answer])
    ahead, low, high = (f"{row[f'{name}_{end}']:+.{_DIGITS}f}" for end in ("advantage", "ci_low", "ci_high"))
    interval = "" if "nan" in low else f" [{low}, {high}]"
    return Cell(answer, MEANINGS[answer], f"{ahead}{interval} against {row[f'{name}_rival']}")
