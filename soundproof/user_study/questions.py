"""What is asked of people, and the numbers of a study that questions are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

Kind = Literal["sound", "map", "repair"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Option = Literal["a", "b"]
OPTIONS: tuple[Option, ...] = get_args(Option)
"""The two answers of a question. Neither letter tells anything: which is right is drawn."""
YES, NO = OPTIONS
"""Of a question about a repair: the detector still flags the clip, or does not."""
SOUND, MAP, REPAIR = KINDS
CHANCE = 0.5


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A test clip.

    Attributes:
        clip_id: Its id.
        machine: Name of the machine.
        unit: Its ``machine_id``.
        snr_db: Signal-to-noise ratio; None: unknown.
        anomalous: Whether something is wrong.
        masked: Whether the cells of the fault are known, and enough to be seen.
    """

    clip_id: str
    machine: str
    unit: str
    snr_db: float | None
    anomalous: bool
    masked: bool = False


@dataclass(frozen=True, kw_only=True)
class Material:
    """Numbers of one explained training of a study.

    Attributes:
        study: ``run/study``.
        explainers: Printed name by label, in order of print.
        controls: Those that explain nothing.
        explained: Clips with maps.
        normals: Normal test clips.
        criterion: Printed name of the criterion that says which of two maps is nearer to the truth.
        quality: Its value by clip and explainer, turned so that more is better.
        scores: Anomaly score of each explained clip.
        thresholds: Score above which the detector flags a clip, by machine.
        removals: Part of the score that is left by clip, explainer and share of the cells that were replaced.
        replacement: What replaced them, in words.
    """

    study: str
    explainers: Mapping[str, str]
    controls: frozenset[str]
    explained: Sequence[Clip]
    normals: Sequence[Clip]
    criterion: str = ""
    quality: Mapping[tuple[str, str], float] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    removals: Mapping[tuple[str, str], Mapping[float, float]] = field(default_factory=dict)
    replacement: str = ""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question, and what only who asks may know of it; a row of the key.

    Attributes:
        question: Its name on the page.
        kind: What is asked.
        check: Whether it only tells if somebody attends: its answer cannot be missed.
        truth: The right answer.
        clip_id: The clip that it is about.
        normal_id: A normal clip that is heard beside it; empty: none.
        of: The explainer that an answer speaks of; empty: of none.
        a: What stands under the answer ``a``: a clip or an explainer.
        b: What stands under ``b``.
        value_a: Of two maps, how near the first is to the truth.
        value_b: The second.
        share: Part of the cells that was replaced.
        score: Score of the clip, in thresholds.
        after: Score after the replacement, in thresholds.
    """

    question: str = ""
    kind: Kind
    check: bool = False
    truth: Option
    clip_id: str
    normal_id: str = ""
    of: str = ""
    a: str = ""
    b: str = ""
    value_a: float = np.nan
    value_b: float = np.nan
    share: float = np.nan
    score: float = np.nan
    after: float = np.nan

    def under(self, option: Option) -> str:
        """What stands under an answer."""
        return self.a if option == "a" else self.b
