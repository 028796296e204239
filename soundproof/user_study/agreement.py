"""Whether raters answer alike: Krippendorff's alpha."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
from nltk.metrics.agreement import AnnotationTask
from scipy.stats import t

from soundproof.statistics.intervals import LEVEL, Interval

MIN_ITEMS = 3


def alpha(answers: pd.DataFrame) -> Interval:
    """Krippendorff's alpha of nominal answers, with a jackknife interval over questions.

    1: all raters answer alike; 0: as alike as if every answer were drawn from all answers. Which answer is right
    plays no part (Hayes and Krippendorff 2007, doi:10.1080/19312450709336664). Missing answers are allowed.

    Args:
        answers: Columns rater, question, choice.

    Returns:
        NaN where no question has two answers, or all answers are the same; NaN ends with fewer than
        :data:`MIN_ITEMS` questions, or where a question alone has one of the answers.
    """
    rows = list(answers[["rater", "question", "choice"]].itertuples(index=False, name=None))
    value = _alpha(rows)
    items = sorted({question for _, question, _ in rows})
    if np.isnan(value) or len(items) < MIN_ITEMS:
        return Interval(value, np.nan, np.nan)
    left = np.array([_alpha([row for row in rows if row[1] != item]) for item in items])
    n = len(items)
    error = float(np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum()))
    reach = error * float(t.ppf((1 + LEVEL) / 2, n - 1))
    return Interval(value, value - reach, min(1.0, value + reach))


def _alpha(rows: list[tuple[str, str, str]]) -> float:
    # an answer that nobody else gave or refused agrees with nothing
    counts = Counter(question for _, question, _ in rows)
    shared = [row for row in rows if counts[row[1]] > 1]
    if len({choice for _, _, choice in shared}) < 2:
        return np.nan
    return float(AnnotationTask(data=shared).alpha())
