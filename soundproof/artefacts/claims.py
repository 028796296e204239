"""What the papers conclude, and whether it holds here: the comparison that does not need the same data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from soundproof.artefacts.axes import Axis, chance_per_clip, per_clip
from soundproof.artefacts.finished import Column, FinishedTable, absent
from soundproof.artefacts.frames import groups, means, records
from soundproof.artefacts.measures import FLAG_ALL, SHARED_CHANCE, UNIFORM
from soundproof.artefacts.ranking import ALL_DOMAINS, mean_areas, run_areas
from soundproof.results import StudyResults
from soundproof.statistics import bootstrap_interval

PLAIN, MASKED = "ae", "mae"
ERROR_MAP = "error_map"
_PUBLISHED = ("as_published",)
F1 = Axis("segment_f1", "segment F1", "localisation", "segment_f1", protocols=_PUBLISHED)
FF_FRAME = Axis("ff_frame", "FF frame", "faithfulness", "ff_frame", protocols=_PUBLISHED)
FF_LAST = Axis(
    "ff_frame_mean_p98_p99",
    "FF frame (p98, p99)",
    "faithfulness",
    "ff_frame",
    parameters=(98.0, 99.0),
    protocols=_PUBLISHED,
)
FF_SEGMENT = Axis("ff_segment", "FF segment", "faithfulness", "ff_segment", protocols=_PUBLISHED)
HOLDS, FAILS, OPEN = "holds", "does not hold", "undecided (interval holds 0)"
UNREPORTED = "not reported"
FORMATS = (
    Column("Claim", "claim"),
    Column("Reported on", "dataset"),
    Column("Reported difference", "reported_difference", digits=3),
    Column("There", "there"),
    Column("Our difference", "difference", "ci_low", "ci_high", 3),
    Column("Here", "here"),
    Column("Clips", "n_clips"),
)
CAPTION = (
    "Claims as differences: positive where the claim holds, 0 by chance. There: in the reported numbers, "
    "which carry no interval. Here: paired over clips, means over all percentiles and seeds, as "
    "published; holds or does not hold where the 95 % bootstrap interval lies on one side of 0."
)


class Difference(NamedTuple):
    """Ours: mean difference, its interval, number of clips."""

    value: float
    low: float
    high: float
    n_clips: int


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
    measure: Callable[[StudyResults], Difference | None]


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per claim."""
    if results.reported is None or results.reported.empty:
        return absent("no paper's claims belong to this study", FORMATS, CAPTION)
    rows = [_row(claim, claim.measure(results)) for claim in claims(results, results.reported)]
    if not rows:
        return absent("the reported numbers hold none of the claims", FORMATS, CAPTION)
    return FinishedTable(pd.DataFrame(rows), CAPTION, FORMATS)


def _row(claim: Claim, ours: Difference | None) -> dict[str, object]:
    there = UNREPORTED if np.isnan(claim.reported) else HOLDS if claim.reported > 0 else FAILS
    row: dict[str, object] = {"claim": claim.text, "dataset": claim.dataset}
    row |= {"reported_difference": claim.reported, "there": there}
    if ours is None:
        missing = {"difference": np.nan, "ci_low": np.nan, "ci_high": np.nan, "n_clips": 0}
        return row | missing | {"here": "not measured"}
    numbers = {"difference": ours.value, "ci_low": ours.low, "ci_high": ours.high, "n_clips": ours.n_clips}
    return row | numbers | {"here": verdict(ours)}


def verdict(difference: Difference) -> str:
    """Say on which side of 0 the interval lies."""
    if difference.low > 0:
        return HOLDS
    return FAILS if difference.high < 0 else OPEN


def claims(results: StudyResults, reported: pd.DataFrame) -> Iterator[Claim]:
    """Yield the claims about masked training, the error map, chance and detection, as far as they were reported."""
    curves = reported[reported["protocol"].eq("as_published") & reported["anomaly_type"].eq("")]
    curves = means(curves, ["dataset", "metric", "detector", "explainer"])
    yield from _masking_claims(results, curves)
    yield from _error_map_claims(results, curves)
    yield from _chance_claims(results, curves, reported)
    yield from _area_claims(reported)


