"""Means over clips and seeds of many groups at once: interval over clips, over machines, spread over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from soundproof.core.errors import DataError
from soundproof.statistics.bootstrap import mean_ends
from soundproof.statistics.intervals import LEVEL, MIN_CLIPS, TOO_FEW, TOO_FEW_MACHINES

COLUMNS = ["value", "ci_low", "ci_high", "sd_seeds", "n_clips", "n_seeds"]
COLUMNS += ["interval", "machines_ci_low", "machines_ci_high", "machines_interval", "n_machines"]
_GROUPS = 128
"""Groups that are spread out in memory at once."""


class Spread(NamedTuple):
    """A mean over clips and seeds.

    Attributes:
        mean: Mean over seeds of the mean over clips.
        sd: Standard deviation (n - 1) of the seeds' means; NaN for a single seed.
        ci_low: Lower end of the interval over clips; NaN with too few clips.
        ci_high: Upper end.
        n_clips: Distinct clips; 0 for values of a whole set.
        n_seeds: Distinct seeds.
    """

    mean: float
    sd: float
    ci_low: float
    ci_high: float
    n_clips: int
    n_seeds: int


def mean_with_spread(
    frame: pd.DataFrame, *names: str | int | float, n_resamples: int = 2000, level: float = LEVEL
) -> Spread:
    """Mean over clips and seeds of one group; arguments and errors as :func:`means_with_spread`."""
    if frame.empty:
        raise _refused("no row")
    row = means_with_spread(frame, (), *names, n_resamples=n_resamples, level=level).iloc[0]
    mean, sd, low, high = (float(row[name]) for name in ("value", "sd_seeds", "ci_low", "ci_high"))
    return Spread(mean, sd, low, high, int(row["n_clips"]), int(row["n_seeds"]))


def means_with_spread(
    frame: pd.DataFrame,
    by: Sequence[str],
    *names: str | int | float,
    n_resamples: int = 2000,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Means over clips and seeds, group by group.

    The interval tells how a mean would move with other clips of these machines, that over machines how it would
    move with other machines (resampled first, then the clips of each), the standard deviation how it moves with
    other trainings.

    Args:
        frame: ``by``, value, clip_id, seed; optionally machine, and unit, which names what is resampled in the
            place of clips (the recording of a segment). A clip that is undefined for some seed is simply absent
            there. Where every clip_id is null the values belong to whole sets, and there is no interval.
        by: Columns that make a group; none: all rows are one.
        names: What the draws depend on, besides the numbers of clips.
        n_resamples: Bootstrap replicates.
        level: Coverage, 0..1.

    Returns:
        ``by`` and :data:`COLUMNS`; ``interval`` and ``machines_interval`` say why there is none.

    Raises:
        DataError: A value that is not finite, a clip twice for one seed, or set-level values among those of clips.
    """
    keys = list(by)
    grouped = frame.groupby(keys, sort=True, dropna=False) if keys else None
    number = np.zeros(len(frame), int) if grouped is None else grouped.ngroup().to_numpy()
    _check(frame, number)
    labels = pd.DataFrame(frame[keys]).take(np.unique(number, return_index=True)[1]).reset_index(drop=True)
    clip, clips = pd.factorize(frame["clip_id"], sort=True)
    seed, seeds = pd.factorize(frame["seed"], sort=True)
    facts = {name: _by_clip(frame, name, clip, len(clips)) for name in ("machine", "unit")}
    values = frame["value"].to_numpy(np.float64)
    parts = []
    for start in range(0, len(labels), _GROUPS):
        n_groups = min(_GROUPS, len(labels) - start)
        rows = (number >= start) & (number < start + n_groups)
        # values of whole sets, which have no clip, stand in a column of their own, the last
        cells = np.full((n_groups, len(clips) + 1, len(seeds)), np.nan)
        cells[number[rows] - start, clip[rows], seed[rows]] = values[rows]
        parts.append(_numbers(cells, facts, names, n_resamples, level))
    numbers = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return pd.DataFrame(pd.concat([labels, numbers], axis=1))


def _numbers(
    cells: np.ndarray,
    facts: dict[str, np.ndarray | None],
    names: tuple[str | int | float, ...],
    n_resamples: int,
    level: float,
) -> pd.DataFrame:
    present = np.isfinite(cells)
    counts = present.sum(axis=1)
    sums = np.where(present, cells, 0.0).sum(axis=1)
    of_seed = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    n_seeds = (counts > 0).sum(axis=1)
    value = np.nanmean(of_seed, axis=1)
    squares = np.nansum((of_seed - value[:, np.newaxis]) ** 2, axis=1)
    sd = np.sqrt(np.where(n_seeds > 1, squares / np.maximum(n_seeds - 1, 1), np.nan))
    has_clip = present[:, :-1].any(axis=2)
    ends = np.full((4, len(cells)), np.nan)
    n_machines, n_units = np.zeros(len(cells), int), np.zeros(len(cells), int)
    # groups with the same clips are resampled together
    patterns, pattern_of = np.unique(has_clip, axis=0, return_inverse=True)
    for index, clips in enumerate(patterns):
        groups = np.flatnonzero(pattern_of.ravel() == index)
        machines, units = (None if fact is None else fact[clips] for fact in facts.values())
        n_machines[groups] = len(np.unique(machines)) if machines is not None else int(clips.any())
        n_units[groups] = len(np.unique(units)) if units is not None else int(clips.sum())
        if clips.any():
            chosen = cells[groups][:, :-1][:, clips]
            ends[:, groups] = mean_ends(
                chosen, *names, units=units, machines=machines, n_resamples=n_resamples, level=level
            )
    few, few_machines = ((n > 0) & (n < MIN_CLIPS) for n in (n_units, n_machines))
    return pd.DataFrame(
        {
            "value": value,
            "ci_low": ends[0],
            "ci_high": ends[1],
            "sd_seeds": sd,
            "n_clips": has_clip.sum(axis=1),
            "n_seeds": n_seeds,
            "interval": np.where(few, TOO_FEW, ""),
            "machines_ci_low": ends[2],
            "machines_ci_high": ends[3],
            "machines_interval": np.where(few_machines, TOO_FEW_MACHINES, ""),
            "n_machines": n_machines,
        }
    )


def _by_clip(frame: pd.DataFrame, name: str, clip: np.ndarray, n_clips: int) -> np.ndarray | None:
    """Number of each clip's machine or unit, [n_clips]; None where the frame does not say."""
    if name not in frame:
        return None
    out = np.zeros(n_clips, int)
    codes = pd.factorize(frame[name], sort=True)[0]
    out[clip[clip >= 0]] = codes[clip >= 0]
    return out


def _check(frame: pd.DataFrame, number: np.ndarray) -> None:
    null = frame["clip_id"].isna().to_numpy()
    mixed = np.intersect1d(number[null], number[~null])
    twice = pd.DataFrame({"group": number, "clip": frame["clip_id"], "seed": frame["seed"]}).duplicated()
    problems = {
        "values that are not finite": not np.isfinite(frame["value"].to_numpy(np.float64)).all(),
        "set-level values among those of clips": mixed.size > 0,
        "a clip (or set) twice for one seed": bool(twice.any()),
    }
    found = [problem for problem, present in problems.items() if present]
    if found:
        raise _refused(", ".join(found))


def _refused(found: str) -> DataError:
    return DataError(
        "one finite value per clip and seed",
        found,
        "filter to one metric, protocol, parameter, detector and explainer first",
    )
