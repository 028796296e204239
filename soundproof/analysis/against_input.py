"""Is an explanation better than looking at the spectrogram? Paired over clips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from soundproof.analysis.criteria import all_criteria, per_clip
from soundproof.analysis.joint_areas import FEWEST
from soundproof.analysis.results import StudyResults
from soundproof.attribution.registry import INPUT_MAP
from soundproof.interfaces.metric import Criterion
from soundproof.randomness.seeding import seed_from
from soundproof.statistics.recordings import mean_over_recordings

INPUT_KINDS = (INPUT_MAP, "input_magnitude")
COLUMN = "no_better_than_input"
WORDS = "no better than looking at the spectrogram"
_JUDGED = ("localisation", "faithfulness", "robustness")


@dataclass(frozen=True)
class AgainstInput:
    """An explainer beside the better one of the input controls, by one criterion.

    Attributes:
        detector: Label of the detector.
        explainer: Name of the explainer.
        criterion: What was measured.
        control: Name of the input control.
        difference: Mean over clips of the explainer's advantage (positive: the explainer is better).
        low: Lower end of its 95 % interval over clips.
        high: Upper end.
    """

    detector: str
    explainer: str
    criterion: Criterion
    control: str
    difference: float
    low: float
    high: float

    @property
    def beats(self) -> bool:
        """The explainer is better, and would be on other clips."""
        return self.low > 0


def against_input(results: StudyResults) -> list[AgainstInput]:
    """Compare every explainer that is no control with the input, by each criterion measured clip by clip.

    Means over seeds and parameters of the same clips are paired; where recordings give several clips, recordings
    are resampled. A criterion with fewer than five such clips decides nothing and is left out, as is one that did
    not measure the input.
    """
    found = []
    detectors = results.measurements.loc[results.measurements["explainer"].notna(), "detector"].unique()
    for criterion in (criterion for criterion in all_criteria() if criterion.judges in _JUDGED):
        for detector in results.detectors(detectors):
            clips = per_clip(results, criterion, detector)
            controls = [
                name
                for name in results.explainers(clips.columns)
                if results.explainer_kind(name) in INPUT_KINDS
            ]
            if not controls:
                continue
            sign = 1.0 if criterion.higher_is_better else -1.0
            best = max(controls, key=lambda name: sign * clips[name].mean())
            for explainer in results.explainers(clips.columns):
                if not results.is_control(explainer):
                    ahead = (sign * (clips[explainer] - clips[best])).dropna()
                    found += _compared(ahead, results, detector, explainer, criterion, best)
    return found


def _compared(
    ahead: pd.Series,
    results: StudyResults,
    detector: str,
    explainer: str,
    criterion: Criterion,
    control: str,
) -> list[AgainstInput]:
    clip_ids = ahead.index.to_numpy()
    units = clip_ids if results.recordings is None else results.recordings[clip_ids].to_numpy()
    if len(set(units)) < FEWEST:
        return []
    rng = np.random.default_rng(
        seed_from("against input", results.study, criterion.name, detector, explainer)
    )
    low, high = mean_over_recordings(ahead.to_numpy(np.float64)[:, np.newaxis], units, rng)
    return [AgainstInput(detector, explainer, criterion, control, float(ahead.mean()), low, high)]


def no_better_than_input(compared: list[AgainstInput]) -> dict[tuple[str, str], str]:
    """Titles of the criteria by which an explainer does not beat the input, by (detector, explainer)."""
    titles: dict[tuple[str, str], list[str]] = {}
    for pair in compared:
        if not pair.beats:
            titles.setdefault((pair.detector, pair.explainer), []).append(pair.criterion.title)
    return {key: ", ".join(names) for key, names in titles.items()}


def input_warnings(results: StudyResults, compared: list[AgainstInput]) -> tuple[str, ...]:
    """One sentence per criterion that names the explanations which do not beat the input."""
    said = []
    for criterion in all_criteria():
        pairs = [pair for pair in compared if pair.criterion.name == criterion.name]
        beaten = [
            f"{results.explainer_title(pair.explainer)} of {results.detector_title(pair.detector)} "
            f"({pair.difference:+.2f} [{pair.low:+.2f}, {pair.high:+.2f}])"
            for pair in pairs
            if not pair.beats
        ]
        if beaten:
            said.append(
                f"{criterion.title}: {WORDS}, by the paired 95 % bootstrap interval over clips of the advantage "
                f"over the better input control: {', '.join(beaten)}."
            )
    return tuple(said)
