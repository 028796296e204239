"""Do the bands that an explanation marks move the score most, and does it mark the bands of the fault?"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from soundproof.analysis.bands import band_rows, in_order, rho_summary
from soundproof.analysis.frames import groups, records
from soundproof.analysis.measures import measure, titled
from soundproof.analysis.missing import why_missing
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.faithfulness.band_settings import REMOVAL_TITLES

KEYS = ["detector", "explainer", "scale", "n_bands", "removal", "variant"]
SHARE = ["share", "share_ci_low", "share_ci_high", "share_chance"]
WHAT = (
    Column("Bands", "partition"),
    Column("Replaced by", "replaced_by"),
    Column("Signs", "variant"),
    Column("Detector", "detector_title"),
    Column("Explainer", "explainer_title"),
)
NUMBERS = (
    Column("Mean ρ (Fisher)", "value", "ci_low", "ci_high"),
    Column("Plain mean ρ", "mean_rho"),
    Column("Clipped at", "limit", digits=3),
    Column("Clipped", "n_clipped"),
    Column("Chance: 95 % of means", "null_text"),
    Column("p", "p", digits=3),
    Column("Share in true band", "share", "share_ci_low", "share_ci_high"),
    Column("Its chance", "share_chance"),
    Column("ρ and share", "verdict"),
    Column("Clips", "n_clips"),
    Column("Undefined", "n_undefined"),
)
CAPTION = (
    "Spearman's ρ between the relevance and the effect of frequency bands: Fisher-z mean over clips for each "
    "machine and over all, with the 95 % interval over clips, for these machines and trainings. A coefficient "
    "beyond ±(1 - 6/(K³ - K)) of K bands, half-way from 1 to the next value that ρ takes, is moved there, since "
    "Fisher's z of 1 is infinite (clipped: values of clips and seeds; with few bands the limit shapes the mean, "
    "and the plain mean stands beside it). The effect is the size of the score's change when "
    "the band is removed (absolute, as published), compared with non-negative relevance; or both keep their "
    "signs (signed: a band whose removal raises the score ranks last). Chance: the middle 95 % of such means if "
    "every clip had a random order of bands, and the probability p of a plain mean as high. Clips that share "
    "their order of bands make p too small; the Parquet and CSV files hold the 97.5 % point of a single clip too. "
    "Zero is also what Occlusion writes into its windows by default: its ρ then shares a mechanism with the "
    "effect, and the other replacements show what is left of it. Undefined: runs of clips whose relevance or "
    "effect is the same in all bands; they are left out. Share in true band: part of the relevance in the "
    "frequency band of the fault, where it is known; its chance is the band's part of the bins. The column after "
    "it says which of the two exceed chance."
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per partition, replacement, kind of effect, detector and explainer."""
    rows = band_rows(results, "band_rho")
    if rows.empty:
        return absent(why_missing(results, "band_rho"), (*WHAT, *NUMBERS), CAPTION)
    machines = sorted(set(rows["machine"]) - {""})
    frame = rho_summary(rows, KEYS, results.recordings)
    frame = frame.merge(_of_machines(results, rows), on=KEYS, how="left") if machines else frame
    frame = frame.merge(_undefined(results, rows), on=KEYS, how="left")
    frame = frame.merge(_true_band(results), on=["detector", "explainer"], how="left")
    frame["verdict"] = [_verdict(row) for row in records(frame)]
    frame["partition"] = frame["n_bands"].astype("str") + " " + frame["scale"]
    frame["replaced_by"] = frame["removal"].map(REMOVAL_TITLES)
    ends = zip(frame["null_low"], frame["null_high"], strict=True)
    frame["null_text"] = [f"{low:.2f} to {high:.2f}" for low, high in ends]
    frame = _sorted(titled(frame, results))
    formats = (*WHAT, *(Column(machine, machine) for machine in machines), *NUMBERS)
    return FinishedTable(frame, f"{CAPTION}{_agreement(frame, results)}", formats)


def _of_machines(results: StudyResults, rows: pd.DataFrame) -> pd.DataFrame:
    """Fisher means of each machine with their intervals, one column each."""
    summary = rho_summary(rows, [*KEYS, "machine"], results.recordings)
    parts = [
        part.set_index(KEYS)[["value", "ci_low", "ci_high"]].rename(
            columns={"value": machine, "ci_low": f"{machine}_ci_low", "ci_high": f"{machine}_ci_high"}
        )
        for (machine,), part in groups(summary, ["machine"])
    ]
    return pd.concat(parts, axis=1).reset_index()


def _undefined(results: StudyResults, rows: pd.DataFrame) -> pd.DataFrame:
    """How many (clip, seed) pairs have an effect but no rho."""
    of_effect = ["detector", "scale", "n_bands", "removal", "variant"]
    effects = band_rows(results, "band_effect")
    measured = effects[effects["parameter"].eq(1)].groupby(of_effect).size().rename("measured").reset_index()
    defined = rows.groupby(KEYS).size().rename("defined").reset_index()
    counts = defined.merge(measured, on=of_effect, how="left")
    missing = counts["measured"].fillna(counts["defined"]) - counts["defined"]
    return counts[KEYS].assign(n_undefined=missing.astype("int64"))


def _true_band(results: StudyResults) -> pd.DataFrame:
    shares = measure(results, "band_share_true", ["detector", "explainer"])
    names = {"value": SHARE[0], "ci_low": SHARE[1], "ci_high": SHARE[2], "chance_uniform": SHARE[3]}
    kept = shares[["detector", "explainer", *names]].rename(columns=names)
    return kept.astype(dict.fromkeys(SHARE, "float64"))


def _verdict(row: dict[str, Any]) -> str | None:
    if pd.isna(row["share"]):
        return None
    found = {
        "ρ": row["value"] > row["null_high"],
        "share": row["share_ci_low"] > row["share_chance"],
    }
    above = [name for name, is_above in found.items() if is_above]
    return {0: "neither above chance", 1: f"only {''.join(above)} above", 2: "both above chance"}[len(above)]


def _agreement(frame: pd.DataFrame, results: StudyResults) -> str:
    """Say how alike the first block's rho and the share rank the explainers of each detector."""
    first = frame[frame["partition"].eq(frame["partition"].iloc[0])]
    first = first[
        first["replaced_by"].eq(first["replaced_by"].iloc[0]) & first["variant"].eq(first["variant"].iloc[0])
    ]
    told = []
    for detector in results.detectors(first["detector"]):
        part = first[first["detector"].eq(detector)].dropna(subset=["share"])
        if len(part) > 2:
            alike, pairs = _concordant(part["value"].to_numpy(), part["share"].to_numpy())
            told.append(f"{alike} of {pairs} pairs ({results.detector_title(detector)})")
    if not told:
        return ""
    return f" In the first block, ρ and the share put pairs of explainers in the same order in {', '.join(told)}."


def _concordant(a: np.ndarray, b: np.ndarray) -> tuple[int, int]:
    pairs = list(combinations(range(len(a)), 2))
    return sum((a[i] - a[j]) * (b[i] - b[j]) > 0 for i, j in pairs), len(pairs)


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    """Blocks as published first; within a block, detectors and explainers keep their printing order."""
    ranks = {
        name: {value: rank for rank, value in enumerate(in_order(frame[name]))}
        for name in ("removal", "variant")
    }
    keys = frame[["n_bands"]].assign(**{name: frame[name].map(rank) for name, rank in ranks.items()})
    order = keys.sort_values(["n_bands", "removal", "variant"], kind="stable").index
    return frame.loc[order].reset_index(drop=True)
