"""What the papers conclude, and whether it holds here: the comparison that does not need the same data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from soundproof.analysis.claim_differences import (
    TRAININGS,
    Measured,
    between_areas,
    between_trainings,
    over_clips,
)
from soundproof.analysis.criteria import chance_per_clip, per_clip
from soundproof.analysis.frames import groups, means, records
from soundproof.analysis.measures import SHARED_CHANCE, select
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.interfaces.metric import Criterion
from soundproof.statistics import holm
from soundproof.statistics.intervals import MIN_CLIPS, TOO_FEW
from soundproof.statistics.trainings import least_trainings
from soundproof.storage.measurements import FLAG_ALL, UNIFORM

ERROR_MAP = "error_map"
"""Kind of the explainer that the papers praise; in a study it may run under any label."""
_PUBLISHED = ("as_published",)
F1 = Criterion(name="segment_f1", title="segment F1", protocols=_PUBLISHED)
FF_FRAME = Criterion(name="ff_frame", title="FF frame", protocols=_PUBLISHED)
FF_LAST = Criterion(
    name="ff_frame_mean_p98_p99",
    title="FF frame (p98, p99)",
    metric="ff_frame",
    parameters=(98.0, 99.0),
    protocols=_PUBLISHED,
)
FF_SEGMENT = Criterion(name="ff_segment", title="FF segment", protocols=_PUBLISHED)
"""What the claims are about: published values, averaged over all percentiles where none are named."""
HOLDS, FAILS, OPEN = "holds", "does not hold", "undecided"
UNREPORTED = "not reported"
LEVEL = 0.05
FORMATS = (
    Column("Claim", "claim"),
    Column("Reported on", "dataset"),
    Column("Reported difference", "reported_difference", digits=3),
    Column("There", "there"),
    Column("Our difference", "difference", "ci_low", "ci_high", 3),
    Column("Over", "over"),
    Column("Over machines too", "difference", "machines_ci_low", "machines_ci_high", 3),
    Column("p (Holm)", "p_holm", digits=4),
    Column("Here", "here"),
    Column("Clips", "n_clips"),
    Column("Seeds", "n_seeds"),
)
CAPTION = (
    "Claims as differences: positive where the claim holds, 0 by chance. There: in the reported numbers, "
    "which carry no interval. Here: for these machines, means over all percentiles and seeds, as published. Claims "
    "about explainers and chance are paired over clips and hold for these trainings (95 % bootstrap, none below "
    f"{MIN_CLIPS} clips; p by a paired t-test). Claims about training (masked against plain) are over clips and "
    f"trainings, "
    "both resampled (p by Student's t with Welch's degrees of freedom): two trainings a side, perfectly "
    f"separated, have p = 0.33 by permutation and decide nothing; it takes {least_trainings()}. A claim holds "
    f"or does "
    f"not hold where p is below {LEVEL:g} after Holm's correction over all rows that have a p; intervals are not "
    "corrected. Over machines too: machines resampled first, then the clips of each."
)


@dataclass(frozen=True)
class Claim:
    """A statement that some difference is positive.

    Attributes:
        text: The statement.
        dataset: Data set on which it was reported.
        reported: The difference in the reported numbers; NaN where they do not tell it.
        measure: The difference in ours; None where it was not measured.
    """

    text: str
    dataset: str
    reported: float
    measure: Callable[[StudyResults], Measured | None]


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per claim."""
    if results.reported is None or results.reported.empty:
        return absent("no paper's claims belong to this study", FORMATS, CAPTION)
    rows = [_row(claim, claim.measure(results)) for claim in claims(results, results.reported)]
    if not rows:
        return absent("the reported numbers hold none of the claims", FORMATS, CAPTION)
    return FinishedTable(decided(pd.DataFrame(rows)), CAPTION, FORMATS)


