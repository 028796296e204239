"""Which explanations deserve trust on these data: the rule behind the first words of a study's page.

The rule is stated in ``docs/verdict.md`` and in the caption of the table ``verdict``. It knows no metric by name:
what counts is what the metrics' criteria declare (:class:`soundproof.interfaces.metric.Criterion`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from soundproof.analysis.by_backbone import credit_words
from soundproof.analysis.contests import Contest, contests
from soundproof.analysis.criteria import all_criteria
from soundproof.analysis.frames import records
from soundproof.analysis.joint_areas import FEWEST, joint_areas
from soundproof.analysis.missing import why_missing
from soundproof.analysis.ranking import ALL_DOMAINS, mean_areas, run_areas
from soundproof.analysis.results import StudyResults
from soundproof.analysis.rivals import is_control, level_with, rivals
from soundproof.detection.registry import CHANCE_AUC
from soundproof.interfaces.metric import Criterion

STABILITY = "stability"
ASPECTS = {"localisation": "Localised", "faithfulness": "Faithful", "sanity": "Sane", STABILITY: "Stable"}
"""Aspects by what their criteria judge, in print; stability is judged over the criteria of the others."""
BESIDE = {"robustness": "Robust", "complexity": "Sparse", "plausibility": "Plausible removal"}
"""What else criteria judge, in print: it stands beside the aspects and decides nothing."""
AUC = "auc"
MORE_SEEDS = "at least two trainings of the detector ('seeds' in the study's file)"
MORE_CLIPS = f"at least {FEWEST} explained clips of different recordings"
CONTROLS = "the controls 'input_map' and 'random_map' among the explainers"
DETECTOR_CONTROLS = "the controls 'clip_level' and 'mean_square' among the detectors"


class Answer(StrEnum):
    """Whether a rival is beaten, or an aspect holds."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    UNDECIDED = "undecided"
    UNMEASURED = "not measured"


class Verdict(StrEnum):
    """Whether an explanation deserves trust."""

    YES = "deserves trust"
    PARTLY = "deserves trust in part"
    NO = "does not deserve trust"
    OPEN = "cannot be said"


@dataclass(frozen=True)
class Finding:
    """What one criterion says of an explainer.

    Attributes:
        criterion: What was measured.
        answer: Yes: every rival is beaten. No: one is not. Undecided: too few clips, or a rival is missing.
        closest: The rival that decided: of those not beaten, else of all, the one it is least ahead of.
        stable: Whether it is ahead of every rival in each of several trainings; None: trained once.
        needed: What would decide an undecided one.
    """

    criterion: Criterion
    answer: Answer
    closest: Contest
    stable: bool | None
    needed: str = ""


@dataclass(frozen=True)
class Aspect:
    """What the criteria of one aspect say together.

    Attributes:
        answer: Yes: all deciding criteria say so. Partly: some. No: none.
        held: Titles of the deciding criteria that hold.
        failed: Titles of those that do not, each with its rival.
        needed: What is missing to say more.
    """

    answer: Answer
    held: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()

    @property
    def counts(self) -> str:
        """The answer, with how many criteria hold: ``partly (1 of 2)``."""
        n = len(self.held) + len(self.failed)
        return f"{self.answer} ({len(self.held)} of {n})" if n else str(self.answer)


@dataclass(frozen=True)
class Judgement:
    """The verdict on an explainer of a detector.

    Attributes:
        detector: Label of the detector.
        explainer: Name of the explainer.
        verdict: By :func:`verdict_of`.
        aspects: By their names (:data:`ASPECTS`).
        findings: By the criterion's name.
    """

    detector: str
    explainer: str
    verdict: Verdict
    aspects: Mapping[str, Aspect]
    findings: Mapping[str, Finding]


@dataclass(frozen=True)
class DetectorJudgement:
    """Whether an explained detector is worth an explanation.

    Attributes:
        detector: Its label.
        answer: Yes: better than chance, than every control and than every simple detector beside it. Partly: it
            holds, but is level with a simple detector. No: a rival is better, or nothing says that it is.
        words: What was found, as a sentence.
        needed: What would be needed to say more; empty: nothing.
    """

    detector: str
    answer: Answer
    words: str
    needed: str = ""


def judge_explanations(results: StudyResults) -> list[Judgement]:
    """A verdict for every explainer of every explained detector, controls left out, in printing order."""

    def judged() -> list[Judgement]:
        worth = {found.detector: found.answer for found in judge_detectors(results)}
        return [
            _judge(results, detector, explainer, findings, worth.get(detector, Answer.UNMEASURED))
            for detector in _explained(results)
            for explainer, findings in _findings(results, detector).items()
        ]

    return results.once("judgements", judged)


