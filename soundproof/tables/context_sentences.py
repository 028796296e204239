"""What detectors with a memory per context say of clips, beside the context that the line belongs to."""

from __future__ import annotations

from soundproof.analysis.contexts import named_contexts
from soundproof.analysis.measures import titled
from soundproof.analysis.results import StudyResults
from soundproof.exhibits.finished import Column, FinishedTable, absent
from soundproof.tables.contexts import NO_CONTEXTS

PER_MACHINE = 2
"""Clips of each machine that are shown."""
FORMATS = (
    Column("Clip", "clip_id"),
    Column("Its own", "own"),
    Column("The line's", "home"),
    Column("Detector", "detector_title"),
    Column("What is said", "sentence"),
    Column("Named right", "right"),
)
CAPTION = (
    "In which context what a detector marks would be normal, of the first anomalous clips of each machine, "
    "beside the context of the clip and that of its foreign line. Named by chance, one of k contexts is right."
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per clip and detector."""
    rows = named_contexts(results)
    if rows.empty:
        return absent(NO_CONTEXTS, FORMATS, CAPTION)
    machines = results.clips.set_index("clip_id")["machine"]
    clips = rows[["clip_id"]].drop_duplicates().sort_values("clip_id")
    shown = clips.groupby(clips["clip_id"].map(machines)).head(PER_MACHINE)["clip_id"]
    first = rows[rows["clip_id"].isin(set(shown)) & rows["seed"].eq(rows["seed"].min())]
    frame = titled(first, results).sort_values("clip_id", kind="stable", ignore_index=True)
    return FinishedTable(frame.assign(right=frame["value"].map({1.0: "yes", 0.0: "no"})), CAPTION, FORMATS)
