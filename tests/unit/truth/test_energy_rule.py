import numpy as np
import pytest

from soundproof.truth.energy_rule import between_extremes, energy_mask


def test_by_hand():
    # 0..1: 1, 0.8, 0.6, 0.2, 0; sums 1, 1.8, 2.4, 2.6, 2.6; between their ends 0, 0.5, 0.875, 1, 1
    levels = np.array([[[0.0, -20.0, -40.0, -80.0, -100.0]]])
    np.testing.assert_allclose(between_extremes(levels)[0, 0], [1, 0.8, 0.6, 0.2, 0])
    # 0.4 is first exceeded at the second: what lies above it is the first
    assert energy_mask(levels).ravel().tolist() == [True, False, False, False, False]
    assert energy_mask(levels, 0.6).ravel().tolist() == [True, True, False, False, False]
    assert energy_mask(levels, 0.9).ravel().tolist() == [True, True, True, False, False]


def test_against_the_published_steps_clip_by_clip():
    rng = np.random.default_rng(3)
    levels = rng.uniform(-100, 0, size=(4, 5, 7))
    found = energy_mask(levels)
    for one, marked in zip(levels, found, strict=True):
        scaled = (one - one.min()) / (one.max() - one.min())
        order = sorted(scaled.ravel().tolist(), reverse=True)
        sums = [sum(order[: end + 1]) for end in range(len(order))]
        shares = [(value - sums[0]) / (sums[-1] - sums[0]) for value in sums]
        threshold = order[next(end for end, share in enumerate(shares) if share > 0.4)]
        np.testing.assert_array_equal(marked, scaled > threshold)
        assert 0.1 < marked.mean() < 0.5


@pytest.mark.parametrize("level", [-100.0, 0.0])
def test_one_level_everywhere_marks_nothing(level):
    assert not energy_mask(np.full((2, 3, 4), level)).any()
    assert not between_extremes(np.full((2, 3, 4), level)).any()
