"""Our counterpart of every number that a paper reports, under the keys of ``config/reported/*.csv``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from soundproof.analysis.frames import means
from soundproof.analysis.levels import MEASURES, levels_of_runs
from soundproof.analysis.machine_kinds import kind_of
from soundproof.analysis.measures import measure, select, summarise, with_clip_fact
from soundproof.analysis.our_band_numbers import band_numbers
from soundproof.analysis.ranking import ALL_DOMAINS, mean_areas, run_areas
from soundproof.analysis.results import StudyResults
from soundproof.attribution.registry import OWN_MAP
from soundproof.storage.measurements import UNIFORM

KEYS = ("detector", "explainer", "metric", "protocol", "parameter", "machine", "anomaly_type", "domain")
"""What identifies a number; empty text (for the parameter: a missing value) where it does not apply."""
NUMBERS = ("value", "ci_low", "ci_high", "sd_seeds", "n_clips", "n_seeds")
ALL_MACHINES = "mean"
_PUBLISHED = ("as_published",)
_LAST_TWO = (98.0, 99.0)
_CURVES = ("segment_f1", "ff_frame", "ff_segment")


def our_numbers(results: StudyResults, reported: pd.DataFrame) -> pd.DataFrame:
    """Our counterparts of the reported numbers: columns :data:`KEYS` and :data:`NUMBERS`."""
    parts = [part for part in _parts(results, reported) if not part.empty]
    if not parts:
        return pd.DataFrame(columns=[*KEYS, *NUMBERS])
    frame = pd.concat(parts, ignore_index=True).reindex(columns=[*KEYS, *NUMBERS])
    texts = [key for key in KEYS if key != "parameter"]
    return frame.assign(**{key: frame[key].astype("str").where(frame[key].notna(), "") for key in texts})


def _parts(results: StudyResults, reported: pd.DataFrame) -> Iterator[pd.DataFrame]:
    # effects of bands belong to no explainer, which the selection below would leave out
    yield from band_numbers(results)
    yield from _levels(results, set(reported["metric"]))
    typed = with_clip_fact(_only(results, reported[reported["anomaly_type"].ne("")]), "anomaly_type")
    results = _only(results, reported)
    by = ("detector", "explainer", "parameter")
    for metric in _CURVES:
        curves = measure(results, metric, by, _PUBLISHED).assign(metric=metric, protocol="as_published")
        yield curves
        if metric == "segment_f1" and not curves.empty:
            best = curves.loc[curves.groupby(["detector", "explainer"])["value"].idxmax()]
            # the paper's best percentile is its own; ours is compared with it wherever it lies
            yield best.assign(metric="segment_f1_best", parameter=np.nan)
    types = measure(typed, "segment_f1", (*by, "anomaly_type"), _PUBLISHED)
    yield types.assign(metric="segment_f1", protocol="as_published")
    last = measure(results, "ff_frame", by[:2], _PUBLISHED, _LAST_TWO)
    yield last.assign(metric="ff_frame_mean_p98_p99", protocol="as_published")
    uniform = _one_per_clip(select(results, "segment_f1", (UNIFORM,)))
    chance = summarise(uniform, ("parameter",), UNIFORM, units=results.recordings)
    yield chance.assign(metric="segment_f1", protocol=UNIFORM)
    yield from _areas(results)


def _only(results: StudyResults, reported: pd.DataFrame) -> StudyResults:
    """Leave out explanations that nobody reported: resampling them would cost time and show nothing."""
    wanted = set(zip(reported["detector"], reported["explainer"], strict=True))
    rows = results.measurements
    items = rows[["detector", "explainer"]].drop_duplicates()
    items = items[[pair in wanted for pair in zip(items["detector"], items["explainer"], strict=True)]]
    kept = rows.merge(items, on=["detector", "explainer"], how="inner")
    scores = rows[rows["metric"].eq("anomaly_score")]
    return replace(results, measurements=pd.concat([kept, scores], ignore_index=True))


def _one_per_clip(rows: pd.DataFrame) -> pd.DataFrame:
    """Average the chance of all curves: it depends on them only through ties."""
    return means(rows, ["parameter", "seed", "clip_id"])


def _areas(results: StudyResults) -> Iterator[pd.DataFrame]:
    runs, _ = run_areas(results)
    if runs.empty:
        return
    runs = runs.assign(domain=runs["domain"].replace(ALL_DOMAINS, ""))
    by = ["detector", "metric", "domain"]
    pooled = mean_areas(runs, by)
    yield _with_clips(pooled)
    yield _with_clips(pooled).assign(machine=ALL_MACHINES)
    machines = mean_areas(runs, [*by, "machine"])
    yield _with_clips(machines[machines["machine"].ne("")])
    several = runs.assign(kind=runs["machine"].map(kind_of))
    several = several[several["kind"].ne(several["machine"])]
    if not several.empty:
        yield _with_clips(mean_areas(several, [*by, "kind"])).rename(columns={"kind": "machine"})


def _levels(results: StudyResults, wanted: set[str]) -> Iterator[pd.DataFrame]:
    """What own maps earn on P2's levels, as means over machines and trainings, and by kind of machine."""
    listed = {
        order: measure
        for order, measure in enumerate(MEASURES)
        if measure.level != "clips" and measure.metric in wanted
    }
    own = [name for name, kind in results.explainer_kinds.items() if kind == OWN_MAP] or [OWN_MAP]
    runs = levels_of_runs(results) if listed else pd.DataFrame(columns=["order"])
    runs = runs[runs["order"].isin(list(listed))]
    if runs.empty:
        return
    for machine in (pd.Series(ALL_MACHINES, index=runs.index), runs["machine"].map(kind_of)):
        found = means(runs.assign(machine=machine), ["detector", "order", "machine"])
        yield found.assign(
            explainer=own[0],
            metric=found["order"].map(lambda order: listed[order].metric),
            protocol=found["order"].map(lambda order: listed[order].protocol),
            parameter=np.nan,
        )


def _with_clips(areas: pd.DataFrame) -> pd.DataFrame:
    return areas.assign(n_clips=areas["n_normal"] + areas["n_anomalous"])
