"""Why does a pretext task help: how well is it solved, what is detected, and where do the maps point?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from soundproof.analysis.interval_words import OVER_CLIPS
from soundproof.analysis.measures import measure, summarise, titled
from soundproof.analysis.ranking import ALL_DOMAINS, mean_areas, run_areas
from soundproof.analysis.results import StudyResults
from soundproof.attribution.registry import INPUT_MAP
from soundproof.detection.registry import CHANCE_AUC
from soundproof.exhibits.finished import Column, FinishedTable, absent

AUC, NAMED = "auc", "individual_named"
_OF_MAPS = {"cell_auroc": "Cell AUROC", "band_share_true": "Share in true band"}
_NUMBERS = ("value", "ci_low", "ci_high", "sd_seeds")
_LEADING = (
    Column("Detector", "detector_title"),
    Column("Epochs", "epochs", digits=1),
    Column("Weights of epoch", "weights_of", digits=1),
    Column("Normal clips named right", NAMED, f"{NAMED}_ci_low", f"{NAMED}_ci_high"),
    Column("Chance", f"{NAMED}_chance"),
    Column("Clip AUC", "auc", "auc_ci_low", "auc_ci_high"),
    Column("sd over seeds", "auc_sd_seeds", digits=3),
    Column("Chance", "auc_chance"),
)
CAPTION = (
    "FeatEx learns to tell individuals apart, and detects by what it learnt on the way. Epochs: done, mean over "
    "seeds; weights are those of the lowest validation loss, and with 0 epochs those drawn. Named right: share of "
    "normal test clips whose nearest reference is one of their own individual, beside one drawn at random. "
    "Clip AUC: mean over machines and seeds. Cell AUROC and the share of relevance in the bands of the fault are "
    "those of each explainer, beside chance and, where it is among the explainers, the clip's own map, which needs "
    "no training. Where areas rise with what is named right, and maps do not, the task helps detection without "
    f"pointing at the fault. {OVER_CLIPS}"
)
MISSING = "no detector of the study says which individual it hears"


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector that names individuals, and explainer that is no control."""
    rows = results.of_metric(NAMED)
    normal = results.clips.loc[results.clips["label"].eq("normal"), "clip_id"]
    named = summarise(rows[rows["clip_id"].isin(normal)], ["detector"], results.study, NAMED)
    if named.empty:
        return absent(MISSING, _LEADING, CAPTION)
    frame = named[["detector", *_NUMBERS]].rename(columns=dict(zip(_NUMBERS, _names(NAMED), strict=True)))
    frame[f"{NAMED}_chance"] = 1 / _individuals(results)
    frame = frame.merge(_training(results, frame["detector"]), on="detector")
    frame = frame.merge(_areas(results), on="detector", how="left")
    formats = list(_LEADING)
    of_maps = _maps(results)
    if not of_maps.empty:
        frame = frame.merge(of_maps, on="detector", how="left")
        formats.append(Column("Explainer", "explainer_title"))
    for name, heading in _OF_MAPS.items():
        if name in frame:
            formats += [
                Column(heading, name, f"{name}_ci_low", f"{name}_ci_high"),
                Column(f"Chance of {heading}", f"{name}_chance"),
                Column(f"Input: {heading}", f"{name}_input"),
            ]
    return FinishedTable(titled(frame, results), CAPTION, tuple(formats))


def _names(name: str) -> list[str]:
    return [name if number == "value" else f"{name}_{number}" for number in _NUMBERS]


def _individuals(results: StudyResults) -> int:
    """Individuals among the normal training clips."""
    clips = results.clips
    return len(clips.loc[clips["split"].eq("train"), ["machine", "machine_id"]].drop_duplicates())


def _training(results: StudyResults, detectors: pd.Series) -> pd.DataFrame:
    """Epochs done, and the epoch that the weights are of, mean over trainings; none on file: there was no epoch."""
    rows = []
    for detector in detectors:
        found = [
            history
            for (label, _), history in results.histories.items()
            if label.partition(" (")[0] == detector
        ]
        best = [float(history.loc[history["best"], "epoch"].iloc[-1]) for history in found]
        rows.append(
            {
                "detector": detector,
                "epochs": float(np.mean([len(history) for history in found])) if found else 0.0,
                "weights_of": float(np.mean(best)) if best else 0.0,
            }
        )
    return pd.DataFrame(rows)


def _areas(results: StudyResults) -> pd.DataFrame:
    runs, _ = run_areas(results)
    areas = mean_areas(runs[runs["domain"].eq(ALL_DOMAINS) & runs["metric"].eq(AUC)], ["detector"])
    columns = {**dict(zip(_NUMBERS, _names(AUC), strict=True)), "n_seeds": "n_seeds"}
    return areas[["detector", *columns]].rename(columns=columns).assign(auc_chance=CHANCE_AUC)


def _maps(results: StudyResults) -> pd.DataFrame:
    """Measures of the maps of each detector and explainer, beside chance and the input's."""
    out = pd.DataFrame()
    for name in _OF_MAPS:
        found = measure(results, name)
        if found.empty:
            continue
        of_input = found[[results.explainer_kind(label) == INPUT_MAP for label in found["explainer"]]]
        own = found[[not results.is_control(label) for label in found["explainer"]]]
        columns = {**dict(zip(_NUMBERS, _names(name), strict=True)), "chance_uniform": f"{name}_chance"}
        part = own[["detector", "explainer", *columns]].rename(columns=columns)
        part[f"{name}_input"] = part["detector"].map(of_input.set_index("detector")["value"])
        out = part if out.empty else out.merge(part, on=["detector", "explainer"], how="outer")
    return out
