"""Values clip by clip as arrays, of all detectors at once: reshaping frames detector by detector costs far more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from soundproof.analysis.frames import means


class ClipValues(NamedTuple):
    """Values of one detector, means over parameters.

    Attributes:
        clip_ids: In sorted order, [n_clips].
        seeds: In sorted order, [n_seeds].
        of_explainer: By name, in sorted order, [n_clips, n_seeds]; NaN where there is none.
    """

    clip_ids: np.ndarray
    seeds: np.ndarray
    of_explainer: Mapping[str, np.ndarray]

    def aligned(self, clip_ids: np.ndarray, seeds: np.ndarray) -> dict[str, np.ndarray]:
        """The values for these clips and trainings, [n_clips, n_seeds]; NaN where there is none.

        An explainer without values of some of the trainings counts with its mean over those it has, for every
        training.
        """
        rows = pd.Index(self.clip_ids).get_indexer(pd.Index(clip_ids))
        columns = pd.Index(self.seeds).get_indexer(pd.Index(seeds))
        found = {}
        for name, values in self.of_explainer.items():
            there = np.where(rows[:, np.newaxis] >= 0, values[rows], np.nan)
            known = (columns >= 0) & ~np.isnan(values).all(axis=0)[columns]
            if known.all():
                found[name] = there[:, columns]
            else:
                over_seeds = pd.DataFrame(there).mean(axis=1).to_numpy(np.float64)
                found[name] = np.repeat(over_seeds[:, np.newaxis], len(seeds), axis=1)
        return found


def clip_values(rows: pd.DataFrame) -> dict[str, ClipValues]:
    """Values by detector.

    Args:
        rows: Columns detector, explainer, clip_id, seed, value; several values of one are averaged.
    """
    cells = means(rows, ["detector", "clip_id", "explainer", "seed"])
    labels = {
        name: pd.factorize(cells[name], sort=True) for name in ("detector", "clip_id", "explainer", "seed")
    }
    values = cells["value"].to_numpy(np.float64)
    (of_detector, detectors) = labels["detector"]
    names = [str(name) for name in labels["explainer"][1]]
    found = {}
    for number, detector in enumerate(detectors):
        chosen = of_detector == number
        clips, clip = np.unique(labels["clip_id"][0][chosen], return_inverse=True)
        seeds, seed = np.unique(labels["seed"][0][chosen], return_inverse=True)
        explainer = labels["explainer"][0][chosen]
        of_explainer = {}
        for index in np.unique(explainer[explainer >= 0]):
            of = explainer == index
            table = np.full((len(clips), len(seeds)), np.nan)
            table[clip[of], seed[of]] = values[chosen][of]
            of_explainer[names[index]] = table
        found[str(detector)] = ClipValues(
            np.asarray(labels["clip_id"][1])[clips], np.asarray(labels["seed"][1])[seeds], of_explainer
        )
    return found


def clip_means(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Means over parameters and seeds by detector: one row per clip, one column per explainer.

    Args as :func:`clip_values`. Clips and explainers without any value are left out.
    """
    cells = means(rows, ["detector", "clip_id", "explainer", "seed"])
    over_seeds = means(cells, ["detector", "clip_id", "explainer"]).assign(seed=0)
    found = {}
    for detector, of in clip_values(over_seeds).items():
        table = np.column_stack([values[:, 0] for values in of.of_explainer.values()])
        there = ~np.isnan(table)
        clips, explainers = there.any(axis=1), there.any(axis=0)
        found[detector] = pd.DataFrame(
            table[clips][:, explainers],
            index=pd.Index(of.clip_ids[clips], dtype="str", name="clip_id"),
            columns=pd.Index(np.array(list(of.of_explainer))[explainers], dtype="str", name="explainer"),
        )
    return found
