"""Every rival that an explainer must beat by a criterion: chance, the controls, another training.

A rival is beaten where the 95 % interval over clips of the explainer's mean advantage, paired, lies above zero. Who
must beat every rival needs no correction for their number: the chance of beating all of them by luck is at most
that of beating the strongest (intersection-union test, Berger 1982, doi:10.1080/00401706.1982.10487790).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from soundproof.analysis.criteria import ceilings_of, chance_of_sets, chance_values_of, values_of
from soundproof.analysis.joint_areas import FEWEST
from soundproof.analysis.measures import SHARED_CHANCE
from soundproof.analysis.results import StudyResults
from soundproof.interfaces.metric import Criterion
from soundproof.randomness.seeding import seed_from
from soundproof.statistics.recordings import LEVEL, recording_weights
from soundproof.storage.measurements import FLAG_ALL, SHIFT, UNIFORM

RivalKind = Literal["chance", "control", "training"]
CHANCE_WORDS = {UNIFORM: "chance", SHIFT: "itself shifted in time", FLAG_ALL: "flagging everything"}
TRAINING_WORDS = "another training of the detector"
_RESAMPLES = 2000


@dataclass(frozen=True)
class Contest:
    """An explainer beside one rival, by one criterion.

    Attributes:
        explainer: Name of the explainer.
        rival: Who or what it must beat, in print.
        kind: What sort of rival that is.
        advantage: Mean over clips and trainings of how much better the explainer is; positive: it is better.
        low: Lower end of its 95 % interval over clips; NaN: fewer than five clips (or recordings).
        high: Upper end.
        of_seeds: The same mean for each training.
    """

    explainer: str
    rival: str
    kind: RivalKind
    advantage: float
    low: float
    high: float
    of_seeds: tuple[float, ...]

    @property
    def decided(self) -> bool:
        """There are clips enough for an interval."""
        return bool(np.isfinite(self.low))

    @property
    def won(self) -> bool:
        """The explainer is better, and would be on other clips."""
        return self.low > 0


def contests(results: StudyResults, criterion: Criterion, detector: str) -> list[Contest]:
    """Each explainer that is no control beside every rival that was measured on its clips.

    Of a criterion that judges sanity chance is no rival: it is a floor that no map is asked to reach.
    """
    measured = values_of(results, criterion).get(detector)
    if measured is None:
        return []
    clip_ids, seeds = measured.clip_ids, measured.seeds
    values = measured.aligned(clip_ids, seeds)
    sign = 1.0 if criterion.higher_is_better else -1.0
    pairs = [
        (explainer, rival, kind, sign * (values[explainer] - other))
        for explainer, rival, kind, other in _rivals(results, criterion, detector, values, clip_ids, seeds)
        if not results.is_control(explainer)
    ]
    if not pairs:
        return []
    of_clips = np.column_stack([_mean(table, axis=1) for *_, table in pairs])
    units = clip_ids if results.recordings is None else results.recordings[clip_ids].to_numpy()
    rng = np.random.default_rng(seed_from("contests", results.study, criterion.name, detector))
    ends = _ends(of_clips, units, rng)
    averages = _mean(of_clips, axis=0)
    return [
        Contest(explainer, rival, kind, float(average), float(low), float(high), _of_seeds(table))
        for (explainer, rival, kind, table), average, (low, high) in zip(pairs, averages, ends, strict=True)
    ]


def _rivals(
    results: StudyResults,
    criterion: Criterion,
    detector: str,
    values: Mapping[str, np.ndarray],
    clip_ids: np.ndarray,
    seeds: np.ndarray,
) -> Iterator[tuple[str, str, RivalKind, np.ndarray | float]]:
    """Explainer, rival, its kind, and its values [n_clips, n_seeds], or one value for all."""
    explainers = results.explainers(values)
    if criterion.judges != "sanity":
        for protocol, words in CHANCE_WORDS.items():
            of_clips = chance_values_of(results, criterion, protocol).get(detector)
            by_clip = of_clips.aligned(clip_ids, seeds) if of_clips is not None else {}
            # where none was measured clip by clip that of the whole set, or else the level
            whole = chance_of_sets(results, criterion, protocol).get(detector, {})
            known = protocol == UNIFORM and criterion.level is not None
            level = dict.fromkeys(values, criterion.level if known else None)
            for explainer in explainers:
                names = (explainer, *SHARED_CHANCE)
                sources: list[Mapping[Any, Any]] = [by_clip, whole, level]
                found = next(source[name] for source in sources for name in names if name in source)
                if found is not None:
                    yield explainer, words, "chance", found
    for control in filter(results.is_control, explainers):
        for explainer in explainers:
            yield explainer, results.explainer_title(control), "control", values[control]
    if criterion.ceiling:
        ceilings = ceilings_of(results, criterion).get(detector)
        reached = ceilings.aligned(clip_ids, seeds) if ceilings is not None else {}
        for explainer, ceiling in reached.items():
            if explainer in values:
                yield explainer, TRAINING_WORDS, "training", ceiling


def _of_seeds(table: np.ndarray) -> tuple[float, ...]:
    return tuple(_mean(table, axis=0).tolist())


def _mean(table: np.ndarray, axis: int) -> np.ndarray:
    """Mean of what is there; NaN where nothing is."""
    there = np.isfinite(table)
    counts = there.sum(axis=axis)
    sums = np.where(there, table, 0.0).sum(axis=axis)
    return np.asarray(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))


def _ends(of_clips: np.ndarray, units: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ends of the intervals of the columns' means, [n, 2]; one resample of clips serves all."""
    weights = recording_weights(units, rng, _RESAMPLES)
    there = np.isfinite(of_clips)
    sums, counts = weights @ np.where(there, of_clips, 0.0), weights @ there.astype(np.float64)
    replicates = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    enough = np.array([len(set(units[column])) >= FEWEST for column in there.T])
    ends = np.full((of_clips.shape[1], 2), np.nan)
    if enough.any():
        tail = (1 - LEVEL) / 2
        ends[enough] = np.nanquantile(replicates[:, enough], [tail, 1 - tail], axis=0).T
    return ends
