import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from soundproof.core.errors import ConfigError, DataError
from soundproof.localisation.chance import uniform_chance
from soundproof.localisation.segments import PERCENTILES, cell_starts, flag_all_f1, peaks, segment_f1
from soundproof.truth.ground_truth import Truth, frames_of_events


def published_f1(curve, intervals, percentile, cell):
    """The paper's steps one by one, on loops and sets, for whole cells only."""
    z = (curve - curve.mean()) / curve.std()
    threshold = np.quantile(z, percentile / 100)
    hit = {frame // cell for frame in range(len(z)) if z[frame] >= threshold}
    positive = {
        k for k in range(len(z) // cell) for a, b in intervals if max(a, k * cell) < min(b, (k + 1) * cell)
    }
    tp, fp, fn = len(hit & positive), len(hit - positive), len(positive - hit)
    precision = tp / (tp + fp) if tp + fp else 0.0
    recall = tp / (tp + fn) if tp + fn else 0.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def marks(intervals, n_frames):
    annotated = np.zeros(n_frames, dtype=bool)
    for first, stop in intervals:
        annotated[first:stop] = True
    return annotated


def test_agrees_with_the_paper_step_by_step_for_all_clips_and_percentiles_at_once():
    rng = np.random.default_rng(1)
    curves = rng.gamma(2.0, size=(8, 400))
    intervals = [[(40 * i, 40 * i + 80), (300, 399)] for i in range(8)]
    annotated = np.stack([marks(spans, 400) for spans in intervals])
    expected = [
        [published_f1(c, spans, p, 40) for p in PERCENTILES]
        for c, spans in zip(curves, intervals, strict=True)
    ]
    for protocol in ("corrected", "as_published"):
        np.testing.assert_allclose(segment_f1(curves, annotated, protocol=protocol), expected, rtol=1e-12)


def test_by_hand_two_of_three_hits_are_right_and_one_positive_cell_is_missed():
    curve = np.zeros(40)
    curve[[1, 11, 35]] = 5.0, 6.0, 7.0  # cells 0, 1, 3 of four
    annotated = marks([(0, 30)], 40)  # cells 0, 1, 2
    # TP 2, FP 1, FN 1: precision = recall = 2/3
    assert segment_f1(curve, annotated, 10, [93.0])[0] == pytest.approx(2 / 3)


def test_an_interval_that_ends_at_a_cell_border_does_not_touch_the_next_cell():
    curve = np.arange(20.0)  # peak in cell 1
    assert segment_f1(curve, marks([(0, 10)], 20), 10, [95.0])[0] == 0.0
    assert segment_f1(curve, marks([(0, 11)], 20), 10, [95.0])[0] == pytest.approx(2 / 3)


def test_a_constant_curve_scores_zero_as_published_and_is_a_random_one_corrected():
    annotated = marks([(0, 40)], 80)
    assert segment_f1(np.ones(80), annotated, protocol="as_published").tolist() == [0.0] * 10
    flat, annotated = np.ones((2000, 400)), np.tile(marks([(40, 160)], 400), (2000, 1))
    f1 = segment_f1(flat, annotated, percentiles=[98.0])[:, 0]
    chance = uniform_chance(flat[:1], annotated[:1], percentiles=[98.0]).item()
    assert abs(f1.mean() - chance) < 4 * f1.std() / np.sqrt(2000)


def test_flagging_everything_by_hand():
    # three of ten cells: precision 0.3, recall 1; none: 0; all: 1
    annotated = np.stack([marks([(5, 25)], 100), marks([], 100), marks([(0, 100)], 100)])
    assert flag_all_f1(annotated, 10).tolist() == [pytest.approx(6 / 13), 0.0, 1.0]


def test_a_mostly_zero_curve_flags_everything_as_published_and_no_more_than_others_corrected():
    curve = np.zeros(400)
    curve[5] = 1.0
    annotated = marks([(0, 40)], 400)
    assert segment_f1(curve, annotated, percentiles=[90.0], protocol="as_published")[0] == pytest.approx(
        2 / 11
    )
    marked = peaks(curve[np.newaxis], [90.0, 99.75], "corrected")[:, 0]
    assert marked.sum(axis=1).tolist() == [40, 1]
    assert marked[:, 5].all()


@pytest.mark.parametrize(
    ("n_frames", "starts"),
    [(400, 10), (401, 10), (419, 10), (420, 11), (399, 10), (39, 1), (5, 1)],
)
def test_a_remainder_of_half_a_cell_is_a_cell_and_a_shorter_one_joins_the_last(n_frames, starts):
    assert cell_starts(n_frames, 40).tolist() == [40 * i for i in range(starts)]


def test_the_last_short_frame_belongs_to_the_last_cell():
    curve = np.arange(401.0)
    assert segment_f1(curve, marks([(360, 399)], 401), percentiles=[99.9])[0] == 1.0


def test_refuses_nan_and_empty_cells():
    with pytest.raises(DataError, match="row 1"):
        segment_f1(np.array([[0.0, 1.0], [np.nan, 1.0]]), np.ones((2, 2), bool), 1)
    with pytest.raises(ConfigError):
        segment_f1(np.arange(4.0), np.ones(4, bool), 0)


curves = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(2, 50)),
    elements=st.integers(-8, 8).map(float),
)


