"""How well each detector tells anomalous from normal clips."""

from __future__ import annotations

from collections.abc import Iterator

from soundproof.analysis.interval_words import AREAS
from soundproof.analysis.learning import learning_warnings
from soundproof.analysis.measures import titled
from soundproof.analysis.ranking import (
    ALL_DOMAINS,
    RIVALS,
    mean_areas,
    run_areas,
    run_measures,
    side_by_side,
)
from soundproof.analysis.results import StudyResults
from soundproof.analysis.rivals import BEATEN_BY, NOT_BETTER_THAN, with_rivals
from soundproof.clips.telling_traits import telling_traits, traits_of_clips
from soundproof.detection.registry import CHANCE_AUC, DetectionEntry
from soundproof.exhibits.finished import Column, FinishedTable, absent

_LEADING = (Column("Detector", "detector_title"),)
_COUNTS = (
    Column("Chance", "chance"),
    Column("Normal / anomalous clips", "clips"),
    Column("Seeds", "n_seeds"),
)
SAID = (
    Column("Beaten by", BEATEN_BY),
    Column("Not better than", NOT_BETTER_THAN),
    Column("Why there is no number", "reason"),
)
CAPTION = (
    "Detection of anomalous clips: area under the ROC curve and standardised partial area up to a "
    f"false-positive rate of 0.1. {AREAS} Both areas are 0.5 by chance. Controls learn nothing: they score a clip "
    "by the mean of its map (distance from the training mean), by the mean of its square, and by the level of its "
    "sound before any normalisation (distance in dB from the mean level of its machine's training clips). "
    "The level is that of the sound, also where the study normalises it: what detectors see then is not level. "
    "Beaten by, and not better than: what an explained detector should outdo, by the paired 95 % bootstrap "
    "interval over clips of the difference of the AUCs."
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector."""
    measures = run_measures(results)
    runs, reasons = run_areas(results)
    if runs.empty:
        reason = "; ".join(reasons) or "the study has no anomaly scores of test clips"
        return absent(reason, (*_LEADING, *_columns(measures), *_COUNTS), CAPTION)
    areas = mean_areas(runs[runs["domain"].eq(ALL_DOMAINS)], ["detector", "metric"])
    facts = areas.drop_duplicates("detector").set_index("detector")
    frame = titled(side_by_side(areas, ["detector"], "metric"), results).assign(chance=CHANCE_AUC)
    for name in ("n_seeds", "n_machines", "n_normal", "n_anomalous"):
        frame[name] = frame["detector"].map(facts[name])
    frame["clips"] = [f"{n} / {a}" for n, a in zip(frame["n_normal"], frame["n_anomalous"], strict=True)]
    caption = CAPTION + _others(measures) + _means(int(frame["n_machines"].max()))
    if reasons:
        caption += f" Left out: {'; '.join(reasons)}."
    frame, warnings = with_rivals(frame, results)
    formats = (*_LEADING, *_columns(measures, frozenset(map(str, frame))), *_COUNTS)
    return FinishedTable(
        frame,
        caption,
        (*formats, *(column for column in SAID if frame[column.value].ne("").any())),
        (*warnings, *learning_warnings(results), *_recording_warnings(results)),
    )


def _columns(measures: list[DetectionEntry], known: frozenset[str] = frozenset()) -> Iterator[Column]:
    """Value with interval, and spread, of each measure, and those of its rivals that are known."""
    for entry in measures:
        name, of = entry.name, "" if entry is measures[0] else f" ({entry.title})"
        yield Column(entry.heading, name, f"{name}_ci_low", f"{name}_ci_high")
        yield Column(f"sd over seeds{of}", f"{name}_sd_seeds", digits=3)
        for rival in RIVALS:
            if f"{name}_{rival}" in known:
                yield Column(f"{entry.title}: {rival.replace('_', ' ')}", f"{name}_{rival}")


def _others(measures: list[DetectionEntry]) -> str:
    """What a reader must know of the measures that not every study shows."""
    return "".join(
        f" {entry.title}: {entry.unit}; by chance {entry.chance}; "
        f"{'higher' if entry.higher_is_better else 'lower'} is better."
        for entry in measures
        if not entry.shown
    )


def _recording_warnings(results: StudyResults) -> tuple[str, ...]:
    """What tells the classes apart beside their sound."""
    return tuple(f"{said[0].upper()}{said[1:]}." for said in telling_traits(traits_of_clips(results.clips)))


def _means(n_machines: int) -> str:
    if n_machines == 1:
        return ""
    return f" Areas are computed within each of the {n_machines} machines and averaged."
