"""From the long table to one row per group: mean, interval over clips, spread over seeds, chance lines.

Every mean is taken in the same order: over parameters (where several are averaged), over clips, over seeds. The
interval is a bootstrap over clips, the spread a standard deviation over the seeds' means: clips and trainings are
different reasons why a number could have come out otherwise. Machines are a third: a second interval resamples them
first, then the clips of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from soundproof.analysis.frames import means
from soundproof.analysis.results import StudyResults
from soundproof.faithfulness.registry import RANDOM_CELLS, UNIFORM_FRAMES
from soundproof.statistics import means_with_spread
from soundproof.statistics.spread import COLUMNS

UNIFORM = "chance_uniform"
SHIFT = "chance_circular_shift"
FLAG_ALL = "flag_all"
CHANCE_COLUMNS = {UNIFORM: "chance_uniform", SHIFT: "chance_shift", FLAG_ALL: "flag_all"}
"""Protocols of what a number is compared with; flagging everything is no chance, but needs no map either."""
SHARED_CHANCE = (UNIFORM_FRAMES, RANDOM_CELLS)
MEASURED = ("", "corrected")
"""Protocols of what is printed unless a table says otherwise; as-published variants are asked for by name."""
SUMMARY = tuple(COLUMNS)


def select(
    results: StudyResults,
    metric: str,
    protocols: Sequence[str] = MEASURED,
    parameters: Sequence[float] | None = None,
    *,
    per_clip: bool = True,
) -> pd.DataFrame:
    """Return the rows of one metric.

    Args:
        results: The study.
        metric: Name in the ``metric`` column.
        protocols: Protocols to keep; the empty name stands for rows without one.
        parameters: Parameters to keep; None: all.
        per_clip: Rows of single clips, or else rows of the whole set.
    """
    rows = results.of_metric(metric)
    keep = rows["protocol"].isin(list(protocols))
    keep &= rows["clip_id"].notna() if per_clip else rows["clip_id"].isna()
    if parameters is not None:
        wanted = np.asarray(parameters, dtype=np.float64)
        keep &= np.isclose(rows["parameter"].to_numpy(np.float64)[:, np.newaxis], wanted).any(axis=1)
    return rows[keep]


def summarise(
    rows: pd.DataFrame, by: Sequence[str], *names: str | int, units: pd.Series | None = None
) -> pd.DataFrame:
    """Reduce rows to one per group.

    Args:
        rows: Rows of :func:`select`; parameters that are not in ``by`` are averaged within each clip, and values
            of whole sets (one per machine) within each seed.
        by: Columns that make a group.
        names: What the resampling depends on.
        units: What is resampled, by clip id, such as the recording of a segment; None: clips.

    Returns:
        ``by`` and :data:`SUMMARY`; ``sd_seeds`` is missing where there is one seed only, the intervals where
        the values belong to whole sets or to too few clips (machines), which ``interval`` then says.
    """
    cells = means(rows, [*by, "seed", "clip_id"])
    if "machine" in rows:
        machines = rows.drop_duplicates("clip_id").set_index("clip_id")["machine"]
        cells["machine"] = cells["clip_id"].map(machines).fillna("")
    if units is not None:
        cells["unit"] = cells["clip_id"].map(units)
    return means_with_spread(cells, by, *names)


def with_chance(
    summary: pd.DataFrame,
    results: StudyResults,
    metric: str,
    by: Sequence[str],
    protocols: Sequence[str] = MEASURED,
    parameters: Sequence[float] | None = None,
    *,
    per_clip: bool = True,
) -> pd.DataFrame:
    """Add the columns of :data:`CHANCE_COLUMNS`: the same mean of the chance rows, group by group.

    Chance rows that all explainers share stand under a name of their own in the ``explainer`` column; they are
    matched by the other columns of ``by``.
    """
    out = summary
    for protocol, column in CHANCE_COLUMNS.items():
        rows = chance_rows(results, metric, protocol, protocols, parameters, per_clip=per_clip)
        shared = rows["explainer"].isin(SHARED_CHANCE).any()
        keys = [name for name in by if name != "explainer" or not shared]
        chance = means(rows, keys).rename(columns={"value": column})
        out = out.merge(chance, on=keys, how="left")
    return out


def chance_rows(
    results: StudyResults,
    metric: str,
    protocol: str,
    protocols: Sequence[str] = MEASURED,
    parameters: Sequence[float] | None = None,
    *,
    per_clip: bool = True,
) -> pd.DataFrame:
    """Return the chance rows of a metric.

    Those that are named after one of the protocols (``chance_uniform_as_published``), where there are such; else
    the unclipped ones, unless as-published rows are asked for; else the plain ones.
    """
    own = [f"{protocol}_{name}" for name in protocols if name]
    rows = select(results, metric, own, parameters, per_clip=per_clip)
    if not rows.empty:
        return rows
    if "as_published" not in protocols:
        rows = select(results, metric, (f"{protocol}_unclipped",), parameters, per_clip=per_clip)
        if not rows.empty:
            return rows
    return select(results, metric, (protocol,), parameters, per_clip=per_clip)


def measure(
    results: StudyResults,
    metric: str,
    by: Sequence[str] = ("detector", "explainer"),
    protocols: Sequence[str] = MEASURED,
    parameters: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Select, summarise and add chance lines; rows of single clips, or of whole sets where there are no such."""
    rows = select(results, metric, protocols, parameters)
    per_clip = not rows.empty
    if not per_clip:
        rows = select(results, metric, protocols, parameters, per_clip=False)
    summary = summarise(rows, by, results.study, metric, units=results.recordings)
    if summary.empty:
        return summary.assign(**dict.fromkeys(CHANCE_COLUMNS.values(), np.nan))
    return with_chance(summary, results, metric, by, protocols, parameters, per_clip=per_clip)


def with_clip_fact(results: StudyResults, fact: str) -> StudyResults:
    """Add a column of the clip table to the measurements; rows of clips that lack it are left out."""
    facts = results.clips.set_index("clip_id")[fact]
    rows = results.measurements
    return replace(
        results, measurements=rows.assign(**{fact: rows["clip_id"].map(facts)}).dropna(subset=[fact])
    )


def titled(frame: pd.DataFrame, results: StudyResults) -> pd.DataFrame:
    """Order rows as the study lists detectors and explainers, and add their printed names in front."""
    orders = {"detector": results.detectors, "explainer": results.explainers}
    titles = {"detector": results.detector_title, "explainer": results.explainer_title}
    columns = [name for name in orders if name in frame.columns]
    ranks = {
        name: {label: rank for rank, label in enumerate(orders[name](frame[name].dropna()))}
        for name in columns
    }
    ordered = frame.sort_values(
        columns, key=lambda column: column.map(ranks[str(column.name)]), kind="stable", ignore_index=True
    )
    named = {f"{name}_title": ordered[name].map(titles[name]) for name in columns}
    return pd.DataFrame({**named, **{str(name): ordered[name] for name in ordered.columns}})