def _masking_claims(results: StudyResults, curves: pd.DataFrame) -> Iterator[Claim]:
    for axis in (FF_FRAME, FF_LAST, FF_SEGMENT, F1):
        of_axis = curves[curves["metric"].eq(axis.name)]
        for (dataset, explainer), pair in groups(of_axis, ["dataset", "explainer"]):
            values = pair.set_index("detector")["value"]
            if {PLAIN, MASKED} <= set(values.index):
                text = f"{results.explainer_title(explainer)}: MAE above AE in {axis.title}"
                yield Claim(text, dataset, values[MASKED] - values[PLAIN], _detectors(axis, explainer))


def _error_map_claims(results: StudyResults, curves: pd.DataFrame) -> Iterator[Claim]:
    of_axis = curves[curves["metric"].eq(FF_FRAME.name)]
    for (dataset, detector), group in groups(of_axis, ["dataset", "detector"]):
        values = group.set_index("explainer")["value"]
        others = values.drop(ERROR_MAP, errors="ignore")
        if len(others) and ERROR_MAP in values.index:
            who = results.detector_title(detector)
            text = f"{who}: error map has the highest {FF_FRAME.title} of the reported explainers"
            gap = values[ERROR_MAP] - others.max()
            yield Claim(text, dataset, gap, _highest(detector, list(others.index)))


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


def _area_claims(reported: pd.DataFrame) -> Iterator[Claim]:
    rows = reported[reported["metric"].eq("auc") & reported["machine"].isin(["", "mean"])]
    for (dataset, domain), group in groups(rows[rows["paper"].eq("P1")], ["dataset", "domain"]):
        # several sources of one number: the one printed in the paper (it has a spread) before a single run
        ranked = group.sort_values("spread", na_position="last", kind="stable")
        values = ranked.drop_duplicates("detector").set_index("detector")["value"]
        if {PLAIN, MASKED} <= set(values.index):
            text = f"AE above MAE in detection AUC{f' ({domain})' if domain else ''}"
            yield Claim(text, dataset, values[PLAIN] - values[MASKED], _areas(domain))


def _paired(difference: pd.Series, *names: str) -> Difference | None:
    clips = difference.dropna().to_numpy(np.float64)
    if not len(clips):
        return None
    interval = bootstrap_interval(clips, "claims", *names)
    return Difference(interval.value, interval.low, interval.high, len(clips))


def _detectors(axis: Axis, explainer: str) -> Callable[[StudyResults], Difference | None]:
    def measure(results: StudyResults) -> Difference | None:
        masked, plain = (per_clip(results, axis, label) for label in (MASKED, PLAIN))
        if explainer not in masked or explainer not in plain:
            return None
        return _paired(masked[explainer] - plain[explainer], axis.name, explainer)

    return measure


def _highest(detector: str, others: list[str]) -> Callable[[StudyResults], Difference | None]:
    def measure(results: StudyResults) -> Difference | None:
        clips = per_clip(results, FF_FRAME, detector)
        if not {ERROR_MAP, *others} <= set(clips.columns):
            return None
        gaps = [_paired(clips[ERROR_MAP] - clips[name], detector, name) for name in others]
        return min((gap for gap in gaps if gap is not None), key=lambda gap: gap.value, default=None)

    return measure


def _above(rival: str, detector: str, explainer: str) -> Callable[[StudyResults], Difference | None]:
    def measure(results: StudyResults) -> Difference | None:
        clips = per_clip(results, F1, detector)
        chance = chance_per_clip(results, F1, detector, rival)
        column = next((name for name in (explainer, *SHARED_CHANCE) if name in chance), None)
        if explainer not in clips or column is None:
            return None
        names = (detector, explainer) if rival == UNIFORM else (detector, explainer, rival)
        return _paired(clips[explainer] - chance[column], *names)

    return measure


def _areas(domain: str) -> Callable[[StudyResults], Difference | None]:
    def measure(results: StudyResults) -> Difference | None:
        runs, _ = run_areas(results)
        runs = runs[runs["metric"].eq("auc") & runs["domain"].eq(domain or ALL_DOMAINS)]
        if not {PLAIN, MASKED} <= set(runs["detector"]):
            return None
        areas = {row["detector"]: row for row in records(mean_areas(runs, ["detector"]))}
        plain, masked = areas[PLAIN], areas[MASKED]
        counts = plain["n_normal"] + plain["n_anomalous"]
        ends = plain["ci_low"] - masked["ci_high"], plain["ci_high"] - masked["ci_low"]
        return Difference(plain["value"] - masked["value"], *ends, counts)

    return measure
