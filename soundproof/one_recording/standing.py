"""Where a score stands among those of normal clips, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from soundproof.statistics.proportions import exact_interval


@dataclass(frozen=True)
class Standing:
    """A score among those of normal clips.

    Attributes:
        n_normal: Normal clips that it is compared with.
        n_as_high: Those of them with a score as high, or higher.
        low: Lower end of the interval of :attr:`false_alarm_rate` over such clips.
        high: Upper end.
    """

    n_normal: int
    n_as_high: int
    low: float
    high: float

    @property
    def percentile(self) -> float:
        """Share of the normal clips that score lower, in percent; NaN without any clip."""
        return 100 * (1 - self.false_alarm_rate)

    @property
    def false_alarm_rate(self) -> float:
        """Share of normal clips that would raise an alarm where this score does; NaN without any clip."""
        return self.n_as_high / self.n_normal if self.n_normal else np.nan

    @property
    def words(self) -> str:
        """Both, as sentences."""
        if not self.n_normal:
            return "The study has no normal test clip to compare it with, so nothing says how unusual the score is."
        return (
            f"{self.n_normal - self.n_as_high} of {self.n_normal} normal test clips score lower (percentile "
            f"{self.percentile:.0f}). An alarm at this score would have been false for {self.n_as_high} of these "
            f"{self.n_normal}: a false-alarm rate of {100 * self.false_alarm_rate:.0f} %, by so many clips "
            f"anything from {100 * self.low:.0f} to {100 * self.high:.0f} %."
        )


def standing(score: float, normal: np.ndarray) -> Standing:
    """Compare a score with those of normal clips [n].

    The interval is exact for independent clips, at 95 %.
    """
    n, as_high = len(normal), int(np.count_nonzero(normal >= score))
    return Standing(n, as_high, *exact_interval(as_high, n)[1:])
