"""How well does each detector tell anomalous from normal clips, kind of machine by kind and SNR by SNR?"""

from __future__ import annotations

import pandas as pd

from soundproof.analysis.frames import groups
from soundproof.analysis.interval_words import AREAS
from soundproof.analysis.machine_kinds import kind_of, snr_labels
from soundproof.analysis.measures import titled
from soundproof.analysis.ranking import ALL_DOMAINS, RIVALS, mean_areas, run_areas
from soundproof.analysis.results import StudyResults
from soundproof.detection.registry import DETECTION
from soundproof.exhibits.finished import Column, FinishedTable, absent

MEASURES = ("auc", "max_f1", "average_precision")
MEAN = "mean"
_LEADING = (
    Column("Detector", "detector_title"),
    Column("SNR (dB)", "snr"),
    Column("Measure", "measure"),
)
_RIVALS = (
    Column("Chance", "chance"),
    Column("Flag all", "flag_all"),
    Column("Normal / anomalous clips", "clips"),
    Column("Seeds", "n_seeds"),
)
CAPTION = (
    "Detection by kind of machine and SNR, as a mean over individuals and seeds; each individual's clips "
    "are ranked by themselves. Max F1 has its threshold from the very clips it is measured on, an oracle."
    " Chance: the expectation of rankings that ignore the label (for F1 of their best threshold), of the "
    "mean; flag all: F1 of calling every clip anomalous. F1 and PR-AUC depend on the share of anomalous "
    f"clips. {AREAS}"
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector, SNR and measure, one column per kind of machine."""
    runs, reasons = run_areas(results)
    runs = runs[runs["domain"].eq(ALL_DOMAINS) & runs["metric"].isin(MEASURES)]
    formats = (*_LEADING, Column("Mean over machines", MEAN, f"{MEAN}_ci_low", f"{MEAN}_ci_high"), *_RIVALS)
    if runs.empty:
        reason = "; ".join(reasons) or "the study has no anomaly scores of test clips"
        return absent(reason, formats, CAPTION)
    runs = runs.assign(
        snr=runs["machine"].map(snr_labels(results)).fillna(""), kind=runs["machine"].map(kind_of)
    )
    kinds = list(dict.fromkeys(runs["kind"].sort_values()))
    keys = ["detector", "snr", "metric"]
    means = mean_areas(runs, keys)
    of_kinds = {kind: part for (kind,), part in groups(mean_areas(runs, [*keys, "kind"]), ["kind"])}
    frame = _named(means, MEAN, keys, ["n_seeds", "n_normal", "n_anomalous", *RIVALS])
    for kind in kinds:
        frame = frame.merge(_named(of_kinds[kind], kind, keys), on=keys, how="left", validate="one_to_one")
    frame["chance"] = frame["chance"].astype("float64").fillna(frame["metric"].map(_level).astype("float64"))
    frame["clips"] = [f"{n} / {a}" for n, a in zip(frame["n_normal"], frame["n_anomalous"], strict=True)]
    frame["measure"] = frame["metric"].map(lambda name: DETECTION[name].heading)
    order = {name: rank for rank, name in enumerate(MEASURES)}
    frame = frame.sort_values("metric", key=lambda names: names.map(order), kind="stable")
    frame = frame.sort_values("snr", kind="stable")
    columns = tuple(Column(kind, kind, f"{kind}_ci_low", f"{kind}_ci_high") for kind in kinds)
    several = (formats[len(_LEADING)],) if len(kinds) > 1 else ()
    caption = CAPTION + (f" Left out: {'; '.join(reasons)}." if reasons else "")
    return FinishedTable(titled(frame, results), caption, (*_LEADING, *columns, *several, *_RIVALS))


def _level(metric: str) -> float | None:
    return DETECTION[metric].level


def _named(areas: pd.DataFrame, name: str, keys: list[str], also: list[str] | None = None) -> pd.DataFrame:
    """Value and interval in columns of that name."""
    renamed = {"value": name, "ci_low": f"{name}_ci_low", "ci_high": f"{name}_ci_high"}
    renamed |= {"sd_seeds": f"{name}_sd_seeds", "interval": f"{name}_interval"}
    return areas[[*keys, *renamed, *(also or [])]].rename(columns=renamed)
