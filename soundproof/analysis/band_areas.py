"""AUC of every detector with each frequency band removed, beside the intact AUC of the same clips."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from soundproof.analysis.bands import band_rows
from soundproof.analysis.frames import groups
from soundproof.analysis.ranking import scores
from soundproof.analysis.results import StudyResults
from soundproof.statistics.areas import most_effective, score_interval
from soundproof.statistics.intervals import MIN_CLIPS
from soundproof.statistics.paired_areas import paired_areas
from soundproof.statistics.recordings import recordings_among

VARIANT = ["scale", "n_bands", "removal", "band"]
MEAN = "mean"
"""Stands in the ``machine`` column of means over machines."""
COLUMNS = ["detector", *VARIANT, "machine", "value", "ci_low", "ci_high"]
COLUMNS += ["difference", "difference_ci_low", "difference_ci_high", "n_normal", "n_anomalous", "n_seeds"]
NO_ROWS = "no detector of the study was scored without bands"
NO_CLASSES = "no machine has both normal and anomalous test clips"
_INTACT = ("", 0, "", 0)


def band_areas(results: StudyResults) -> tuple[pd.DataFrame, str]:
    """Area of each detector, machine and removed band; band 0 is the intact clip.

    Clips of different machines are never ranked against each other; areas are averaged over machines.

    Returns:
        Frame of :data:`COLUMNS` (the difference is from the intact area), and the reason why it is empty.
    """
    removed = band_rows(results, "band_removed_score").rename(columns={"parameter": "band"})
    if removed.empty:
        return pd.DataFrame(columns=COLUMNS), NO_ROWS
    intact = scores(results).assign(scale="", n_bands=0, removal="", band=0)
    names = ["detector", "seed", "machine", "clip_id", "value", *VARIANT]
    rows = pd.concat([intact[names], removed[names].astype({"band": "int64"})], ignore_index=True)
    labels = results.clips.set_index("clip_id")["label"]
    out: list[dict[str, Any]] = []
    for (detector,), part in groups(rows[rows["detector"].isin(removed["detector"])], ["detector"]):
        out += [{"detector": detector, **row} for row in _of_detector(results, part, labels, detector)]
    return pd.DataFrame(out, columns=COLUMNS), "" if out else NO_CLASSES


def _of_detector(
    results: StudyResults, rows: pd.DataFrame, labels: pd.Series, detector: str
) -> list[dict[str, Any]]:
    variants = sorted(set(rows[VARIANT].itertuples(index=False, name=None)) | {_INTACT})
    number = {variant: index for index, variant in enumerate(variants)}
    rows = rows.assign(variant=[number[v] for v in rows[VARIANT].itertuples(index=False, name=None)])
    found: dict[str, tuple[np.ndarray, np.ndarray, dict[str, int]]] = {}
    for (machine,), part in groups(rows, ["machine"]):
        scored, clip_ids = _paired(part, len(variants))
        anomalous = labels.reindex(clip_ids).eq("anomaly").to_numpy()
        if anomalous.any() and not anomalous.all():
            recordings = results.recordings_of(clip_ids)
            names = (results.dataset, detector, machine)
            areas, replicates = paired_areas(scored, anomalous, *names, recordings=recordings)
            found[machine] = areas, replicates, _counts(anomalous, scored, recordings)
    if not found:
        return []
    mean_area = np.mean([areas for areas, _, _ in found.values()], axis=0)
    mean_replicates = np.mean([replicates for _, replicates, _ in found.values()], axis=0)
    counts = pd.DataFrame([part[2] for part in found.values()])
    total = {str(name): int(column.sum()) for name, column in counts.items()}
    total["n_seeds"] = int(counts["n_seeds"].min())
    # a study without machines has nothing but the mean
    listed = {machine: part for machine, part in found.items() if machine} | {
        MEAN: (mean_area, mean_replicates, total)
    }
    return [
        {"machine": machine, **row, **facts}
        for machine, part in listed.items()
        for areas, replicates, facts in [part]
        for row in _rows(variants, areas, replicates, _most(found if machine == MEAN else {machine: part}))
    ]


def _paired(part: pd.DataFrame, n_variants: int) -> tuple[np.ndarray, pd.Index]:
    """Scores [n_variants, n_seeds, n_clips] of the clips that have all of them, and which clips these are."""
    seeds = sorted(part["seed"].unique())
    table = part.pivot_table(index="clip_id", columns=["variant", "seed"], values="value")
    everything = pd.MultiIndex.from_product([range(n_variants), seeds])
    table = table.reindex(columns=everything).dropna()
    scored = table.to_numpy(np.float64).T.reshape(n_variants, len(seeds), len(table))
    return scored, table.index


def _counts(anomalous: np.ndarray, scored: np.ndarray, recordings: np.ndarray | None) -> dict[str, int]:
    """Clips and trainings as they are printed, and the independent observations of each class."""
    n_anomalous = int(anomalous.sum())
    of_class = {"normal": ~anomalous, "anomalous": anomalous}
    return {
        "n_normal": len(anomalous) - n_anomalous,
        "n_anomalous": n_anomalous,
        "n_seeds": scored.shape[1],
        **{
            f"{name}_recordings": recordings_among(
                int(of.sum()), None if recordings is None else recordings[of]
            )
            for name, of in of_class.items()
        },
    }


def _most(machines: dict[str, tuple[np.ndarray, np.ndarray, dict[str, int]]]) -> float:
    """Most independent clips that a mean over machines is worth; 0 where they have too few for an interval."""
    sizes = [(facts["normal_recordings"], facts["anomalous_recordings"]) for _, _, facts in machines.values()]
    if np.sum(sizes, axis=0).min() < MIN_CLIPS:
        return 0.0
    return len(sizes) ** 2 / sum(1 / most_effective(*size) for size in sizes)


def _rows(
    variants: list[tuple[str, int, str, int]], areas: np.ndarray, replicates: np.ndarray, most: float
) -> list[dict[str, Any]]:
    base = variants.index(_INTACT)
    if most == 0:
        replicates = np.full_like(replicates, np.nan)
    variances = replicates.var(axis=1)
    ends = [
        score_interval(area, variance, most) if most else (np.nan, np.nan)
        for area, variance in zip(areas, variances, strict=True)
    ]
    low, high = np.array(ends).T
    lost_low, lost_high = np.quantile(replicates - replicates[base], [0.025, 0.975], axis=1)
    return [
        {
            **dict(zip(VARIANT, variant, strict=True)),
            "value": areas[row],
            "ci_low": low[row],
            "ci_high": high[row],
            "difference": areas[row] - areas[base],
            "difference_ci_low": lost_low[row],
            "difference_ci_high": lost_high[row],
        }
        for row, variant in enumerate(variants)
    ]
