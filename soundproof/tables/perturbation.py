"""Does one small step towards normal tell anomalous clips from normal ones?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from soundproof.analysis.frames import groups
from soundproof.analysis.measures import titled
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.statistics.paired_areas import paired_areas
from soundproof.statistics.recordings import interval_of

METRIC = "perturbed_score"
FORMATS = (
    Column("Detector", "detector_title"),
    Column("Step", "step", digits=4),
    Column("Change, normal clips", "of_normal", digits=4),
    Column("Change, anomalous clips", "of_anomalous", digits=4),
    Column("AUC of the change", "auc_of_change", "auc_of_change_low", "auc_of_change_high"),
    Column("AUC after the step", "auc"),
    Column("Gain over no step", "gain", "gain_low", "gain_high"),
    Column("Oracle", "oracle"),
)
CAPTION = (
    "The mechanism of input perturbation: one step of each cell against the slope of the score, as large as the "
    "parameter says in standard deviations of the band. It lowers every score; the publications expect that it "
    "lowers those of normal clips more. Change: mean of the score after the step minus before. AUC of the change: "
    "the area of the change alone as a score; 0.5 by chance, above it the claim holds. Gain: AUC after the step "
    "minus before. In brackets 95 % bootstrap intervals over clips, machines resampled apart. Oracle: the step of "
    "the best AUC on these very clips, which is how the publications choose it (as published); the detector's own "
    "step was chosen on normal clips alone."
)
MISSING = (
    "no detector of the study takes a step, or no machine has scores of both classes before and after one"
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector and step."""
    rows = results.of_metric(METRIC)
    labels = results.clips.set_index("clip_id")["label"]
    found = [
        row
        for (detector,), of_detector in groups(rows, ["detector"])
        for row in _of_detector(str(detector), of_detector, labels, results)
    ]
    if not found:
        return absent(MISSING, FORMATS, CAPTION)
    return FinishedTable(titled(pd.DataFrame(found), results), CAPTION, FORMATS)


def _of_detector(
    detector: str, rows: pd.DataFrame, labels: pd.Series, results: StudyResults
) -> Iterator[dict[str, object]]:
    """Rows of one detector, from the smallest step on; none where it did not probe the step of 0."""
    steps = sorted(set(rows["parameter"]))
    if len(steps) < 2 or steps[0] != 0:
        return
    by_machine = []
    for (machine,), of_machine in groups(rows.fillna({"machine": ""}), ["machine"]):
        table = of_machine.pivot_table(
            index="clip_id", columns=["parameter", "seed"], values="value", sort=True
        )
        anomalous = labels[table.index].eq("anomaly").to_numpy()
        if anomalous.any() and not anomalous.all():
            by_machine.append((str(machine), table, anomalous))
    if not by_machine:
        return
    areas: dict[float, tuple[float, np.ndarray, float, np.ndarray]] = {}
    for step in steps:
        parts = []
        for machine, table, anomalous in by_machine:
            after, before = table[step].to_numpy().T, table[0.0].to_numpy().T
            scores = np.stack([after - before, after, before])
            # one draw for all steps of a machine: they share their clips
            parts.append(paired_areas(scores, anomalous, METRIC, results.study, machine))
        value = np.mean([part[0] for part in parts], axis=0)
        drawn = np.mean([part[1] for part in parts], axis=0)
        areas[step] = value[0], drawn[0], value[1], drawn[1] - drawn[2]
    best = max(steps, key=lambda step: areas[step][2])
    every = pd.concat([table for _, table, _ in by_machine])
    anomalous = np.concatenate([of for _, _, of in by_machine])
    for step in steps:
        change = (every[step] - every[0.0]).mean(axis=1).to_numpy()
        of_change, drawn, area, gained = areas[step]
        moved = step > 0
        low, high = interval_of(drawn) if moved else (np.nan, np.nan)
        gain_low, gain_high = interval_of(gained) if moved else (np.nan, np.nan)
        yield {
            "detector": detector,
            "step": step,
            "of_normal": change[~anomalous].mean(),
            "of_anomalous": change[anomalous].mean(),
            "auc_of_change": of_change,
            "auc_of_change_low": low,
            "auc_of_change_high": high,
            "auc": area,
            "gain": area - areas[0.0][2],
            "gain_low": gain_low,
            "gain_high": gain_high,
            "oracle": "best here" if step == best else "",
        }
