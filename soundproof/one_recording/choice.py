"""Which explanation of a recording to show: the one that the study's verdict trusts most."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from soundproof.analysis.frames import records
from soundproof.analysis.verdict import Answer, Verdict
from soundproof.core.errors import ArtefactError, ConfigError, nearest
from soundproof.exhibits.writing import read_finished_table
from soundproof.report.answer import IS_CONTROL, Cell, Row, StudyAnswer, answer_of, read_verdicts
from soundproof.report.headline import QUALITY

_ORDER = (Verdict.YES, Verdict.PARTLY, Verdict.OPEN, Verdict.NO)


@dataclass(frozen=True)
class Evidence:
    """A criterion by which the study judged an explainer.

    Attributes:
        title: What was measured.
        decides: Whether it decides on its aspect.
        cell: Whether the explainer beats every rival, and its advantage over the closest.
        value: Its mean over the study's clips; NaN: not in the table of quality.
        chance: What a map without knowledge reaches on the same clips; NaN: not measured.
    """

    title: str
    decides: bool
    cell: Cell
    value: float
    chance: float


@dataclass(frozen=True)
class Trusted:
    """An explainer of a detector, and how much the study trusts it.

    Attributes:
        detector: Label of the detector.
        explainer: Label of the explainer.
        detector_answer: Whether the detector holds.
        detector_words: The same as a sentence.
        row: Verdict and aspects in print.
        evidence: Criterion by criterion.
    """

    detector: str
    explainer: str
    detector_answer: Answer
    detector_words: str
    row: Row
    evidence: tuple[Evidence, ...]


def most_trusted(
    tables: Path, detector: str = "", explainer: str = "", left_out: Collection[str] = ()
) -> Trusted:
    """Choose from a study's verdicts: the best verdict, then a detector that holds, then what holds by most.

    A detector that is there as the control of another comes after those that are not. By most: first of the
    aspects, then of the criteria. What is equal in all this is settled by the order of print.

    Args:
        tables: Folder of the study's tables.
        detector: Only this detector; empty: any.
        explainer: Only this explainer; empty: any.
        left_out: Explainers that make no map of a new clip.

    Raises:
        ArtefactError: The table of verdicts is missing, damaged, of an older version or without an explanation.
        ConfigError: The study judged no such detector or explainer, or none that makes a map of a new clip.
    """
    frame = read_verdicts(tables)
    if "reason" in frame:
        raise ArtefactError(
            f"an explanation that the study judged, in {tables}",
            str(frame["reason"].iloc[0]),
            "explain test clips in the study: 'explain: true' at a detector, and 'explainers'",
        )
    judged = records(frame)
    answer = answer_of(judged)
    rows = list(zip(judged, answer.rows, strict=True))
    for column, wanted in (("detector", detector), ("explainer", explainer)):
        known = {str(row[column]) for row, _ in rows}
        if wanted and wanted not in known:
            found = "the study judged none of that name (controls have no verdict)"
            raise ConfigError(f"{column} '{wanted}'", found, nearest(wanted, known))
        rows = [(row, printed) for row, printed in rows if wanted in ("", row[column])]
    rows = [(row, printed) for row, printed in rows if row["explainer"] not in left_out]
    if not rows:
        raise ConfigError(
            "an explainer that makes a map of a new recording",
            f"only maps made elsewhere ({', '.join(sorted(left_out))})",
            "add an explainer to the study, or name another with --explainer",
        )

    def rank(pair: tuple[dict[Any, Any], Row]) -> tuple[int, bool, bool, int, int]:
        row, printed = pair
        holding = [
            sum(cell.answer is Answer.YES for cell in cells) for cells in (printed.aspects, printed.criteria)
        ]
        lost = row["detector_answer"] == Answer.NO
        return _ORDER.index(printed.verdict), lost, row[IS_CONTROL], -holding[0], -holding[1]

    row, printed = min(rows, key=rank)
    return Trusted(
        detector=str(row["detector"]),
        explainer=str(row["explainer"]),
        detector_answer=Answer(row["detector_answer"]),
        detector_words=str(row["detector_words"]),
        row=printed,
        evidence=tuple(_evidence(tables, answer, printed, str(row["detector"]), str(row["explainer"]))),
    )


def _evidence(
    tables: Path, answer: StudyAnswer, printed: Row, detector: str, explainer: str
) -> Iterator[Evidence]:
    quality = read_finished_table(tables, QUALITY).frame
    of_pair: dict[Any, Any] = {}
    if "reason" not in quality:
        own = quality[quality["detector"].eq(detector) & quality["explainer"].eq(explainer)]
        of_pair = next(iter(own.to_dict("records")), {})
    headings = [heading for _, of_aspect in answer.headings for heading in of_aspect]
    for heading, cell in zip(headings, printed.criteria, strict=True):
        if cell.answer is not Answer.UNMEASURED:
            value, chance = (
                float(of_pair.get(name, np.nan)) for name in (heading.name, f"{heading.name}_chance_uniform")
            )
            yield Evidence(heading.title, heading.decides, cell, value, chance)
