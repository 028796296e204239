"""Which context detectors name for what they mark, clip by clip, and whether it is the one that it belongs to."""

from __future__ import annotations

import numpy as np
import pandas as pd

from soundproof.analysis.frames import groups, means, records
from soundproof.analysis.measures import select
from soundproof.analysis.results import StudyResults

UNUSUAL = "unusual_in_context"
"""Measure: how unusual marked cells are in each context, by its place in the list of all."""


def named_contexts(results: StudyResults) -> pd.DataFrame:
    """One row per detector with contexts, seed and anomalous test clip.

    Columns: detector, seed, clip_id, own (its context), home (the context that its foreign line belongs to),
    sentence, and value: whether the context that is named is that one, 0 or 1.
    """
    measured = select(results, UNUSUAL)
    if measured.empty:
        return pd.DataFrame()
    rows = means(measured, ["detector", "seed", "clip_id", "parameter"])
    anomalous = results.clips[results.clips["label"].eq("anomaly")]
    of_clips = {row["clip_id"]: row for row in records(anomalous[["clip_id", "attributes", "anomaly_type"]])}
    found = []
    for (detector, seed, clip_id), of_clip in groups(rows, ["detector", "seed", "clip_id"]):
        if clip_id not in of_clips:
            continue
        fact, contexts = of_clips[clip_id], results.contexts[detector]
        own, home = contexts.of(fact["attributes"]), str(fact["anomaly_type"]).rpartition("_")[2]
        least = int(np.argmin(of_clip["value"].to_numpy()))
        named = contexts.names[int(of_clip["parameter"].iloc[least])]
        found.append(
            {
                "detector": detector,
                "seed": seed,
                "clip_id": clip_id,
                "own": own,
                "home": home,
                "sentence": contexts.sentence(named, contexts.told(own)),
                "value": float(named == home),
            }
        )
    return pd.DataFrame(found)
