"""Official DCASE scores: per machine and section, and their mean as the challenge ranks systems."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from soundproof.analysis.frames import groups
from soundproof.analysis.measures import titled
from soundproof.analysis.ranking import scores
from soundproof.analysis.results import StudyResults
from soundproof.detection.dcase_score import AREAS, Rule, official_score, rule_of, section_areas
from soundproof.detection.registry import DETECTION
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.interfaces.metric import Undefined

ALL = "all"
OFFICIAL = "official"
TITLES = {
    "auc": "AUC",
    "auc_source": "AUC source",
    "auc_target": "AUC target",
    "pauc": "pAUC",
    "pauc_source": "pAUC source",
    "pauc_target": "pAUC target",
    OFFICIAL: "Mean",
}
RULES: dict[Rule, str] = {
    "no domains": "As in DCASE 2020: areas per machine id, arithmetic means",
    "apart": "As in DCASE 2021: areas within each domain, harmonic means",
    "shared anomalies": "As in DCASE since 2022: the normal clips of a domain meet the anomalous clips of both "
    "domains, pAUC is over both, harmonic means",
}
CAPTION = (
    "Official DCASE Task 2 scores of machines and sections, averaged over training seeds; pAUC up to a "
    "false-positive rate of 0.1, standardised. The last column is the mean of the areas of the row; rows 'all' "
    "average sections, and over all machines this is the official score."
)
_LEADING = (Column("Detector", "detector_title"), Column("Machine", "machine"), Column("Section", "section"))
_KEYS = ["detector", "machine", "section"]


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector, machine and section, then the means."""
    clips = scores(results).merge(results.clips[["clip_id", "machine_id"]], on="clip_id", validate="m:1")
    rule = _rule(results, clips)
    caption = f"{CAPTION} {RULES[rule]}."
    areas, reasons = _areas(clips, rule)
    formats = (*_LEADING, *(Column(TITLES[name], name, digits=3) for name in (*AREAS[rule], OFFICIAL)))
    formats = (
        *formats,
        Column("sd over seeds", f"{OFFICIAL}_sd_seeds", digits=3),
        Column("Chance", "chance"),
    )
    if areas.empty:
        reason = "; ".join(reasons) or "the study has no anomaly scores of test clips"
        return absent(reason, formats, caption)
    runs = _with_means(areas, rule)
    means = runs.groupby(_KEYS, sort=False)
    frame = means[[*AREAS[rule], OFFICIAL]].mean().reset_index()
    frame[f"{OFFICIAL}_sd_seeds"] = means[OFFICIAL].std().to_numpy()
    frame["n_seeds"] = means["seed"].nunique().to_numpy()
    frame = frame.assign(chance=DETECTION["dcase_score"].level)
    if reasons:
        caption += f" Left out of rows and means: {'; '.join(reasons)}."
    return FinishedTable(titled(_ordered(frame), results), caption, formats)


def _rule(results: StudyResults, clips: pd.DataFrame) -> Rule:
    """Return the rule of the data set's year; other data follow the newest rule that their domains allow."""
    names = [str(name) for name in results.clips["dataset"].unique()]
    match = re.fullmatch(r"dcase(20\d\d)", names[0]) if len(names) == 1 else None
    if match:
        return rule_of(int(match[1]))
    return "shared anomalies" if len(clips) and clips["domain"].notna().all() else "no domains"


def _areas(clips: pd.DataFrame, rule: Rule) -> tuple[pd.DataFrame, list[str]]:
    """Return the areas of every detector, seed, machine and section, and what is missing why."""
    rows, reasons = [], set()
    for (detector, seed, machine, section), run in groups(
        clips, ["detector", "seed", "machine", "machine_id"]
    ):
        areas = section_areas(
            run["value"].to_numpy(np.float64),
            run["label"].eq("anomaly").to_numpy(),
            run["domain"].fillna("").to_numpy(dtype=str),
            rule,
        )
        missing = [name for name, value in areas.items() if isinstance(value, Undefined)]
        if missing:
            reasons.add(f"section {section} of {machine} ({areas[missing[0]].reason})")  # type: ignore[union-attr]
            continue
        rows.append({"detector": detector, "seed": seed, "machine": machine, "section": section, **areas})
    return pd.DataFrame(rows, columns=[*_KEYS, "seed", *AREAS[rule]]), sorted(reasons)


def _with_means(areas: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Add the mean of each row, and rows that average the sections of a machine, where it has several, and all."""
    sections = areas.assign(
        **{OFFICIAL: [official_score(row, rule) for row in areas[[*AREAS[rule]]].to_numpy()]}
    )
    several = areas.groupby("machine")["section"].transform("nunique").gt(1)
    machines = _mean_rows(areas[several], ["detector", "seed", "machine"], rule)
    return pd.concat([sections, machines, _mean_rows(areas, ["detector", "seed"], rule)], ignore_index=True)


def _mean_rows(areas: pd.DataFrame, keys: list[str], rule: Rule) -> pd.DataFrame:
    rows = []
    for group, part in groups(areas, keys):
        values = part[list(AREAS[rule])]
        columns = {name: official_score(values[name], rule) for name in AREAS[rule]}
        columns[OFFICIAL] = official_score(values.to_numpy().ravel(), rule)
        rows.append({"machine": ALL, "section": ALL, **dict(zip(keys, group, strict=True)), **columns})
    return pd.DataFrame(rows)


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """Machines by name with their means last, the mean over machines at the end."""
    order = frame.assign(_last=frame["machine"].eq(ALL), _mean=frame["section"].eq(ALL))
    order = order.sort_values(["_last", "machine", "_mean", "section"], kind="stable", ignore_index=True)
    return order.drop(columns=["_last", "_mean"])
