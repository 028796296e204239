"""Detection areas from the scores of a study: one run per detector, seed and machine, then means of runs.

Scores of models that were trained apart are not on one scale, so clips of different machines are never ranked
against each other; areas are averaged over machines instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from soundproof.artefacts.frames import groups
from soundproof.artefacts.measures import select
from soundproof.detection import detection_table
from soundproof.metrics import Undefined
from soundproof.results import StudyResults

CHANCE_AUC = 0.5
ALL_DOMAINS = "all"
_FACTS = ["clip_id", "label", "domain", "anomaly_type"]


def scores(results: StudyResults) -> pd.DataFrame:
    """Anomaly scores of the test clips with label, domain and anomaly type of each clip."""
    rows = select(results, "anomaly_score")[["detector", "seed", "machine", "clip_id", "value"]]
    return rows.fillna({"machine": ""}).merge(
        results.clips[_FACTS], on="clip_id", how="inner", validate="m:1"
    )


def run_areas(results: StudyResults) -> tuple[pd.DataFrame, list[str]]:
    """Areas of every run, over all its clips and within each domain.

    Within a domain its normal clips meet all anomalous clips of the machine, as the DCASE 2022 evaluator has it.

    Returns:
        Columns detector, seed, machine, domain (``all`` or a domain), metric (``auc``, ``pauc``), value, ci_low,
        ci_high, n_normal, n_anomalous; and the reasons why areas are missing.
    """
    parts: list[pd.DataFrame] = []
    reasons: set[str] = set()
    for (detector, seed, machine), run in groups(scores(results), ["detector", "seed", "machine"]):
        anomalous = run["label"].eq("anomaly")
        for domain in [ALL_DOMAINS, *sorted(run["domain"].dropna().unique())]:
            chosen = run[anomalous | run["domain"].eq(domain)] if domain != ALL_DOMAINS else run
            truth = chosen["label"].eq("anomaly").to_numpy()
            values = chosen["value"].to_numpy(np.float64)
            table = detection_table(values, truth, results.dataset, detector, seed, machine, domain)
            if isinstance(table, Undefined):
                reasons.add(f"{table.reason}{f' of {machine}' if machine else ''}")
                continue
            facts = {"detector": detector, "seed": seed, "machine": machine, "domain": domain}
            counts = {"n_normal": int((~truth).sum()), "n_anomalous": int(truth.sum())}
            parts.append(table.assign(**facts, **counts))
    columns = ["detector", "seed", "machine", "domain", "metric", "value", "ci_low", "ci_high"]
    columns += ["n_normal", "n_anomalous"]
    frame = pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
    return frame, sorted(reasons)


def mean_areas(runs: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Average runs over machines within each seed, then over seeds.

    The ends of the interval are averaged like the values. That treats the runs' errors as if they were one, so
    the interval errs on the wide side.

    Returns:
        ``by``, value, ci_low, ci_high, sd_seeds, n_seeds, n_machines, n_normal, n_anomalous.
    """
    keys = list(by)
    numbers = {name: (name, "mean") for name in ("value", "ci_low", "ci_high")}
    counts = {name: (name, "sum") for name in ("n_normal", "n_anomalous")}
    per_seed = runs.groupby([*keys, "seed"], sort=True).agg(
        **numbers, **counts, n_machines=("machine", "nunique")
    )
    grouped = per_seed.reset_index().groupby(keys, sort=True)
    return grouped.agg(
        value=("value", "mean"),
        ci_low=("ci_low", "mean"),
        ci_high=("ci_high", "mean"),
        sd_seeds=("value", "std"),
        n_seeds=("seed", "size"),
        n_machines=("n_machines", "max"),
        n_normal=("n_normal", "max"),
        n_anomalous=("n_anomalous", "max"),
    ).reset_index()


def side_by_side(areas: pd.DataFrame, keys: Sequence[str], name: str) -> pd.DataFrame:
    """Spread value, interval and seed spread over columns named after the values of column ``name``."""
    parts = []
    for label, part in areas.groupby(name, sort=True):
        renamed = {"value": f"{label}", "ci_low": f"{label}_ci_low", "ci_high": f"{label}_ci_high"}
        renamed["sd_seeds"] = f"{label}_sd_seeds"
        parts.append(part.set_index(list(keys))[list(renamed)].rename(columns=renamed))
    return pd.concat(parts, axis=1).reset_index()
