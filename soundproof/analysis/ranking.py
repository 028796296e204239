"""Detection areas from the scores of a study: one run per detector, seed and machine, then means of runs.

Scores of models that were trained apart are not on one scale, so clips of different machines are never ranked
against each other; areas are averaged over machines instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from soundproof.analysis.frames import groups
from soundproof.analysis.measures import select
from soundproof.analysis.results import StudyResults
from soundproof.core.errors import ArtefactError
from soundproof.core.registry import loaded
from soundproof.detection.areas import one_class
from soundproof.detection.registry import CHANCE, DETECTION, FLAG_ALL, DetectionEntry
from soundproof.interfaces.metric import Undefined
from soundproof.statistics.areas import Placements, joint_interval
from soundproof.statistics.intervals import TOO_FEW

ALL_DOMAINS = "all"
RIVALS = (CHANCE, FLAG_ALL)
"""Columns of what needs no knowledge of the clips, of measures that depend on the share of anomalies."""
_FACTS = ["clip_id", "label", "domain", "anomaly_type"]


def scores(results: StudyResults) -> pd.DataFrame:
    """Anomaly scores of the test clips with label, domain and anomaly type of each clip."""

    def merged() -> pd.DataFrame:
        rows = select(results, "anomaly_score")[["detector", "seed", "machine", "clip_id", "value"]]
        return rows.fillna({"machine": ""}).merge(
            results.clips[_FACTS], on="clip_id", how="inner", validate="m:1"
        )

    return results.once("scores", merged)


def run_measures(results: StudyResults) -> list[DetectionEntry]:
    """Measures of single runs that a study shows: those of every study, those it asks for or its paper reports."""
    wanted = set(results.measures or ())
    if results.reported is not None:
        wanted |= set(results.reported["metric"])
    return [
        entry for entry in DETECTION.values() if entry.of == "run" and (entry.shown or entry.name in wanted)
    ]


def run_areas(results: StudyResults) -> tuple[pd.DataFrame, list[str]]:
    """Areas (and other measures) of every run, over all its clips and within each domain.

    Within a domain its normal clips meet all anomalous clips of the machine, as the DCASE 2022 evaluator has it.

    Returns:
        Columns detector, seed, machine, domain (``all`` or a domain), metric (``auc``, ``pauc`` and what else
        :func:`run_measures` names), value, placements (of its clips, in their order; None: no interval),
        :data:`RIVALS`, n_normal, n_anomalous, recordings (of the normal and of the anomalous clips; missing
        where each clip is one); and the reasons why areas are missing.
    """
    measures = tuple(run_measures(results))
    return results.once(("run areas", measures), lambda: _run_areas(results, measures))


def _run_areas(results: StudyResults, measures: Sequence[DetectionEntry]) -> tuple[pd.DataFrame, list[str]]:
    rows: list[dict[str, object]] = []
    reasons: set[str] = set()
    ordered = scores(results).sort_values("clip_id", kind="stable")
    for (detector, seed, machine), run in groups(ordered, ["detector", "seed", "machine"]):
        anomalous = run["label"].eq("anomaly")
        for domain in [ALL_DOMAINS, *sorted(run["domain"].dropna().unique())]:
            chosen = run[anomalous | run["domain"].eq(domain)] if domain != ALL_DOMAINS else run
            truth = chosen["label"].eq("anomaly").to_numpy()
            values = chosen["value"].to_numpy(np.float64)
            if missing := one_class(values, truth):
                reasons.add(f"{missing.reason}{f' of {machine}' if machine else ''}")
                continue
            facts = {"detector": detector, "seed": seed, "machine": machine, "domain": domain}
            facts |= {"n_normal": int((~truth).sum()), "n_anomalous": int(truth.sum())}
            if results.recordings is not None:
                of = results.recordings.reindex(chosen["clip_id"]).to_numpy(dtype=str)
                facts["recordings"] = (of[~truth], of[truth])
            rows += [facts | {"metric": entry.name} | _measured(entry, values, truth) for entry in measures]
    columns = ["detector", "seed", "machine", "domain", "metric", "value", "placements", *RIVALS]
    columns += ["n_normal", "n_anomalous", "recordings"]
    return pd.DataFrame(rows, columns=columns), sorted(reasons)


def _measured(entry: DetectionEntry, scores: np.ndarray, anomalous: np.ndarray) -> dict[str, object]:
    """Value of a run whose clips are of both classes, its placements where it has an interval, and its rivals."""
    n_anomalous = int(anomalous.sum())
    rivals = loaded(entry.rivals)(len(anomalous) - n_anomalous, n_anomalous) if entry.rivals else {}
    if entry.placements:
        placed: Placements = loaded(entry.placements)(scores, anomalous)
        return {"value": placed.area, "placements": placed, **rivals}
    value = entry.load()(scores, anomalous)
    return {"value": np.nan if isinstance(value, Undefined) else value, "placements": None, **rivals}


def mean_areas(runs: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Average runs over machines within each seed, then over seeds.

    The interval is joint (:func:`soundproof.statistics.areas.joint_interval`): trainings share the clips of a
    machine, machines share none. It is over clips (recordings, where one gives several), for these machines and
    trainings.

    Returns:
        ``by``, value, ci_low, ci_high, interval (why there is none), sd_seeds, n_seeds, n_machines, n_normal,
        n_anomalous, and the same means of :data:`RIVALS`.
    """
    keys = list(by)
    numbers = {"value": ("value", "mean"), "n_machines": ("machine", "nunique")}
    numbers |= {name: (name, "mean") for name in RIVALS}
    counts = {name: (name, "sum") for name in ("n_normal", "n_anomalous")}
    per_seed = runs.groupby([*keys, "seed"], sort=True).agg(**numbers, **counts)
    grouped = per_seed.reset_index().groupby(keys, sort=True)
    areas = grouped.agg(
        value=("value", "mean"),
        sd_seeds=("value", "std"),
        n_seeds=("seed", "size"),
        n_machines=("n_machines", "max"),
        n_normal=("n_normal", "max"),
        n_anomalous=("n_anomalous", "max"),
        **{name: (name, "mean") for name in RIVALS},
    ).reset_index()
    ends = [_ends(value, part) for value, (_, part) in zip(areas["value"], groups(runs, keys), strict=True)]
    areas["ci_low"], areas["ci_high"] = np.array(ends).reshape(-1, 2).T
    placed = runs["placements"].notna().groupby([runs[key] for key in keys], sort=True).all().to_numpy()
    areas["interval"] = np.where(areas["ci_low"].isna() & placed, TOO_FEW, "")
    return areas