def _row(claim: Claim, ours: Measured | None) -> dict[str, object]:
    there = UNREPORTED if np.isnan(claim.reported) else HOLDS if claim.reported > 0 else FAILS
    row: dict[str, object] = {"claim": claim.text, "dataset": claim.dataset}
    row |= {"reported_difference": claim.reported, "there": there}
    if ours is None:
        names = ("difference", "ci_low", "ci_high", "machines_ci_low", "machines_ci_high", "p")
        return row | dict.fromkeys(names, np.nan) | {"n_clips": 0, "n_seeds": 0, "over": "", "interval": ""}
    value, low, high, p, n_clips, n_seeds = ours.difference
    few = TOO_FEW if n_clips < MIN_CLIPS else "one training" if n_seeds < 2 and ours.over == TRAININGS else ""
    row |= {"difference": value, "ci_low": low, "ci_high": high, "p": p, "over": ours.over, "interval": few}
    row |= {"machines_ci_low": ours.machines[0], "machines_ci_high": ours.machines[1]}
    return row | {"n_clips": n_clips, "n_seeds": n_seeds}


def decided(rows: pd.DataFrame) -> pd.DataFrame:
    """Add ``p_holm``, over all rows that have a p, and ``here``, the verdict."""
    tested = rows["p"].notna()
    adjusted = pd.Series(np.nan, index=rows.index)
    adjusted[tested] = holm(rows.loc[tested, "p"].to_numpy(np.float64))
    out = rows.assign(p_holm=adjusted)
    return out.assign(here=[verdict(row) for row in records(out)])


def verdict(row: Mapping[str, Any]) -> str:
    """Say whether a row's claim holds, or why that is undecided."""
    if np.isnan(row["difference"]):
        return "not measured"
    if row["n_clips"] < MIN_CLIPS:
        return f"{OPEN} ({TOO_FEW})"
    if row["over"] == TRAININGS and row["n_seeds"] < least_trainings():
        return f"{OPEN} ({row['n_seeds']} training{'s' * (row['n_seeds'] > 1)} a side)"
    if row["p_holm"] >= LEVEL:
        return OPEN
    return HOLDS if row["difference"] > 0 else FAILS


def claims(results: StudyResults, reported: pd.DataFrame) -> Iterator[Claim]:
    """Yield the claims about masked training, the error map, chance and detection, as far as they were reported."""
    curves = reported[reported["protocol"].eq("as_published") & reported["anomaly_type"].eq("")]
    curves = means(curves, ["dataset", "metric", "detector", "explainer"])
    yield from _masking_claims(results, curves)
    yield from _error_map_claims(results, curves)
    yield from _chance_claims(results, curves, reported)
    yield from _area_claims(results, reported)


def _masking_claims(results: StudyResults, curves: pd.DataFrame) -> Iterator[Claim]:
    for criterion in (FF_FRAME, FF_LAST, FF_SEGMENT, F1):
        reported = curves[curves["metric"].eq(criterion.name)]
        for (dataset, explainer), of_detectors in groups(reported, ["dataset", "explainer"]):
            values = of_detectors.set_index("detector")["value"]
            for masked, plain in _reported_pairs(results, values):
                who = f"{results.detector_title(masked)} above {results.detector_title(plain)}"
                text = f"{results.explainer_title(explainer)}: {who} in {criterion.title}"
                measured = _trainings(criterion, explainer, masked, plain)
                yield Claim(text, dataset, values[masked] - values[plain], measured)


def _reported_pairs(results: StudyResults, values: pd.Series) -> list[tuple[str, str]]:
    """Detectors of the study that differ in masked training, as far as the paper has a number of both."""
    return [pair for pair in results.masked_and_plain() if set(pair) <= set(values.index)]


def _error_map_claims(results: StudyResults, curves: pd.DataFrame) -> Iterator[Claim]:
    reported = curves[curves["metric"].eq(FF_FRAME.name)]
    for (dataset, detector), group in groups(reported, ["dataset", "detector"]):
        values = group.set_index("explainer")["value"]
        praised = [name for name in values.index if results.explainer_kind(name) == ERROR_MAP]
        others = values.drop(praised)
        if len(others) and praised:
            who = results.detector_title(detector)
            text = f"{who}: error map has the highest {FF_FRAME.title} of the reported explainers"
            gap = values[praised[0]] - others.max()
            yield Claim(text, dataset, gap, _highest(detector, praised[0], list(others.index)))


