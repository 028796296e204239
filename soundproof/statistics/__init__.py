"""Statistics of measured numbers: intervals, spread over seeds, paired tests, agreement of rankings."""

from soundproof.statistics.agreement import Concordance, kendall_tau, kendall_w
from soundproof.statistics.bootstrap import Interval, Spread, bootstrap_interval, mean_with_spread
from soundproof.statistics.fisher import FisherMean, fisher_z_mean, spearman_limit
from soundproof.statistics.paired import holm, wilcoxon_holm

__all__ = [
    "Concordance",
    "FisherMean",
    "Interval",
    "Spread",
    "bootstrap_interval",
    "fisher_z_mean",
    "holm",
    "kendall_tau",
    "kendall_w",
    "mean_with_spread",
    "spearman_limit",
    "wilcoxon_holm",
]