def _ends(value: float, runs: pd.DataFrame) -> tuple[float, float]:
    if runs["placements"].isna().any():
        return np.nan, np.nan
    placements, clips = runs["placements"].to_numpy(), runs["recordings"].to_numpy()
    rows_of = runs.groupby("machine", sort=True).indices.values()
    machines = [list(placements[rows]) for rows in rows_of]
    if any(len({len(placed.normal) for placed in trainings}) > 1 for trainings in machines):
        raise ArtefactError(
            "scores of the same clips by every training", "clips that some lack", "rerun score_clips"
        )
    recordings = None if runs["recordings"].isna().any() else [clips[rows[0]] for rows in rows_of]
    max_fpr = DETECTION[runs["metric"].iloc[0]].max_fpr
    return joint_interval(value, machines, max_fpr, recordings=recordings)


def side_by_side(areas: pd.DataFrame, keys: Sequence[str], name: str) -> pd.DataFrame:
    """Spread value, interval, seed spread and rivals over columns named after the values of column ``name``."""
    parts = []
    for label, part in areas.groupby(name, sort=True):
        renamed = {"value": f"{label}", "ci_low": f"{label}_ci_low", "ci_high": f"{label}_ci_high"}
        known = (rival for rival in RIVALS if part[rival].notna().any())
        renamed |= {fact: f"{label}_{fact}" for fact in ("sd_seeds", "interval", *known)}
        parts.append(part.set_index(list(keys))[list(renamed)].rename(columns=renamed))
    return pd.concat(parts, axis=1).reset_index()
