"""Detection, localisation and faithfulness of each run on P2's levels: clips, cells, frames, and the score itself.

A run is one training on one machine (a background of EnvMix). Maps are the detectors' own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from soundproof.analysis.frames import means
from soundproof.analysis.machine_kinds import snr_labels
from soundproof.analysis.measures import select, summarise
from soundproof.analysis.ranking import ALL_DOMAINS, mean_areas, run_areas
from soundproof.analysis.results import StudyResults
from soundproof.attribution.registry import OWN_MAP
from soundproof.detection.registry import DETECTION
from soundproof.localisation.registry import INFLUENCE
from soundproof.storage.measurements import FLAG_ALL, SHIFT, UNIFORM

RUN = ["detector", "seed", "machine"]
BESIDE = {"chance": UNIFORM, "chance_shift": SHIFT, "flag_all": FLAG_ALL}
"""What stands beside a value, and its protocol."""


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


def _ranked(level: str, metric: str, protocol: str, said: str) -> tuple[Measure, ...]:
    return (
        Measure(level, "AUC", f"{metric}_auroc", protocol, said),
        Measure(level, "Max F1 (oracle)", f"{metric}_max_f1", protocol, said),
        Measure(level, "PR-AUC", f"{metric}_ap", protocol, said),
    )


CLIP_MEASURES = (
    Measure("clips", "AUC", "auc", level_of_chance=0.5),
    Measure("clips", "Max F1 (oracle)", "max_f1"),
    Measure("clips", "PR-AUC", "average_precision"),
)
MAP_MEASURES = (
    *_ranked("cells", "pooled_cell", "exact_stems", "exact stems"),
    *_ranked("cells", "pooled_cell", "energy_rule", "energy rule, as published"),
    Measure("cells", "AU-PRO", "aupro", "", "exact stems, anomalous clips"),
    Measure("cells", "AU-PRO", "aupro", "energy_rule", "energy rule, as published, anomalous clips"),
    Measure("cells", "MSE (lower is better)", "cell_mse", "set_min_max", "level of the event, as published"),
    *_ranked("frames", "pooled_frame", "", "labelled time, as published"),
    *_ranked("frames", "pooled_frame", "exact_stems", "exact stems"),
    *_ranked("frames", "pooled_frame", "energy_rule", "energy rule, as published"),
    Measure("faithfulness", "FF1", "soft_removal", "corrected", "corrected", per_clip=True),
    Measure("faithfulness", "FF1", "soft_removal", "as_published", "as published", per_clip=True),
    Measure("faithfulness", "FF2", "clean_background", "corrected", "corrected", per_clip=True),
    Measure("faithfulness", "FF2", "clean_background", "as_published", "as published", per_clip=True),
)
MEASURES = (*CLIP_MEASURES, *MAP_MEASURES)


def levels_of_runs(results: StudyResults) -> pd.DataFrame:
    """One row per run and measure that it has.

    Columns: detector, seed, machine, snr, order (place in :data:`MEASURES`), level, title, said, value, chance,
    chance_shift, flag_all (missing where there is no such).
    """

    def made() -> pd.DataFrame:
        parts = [part for part in _parts(results) if not part.empty]
        columns = [*RUN, "order", "value", *BESIDE]
        frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
        facts = pd.DataFrame(
            [{"order": order, **measure._asdict()} for order, measure in enumerate(MEASURES)]
        )[["order", "level", "title", "said"]]
        frame = frame.merge(facts.astype({"order": frame["order"].dtype}), on="order", how="left")
        return frame.assign(snr=frame["machine"].map(snr_labels(results)).fillna(""))

    return results.once("levels of runs", made)


def levels(results: StudyResults, by: Sequence[str]) -> pd.DataFrame:
    """Means over runs, measure by measure, with their intervals over clips.

    Args:
        results: The study.
        by: Columns of :func:`levels_of_runs` that make a group, the detector among them.

    Returns:
        ``by``, order, level, title, said, value, ci_low, ci_high (for these machines and trainings; missing with
        too few clips), sd (over runs), n_runs, chance, chance_shift, flag_all.
    """
    keys = [*by, "order"]
    numbers = {name: (name, "mean") for name in ("value", *BESIDE)}
    grouped = levels_of_runs(results).groupby([*keys, "level", "title", "said"], sort=True)
    frame = grouped.agg(**numbers, sd=("value", "std"), n_runs=("value", "size")).reset_index()
    parts = [part for part in _intervals(results, by) if not part.empty]
    if not parts:
        return frame.assign(ci_low=np.nan, ci_high=np.nan)
    ends = pd.concat(parts, ignore_index=True)[[*keys, "ci_low", "ci_high"]]
    return frame.merge(ends, on=keys, how="left", validate="one_to_one")


def explains_normal(results: StudyResults) -> bool:
    """Whether normal clips are among those that were explained."""
    rows = results.measurements
    explained = rows.loc[rows["explainer"].notna() & rows["clip_id"].notna(), "clip_id"].unique()
    labels = results.clips.set_index("clip_id")["label"]
    return bool(labels.reindex(explained).eq("normal").any())


def _intervals(results: StudyResults, by: Sequence[str]) -> Iterator[pd.DataFrame]:
    snr = snr_labels(results)
    runs, _ = run_areas(results)
    runs = runs[runs["domain"].eq(ALL_DOMAINS)].assign(snr=lambda rows: rows["machine"].map(snr).fillna(""))
    for order, measure in enumerate(MEASURES):
        if measure in CLIP_MEASURES:
            own = runs[runs["metric"].eq(measure.metric)]
            yield own if own.empty else mean_areas(own, by).assign(order=order)
            continue
        weights = f"{INFLUENCE}_{measure.protocol}" if measure.protocol else INFLUENCE
        rows = _own(results, measure.metric, measure.protocol if measure.per_clip else weights, per_clip=True)
        rows = rows.assign(snr=rows["machine"].map(snr).fillna(""))
        names = (results.study, measure.metric, measure.protocol)
        yield summarise(rows, by, *names, units=results.recordings).assign(order=order)


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
            yield own[[*RUN, "value", "chance", "flag_all"]].assign(order=order, chance_shift=np.nan)
        else:
            yield _of_maps(results, measure).assign(order=order)


def _of_maps(results: StudyResults, measure: Measure) -> pd.DataFrame:
    end = f"_{measure.protocol}" if measure.protocol else ""
    found = _of_protocol(results, measure, measure.protocol)
    for column, rival in BESIDE.items():
        beside = _of_protocol(results, measure, f"{rival}{end}").rename(columns={"value": column})
        found = found.merge(beside, on=RUN, how="left", validate="one_to_one")
    return found


def _of_protocol(results: StudyResults, measure: Measure, protocol: str) -> pd.DataFrame:
    """Mean over the clips (or the value of the set) of each run, of the detectors' own maps."""
    return means(_own(results, measure.metric, protocol, per_clip=measure.per_clip), RUN)


def _own(results: StudyResults, metric: str, protocol: str, *, per_clip: bool) -> pd.DataFrame:
    """Rows of the detectors' own maps."""
    rows = select(results, metric, (protocol,), per_clip=per_clip)
    return rows[rows["explainer"].map(results.explainer_kind).eq(OWN_MAP)]
