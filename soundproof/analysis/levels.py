"""Detection, localisation and faithfulness of each run on P2's levels: clips, cells, frames, and the score itself.

A run is one training on one machine (a background of EnvMix). Maps are the detectors' own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from soundproof.analysis.by_backbone import OWN_MAP
from soundproof.analysis.frames import means
from soundproof.analysis.machine_kinds import snr_labels
from soundproof.analysis.measures import select
from soundproof.analysis.ranking import ALL_DOMAINS, run_areas
from soundproof.analysis.results import StudyResults
from soundproof.detection.registry import DETECTION
from soundproof.storage.measurements import FLAG_ALL, UNIFORM

RUN = ["detector", "seed", "machine"]


class Measure(NamedTuple):
    """A column of P2's table.

    Attributes:
        level: Clips, cells, frames, or faithfulness.
        title: In print.
        metric: Name in the ``metric`` column.
        protocol: Its protocol; of measures of clips none.
        said: What the protocol is, in print.
        per_clip: Whether its values are of single clips rather than of the run's set.
        level_of_chance: Where it is a constant and no chance rows were measured.
    """

    level: str
    title: str
    metric: str
    protocol: str = ""
    said: str = ""
    per_clip: bool = False
    level_of_chance: float | None = None


def _cells(protocol: str, said: str) -> tuple[Measure, ...]:
    return (
        Measure("cells", "AUC", "pooled_cell_auroc", protocol, said),
        Measure("cells", "Max F1 (oracle)", "pooled_cell_max_f1", protocol, said),
        Measure("cells", "PR-AUC", "pooled_cell_ap", protocol, said),
    )


CLIP_MEASURES = (
    Measure("clips", "AUC", "auc", level_of_chance=0.5),
    Measure("clips", "Max F1 (oracle)", "max_f1"),
    Measure("clips", "PR-AUC", "average_precision"),
)
MAP_MEASURES = (
    *_cells("exact_stems", "exact stems"),
    *_cells("energy_rule", "energy rule, as published"),
    Measure("cells", "AU-PRO", "aupro", "", "exact stems, anomalous clips"),
    Measure("cells", "MSE (lower is better)", "cell_mse", "set_min_max", "level of the event, as published"),
    Measure("frames", "AUC", "pooled_frame_auroc", "", "labelled time"),
    Measure("frames", "Max F1 (oracle)", "pooled_frame_max_f1", "", "labelled time"),
    Measure("frames", "PR-AUC", "pooled_frame_ap", "", "labelled time"),
    Measure("faithfulness", "FF1", "soft_removal", "corrected", "corrected", per_clip=True),
    Measure("faithfulness", "FF1", "soft_removal", "as_published", "as published", per_clip=True),
    Measure("faithfulness", "FF2", "clean_background", "corrected", "corrected", per_clip=True),
    Measure("faithfulness", "FF2", "clean_background", "as_published", "as published", per_clip=True),
)
MEASURES = (*CLIP_MEASURES, *MAP_MEASURES)


def levels_of_runs(results: StudyResults) -> pd.DataFrame:
    """One row per run and measure that it has.

    Columns: detector, seed, machine, snr, order (place in :data:`MEASURES`), level, title, said, value, chance,
    flag_all (missing where there is no such).
    """

    def made() -> pd.DataFrame:
        parts = [part for part in _parts(results) if not part.empty]
        columns = [*RUN, "order", "value", "chance", "flag_all"]
        frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
        facts = pd.DataFrame(
            [{"order": order, **measure._asdict()} for order, measure in enumerate(MEASURES)]
        )[["order", "level", "title", "said"]]
        frame = frame.merge(facts.astype({"order": frame["order"].dtype}), on="order", how="left")
        return frame.assign(snr=frame["machine"].map(snr_labels(results)).fillna(""))

    return results.once("levels of runs", made)


def _parts(results: StudyResults) -> Iterator[pd.DataFrame]:
    runs, _ = run_areas(results)
    runs = runs[runs["domain"].eq(ALL_DOMAINS)]
    for order, measure in enumerate(MEASURES):
        if measure in CLIP_MEASURES:
            own = runs[runs["metric"].eq(measure.metric)]
            level = DETECTION[measure.metric].level
            own = own.assign(
                chance=own["chance"].astype("float64").fillna(np.nan if level is None else level)
            )
            yield own[[*RUN, "value", "chance", "flag_all"]].assign(order=order)
        else:
            yield _of_maps(results, measure).assign(order=order)


def _of_maps(results: StudyResults, measure: Measure) -> pd.DataFrame:
    end = f"_{measure.protocol}" if measure.protocol else ""
    found = _of_protocol(results, measure, measure.protocol)
    for column, rival in (("chance", UNIFORM), ("flag_all", FLAG_ALL)):
        beside = _of_protocol(results, measure, f"{rival}{end}").rename(columns={"value": column})
        found = found.merge(beside, on=RUN, how="left", validate="one_to_one")
    return found


def _of_protocol(results: StudyResults, measure: Measure, protocol: str) -> pd.DataFrame:
    """Mean over the clips (or the value of the set) of each run, of the detectors' own maps."""
    rows = select(results, measure.metric, (protocol,), per_clip=measure.per_clip)
    return means(rows[rows["explainer"].map(results.explainer_kind).eq(OWN_MAP)], RUN)