@given(curves, st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_lies_in_bounds_and_ignores_scale_and_offset(curve, seed, cell):
    annotated = np.random.default_rng(seed).random(curve.shape) < 0.3
    for protocol in ("corrected", "as_published"):
        f1 = segment_f1(curve, annotated, cell, protocol=protocol)
        assert ((f1 >= 0) & (f1 <= 1)).all()
        # powers of two keep the arithmetic exact
        np.testing.assert_array_equal(f1, segment_f1(4 * curve + 16, annotated, cell, protocol=protocol))


@given(curves)
def test_corrected_peaks_are_the_highest_equally_many_for_all_and_fall_with_the_percentile(curve):
    corrected, published = (peaks(curve, PERCENTILES, p) for p in ("corrected", "as_published"))
    varied = curve.max(axis=1) > curve.min(axis=1)
    # interpolation between two equal values may end a rounding error above them
    assert not (corrected & ~published)[:, varied & (np.ptp(curve, axis=1) > 0)].any()
    counts = corrected.sum(axis=2)
    assert (counts == counts[:, :1]).all() and (counts >= 1).all()
    assert not (corrected[1:] & ~corrected[:-1]).any()


def test_a_curve_that_is_the_annotation_is_perfect():
    annotated = np.zeros((3, 400), bool)
    annotated[:, 80:100] = True
    # at p95 and above no more frames are marked than are annotated
    assert (segment_f1(annotated * 1.0, annotated)[:, 5:] == 1.0).all()


def test_events_mark_every_frame_they_overlap_and_nothing_by_rounding():
    assert np.flatnonzero(frames_of_events([(0.26, 0.50)], 10.0, 10)).tolist() == [2, 3, 4]
    # 2.3 x 40 = 91.99999999999999 and 1.1 x 10 = 11.000000000000002
    assert np.flatnonzero(frames_of_events([(2.3, 2.4)], 40.0, 100)).tolist() == [92, 93, 94, 95]
    assert np.flatnonzero(frames_of_events([(1.0, 1.1)], 10.0, 20)).tolist() == [10]
    assert np.flatnonzero(frames_of_events([(0.8, 3.0)], 10.0, 10)).tolist() == [8, 9]


@pytest.mark.parametrize("event", [(0.5, 0.5), (0.5, 0.2), (-0.1, 0.2), (1.0, 2.0), (0.1, float("nan"))])
def test_impossible_events_are_refused(event):
    with pytest.raises(DataError, match="onset"):
        frames_of_events([event], 10.0, 10)


def test_truth_tells_unlabelled_from_labelled_clips():
    truth = Truth(10.0, [None, [], [(0.0, 0.1)]])
    assert truth.with_events().tolist() == [False, False, True]
    assert truth.frames(3).tolist() == [[False] * 3, [False] * 3, [True, False, False]]
    with pytest.raises(DataError, match="masks"):
        truth.cells()
