"""Which explanations deserve trust, by a stated rule, and on which evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from soundproof.analysis.criteria import all_criteria
from soundproof.analysis.results import StudyResults
from soundproof.analysis.verdict import (
    ASPECTS,
    Answer,
    Judgement,
    deciding,
    judge_detectors,
    judge_explanations,
)
from soundproof.exhibits.finished import Column, FinishedTable, absent

FORMATS = (
    Column("Detector", "detector_title"),
    Column("Explainer", "explainer_title"),
    Column("Verdict", "verdict"),
    *(Column(title, f"{name}_counts") for name, title in ASPECTS.items()),
    Column("Fails", "failed"),
    Column("Needed to say more", "needed"),
)
CAPTION = (
    "Which explanations deserve trust on these data. A criterion holds where the explainer is better than every "
    "rival that was measured on the same clips: what a map without knowledge reaches (chance, the map itself "
    "shifted in time, flagging everything) and the controls, which know nothing of the detector. A map is sane "
    "where it changes with the weights: it is less like that of random weights than the controls' are, and less "
    "than like that of another training. Better: the 95 % interval over clips of the paired advantage lies above "
    "zero. Localised, faithful, sane: whether the deciding criteria hold (of those that ask nearly the same "
    "question one decides), in brackets how many. Stable: whether those that hold do so in each of several "
    "trainings. Deserves trust: all four, of a detector that beats chance and the controls and that no simple "
    "detector beats (one may be level with it, which is said). In part: localised or faithful, and neither of "
    "sanity and stability fails. Does not: one of "
    "these fails, or neither localised nor faithful though measured. Cannot be said: nothing is decided."
)
OF_CRITERION = ("rival", "advantage", "ci_low", "ci_high")
"""What stands beside a criterion's answer, in columns named after it."""


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector and explainer that is no control."""
    judged = judge_explanations(results)
    if not judged:
        return absent("no explanation of the study was measured", FORMATS, CAPTION)
    frame = pd.DataFrame([_row(results, judgement) for judgement in judged])
    worth = {found.detector: found for found in judge_detectors(results)}
    controls = results.controls_among(worth)
    frame["detector_is_control"] = frame["detector"].isin(controls)
    for name in ("answer", "words", "needed"):
        frame[f"detector_{name}"] = [str(getattr(worth[label], name)) for label in frame["detector"]]
    return FinishedTable(frame, f"{CAPTION} {_who_decides(judged)}", FORMATS)


def _row(results: StudyResults, judgement: Judgement) -> dict[str, Any]:
    row: dict[str, Any] = {
        "detector": judgement.detector,
        "explainer": judgement.explainer,
        "detector_title": results.detector_title(judgement.detector),
        "explainer_title": results.explainer_title(judgement.explainer),
        "verdict": str(judgement.verdict),
    }
    for name, aspect in judgement.aspects.items():
        row |= {name: str(aspect.answer), f"{name}_counts": aspect.counts}
    aspects = judgement.aspects.items()
    loose = [f"{title} (not in every training)" for title in judgement.aspects["stability"].failed]
    failed = [text for name, aspect in aspects if name != "stability" for text in aspect.failed] + loose
    needed = dict.fromkeys(text for _, aspect in aspects for text in aspect.needed)
    row |= {"failed": "; ".join(failed), "needed": "; ".join(needed)}
    for criterion in all_criteria():
        found = judgement.findings.get(criterion.name)
        row[criterion.name] = str(found.answer if found else Answer.UNMEASURED)
        met = found.closest if found else None
        values = (met.rival, met.advantage, met.low, met.high) if met else ("", np.nan, np.nan, np.nan)
        row |= {f"{criterion.name}_{name}": value for name, value in zip(OF_CRITERION, values, strict=True)}
    return row


def _who_decides(judged: list[Judgement]) -> str:
    measured = {name for judgement in judged for name in judgement.findings}
    criteria = [criterion for criterion in all_criteria() if criterion.name in measured]
    parts = []
    for name in ASPECTS:
        own = deciding([criterion for criterion in criteria if criterion.judges == name])
        if own:
            parts.append(f"of {name} {', '.join(criterion.title for criterion in own)}")
    return f"Deciding here: {'; '.join(parts)}." if parts else ""
