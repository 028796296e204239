"""What an explanation costs, beside what it is worth.

Measured times differ from run to run, so this is the one table whose bytes do. No other table holds a time.
"""

from __future__ import annotations

from soundproof.analysis.criteria import criteria_named, measure_criteria
from soundproof.analysis.measures import titled
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent

FORMATS = (
    Column("Detector", "detector_title"),
    Column("Explainer", "explainer_title"),
    Column("Seconds per clip", "seconds_per_clip", digits=4),
    Column("sd over seeds", "sd_seeds", digits=4),
    Column("Against the cheapest", "ratio", digits=1),
    Column("Device", "device"),
    Column("Seeds", "n_seeds"),
)
CAPTION = (
    "Wall-clock time of explaining one clip, batches and detector included, reading and writing excluded. "
    "Times belong to the machine and the load under which they were taken; the ratio to the cheapest "
    "explainer of the same detector and device carries further."
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector, explainer and device."""
    if results.costs.empty:
        return absent("no explanation was timed", FORMATS, CAPTION)
    keys = ["detector", "explainer", "device"]
    grouped = results.costs.groupby(keys)["seconds_per_clip"]
    frame = grouped.agg(seconds_per_clip="mean", sd_seeds="std", n_seeds="size").reset_index()
    cheapest = frame.groupby(["detector", "device"])["seconds_per_clip"].transform("min")
    frame["ratio"] = (frame["seconds_per_clip"] / cheapest).where(cheapest > 0)
    worth = measure_criteria(results)
    measured = [criterion for criterion in criteria_named(worth["axis"]) if criterion.tested]
    if measured:
        wide = worth.pivot_table(index=["detector", "explainer"], columns="axis", values="value")
        frame = frame.join(wide[[criterion.name for criterion in measured]], on=["detector", "explainer"])
    columns = (*FORMATS, *(Column(criterion.title, criterion.name) for criterion in measured))
    return FinishedTable(titled(frame, results), CAPTION, columns)
