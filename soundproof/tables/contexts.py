"""Does a detector gain by the context of a clip, and does it say where a line belongs?"""

from __future__ import annotations

import pandas as pd

from soundproof.analysis.contexts import named_contexts
from soundproof.analysis.interval_words import OVER_INDIVIDUALS
from soundproof.analysis.joint_areas import joint_areas
from soundproof.analysis.measures import select, summarise, titled, with_chance
from soundproof.analysis.results import StudyResults
from soundproof.attribution.registry import OWN_MAP
from soundproof.detection.registry import CHANCE_AUC
from soundproof.exhibits.finished import Column, FinishedTable, absent

CELLS = "cell_auroc"
NO_CONTEXTS = "no detector of the study compares clips within a context (kind 'context_memory')"
FORMATS = (
    Column("Detector", "detector_title"),
    Column("Clip AUC", "auc", "auc_low", "auc_high"),
    Column("Chance", "auc_chance"),
    Column("Cell AUROC of its own map", "cells", "cells_low", "cells_high"),
    Column("Chance: uniform", "cells_uniform"),
    Column("Chance: shifted", "cells_shift"),
    Column("Context named right", "named", "named_low", "named_high"),
    Column("Chance: 1/k", "named_chance"),
    Column("Any but its own", "named_other"),
    Column("Anomalous clips", "n_clips"),
)
CAPTION = (
    "The same line is normal at one speed and a fault at another: detectors that are blind to the speed, that "
    "have a memory of each, and that are told a wrong one. Clip AUC: mean over individuals, interval over their "
    "clips. Cell AUROC: of its own map against the cells of the line that does not belong. Context named "
    "right: share of anomalous clips whose marked cells are least unusual at the speed that their foreign line "
    "belongs to; beside it naming one of k at random, and one of those that are not the clip's own, which needs no "
    f"sound. A detector with one memory names none. {OVER_INDIVIDUALS}"
)


def build(results: StudyResults) -> FinishedTable:
    """Make the table: one row per detector with a memory per context, or with one for all."""
    if not results.contexts:
        return absent(NO_CONTEXTS, FORMATS, CAPTION)
    areas = joint_areas(results)
    frame = pd.DataFrame(
        [
            {
                "detector": label,
                "auc": areas[label].value,
                "auc_low": areas[label].interval[0],
                "auc_high": areas[label].interval[1],
                "auc_chance": CHANCE_AUC,
                "named_chance": 1 / len(contexts.names) if contexts.names else None,
                "named_other": 1 / (len(contexts.names) - 1) if contexts.names else None,
            }
            for label, contexts in results.contexts.items()
            if label in areas
        ]
    )
    rows = select(results, CELLS)
    own = rows[rows["explainer"].map(results.explainer_kind).eq(OWN_MAP)]
    for name, part in (("cells", own), ("named", named_contexts(results))):
        frame = frame.merge(_summary(results, part, name), on="detector", how="left")
    # a detector that names none has none of these clips
    frame["n_clips"] = frame["n_clips"].astype("Int64")
    return FinishedTable(titled(frame, results), CAPTION, FORMATS)


def _summary(results: StudyResults, rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Mean over clips by detector, its interval over individuals, and chance."""
    summary = summarise(rows, ["detector"], results.study, name, units=results.individuals)
    names = {"value": name, "ci_low": f"{name}_low", "ci_high": f"{name}_high"}
    if name == "named":
        return summary.rename(columns=names)[["detector", *names.values(), "n_clips"]]
    beside = with_chance(summary, results, CELLS, ["detector"])
    names |= {"chance_uniform": f"{name}_uniform", "chance_shift": f"{name}_shift"}
    return beside.rename(columns=names)[["detector", *names.values()]]
