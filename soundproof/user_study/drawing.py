"""Draw questions from a study's numbers: which clips, which maps, which repairs. All draws derive from names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import cycle, islice
from typing import TypeVar

import numpy as np

from soundproof.core.errors import ConfigError
from soundproof.randomness.seeding import seed_from
from soundproof.user_study.questions import (
    KINDS,
    MAP,
    NO,
    OPTIONS,
    REPAIR,
    SOUND,
    YES,
    Clip,
    Kind,
    Material,
    Option,
    Question,
)

T = TypeVar("T")
LEAST_DIFFERENCE = 0.1
"""Of two maps, how much nearer one must be to the truth, lest the right answer be a matter of rounding."""
LEAST_DISTANCE = 0.05
"""Of scores before and after a repair, how far they must lie from the threshold, in thresholds, likewise."""
CHECK_OF_MAPS = ("truth", "chance")
"""What stands under the answers of a check with maps: the cells of the fault, and as many cells at random."""


def draw_questions(
    material: Material,
    counts: Mapping[Kind, int],
    n_checks: int,
    seed: int,
    at_most: Collection[Kind] = (),
) -> list[Question]:
    """Draw the questions of a kit, kind by kind, each kind in an order of its own with its checks among it.

    Args:
        material: Numbers of the study.
        counts: Questions of each kind.
        n_checks: Checks of attention, spread over the kinds that can have them.
        seed: Changes all draws.
        at_most: Kinds of which the study may give fewer.

    Returns:
        Questions with names.

    Raises:
        ConfigError: The study does not give as many, or none at all, or none is asked for.
    """
    if not sum(counts.values()):
        raise ConfigError(
            "questions", "none of any kind", f"ask some: --questions {' '.join(f'{k}=8' for k in KINDS)}"
        )
    drawers: dict[Kind, Callable[[Material, np.random.Generator], Iterator[Question]]] = {
        SOUND: _sounds,
        MAP: _maps,
        REPAIR: _repairs,
    }
    checks = _checks(material, [kind for kind in (SOUND, MAP) if counts.get(kind)], n_checks, seed)
    asked: list[Question] = []
    for kind in KINDS:
        wanted = counts.get(kind, 0)
        found = list(islice(drawers[kind](material, _rng(material, seed, kind)), wanted)) if wanted else []
        if len(found) < wanted and kind not in at_most:
            raise ConfigError(
                f"{wanted} questions of the kind '{kind}'",
                f"{material.study} gives {len(found)}: {_WHY[kind]}",
                f"ask for fewer (--questions {kind}={len(found)} ...), or explain more clips in the study",
            )
        of_kind = [*found, *(check for check in checks if check.kind == kind)]
        order = _rng(material, seed, "order", kind).permutation(len(of_kind))
        asked += [of_kind[place] for place in order]
    if all(one.check for one in asked):
        raise ConfigError(
            "questions about this study",
            f"{material.study} gives none of any kind",
            "explain more clips in the study, and measure deletion and localisation",
        )
    return [replace(one, question=f"q{number:02d}") for number, one in enumerate(asked, 1)]


_WHY: Mapping[Kind, str] = {
    SOUND: "each takes an anomalous explained clip and a normal test clip of its machine",
    MAP: "each takes a clip, an explainer and a control or another explainer whose maps are told apart by the "
    f"truth (by {LEAST_DIFFERENCE:g} of the criterion)",
    REPAIR: "each takes a clip that the detector flags, and a removal that was measured; both scores must be clear "
    f"of the threshold (by {LEAST_DISTANCE:.0%})",
}


def _sounds(material: Material, rng: np.random.Generator) -> Iterator[Question]:
    """Pairs of an anomalous clip and a normal one, as alike in machine, unit and SNR as there are."""
    anomalous = _shuffled([clip for clip in material.explained if clip.anomalous], rng)
    letters = _letters(rng)
    heard: Counter[str] = Counter()
    for clip in anomalous:
        normal = nearest_normal(material, clip, heard, rng)
        if normal is None:
            continue
        heard[normal.clip_id] += 1
        truth = next(letters)
        a, b = (clip, normal) if truth == "a" else (normal, clip)
        yield Question(
            kind=SOUND, truth=truth, clip_id=clip.clip_id, normal_id=normal.clip_id, a=a.clip_id, b=b.clip_id
        )


def nearest_normal(
    material: Material, clip: Clip, heard: Counter[str], rng: np.random.Generator
) -> Clip | None:
    """A normal clip to hear beside one: of its machine, if possible of its unit and SNR, heard least so far."""
    same = _shuffled([normal for normal in material.normals if normal.machine == clip.machine], rng)
    return min(
        same,
        key=lambda one: (one.unit != clip.unit, one.snr_db != clip.snr_db, heard[one.clip_id]),
        default=None,
    )


def _maps(material: Material, rng: np.random.Generator) -> Iterator[Question]:
    """Explainers in turn, against a control and against another explainer in turn, on clips shown least so far."""
    judged = [label for label in material.explainers if label not in material.controls]
    controls = [label for label in material.explainers if label in material.controls]
    letters, shown = _letters(rng), Counter[str]()
    clips = [clip for clip in material.explained if clip.anomalous]
    left = {
        (of, clip.clip_id): _rivals(material, of, clip.clip_id, judged, controls)
        for of in judged
        for clip in clips
    }

    def turn(of: str, number: int) -> Question | None:
        wanted = controls if number % 2 == 0 else judged
        for rivals in (wanted, material.explainers):
            fitting = [
                (clip, rival)
                for clip in _shuffled(clips, rng)
                for rival in _shuffled(left.get((of, clip.clip_id), []), rng)
                if rival in rivals
            ]
            if fitting:
                clip, rival = min(fitting, key=lambda pair: shown[pair[0].clip_id])
                break
        else:
            return None
        del left[of, clip.clip_id]
        shown[clip.clip_id] += 1
        letter = next(letters)
        quality = material.quality
        better = quality[clip.clip_id, of] > quality[clip.clip_id, rival]
        a, b = (of, rival) if better == (letter == "a") else (rival, of)
        normal = nearest_normal(material, clip, Counter(), rng)
        return Question(
            kind=MAP,
            truth=letter,
            clip_id=clip.clip_id,
            normal_id="" if normal is None else normal.clip_id,
            of=of,
            a=a,
            b=b,
            value_a=quality[clip.clip_id, a],
            value_b=quality[clip.clip_id, b],
        )

    yield from _in_turns(_shuffled(judged, rng), turn)


def _rivals(
    material: Material, of: str, clip_id: str, judged: Sequence[str], controls: Sequence[str]
) -> list[str]:
    own = material.quality.get((clip_id, of), np.nan)
    return [
        rival
        for rival in (*controls, *judged)
        if abs(material.quality.get((clip_id, rival), np.nan) - own) >= LEAST_DIFFERENCE
    ]


def _repairs(material: Material, rng: np.random.Generator) -> Iterator[Question]:
    """Explainers and controls in turn, with a clip that is still flagged and one that is not in turn."""
    shown: Counter[str] = Counter()
    answers: Counter[Option] = Counter()
    left = {of: list(_removals(material, of)) for of in material.explainers}

    def turn(of: str, number: int) -> Question | None:
        if not left[of]:
            return None
        rarer = min(_shuffled(OPTIONS, rng), key=lambda option: answers[option])
        chosen = min(_shuffled(left[of], rng), key=lambda one: (one.truth != rarer, shown[one.clip_id]))
        # a clip comes with an explainer once
        left[of] = [one for one in left[of] if one.clip_id != chosen.clip_id]
        shown[chosen.clip_id] += 1
        answers[chosen.truth] += 1
        return chosen

    yield from _in_turns(_shuffled(list(material.explainers), rng), turn)


def _removals(material: Material, of: str) -> Iterator[Question]:
    for clip in material.explained:
        score, threshold = (
            material.scores.get(clip.clip_id, np.nan),
            material.thresholds.get(clip.machine, np.nan),
        )
        if not (clip.anomalous and threshold > 0 and score >= (1 + LEAST_DISTANCE) * threshold):
            continue
        for share, part in material.removals.get((clip.clip_id, of), {}).items():
            after = part * score / threshold
            if 0 < share < 1 and abs(after - 1) >= LEAST_DISTANCE:
                yield Question(
                    kind=REPAIR,
                    truth=YES if after > 1 else NO,
                    clip_id=clip.clip_id,
                    of=of,
                    share=share,
                    score=score / threshold,
                    after=after,
                )


def _checks(material: Material, kinds: Sequence[Kind], n_checks: int, seed: int) -> list[Question]:
    """Questions that nobody misses who attends: beeps in a normal sound; the fault's cells against random ones."""
    rng = _rng(material, seed, "checks")
    masked = _shuffled([clip for clip in material.explained if clip.masked], rng)
    normals = _shuffled(material.normals, rng)
    from_what: dict[Kind, list[Clip]] = {SOUND: normals, MAP: masked}
    possible = [kind for kind in kinds if from_what[kind]]
    if n_checks and not possible:
        raise ConfigError(
            f"{n_checks} checks of attention",
            "neither questions about sounds nor clips whose fault is known cell by cell",
            "ask for sounds (--questions sound=4 ...), or for no checks (--checks 0), and mind that nothing then "
            "tells who attends",
        )
    letters = _letters(rng)
    found = []
    for number in range(n_checks):
        kind = possible[number % len(possible)]
        truth, clip = next(letters), from_what[kind][number // len(possible) % len(from_what[kind])]
        normal_id = "" if kind == SOUND or not normals else _of_machine(normals, clip)
        under = (clip.clip_id, "beeps") if kind == SOUND else CHECK_OF_MAPS[::-1]
        a, b = under[::-1] if truth == "a" else under
        found.append(
            Question(kind=kind, check=True, truth=truth, clip_id=clip.clip_id, normal_id=normal_id, a=a, b=b)
        )
    return found


def _of_machine(normals: Sequence[Clip], clip: Clip) -> str:
    return next((one.clip_id for one in normals if one.machine == clip.machine), "")


def _in_turns(labels: Sequence[str], turn: Callable[[str, int], Question | None]) -> Iterator[Question]:
    """Ask each label in turn for its next question, until none of them has any."""
    without = 0
    for place, label in enumerate(cycle(labels) if labels else ()):
        question = turn(label, place // len(labels))
        without = 0 if question else without + 1
        if question:
            yield question
        elif without >= len(labels):
            return


def _letters(rng: np.random.Generator) -> Iterator[Option]:
    """Letters at random, each as often as the other."""
    while True:
        yield from _shuffled(OPTIONS, rng)


def _shuffled(items: Sequence[T], rng: np.random.Generator) -> list[T]:
    return [items[place] for place in rng.permutation(len(items))]


def _rng(material: Material, seed: int, *names: str) -> np.random.Generator:
    return np.random.default_rng(seed_from("user_study", material.study, seed, *names))
