"""Do two criteria rank the explanations of a clip alike? Asked clip by clip, so that there is an interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from soundproof.analysis.frames import means
from soundproof.analysis.measures import select, summarise
from soundproof.analysis.results import StudyResults
from soundproof.interfaces.metric import Criterion
from soundproof.statistics.spearman import spearman_rows

FEWEST = 3
"""Explanations of a clip, or clips of an explainer, below which a ranking says nothing."""


def agreement_of_explainers(
    results: StudyResults, one: Criterion, other: Criterion, detector: str
) -> pd.DataFrame:
    """Kendall's tau-b over the explainers of each clip and seed, averaged over clips.

    Controls are left out: that both criteria find a random map bad is no agreement on explanations.

    Args:
        results: The study.
        one: A criterion that has a value per clip.
        other: Another one.
        detector: Whose explanations.

    Returns:
        One row with detector, value, interval over clips and numbers of clips and seeds; none where no clip has
        :data:`FEWEST` explanations with both values.
    """
    both = _both(results, one, other, detector)
    values = [
        {"detector": detector, "clip_id": clip_id, "seed": seed, "value": tau}
        for (clip_id, seed), part in both.groupby(["clip_id", "seed"])
        if len(part) >= FEWEST and np.isfinite(tau := kendalltau(part["one"], part["other"]).statistic)
    ]
    frame = pd.DataFrame(values, columns=["detector", "clip_id", "seed", "value"])
    names = (results.study, "within clips", one.name, other.name)
    return summarise(frame, ["detector"], *names, units=results.recordings)


def agreement_of_clips(
    results: StudyResults, one: Criterion, other: Criterion, detector: str
) -> pd.DataFrame:
    """Spearman's rho over the clips of each explainer, averaged over seeds.

    Args as :func:`agreement_of_explainers`.

    Returns:
        Columns explainer, value, n_clips; one row per explainer, none below :data:`FEWEST` clips.
    """
    rows = []
    for explainer, part in _both(results, one, other, detector).groupby("explainer", sort=False):
        by_seed = [
            float(spearman_rows(of["one"].to_numpy(), of["other"].to_numpy()))
            for _, of in part.groupby("seed")
            if len(of) >= FEWEST
        ]
        known = [rho for rho in by_seed if np.isfinite(rho)]
        if known:
            n_clips = part["clip_id"].nunique()
            rows.append({"explainer": explainer, "value": float(np.mean(known)), "n_clips": n_clips})
    return pd.DataFrame(rows, columns=["explainer", "value", "n_clips"])


def _both(results: StudyResults, one: Criterion, other: Criterion, detector: str) -> pd.DataFrame:
    """Values of both criteria, more is better, one row per clip, explainer and seed that has both."""
    keys, columns = ["clip_id", "explainer", "seed"], {}
    for name, criterion in (("one", one), ("other", other)):
        rows = select(results, criterion.metric, criterion.protocols, criterion.parameters)
        values = means(rows[rows["detector"].eq(detector)], keys).set_index(keys)["value"]
        columns[name] = values if criterion.higher_is_better else -values
    frame = pd.DataFrame(columns).dropna().reset_index()
    return frame[~frame["explainer"].map(results.is_control).astype(bool)]