def judge_detectors(results: StudyResults) -> list[DetectorJudgement]:
    """Whether each explained detector beats chance, the controls and the simple detectors beside it."""

    def judged() -> list[DetectorJudgement]:
        drawn = joint_areas(results)
        lost, level = rivals(results, drawn), level_with(results, drawn)
        runs, _ = run_areas(results)
        of_set = runs[runs["domain"].eq(ALL_DOMAINS) & runs["metric"].eq(AUC)]
        measured = [] if of_set.empty else records(mean_areas(of_set, ["detector"]))
        areas = {str(area["detector"]): area for area in measured}
        found = []
        for detector in _explained(results):
            better = [pair.rival for pair in lost if pair.detector == detector and pair.beats]
            equal = [pair.rival for pair in lost if pair.detector == detector and not pair.beats]
            beside = [pair.rival for pair in level if pair.detector == detector]
            judged_one = _judge_detector(results, detector, areas, better, equal, beside)
            credit = credit_words(results, detector)
            found.append(replace(judged_one, words=f"{judged_one.words} {credit}".strip()))
        return found

    return results.once("detector judgements", judged)


def verdict_of(aspects: Mapping[str, Answer], detector: Answer) -> Verdict:
    """The rule: from the answers of the four aspects, and of the detector, to a verdict.

    Args:
        aspects: Answer by aspect.
        detector: Whether the detector beats chance and the controls; partly: it does, level with a simple one.
    """
    judged = [aspects["localisation"], aspects["faithfulness"]]
    if Answer.NO in (aspects["sanity"], aspects[STABILITY]):
        return Verdict.NO
    if Answer.YES in judged:
        holds = detector in (Answer.YES, Answer.PARTLY)
        everything = holds and set(aspects.values()) == {Answer.YES}
        return Verdict.YES if everything else Verdict.PARTLY
    return Verdict.NO if {Answer.NO, Answer.PARTLY} & set(judged) else Verdict.OPEN


def deciding(criteria: Sequence[Criterion]) -> list[Criterion]:
    """Of measured criteria of one aspect those that decide: those that are tested, or all where none is.

    What stands beside the aspects decides nothing, nor does a criterion that says so.
    """
    judging = [criterion for criterion in criteria if criterion.judges in ASPECTS and criterion.decides]
    return [criterion for criterion in judging if criterion.tested] or judging


def _explained(results: StudyResults) -> list[str]:
    rows = results.measurements
    labels = rows.loc[rows["explainer"].notna(), "detector"].dropna().unique()
    return [label for label in results.detectors(labels) if not is_control(results, label)]


def _findings(results: StudyResults, detector: str) -> dict[str, dict[str, Finding]]:
    """Findings by criterion for each explainer that is no control, in printing order."""
    of_detector = results.measurements[results.measurements["detector"].eq(detector)]
    names = set(of_detector["explainer"].dropna()) & set(results.explainer_titles)
    found: dict[str, dict[str, Finding]] = {
        name: {} for name in results.explainers(names) if not results.is_control(name)
    }
    for criterion in all_criteria():
        pairs = contests(results, criterion, detector)
        for explainer in found:
            met = [pair for pair in pairs if pair.explainer == explainer]
            if met:
                found[explainer][criterion.name] = finding(criterion, met)
    return found


def finding(criterion: Criterion, met: Sequence[Contest]) -> Finding:
    """What a criterion says of an explainer that met these rivals."""
    lost = [pair for pair in met if pair.decided and not pair.won]
    seeds = np.array([pair.of_seeds for pair in met])
    stable = bool((seeds > 0).all()) if seeds.shape[1] > 1 else None
    if lost:
        return Finding(criterion, Answer.NO, _closest(lost), stable)
    kinds = {pair.kind for pair in met}
    needed = ""
    if not all(pair.decided for pair in met):
        needed = MORE_CLIPS
    elif "control" not in kinds:
        needed = CONTROLS
    elif criterion.ceiling and "training" not in kinds:
        needed = MORE_SEEDS
    return Finding(criterion, Answer.UNDECIDED if needed else Answer.YES, _closest(met), stable, needed)


def _closest(met: Sequence[Contest]) -> Contest:
    return min(met, key=lambda pair: pair.low if pair.decided else pair.advantage)


def _judge(
    results: StudyResults, detector: str, explainer: str, findings: dict[str, Finding], worth: Answer
) -> Judgement:
    decisive = {
        name: _decisive([found for found in findings.values() if found.criterion.judges == name])
        for name in ASPECTS
        if name != STABILITY
    }
    aspects = {name: _aspect(results, name, found) for name, found in decisive.items()}
    aspects[STABILITY] = _stability([found for part in decisive.values() for found in part])
    answers = {name: aspect.answer for name, aspect in aspects.items()}
    return Judgement(detector, explainer, verdict_of(answers, worth), aspects, findings)