def _chance_claims(results: StudyResults, curves: pd.DataFrame, reported: pd.DataFrame) -> Iterator[Claim]:
    chance = reported[reported["protocol"].eq(UNIFORM) & reported["metric"].eq(F1.name)]
    levels = {row["dataset"]: row["value"] for row in records(means(chance, ["dataset"]))}
    for row in records(curves[curves["metric"].eq(F1.name) & curves["dataset"].isin(levels)]):
        detector, explainer = row["detector"], row["explainer"]
        who = f"{results.detector_title(detector)}, {results.explainer_title(explainer)}"
        text = f"{who}: {F1.title} above chance"
        gap = row["value"] - levels[row["dataset"]]
        yield Claim(text, row["dataset"], gap, _above(UNIFORM, detector, explainer))
        # the rival that needs no map; no paper reports it
        text = f"{who}: {F1.title} above flagging every segment"
        yield Claim(text, row["dataset"], np.nan, _above(FLAG_ALL, detector, explainer))


def _area_claims(results: StudyResults, reported: pd.DataFrame) -> Iterator[Claim]:
    rows = reported[reported["metric"].eq("auc") & reported["machine"].isin(["", "mean"])]
    for (dataset, domain), group in groups(rows[rows["paper"].eq("P1")], ["dataset", "domain"]):
        # several sources of one number: the one printed in the paper (it has a spread) before a single run
        ranked = group.sort_values("spread", na_position="last", kind="stable")
        values = ranked.drop_duplicates("detector").set_index("detector")["value"]
        for masked, plain in _reported_pairs(results, values):
            who = f"{results.detector_title(plain)} above {results.detector_title(masked)}"
            text = f"{who} in detection AUC{f' ({domain})' if domain else ''}"
            yield Claim(text, dataset, values[plain] - values[masked], _areas(plain, masked, domain))


def _trainings(
    criterion: Criterion, explainer: str, first: str, second: str
) -> Callable[[StudyResults], Measured | None]:
    return lambda results: between_trainings(results, criterion, explainer, first, second)


def _highest(detector: str, praised: str, others: list[str]) -> Callable[[StudyResults], Measured | None]:
    def measure(results: StudyResults) -> Measured | None:
        clips = per_clip(results, FF_FRAME, detector)
        if not {praised, *others} <= set(clips.columns):
            return None
        n_seeds = _seeds(results, FF_FRAME, detector)
        found = (
            over_clips(results, clips[praised] - clips[name], n_seeds, detector, name) for name in others
        )
        gaps = [gap for gap in found if gap is not None]
        if not gaps:
            return None
        least = min(gaps, key=lambda gap: gap.difference.value)
        # above all others: as sure as the least sure of the differences
        p = max(gap.difference.p for gap in gaps) if least.difference.value > 0 else least.difference.p
        return least._replace(difference=least.difference._replace(p=p))

    return measure


def _above(rival: str, detector: str, explainer: str) -> Callable[[StudyResults], Measured | None]:
    def measure(results: StudyResults) -> Measured | None:
        clips = per_clip(results, F1, detector)
        chance = chance_per_clip(results, F1, detector, rival)
        column = next((name for name in (explainer, *SHARED_CHANCE) if name in chance), None)
        if explainer not in clips or column is None:
            return None
        names = (detector, explainer) if rival == UNIFORM else (detector, explainer, rival)
        n_seeds = _seeds(results, F1, detector)
        return over_clips(results, clips[explainer] - chance[column], n_seeds, *names)

    return measure


def _seeds(results: StudyResults, criterion: Criterion, detector: str) -> int:
    rows = select(results, criterion.metric, criterion.protocols, criterion.parameters)
    return int(rows.loc[rows["detector"].eq(detector), "seed"].nunique())


def _areas(first: str, second: str, domain: str) -> Callable[[StudyResults], Measured | None]:
    return lambda results: between_areas(results, first, second, domain)
