"""Detection machine by machine, in the domain of the training data and in a shifted one."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from soundproof.analysis.interval_words import AREAS
from soundproof.analysis.measures import titled
from soundproof.analysis.ranking import ALL_DOMAINS, mean_areas, run_areas, side_by_side
from soundproof.analysis.results import StudyResults
from soundproof.detection.areas import harmonic_mean
from soundproof.detection.registry import CHANCE_AUC
from soundproof.exhibits.finished import Column, FinishedTable, absent

COLUMNS = {
    ("auc", "source"): "auc_source",
    ("auc", "target"): "auc_target",
    ("auc", ALL_DOMAINS): "auc",
    ("pauc", ALL_DOMAINS): "pauc",
}
TITLES = {"auc_source": "AUC source", "auc_target": "AUC target", "auc": "AUC all", "pauc": "pAUC all"}
MEANS = ("mean", "harmonic mean")
CAPTION = (
    "Detection machine by machine. Within a domain its normal clips meet all anomalous clips of the "
    "machine, as in the DCASE 2022 evaluation. Below a machine of several individuals (or sections) stand "
    f"theirs, each against its own normal clips; the means are over machines. All areas are 0.5 by chance. {AREAS}"
)
_LEADING = (Column("Detector", "detector_title"), Column("Machine", "machine"))


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector and machine, then the means over machines."""
    runs, reasons = run_areas(results)
    runs = _in_columns(runs)
    if runs.empty:
        reason = "; ".join(reasons) or "the study has no anomaly scores of test clips"
        return absent(reason, (*_LEADING, Column("Chance", "chance")), CAPTION)
    machines = mean_areas(runs, ["detector", "machine", "column"])
    individuals = mean_areas(_of_individuals(results), ["detector", "machine", "column"])
    means = mean_areas(runs, ["detector", "column"]).assign(machine=MEANS[0])
    several = len(set(runs["machine"])) > 1
    rows = pd.concat(
        [machines, individuals, *([means, _harmonic(machines)] if several else [])], ignore_index=True
    )
    wide = side_by_side(rows, ["detector", "machine"], "column").assign(chance=CHANCE_AUC)
    order = wide["machine"].map({name: rank for rank, name in enumerate(MEANS, start=1)}).fillna(0)
    wide = wide.assign(order=order).sort_values(["order", "machine"], kind="stable").drop(columns="order")
    present = [name for name in TITLES if name in wide.columns]
    formats = (
        *_LEADING,
        *(Column(TITLES[name], name, f"{name}_ci_low", f"{name}_ci_high") for name in present),
        Column("Chance", "chance"),
    )
    missing = [TITLES[name] for name in TITLES if name not in present]
    notes = [f"{' and '.join(missing)} not available: the clips carry no such domain."] if missing else []
    notes += [f"Left out: {'; '.join(reasons)}."] if reasons else []
    return FinishedTable(titled(wide, results), " ".join([CAPTION, *notes]), formats)


def _in_columns(runs: pd.DataFrame) -> pd.DataFrame:
    columns = pd.Series(list(zip(runs["metric"], runs["domain"], strict=True)), dtype=object).map(COLUMNS)
    return runs.assign(column=columns).dropna(subset=["column"])


def _of_individuals(results: StudyResults) -> pd.DataFrame:
    """Areas of single individuals (or sections), of machines that have several; named ``machine / individual``."""
    tested = results.clips[results.clips["split"].eq("test")]
    several = tested.groupby("machine")["machine_id"].transform("nunique").gt(1)
    names = (tested["machine"] + " / " + tested["machine_id"])[several]
    name_of = dict(zip(tested.loc[several, "clip_id"], names, strict=True))
    rows = results.of_metric("anomaly_score")
    rows = rows.assign(machine=rows["clip_id"].map(name_of)).dropna(subset=["machine"])
    # one without both kinds of clips has no area; its machine's row counts its clips all the same
    return _in_columns(run_areas(replace(results, measurements=rows))[0])


def _harmonic(machines: pd.DataFrame) -> pd.DataFrame:
    rows = machines.groupby(["detector", "column"], sort=True)["value"].agg(harmonic_mean).reset_index()
    return rows.assign(machine=MEANS[1])