def _decisive(findings: Sequence[Finding]) -> list[Finding]:
    chosen = deciding([found.criterion for found in findings])
    return [found for found in findings if found.criterion in chosen]


def _aspect(results: StudyResults, name: str, decisive: Sequence[Finding]) -> Aspect:
    if not decisive:
        return Aspect(Answer.UNMEASURED, needed=(_why_unmeasured(results, name),))
    held = tuple(found.criterion.title for found in decisive if found.answer is Answer.YES)
    failed = tuple(
        f"{found.criterion.title} (against {found.closest.rival})"
        for found in decisive
        if found.answer is Answer.NO
    )
    needed = tuple(dict.fromkeys(found.needed for found in decisive if found.needed))
    if failed:
        return Aspect(Answer.PARTLY if held else Answer.NO, held, failed, needed)
    return Aspect(Answer.UNDECIDED if needed else Answer.YES, held, failed, needed)


def _why_unmeasured(results: StudyResults, aspect: str) -> str:
    """What a study lacks for an aspect: what its clips or detectors have not, or what it does not ask for."""
    criteria = deciding([criterion for criterion in all_criteria() if criterion.judges == aspect])
    asked = [criterion.metric for criterion in criteria if results.asked_for([criterion.metric])]
    if results.measures is not None and asked:
        return f"what the measures of {aspect} need: {why_missing(results, *asked)}"
    titles = dict.fromkeys(criterion.title.split(" (")[0] for criterion in criteria)
    return f"a measure of {aspect}, such as {' or '.join(list(titles)[:2])}"


def _stability(decisive: Sequence[Finding]) -> Aspect:
    """Do the deciding criteria that hold do so in each training?"""
    held = [found for found in decisive if found.answer is Answer.YES]
    several = [found for found in held if found.stable is not None]
    if not several:
        return Aspect(Answer.UNMEASURED, needed=(MORE_SEEDS,) if held else ())
    firm = tuple(found.criterion.title for found in several if found.stable)
    loose = tuple(found.criterion.title for found in several if not found.stable)
    answer = Answer.YES if not loose else Answer.PARTLY if firm else Answer.NO
    return Aspect(answer, firm, loose)


def _judge_detector(
    results: StudyResults,
    detector: str,
    areas: Mapping[str, Mapping[str, Any]],
    better: Sequence[str],
    equal: Sequence[str],
    level: Sequence[str],
) -> DetectorJudgement:
    title = results.detector_title
    if detector not in areas:
        words = (
            f"Whether {title(detector)} finds anomalies cannot be said: no machine has clips of both classes."
        )
        return DetectorJudgement(
            detector, Answer.UNMEASURED, words, "labelled normal and anomalous test clips"
        )

    def area(label: str) -> float:
        return float(areas[label]["value"])

    low, high = areas[detector]["ci_low"], areas[detector]["ci_high"]
    number = f"AUC {area(detector):.2f}" + (f" [{low:.2f}, {high:.2f}]" if np.isfinite(low) else "")
    controls = [label for label in areas if is_control(results, label)]
    learnt_nothing = [f"{title(name)} ({area(name):.2f})" for name in equal]
    if np.isfinite(low) and low <= CHANCE_AUC:
        learnt_nothing.append("chance (0.50)")
    lost = (
        [f"is beaten by {_listed(f'{title(name)} ({area(name):.2f})' for name in better)}"] if better else []
    )
    if learnt_nothing:
        lost.append(f"is not shown to be better than {_listed(learnt_nothing)}, which learnt nothing")
    if lost:
        words = f"{title(detector)} ({number}) {' and '.join(lost)}: its explanations need not show a fault."
        return DetectorJudgement(detector, Answer.NO, words)
    if not np.isfinite(low):
        words = f"Whether {title(detector)} ({number}) beats the controls cannot be said with so few clips."
        return DetectorJudgement(
            detector, Answer.UNDECIDED, words, f"at least {FEWEST} test clips of each class"
        )
    simple = _listed(f"{title(name)} ({area(name):.2f})" for name in level) if level else ""
    beside = f", but is level with {simple} (no difference from what is simpler is shown)" if level else ""
    if not controls:
        words = f"{title(detector)} ({number}) is better than chance{beside}; no control stands beside it."
        return DetectorJudgement(detector, Answer.UNDECIDED, words, DETECTOR_CONTROLS)
    strongest = max(controls, key=area)
    words = (
        f"{title(detector)} ({number}) beats chance and the controls, of which {title(strongest)} is the strongest "
        f"({area(strongest):.2f}){beside}."
    )
    return DetectorJudgement(detector, Answer.PARTLY if level else Answer.YES, words)


def _listed(names: Iterable[str]) -> str:
    """Names as they stand in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
