from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label
from sklearn.metrics import roc_auc_score

from soundproof.core.errors import ConfigError, DataError
from soundproof.interfaces.metric import Undefined
from soundproof.localisation.region_overlap import aupro, region_weights


def brute_force(maps, masks, limit, connectivity, min_cells):
    """One threshold after the other, one region after the other."""
    regions = []
    for clip, mask in enumerate(masks):
        labels = label(mask, connectivity=1 if connectivity == 4 else 2)
        parts = [labels == k for k in range(1, labels.max() + 1)]
        regions += [(clip, cells) for cells in parts if cells.sum() >= min_cells]
    if not regions:
        return None
    points = [(0.0, 0.0)]
    for threshold in sorted(set(maps.ravel().tolist()), reverse=True):
        marked = maps >= threshold
        rate = (marked & ~masks).sum() / (~masks).sum()
        points.append((rate, np.mean([marked[clip][cells].mean() for clip, cells in regions])))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 >= limit or x1 == x0:
            continue
        stop = min(x1, limit)
        area += (stop - x0) * (y0 + y0 + (y1 - y0) * (stop - x0) / (x1 - x0)) / 2
    return area / limit


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([3, 12, 1000]),
    st.sampled_from([0.05, 0.3, 1.0]),
    st.sampled_from([4, 8]),
    st.sampled_from([1, 2, 4, 9]),
)
def test_agrees_with_brute_force_and_stays_in_bounds(seed, levels, limit, connectivity, min_cells):
    rng = np.random.default_rng(seed)
    masks = rng.random((3, 5, 7)) < 0.35
    masks[0, 0, 0], masks[0, 4, 6] = True, False
    maps = rng.integers(levels, size=masks.shape) + masks * rng.integers(levels)
    value = aupro(maps, masks, limit, connectivity, min_cells)
    expected = brute_force(maps, masks, limit, connectivity, min_cells)
    if expected is None:
        assert value == Undefined(f"no region has {min_cells} cells or more")
    else:
        assert value == pytest.approx(expected, abs=1e-12)
        assert 0 <= value <= 1 + 1e-12


def test_by_hand_a_small_region_weighs_as_much_as_a_large_one():
    masks = np.zeros((1, 1, 12), bool)
    masks[0, 0, 0] = masks[0, 0, 2:6] = True  # regions of 1 and 4 cells, 7 cells outside
    maps = np.zeros((1, 1, 12))
    maps[0, 0, 2:6] = 2.0  # the large region first, then everything at once
    # overlap rises to 1/2 at rate 0, then linearly to 1 at rate 1: 0.65 at 0.3, mean 0.575
    assert aupro(maps, masks, 0.3, min_cells=1) == pytest.approx(0.575)


def test_a_region_below_the_minimum_is_neither_a_region_nor_a_false_positive():
    masks = np.zeros((1, 1, 12), bool)
    masks[0, 0, 0] = masks[0, 0, 2:6] = True
    maps = np.zeros((1, 1, 12))
    maps[0, 0, 0], maps[0, 0, 2:6] = 3.0, 2.0
    # the crumb comes first and costs nothing; then the region, whole, at rate 0
    assert aupro(maps, masks, 0.3) == pytest.approx(1.0)
    # missing it costs nothing either
    maps[0, 0, 0] = -1.0
    assert aupro(maps, masks, 0.3) == pytest.approx(1.0)
    assert isinstance(aupro(maps, masks, 0.3, min_cells=5), Undefined)


def test_corner_neighbours_are_one_region_or_two():
    mask = np.eye(2, dtype=bool)[np.newaxis]
    assert region_weights(mask, 8, 1)[0].tolist() == [[0.5, 0], [0, 0.5]]
    assert region_weights(mask, 4, 1)[0].tolist() == [[1.0, 0], [0, 1.0]]
    assert region_weights(mask, 8, 2)[0].tolist() == [[0.5, 0], [0, 0.5]]
    assert not region_weights(mask, 4, 2).any()


def test_regions_do_not_reach_into_the_next_clip():
    masks = np.ones((2, 1, 2), bool)
    assert region_weights(masks, min_cells=1).ravel().tolist() == [0.5] * 4


def test_with_one_region_and_no_limit_it_is_the_area_under_the_roc_curve():
    rng = np.random.default_rng(0)
    masks = np.zeros((1, 8, 9), bool)
    masks[0, 2:5, 3:7] = True
    maps = rng.normal(size=masks.shape) + masks
    assert aupro(maps, masks, 1.0) == pytest.approx(roc_auc_score(masks.ravel(), maps.ravel()))


def test_a_perfect_map_scores_one_and_chance_is_half_the_limit():
    masks = np.zeros((30, 32, 40), bool)
    masks[:, 4:12, 5:20] = masks[:, 20:25, 25:35] = True
    assert aupro(masks * 1.0, masks) == pytest.approx(1.0, abs=1e-12)
    assert aupro(np.random.default_rng(1).random(masks.shape), masks) == pytest.approx(0.15, abs=0.01)
    assert aupro(np.ones(masks.shape), masks) == pytest.approx(0.15)
    assert aupro(-1.0 * masks, masks) == 0.0


def test_without_regions_or_without_background_it_is_undefined():
    maps = np.zeros((1, 2, 2))
    assert isinstance(aupro(maps, np.zeros((1, 2, 2), bool)), Undefined)
    assert isinstance(aupro(maps, np.ones((1, 2, 2), bool)), Undefined)


def test_bad_input_is_refused():
    masks = np.eye(2, dtype=bool)[np.newaxis]
    with pytest.raises(ConfigError, match="limit"):
        aupro(masks * 1.0, masks, 0.0)
    with pytest.raises(DataError):
        aupro(np.full((1, 2, 2), np.inf), masks)
