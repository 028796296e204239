"""The axes on which an explanation can be good: does it find the fault, does it say what the detector uses?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from soundproof.analysis.bands import quality_rho, rho_summary
from soundproof.analysis.frames import groups, means, table
from soundproof.analysis.measures import MEASURED, chance_rows, measure, select
from soundproof.analysis.results import StudyResults
from soundproof.faithfulness.registry import BACKGROUNDS
from soundproof.localisation.aupro_parts import INFLUENCE


@dataclass(frozen=True)
class Axis:
    """One number per detector and explainer.

    Attributes:
        name: Column in tables.
        title: Name in print.
        kind: What it judges.
        metric: Name in the ``metric`` column.
        parameters: Parameters that are averaged; None: all.
        protocols: Protocols to keep.
        higher_is_better: Direction.
        chance: Chance level where it is a constant and no chance rows were measured.
    """

    name: str
    title: str
    kind: Literal["localisation", "faithfulness", "sanity"]
    metric: str
    parameters: tuple[float, ...] | None = None
    protocols: tuple[str, ...] = MEASURED
    higher_is_better: bool = True
    chance: float | None = None


AXES = (
    Axis("segment_f1", "Segment F1 (p98)", "localisation", "segment_f1", (98.0,)),
    Axis("frame_auroc", "Frame AUROC", "localisation", "frame_auroc", chance=0.5),
    Axis("cell_auroc", "Cell AUROC", "localisation", "cell_auroc", chance=0.5),
    Axis("cell_ap", "Cell AP", "localisation", "cell_ap"),
    Axis("aupro", "AU-PRO", "localisation", "aupro", protocols=("", INFLUENCE)),
    Axis("iou", "IoU (q 0.98)", "localisation", "iou", (0.98,)),
    Axis("ff_frame", "FF frame", "faithfulness", "ff_frame"),
    Axis("ff_segment", "FF segment", "faithfulness", "ff_segment"),
    Axis("ff_background_frame", "FF frame (background)", "faithfulness", "ff_background_frame"),
    *(
        Axis(
            f"{metric}_{kind}",
            f"{title} ({words})",
            "faithfulness",
            metric,
            protocols=(kind,),
            higher_is_better=metric == "insertion_auc",
        )
        for metric, title in (("deletion_auc", "Deletion AUC"), ("insertion_auc", "Insertion AUC"))
        for kind, words in BACKGROUNDS.items()
    ),
    Axis("band_share_true", "Share in true band", "localisation", "band_share_true"),
    Axis("band_rho", "Band ρ", "faithfulness", "band_rho", chance=0.0),
    Axis(
        "randomisation",
        "Randomisation similarity",
        "sanity",
        "randomisation_similarity",
        protocols=("absolute",),
        higher_is_better=False,
        chance=0.0,
    ),
)
"""In printing order. FF is the corrected, unclipped one, as a mean over all percentiles.

Band rho is T9's Fisher mean of one of its blocks; all others are plain means.
"""
DELETION = tuple(axis.name for axis in AXES if axis.metric == "deletion_auc")


def measure_axis(results: StudyResults, axis: Axis) -> pd.DataFrame:
    """One row per detector and explainer: mean, interval, spread, chance levels."""
    if axis.metric == "band_rho":
        return _band_rho(results).assign(axis=axis.name, axis_title=axis.title)
    frame = measure(results, axis.metric, ("detector", "explainer"), axis.protocols, axis.parameters)
    if axis.chance is not None:
        frame = frame.assign(chance_uniform=frame["chance_uniform"].astype(np.float64).fillna(axis.chance))
    return frame.assign(axis=axis.name, axis_title=axis.title)


def _band_rho(results: StudyResults) -> pd.DataFrame:
    """Fisher means as T9 has them, in the columns of :func:`soundproof.analysis.measures.measure`."""
    rows, keys = quality_rho(results), ["detector", "explainer"]
    frame = rho_summary(rows, keys)
    of_seeds = rho_summary(rows, [*keys, "seed"])
    spread = {key: part["value"].std() for key, part in groups(of_seeds, keys)}
    found = [spread[key] for key in zip(frame["detector"], frame["explainer"], strict=True)]
    frame = frame[[*keys, "value", "ci_low", "ci_high", "n_clips", "n_seeds"]]
    # a Fisher mean has an interval over clips alone
    names = ("machines_ci_low", "machines_ci_high", "n_machines", "chance_shift", "flag_all")
    unknown = dict.fromkeys(names, np.nan)
    return frame.assign(sd_seeds=found, chance_uniform=0.0, interval="", machines_interval="", **unknown)


def measure_axes(results: StudyResults) -> pd.DataFrame:
    """All axes that were measured, one row per detector, explainer and axis."""
    parts = [frame for axis in AXES if not (frame := measure_axis(results, axis)).empty]
    return pd.concat(parts, ignore_index=True) if parts else measure_axis(results, AXES[0])


def per_clip(results: StudyResults, axis: Axis, detector: str) -> pd.DataFrame:
    """Mean over parameters and seeds of each clip: one row per clip, one column per explainer."""
    rows = select(results, axis.metric, axis.protocols, axis.parameters)
    if axis.metric == "band_rho":
        rows = quality_rho(results)
    return _clip_means(rows[rows["detector"].eq(detector)])


def per_clip_and_seed(results: StudyResults, axis: Axis, detector: str) -> pd.DataFrame:
    """Mean over parameters of each clip: one row per clip, one column per (explainer, seed)."""
    rows = select(results, axis.metric, axis.protocols, axis.parameters)
    cells = means(rows[rows["detector"].eq(detector)], ["clip_id", "explainer", "seed"])
    return pd.DataFrame(cells.pivot_table(index="clip_id", columns=["explainer", "seed"], values="value"))


def chance_per_clip(results: StudyResults, axis: Axis, detector: str, protocol: str) -> pd.DataFrame:
    """The chance rows in the layout of :func:`per_clip`."""
    rows = chance_rows(results, axis.metric, protocol, axis.protocols, axis.parameters)
    return _clip_means(rows[rows["detector"].eq(detector)])


def _clip_means(rows: pd.DataFrame) -> pd.DataFrame:
    return table(means(rows, ["clip_id", "explainer", "seed"]), "clip_id", "explainer")
