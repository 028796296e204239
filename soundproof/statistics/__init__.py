"""Statistics of measured numbers: intervals, spread over seeds, paired tests, agreement of rankings."""

from soundproof.statistics.agreement import blocked_tau, blocked_w
from soundproof.statistics.bootstrap import bootstrap_interval
from soundproof.statistics.fisher import FisherMean, fisher_z_mean, spearman_limit
from soundproof.statistics.intervals import Interval
from soundproof.statistics.paired import holm, wilcoxon_holm
from soundproof.statistics.spread import Spread, mean_with_spread, means_with_spread

__all__ = [
    "FisherMean",
    "Interval",
    "Spread",
    "blocked_tau",
    "blocked_w",
    "bootstrap_interval",
    "fisher_z_mean",
    "holm",
    "mean_with_spread",
    "means_with_spread",
    "spearman_limit",
    "wilcoxon_holm",
]
