from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundproof.folders.segments import segment_starts


@pytest.mark.parametrize(
    ("n_samples", "starts"),
    [(10, [0]), (14, [0]), (15, [0, 5]), (19, [0, 9]), (20, [0, 10]), (24, [0, 10]), (25, [0, 10, 15])],
)
def test_a_remainder_counts_from_half_a_segment_on(n_samples: int, starts: list[int]) -> None:
    assert segment_starts(n_samples, 10) == starts


@given(st.integers(1, 200), st.integers(0, 2_000))
def test_segments_stay_inside_and_leave_less_than_half_a_segment(segment: int, extra: int) -> None:
    starts = segment_starts(segment + extra, segment)
    assert starts == sorted(set(starts))
    covered = {sample for start in starts for sample in range(start, start + segment)}
    assert min(covered) == 0
    assert max(covered) < segment + extra
    assert segment + extra - len(covered) < (segment + 1) / 2


@pytest.mark.parametrize(("n_samples", "segment"), [(9, 10), (10, 0)])
def test_impossible_segments_are_refused(n_samples: int, segment: int) -> None:
    with pytest.raises(ValueError, match="segments of"):
        segment_starts(n_samples, segment)
