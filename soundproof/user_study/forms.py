"""In which order, and on which side, raters meet the questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from soundproof.randomness.seeding import seed_from
from soundproof.user_study.questions import KINDS, Option, Question

N_FORMS = 8
"""Forms of a kit, an even number. A rater's code says which one is shown."""
Form = list[tuple[str, Option]]
"""Names of the questions in order, each with the answer that stands on the left."""


def forms_of(questions: Sequence[Question], study: str, seed: int) -> list[Form]:
    """Orders and sides: kind after kind, questions of a kind at random; every second form mirrors the one before.

    The kinds come in one order in all forms, since maps tell what to listen for. A mirrored form has the same
    questions of a kind in reverse, with the sides changed, so that over the forms each answer of a question is
    on either side equally often, and no question is early for all raters.

    Args:
        questions: All of them.
        study: Name that the draws depend on.
        seed: Likewise.
    """
    return [form for pair in range(N_FORMS // 2) for form in _pair(questions, study, seed, pair)]


def _pair(questions: Sequence[Question], study: str, seed: int, pair: int) -> Iterator[Form]:
    rng = np.random.default_rng(seed_from("forms", study, seed, pair))
    drawn: list[Form] = []
    for kind in KINDS:
        names = [one.question for one in questions if one.kind == kind]
        sides = rng.permutation(np.arange(len(names)) % 2)
        drawn.append([(names[place], "a" if sides[place] else "b") for place in rng.permutation(len(names))])
    yield [one for of_kind in drawn for one in of_kind]
    yield [(name, "b" if left == "a" else "a") for of_kind in drawn for name, left in reversed(of_kind)]
