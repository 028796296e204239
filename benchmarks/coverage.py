"""What intervals cover: the share of simulated data sets whose interval holds the truth, beside the nominal 95 %.

Every kind of interval that tables print is made by the pipeline's own functions. Plain ones stand beside them.
Run it: ``python -m benchmarks.coverage --output docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import norm
from tabulate import tabulate

from benchmarks.table import write_into
from soundproof.randomness.seeding import seed_from
from soundproof.statistics.areas import auc_placements, joint_interval, partial_placements
from soundproof.statistics.bootstrap import mean_ends
from soundproof.statistics.fisher import fisher_z_mean
from soundproof.statistics.paired_areas import paired_areas
from soundproof.statistics.trainings import training_difference

CLIPS = (5, 12, 25, 60)
AREAS = (0.6, 0.8, 0.9, 0.95, 0.99)
_RESAMPLES = 500
_SHARE = 0.1


class Coverage(NamedTuple):
    """One case.

    Attributes:
        interval: Kind of interval.
        case: What was simulated.
        ours: Share that ours covers, by number of clips.
        plain: Share that percentiles of a plain bootstrap cover; missing where there is no such.
    """

    interval: str
    case: str
    ours: dict[int, float]
    plain: dict[int, float]


def coverage(n_sets: int = 400) -> list[Coverage]:
    """Simulate all kinds of intervals, ``n_sets`` data sets each."""
    return [*_means(n_sets), *_machines(n_sets), *_trainings(n_sets), *_correlations(n_sets), *_areas(n_sets)]


def lines(found: Sequence[Coverage], n_sets: int) -> str:
    """Format as a Markdown table: ours, and in brackets plain percentiles."""
    sizes = sorted({n for row in found for n in row.ours})
    cells = [[row.interval, row.case, *(_cell(row, n) for n in sizes)] for row in found]
    body = tabulate(cells, headers=["interval", "case", *map(str, sizes)], tablefmt="github")
    return f"{n_sets} data sets a cell (pAUC: a quarter of it), {_RESAMPLES} resamples.\n\n{body}"


def _cell(row: Coverage, n: int) -> str:
    if n not in row.ours:
        return ""
    ours = "none" if np.isnan(row.ours[n]) else f"{row.ours[n]:.2f}"
    return f"{ours} ({row.plain[n]:.2f})" if n in row.plain else ours


def main(words: list[str] | None = None) -> None:
    """Simulate, print the table and put it into a page."""
    parser = argparse.ArgumentParser(prog="benchmarks.coverage", description=__doc__)
    parser.add_argument("--sets", type=int, default=400, help="simulated data sets of each case")
    parser.add_argument("--output", type=Path, help="Markdown page whose table of coverage is replaced")
    chosen = parser.parse_args(words)
    shown = lines(coverage(chosen.sets), chosen.sets)
    sys.stdout.write(f"{shown}\n")
    if chosen.output is not None:
        write_into(chosen.output, "coverage", shown)


def _covered(low: np.ndarray, high: np.ndarray, truth: float) -> float:
    if np.isnan(low).all():
        return np.nan
    return float(((low <= truth + 1e-12) & (truth - 1e-12 <= high)).mean())


def _rng(*names: str | int | float) -> np.random.Generator:
    return np.random.default_rng(seed_from("coverage", *names))


def _means(n_sets: int) -> Iterator[Coverage]:
    cases: dict[str, tuple[Callable[[np.random.Generator, tuple[int, ...]], np.ndarray], float]] = {
        "normal": (lambda rng, size: rng.normal(size=size), 0.0),
        "skewed (gamma, shape 2)": (lambda rng, size: rng.gamma(2.0, size=size), 2.0),
        "close to its bound of 1 (beta, mean 0.9)": (lambda rng, size: rng.beta(4.5, 0.5, size=size), 0.9),
        "shares of five segments, mean 0.6": (lambda rng, size: rng.binomial(5, 0.6, size=size) / 5, 0.6),
    }
    for case, (draw, truth) in cases.items():
        ours, plain = {}, {}
        for n in CLIPS:
            rng = _rng(case, n)
            values = draw(rng, (n_sets, n))
            ends = mean_ends(values[:, :, np.newaxis], case, n_resamples=_RESAMPLES)
            ours[n] = _covered(ends.low, ends.high, truth)
            weights = rng.multinomial(n, np.full(n, 1 / n), size=_RESAMPLES) / n
            plain[n] = _covered(*np.quantile(values @ weights.T, [0.025, 0.975], axis=1), truth)
        yield Coverage("mean over clips", case, ours, plain)


def _machines(n_sets: int) -> Iterator[Coverage]:
    for share in (0.2, 0.85):
        ours, plain = {}, {}
        for n_machines in (5, 12, 25):
            rng = _rng("machines", share, n_machines)
            machines = np.repeat(np.arange(n_machines), 5)
            level = rng.normal(size=(n_sets, n_machines))[:, machines] * np.sqrt(share)
            values = level + rng.normal(size=level.shape) * np.sqrt(1 - share)
            ends = mean_ends(values[:, :, np.newaxis], "machines", machines=machines, n_resamples=_RESAMPLES)
            ours[n_machines] = _covered(ends.machines_low, ends.machines_high, 0.0)
            plain[n_machines] = _covered(ends.low, ends.high, 0.0)
        case = f"intraclass correlation {share:g}, five clips a machine; by machines; plain: over clips"
        yield Coverage("mean over machines, then clips", case, ours, plain)


def _trainings(n_sets: int) -> Iterator[Coverage]:
    for n_seeds in (2, 3, 5):
        ours = {}
        for n in CLIPS:
            rng = _rng("trainings", n_seeds, n)
            found = []
            for _ in range(n_sets):
                clips = rng.normal(size=(n, 1))
                sides = [
                    clips + 0.5 * rng.normal(size=n_seeds) + 0.5 * rng.normal(size=(n, n_seeds))
                    for _ in range(2)
                ]
                found.append(training_difference(*sides, "coverage", n_resamples=_RESAMPLES)[1:3])
            low, high = np.array(found).T
            ours[n] = _covered(low, high, 0.0)
        yield Coverage("difference of trainings", f"{n_seeds} trainings a side", ours, {})


def _correlations(n_sets: int) -> Iterator[Coverage]:
    ours = {}
    for n in CLIPS:
        draws = np.tanh(_rng("rho", n).normal(np.arctanh(0.4), 0.5, size=(n_sets, n)))
        low, high = np.array([fisher_z_mean(rho)[1:3] for rho in draws]).T
        ours[n] = _covered(low, high, 0.4)
    yield Coverage("Fisher mean of correlations", "rho 0.4, normal on the z scale", ours, {})


def _areas(n_sets: int) -> Iterator[Coverage]:
    for area in AREAS:
        for n_machines in (1, 5):
            ours, plain = {}, {}
            for n in CLIPS:
                ours[n], plain[n] = _of_area(area, n_machines, n, n_sets)
            case = f"AUC {area:g}, {'one machine' if n_machines == 1 else 'mean of five machines'}"
            yield Coverage("AUC (clips: of each class and machine)", case, ours, plain)
    for area in AREAS:
        ours = {n: _of_partial(area, n, n_sets) for n in CLIPS}
        yield Coverage("pAUC (clips: of each class and machine)", f"AUC {area:g}, five machines", ours, {})


def _distances(area: float, n_machines: int) -> np.ndarray:
    """How far the classes of each machine lie apart, in standard deviations; machines differ."""
    spread = np.linspace(0.6, 1.4, n_machines) if n_machines > 1 else np.ones(1)
    return np.asarray(norm.ppf(area) * np.sqrt(2) * spread)


def _of_area(area: float, n_machines: int, n: int, n_sets: int) -> tuple[float, float]:
    rng = _rng("area", area, n_machines, n)
    anomalous = np.arange(2 * n) >= n
    distances = _distances(area, n_machines)
    truth = float(norm.cdf(distances / np.sqrt(2)).mean())
    ours, plain = [], []
    for _ in range(n_sets):
        scored = [rng.normal(size=2 * n) + distance * anomalous for distance in distances]
        placed = [auc_placements(scores, anomalous) for scores in scored]
        ours.append(joint_interval(float(np.mean([run.area for run in placed])), [[run] for run in placed]))
        drawn = [
            paired_areas(scores[np.newaxis, np.newaxis], anomalous, machine, n_resamples=_RESAMPLES)[1][0]
            for machine, scores in enumerate(scored)
        ]
        plain.append(np.quantile(np.mean(drawn, axis=0), [0.025, 0.975]))
    return _covered(*np.array(ours).T, truth), _covered(*np.array(plain).T, truth)


def _of_partial(area: float, n: int, n_sets: int) -> float:
    rng = _rng("partial", area, n)
    anomalous = np.arange(2 * n) >= n
    distances = _distances(area, 5)
    rates = np.linspace(0, _SHARE, 2001)[1:]
    curves = norm.sf(norm.isf(rates)[:, np.newaxis] - distances)
    least = _SHARE**2 / 2
    truth = 0.5 * (1 + (float(curves.mean()) * _SHARE - least) / (_SHARE - least))
    ends = []
    for _ in range(n_sets // 4):
        runs = [
            partial_placements(rng.normal(size=2 * n) + distance * anomalous, anomalous, _SHARE)
            for distance in distances
        ]
        value = float(np.mean([run.area for run in runs]))
        ends.append(joint_interval(value, [[run] for run in runs], _SHARE))
    return _covered(*np.array(ends).T, truth)


if __name__ == "__main__":
    main()
