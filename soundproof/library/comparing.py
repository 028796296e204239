"""What was measured, side by side: means with intervals, chance and rivals, as tables and figures have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from soundproof.analysis.contests import contests
from soundproof.analysis.criteria import all_criteria, criteria_named, measure_criteria
from soundproof.analysis.measures import titled
from soundproof.analysis.ranking import ALL_DOMAINS, mean_areas, run_areas
from soundproof.analysis.results import StudyResults
from soundproof.core.choice import ExplainerChoice
from soundproof.core.errors import ConfigError, DataError, nearest
from soundproof.detection.registry import CHANCE_AUC
from soundproof.detectors.hearing import hearing
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.illustrations.make import illustrate
from soundproof.illustrations.table import Illustration
from soundproof.library.clips import Clips
from soundproof.library.explanations import Explanations
from soundproof.library.fitted import Fitted
from soundproof.storage.measurements import collect

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEADING = ("detector", "explainer", "axis", "higher_is_better")


def compare(*explanations: Explanations) -> pd.DataFrame:
    """Compare explainers by all that was measured of them.

    Args:
        explanations: Of the same clips, each measured before (:meth:`Explanations.faithfulness`,
            :meth:`Explanations.localisation`).

    Returns:
        One row per detector, explainer and criterion (``axis``): ``value``, the mean over clips and trainings;
        its 95 % interval over clips ``ci_low`` to ``ci_high``, missing for fewer than five (``interval`` says
        why); what a map that knows nothing reaches on the same clips (``chance_uniform``), what the map itself
        reaches shifted in time (``chance_shift``), what flagging everything reaches (``flag_all``), each where it
        was measured; an interval over machines; and the numbers of clips and trainings. The numbers are those of
        the workflow's table of quality.

    Raises:
        DataError: Nothing was measured, or explanations of other clips.
    """
    results = _measured(explanations)
    frame = titled(measure_criteria(results), results)
    directions = {criterion.name: criterion.higher_is_better for criterion in all_criteria()}
    frame = frame.assign(higher_is_better=frame["axis"].map(directions))
    return frame[[*_LEADING, *(name for name in frame.columns if name not in _LEADING)]]


def rivals(*explanations: Explanations) -> pd.DataFrame:
    """How far each explainer is ahead of all that knows nothing: chance, and the controls among the explainers.

    Args:
        explanations: As :func:`compare`.

    Returns:
        One row per detector, explainer, criterion (``axis``) and rival: ``advantage``, the mean over clips and
        trainings of how much better the explainer is; its 95 % interval over clips ``ci_low`` to ``ci_high``,
        missing for fewer than five; ``beaten``, whether that lies above 0.

    Raises:
        DataError: As :func:`compare`.
    """
    results = _measured(explanations)
    rows = [
        {
            "detector": detector,
            "explainer": met.explainer,
            "axis": criterion.name,
            "axis_title": criterion.title,
            "rival": met.rival,
            "kind": met.kind,
            "advantage": met.advantage,
            "ci_low": met.low,
            "ci_high": met.high,
            "beaten": met.won,
        }
        for detector in results.detectors(results.detector_titles)
        for criterion in criteria_named(measure_criteria(results)["axis"])
        for met in contests(results, criterion, detector)
    ]
    columns = ["detector", "explainer", "axis", "axis_title", "rival", "kind"]
    return pd.DataFrame(rows, columns=[*columns, "advantage", "ci_low", "ci_high", "beaten"])


def areas(*fitted: Fitted) -> pd.DataFrame:
    """How well detectors tell anomalous from normal test clips.

    Args:
        fitted: Detectors, of the same clips; several trainings of one under one label.

    Returns:
        One row per detector and measure (``auc``; ``pauc`` up to a false-positive rate of 0.1): ``value``, the mean
        over machines and trainings, its 95 % interval over clips ``ci_low`` to ``ci_high``, and ``chance``.

    Raises:
        DataError: Clips of one class only, or detectors of other clips.
    """
    clips = _common([one.clips for one in fitted])
    results = _results(clips, [one.scores for one in fitted], fitted, {}, 1.0)
    runs, reasons = run_areas(results)
    if runs.empty:
        raise DataError("normal and anomalous test clips", "; ".join(reasons), "add test clips of both")
    found = mean_areas(runs[runs["domain"].eq(ALL_DOMAINS)], ["detector", "metric"])
    known = ["detector", "metric", "value", "ci_low", "ci_high", "interval", "sd_seeds", "n_seeds"]
    return found[[*known, "n_machines", "n_normal", "n_anomalous"]].assign(chance=CHANCE_AUC)


def draw(name: str, *explanations: Explanations) -> Figure:
    """Draw a figure of the workflow's pages.

    Args:
        name: Name of a figure (``docs/registries.md``), such as ``quality_overview``.
        explanations: As :func:`compare`.

    Raises:
        ConfigError: No such figure, or one that shows single clips (:func:`show`).
        DataError: As :func:`compare`.
    """
    figures = [entry.name for entry in ARTEFACTS.values() if entry.kind == "figure"]
    if name not in figures:
        raise ConfigError(f"figure '{name}'", "no such figure of measured numbers", nearest(name, figures))
    return _drawn(name, _measured(explanations))


def show(*explanations: Explanations, clip_id: str | None = None) -> Figure:
    """Draw what explainers mark of a clip, one block of rows per detector.

    Args:
        explanations: Of the same clips; they need not have been measured.
        clip_id: Explained clip; None: the first.

    Raises:
        DataError: A clip that was not explained, or explanations of other clips.
    """
    pictures = [_illustrated(one, clip_id or one.clip_ids[0]) for one in explanations]
    return _drawn("attribution_panels", _measured(explanations), pictures)


def _drawn(name: str, results: StudyResults, *pictures: Sequence[Illustration]) -> Figure:
    figure: Figure = ARTEFACTS[name].load()(results, *pictures).figure
    return figure


def _illustrated(of: Explanations, clip_id: str) -> Illustration:
    if clip_id not in of.clip_ids:
        raise DataError(f"explanations of clip '{clip_id}'", "not explained", nearest(clip_id, of.clip_ids))
    clips = of.fitted.clips
    row = of.clips.loc[of.clips["clip_id"].eq(clip_id)].iloc[0]
    maps = clips.maps([clip_id])
    return illustrate(
        hearing(of.fitted.model, clips.features, [clip_id], maps),
        of.fitted.label,
        row,
        clips.features.axes,
        maps[0],
        {label: of.relevance(label, [clip_id])[0] for label in of.choices},
        clips.masks.read([clip_id])[0].astype(bool) if clip_id in clips.masks else None,
        _segment_frames(clips, of.segment_seconds),
        {label: choice.kind for label, choice in of.choices.items()},
    )


def _measured(explanations: Sequence[Explanations]) -> StudyResults:
    clips = _common([one.fitted.clips for one in explanations])
    lengths = {one.segment_seconds for one in explanations}
    if len(lengths) > 1:
        found = " and ".join(f"{seconds:g} s" for seconds in sorted(lengths))
        raise DataError(
            "explanations measured in segments of one length", found, "explain them with one length"
        )
    rows = [one.rows for one in explanations]
    keys = ["detector", "seed", "explainer"]
    pairs = pd.concat([frame[keys].dropna().drop_duplicates() for frame in rows])
    twice = pairs[pairs.duplicated()]
    if len(twice):
        label, seed, explainer = twice.iloc[0]
        raise DataError(
            f"'{explainer}' of the detector '{label}', seed {seed}, once",
            "twice",
            "give one of them another label",
        )
    fitted = [one.fitted for one in explanations]
    choices = {label: choice for one in explanations for label, choice in one.choices.items()}
    scores = {(one.label, one.seed): one.scores for one in fitted}
    return _results(clips, [*rows, *scores.values()], fitted, choices, lengths.pop())


def _results(
    clips: Clips,
    rows: Sequence[pd.DataFrame],
    fitted: Iterable[Fitted],
    choices: Mapping[str, ExplainerChoice],
    segment_seconds: float,
) -> StudyResults:
    axes = clips.features.axes
    detectors = {one.label: one.choice for one in fitted}
    return StudyResults(
        study=clips.name,
        title=clips.name,
        dataset=str(clips.table["dataset"].iloc[0]),
        measurements=collect(list(rows)),
        clips=clips.table,
        detector_titles={label: choice.title for label, choice in detectors.items()},
        detector_kinds={label: choice.kind for label, choice in detectors.items()},
        explainer_titles={label: choice.title for label, choice in choices.items()},
        explainer_kinds={label: choice.kind for label, choice in choices.items()},
        segment_frames=_segment_frames(clips, segment_seconds),
        frames_per_second=axes.frames_per_second,
        frequencies_hz=axes.frequencies_hz,
    )


def _segment_frames(clips: Clips, segment_seconds: float) -> int:
    return round(segment_seconds * clips.features.axes.frames_per_second)


def _common(clips: Sequence[Clips]) -> Clips:
    if not clips:
        raise DataError("something to compare", "nothing", "name it")
    if any(one is not clips[0] for one in clips):
        names = ", ".join(dict.fromkeys(one.name for one in clips))
        raise DataError(
            "explanations of the same clips", f"of several: {names}", "load the clips once, and use them"
        )
    return clips[0]
