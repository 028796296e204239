"""Does detection need a frequency band?"""

from __future__ import annotations

import pandas as pd

from soundproof.analysis.band_areas import MEAN, VARIANT, band_areas
from soundproof.analysis.bands import edges_hz, in_order
from soundproof.analysis.measures import titled
from soundproof.analysis.results import StudyResults
from soundproof.detection.registry import CHANCE_AUC
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.faithfulness.band_settings import REMOVAL_TITLES

WHAT = (
    Column("Detector", "detector_title"),
    Column("Bands", "partition"),
    Column("Replaced by", "replaced_by"),
    Column("Removed", "removed"),
)
NUMBERS = (
    Column("Mean", MEAN, "mean_ci_low", "mean_ci_high"),
    Column("Mean − intact", "difference", "difference_ci_low", "difference_ci_high", 3),
    Column("Chance", "chance"),
    Column("Normal / anomalous clips", "clips"),
    Column("Seeds", "n_seeds"),
)
CAPTION = (
    "AUC of each machine and their mean, intact and with one frequency band removed (1 is the lowest band; by "
    "chance 0.5). Bands are equally wide on the named scale; a removed band shows zero, as published, or the "
    "mean or median over time of each of its rows. Where the difference is above 0 the detector ranks better "
    "without the band. Intervals: 95 % over clips, for these machines and trainings: score intervals of "
    "areas, a paired bootstrap of differences, none below five clips of a class, not corrected for the "
    "number of bands: of twenty bands without any effect one is expected to look as if it had one. The Parquet "
    "and CSV files hold the intervals of every machine."
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector, partition, replacement and removed band; one column per machine."""
    areas, reason = band_areas(results)
    if areas.empty:
        return absent(reason, (*WHAT, *NUMBERS), CAPTION)
    keys = ["detector", *VARIANT]
    machines = sorted(set(areas["machine"]) - {MEAN})
    parts = []
    for machine in [*machines, MEAN]:
        part = areas[areas["machine"].eq(machine)].set_index(keys).drop(columns="machine")
        renamed = {"value": machine, "ci_low": f"{machine}_ci_low", "ci_high": f"{machine}_ci_high"}
        # a machine's own differences and counts stay in the frame of the figure
        parts.append((part if machine == MEAN else part[list(renamed)]).rename(columns=renamed))
    frame = titled(_sorted(pd.concat(parts, axis=1).reset_index()), results)
    intact = frame["band"].eq(0)
    frame["partition"] = (frame["n_bands"].astype("str") + " " + frame["scale"]).where(~intact)
    frame["replaced_by"] = frame["removal"].map(REMOVAL_TITLES).where(~intact)
    frame["removed"] = [
        _removed(results, *key) for key in frame[["scale", "n_bands", "band"]].itertuples(index=False)
    ]
    frame["clips"] = [f"{n} / {a}" for n, a in zip(frame["n_normal"], frame["n_anomalous"], strict=True)]
    # the intact rows differ from themselves by nothing: no number says more than a zero
    frame.loc[intact, ["difference", "difference_ci_low", "difference_ci_high"]] = float("nan")
    formats = (*WHAT, *(Column(machine, machine) for machine in machines), *NUMBERS)
    return FinishedTable(frame.assign(chance=CHANCE_AUC), CAPTION, formats)


def _removed(results: StudyResults, scale: str, n_bands: int, band: int) -> str:
    """Number of a removed band, with its frequencies where they are known."""
    if band == 0:
        return "none"
    edges = edges_hz(results, scale, n_bands)
    return (
        f"{band} ({edges[band - 1][0] / 1000:.2g}–{edges[band - 1][1] / 1000:.2g} kHz)"
        if edges
        else str(band)
    )


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    ranks = {name: rank for rank, name in enumerate(["", *in_order(frame["removal"])])}
    return (
        frame.assign(_rank=frame["removal"].map(ranks))
        .sort_values(["n_bands", "_rank", "band"], kind="stable", ignore_index=True)
        .drop(columns="_rank")
    )
