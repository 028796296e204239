"""Cells of a whole set, ranked batch by batch in a process of its own, which then tells its peak memory in MiB.

Usage: ``python -m benchmarks.ranking_peak N_BATCHES N_CELLS``

The largest bound of error of its three measures follows on the same line.
"""

from __future__ import annotations

import sys

import numpy as np

from benchmarks.resident import peak_resident_bytes
from soundproof.statistics.binned_ranking import RankingHistogram

POSITIVE = 0.05
"""Part of the cells that belong to an event; they are higher by one standard deviation."""


def main(n_batches: int, n_cells: int) -> None:
    """Rank cells that are made one batch after the other, and write memory and bound to standard output."""
    counted = RankingHistogram()
    for batch in range(n_batches):
        rng = np.random.default_rng(batch)
        positive = rng.random(n_cells) < POSITIVE
        counted.add(rng.standard_normal(n_cells, np.float32) + positive, positive)
    ranking = counted.ranking()
    bound = max(found.error for found in (ranking.auroc(), ranking.average_precision(), ranking.best_f1()))
    sys.stdout.write(f"{peak_resident_bytes() / (1 << 20):.1f} {bound:.3g}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
