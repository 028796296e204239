"""Krippendorff's alpha against a published value and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from soundproof.user_study.agreement import alpha

PUBLISHED = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)
"""Four observers and twelve units, some missing: Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011,
example C; nominal alpha 0.743."""


def table(rows) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"rater": f"R{rater}", "question": f"q{item:02d}", "choice": choice}
            for rater, row in enumerate(rows)
            for item, choice in enumerate(row.split())
            if choice != "."
        ]
    )


def test_the_published_example():
    assert alpha(table(PUBLISHED)).value == pytest.approx(0.743, abs=5e-4)


def test_two_raters_by_hand():
    # 8 answers, 5 a and 3 b; one pair of four differs: do = 2/8, de = 2 * 5 * 3 / (8 * 7)
    found = alpha(table(("a a b b", "a a b a")))
    assert found.value == pytest.approx(1 - (2 / 8) / (30 / 56))
    assert found.low < found.value < found.high <= 1


def test_an_answer_that_stands_alone_plays_no_part():
    rows = table(("a a b b .", "a a b a ."))
    alone = pd.DataFrame([{"rater": "R0", "question": "q99", "choice": "b"}])
    assert alpha(pd.concat([rows, alone])).value == alpha(rows).value


@pytest.mark.parametrize("rows", [("a b a",), ("a a a", "a a a"), ("a .", ". b")])
def test_nothing_to_agree_on_is_no_number(rows):
    assert np.isnan(alpha(table(rows)).value)


def test_few_questions_have_no_interval():
    found = alpha(table(("a b", "a b", "a a")))
    assert np.isfinite(found.value) and np.isnan(found.low) and np.isnan(found.high)
