from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, jaccard_score, roc_auc_score

from soundproof.core.errors import DataError
from soundproof.localisation import cells
from soundproof.localisation.average_precision import average_precision
from soundproof.localisation.frames import frame_auroc, frame_curves
from soundproof.statistics.precision_recall import average_precision_chance


def toy(seed, shape=(4, 6, 9), levels=5):
    """Maps with many ties, and masks that are neither empty nor full."""
    rng = np.random.default_rng(seed)
    masks = rng.random(shape) < 0.3
    masks[:, 0, 0], masks[:, -1, -1] = True, False
    return rng.integers(levels, size=shape).astype(np.float32), masks


seeds = st.integers(0, 2**32 - 1)


@given(seeds)
def test_auroc_under_ties_and_average_precision_without_agree_with_scikit_learn(seed):
    maps, masks = toy(seed)
    pairs = [(mask.ravel(), relevance.ravel()) for mask, relevance in zip(masks, maps, strict=True)]
    np.testing.assert_allclose(cells.cell_auroc(maps, masks), [roc_auc_score(*p) for p in pairs], rtol=1e-12)
    fine = np.random.default_rng(seed).permuted(np.arange(maps.size, dtype=np.float64)).reshape(maps.shape)
    pairs = [(mask.ravel(), relevance.ravel()) for mask, relevance in zip(masks, fine, strict=True)]
    np.testing.assert_allclose(
        cells.cell_average_precision(fine, masks), [average_precision_score(*p) for p in pairs], rtol=1e-12
    )


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_average_precision_under_ties_is_the_mean_over_all_orders_of_the_tied(levels):
    rng = np.random.default_rng(levels)
    scores = rng.integers(levels, size=6).astype(float)
    positive = np.array([True, False, False, True, False, True])
    every = [
        average_precision_score(positive, scores + 1e-3 * np.array(order)) for order in permutations(range(6))
    ]
    assert average_precision(scores, positive) == pytest.approx(np.mean(every), abs=1e-12)


def test_a_constant_map_has_the_average_precision_and_the_overlap_of_a_random_one():
    mask = np.zeros((1, 12, 20), bool)
    mask[0, 3:6, 4:9] = True
    masks = np.repeat(mask, 2000, axis=0)
    flat = np.zeros(masks.shape)
    n, size = int(mask.sum()), mask.size
    assert cells.cell_average_precision(flat[:1], mask)[0] == pytest.approx(average_precision_chance(n, size))
    overlap = cells.iou(flat, masks, [0.9])[:, 0]
    assert abs(overlap.mean() - cells.iou_chance(24, n, size)) < 4 * overlap.std() / np.sqrt(2000)


@pytest.mark.parametrize("kind", ["sparse", "rectified", "blocks", "constant"])
def test_every_map_marks_equally_many_cells(kind):
    rng = np.random.default_rng(3)
    fine = rng.normal(size=(2, 10, 20))
    maps = {
        "sparse": np.where(fine > 2.2, fine, 0.0),
        "rectified": np.maximum(fine, 0.0),
        "blocks": np.repeat(fine[:, :, ::4], 4, axis=2),
        "constant": np.zeros(fine.shape),
    }[kind]
    # with every cell in the mask the overlap is the share of marked cells
    every = np.ones(maps.shape, bool)
    assert cells.iou(maps, every, [0.9, 0.98]).tolist() == [[20 / 200, 4 / 200]] * 2


@given(seeds)
def test_ranking_metrics_ignore_a_monotone_transform_and_the_order_of_clips(seed):
    maps, masks = toy(seed)
    for metric in (cells.cell_auroc, cells.cell_average_precision):
        np.testing.assert_allclose(metric(maps, masks), metric(np.exp(maps), masks), rtol=1e-12)
        np.testing.assert_array_equal(metric(maps, masks)[::-1], metric(maps[::-1], masks[::-1]))


def test_sign_matters_negative_relevance_ranks_last():
    mask = np.array([[[True, False]]])
    assert cells.cell_auroc(np.array([[[-5.0, 1.0]]]), mask)[0] == 0.0
    assert cells.cell_auroc(np.abs(np.array([[[-5.0, 1.0]]])), mask)[0] == 1.0


def test_one_class_is_marked_undefined():
    maps = np.random.default_rng(0).random((2, 3, 4))
    masks = np.stack([np.zeros((3, 4), bool), np.ones((3, 4), bool)])
    assert np.isnan(cells.cell_auroc(maps, masks)).all()
    assert np.isnan(cells.cell_auroc_shifted(maps, masks)).all()
    assert np.isnan(frame_auroc(maps[:, 0], masks[:, 0])).all()
    assert np.isnan(cells.cell_average_precision(maps, masks)).tolist() == [True, False]
    assert np.isnan(cells.iou(maps, masks, [0.5])[:, 0]).tolist() == [True, False]


def test_shift_chances_are_the_means_over_rolled_maps():
    maps, masks = toy(2, levels=50)
    maps = maps + np.arange(maps.size).reshape(maps.shape) / 1e3
    rolled = [np.roll(maps, lag, axis=2) for lag in range(maps.shape[2])]
    np.testing.assert_allclose(
        cells.cell_auroc_shifted(maps, masks),
        np.mean([cells.cell_auroc(r, masks) for r in rolled], axis=0),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        cells.iou_shifted(maps, masks, [0.8, 0.95]),
        np.mean([cells.iou(r, masks, [0.8, 0.95]) for r in rolled], axis=0),
        rtol=1e-9,
    )


def test_shift_chance_of_a_map_that_knows_the_band_but_not_the_time_exceeds_one_half():
    masks = np.zeros((1, 4, 10), bool)
    masks[0, 2, 3:5] = True
    band = np.zeros((1, 4, 10))
    band[0, 2] = 1.0
    # 8 of 38 negatives share the band (ties count one half), the other 30 lie below
    assert cells.cell_auroc_shifted(band, masks)[0] == pytest.approx((30 + 4) / 38)


def test_mean_frame_auroc_over_all_shifts_is_exactly_one_half():
    curve, annotated = np.random.default_rng(1).random(31), np.zeros(31, bool)
    annotated[[2, 3, 4, 20]] = True
    rolled = np.stack([np.roll(curve, lag) for lag in range(31)])
    assert frame_auroc(rolled, np.tile(annotated, (31, 1))).mean() == pytest.approx(0.5, abs=1e-12)


def test_iou_by_hand():
    maps = np.arange(10.0).reshape(1, 2, 5)
    masks = np.zeros((1, 2, 5), bool)
    masks[0, 1, 1:4] = True  # cells 6, 7, 8
    # quantile 0.5 is 4.5: cells 5..9 marked, 3 shared of 5; quantile 0.8 is 7.2: cells 8, 9, 1 shared of 4
    assert cells.iou(maps, masks, [0.5, 0.8]).tolist() == [[0.6, 0.25]]


@given(seeds, st.sampled_from([0.5, 0.9, 0.95]))
def test_iou_agrees_with_scikit_learn_and_stays_in_bounds(seed, quantile):
    maps, masks = toy(seed)
    maps = maps + np.random.default_rng(seed).permuted(np.arange(maps.size)).reshape(maps.shape) / 1e3
    marked = cells.binarise(maps, quantile)
    expected = [jaccard_score(m.ravel(), b.ravel()) for m, b in zip(masks, marked, strict=True)]
    np.testing.assert_allclose(cells.iou(maps, masks, [quantile])[:, 0], expected, rtol=1e-12)


def test_ties_at_the_floor_mark_nothing():
    sparse = np.zeros((1, 5, 10))
    sparse[0, 0, 0] = 1.0
    assert cells.binarise(sparse, 0.5).sum() == 1
    assert cells.binarise(np.ones((1, 5, 10)), 0.5).sum() == 0


def test_chance_formulas_agree_with_random_rankings():
    rng = np.random.default_rng(8)
    mask = np.zeros((1, 12, 20), bool)
    mask[0, 3:6, 4:9] = True
    masks = np.repeat(mask, 4000, axis=0)
    maps = rng.permuted(np.broadcast_to(np.arange(240.0), (4000, 240)), axis=1).reshape(masks.shape)
    n, size = int(mask.sum()), mask.size

    def near(sample, expected):
        assert abs(sample.mean() - expected) < 4.5 * sample.std() / np.sqrt(len(sample))

    near(cells.cell_average_precision(maps[:1000], masks[:1000]), average_precision_chance(n, size))
    near(cells.iou(maps, masks, [0.9])[:, 0], cells.iou_chance(24, n, size))
    best = cells.iou(maps, masks, cells.ORACLE_QUANTILES).max(axis=1)
    # the oracle's chance is itself a mean over draws
    expected = cells.oracle_iou_chance(n, size)
    assert abs(best.mean() - expected) < 4.5 * best.std() * np.sqrt(1 / 4000 + 1 / 5000)


def test_the_oracles_chance_is_stable_to_four_digits_on_a_spectrogram():
    grid = cells.ORACLE_QUANTILES
    few, many = (cells.oracle_iou_chance(600, 16_000, grid, n) for n in (5000, 20_000))
    # one random ranking differs from the next by 0.0017
    assert abs(few - many) < 4 * 0.0017 * np.sqrt(1 / 5000 + 1 / 20_000)


def test_the_oracles_chance_is_the_mean_over_every_placing():
    # five cells, two of the mask, thresholds that mark one, two and three cells
    sizes = (1, 2, 3)
    expected = np.mean(
        [
            max(len(set(placed) & set(range(s))) / len(set(placed) | set(range(s))) for s in sizes)
            for placed in combinations(range(5), 2)
        ]
    )
    found = cells.oracle_iou_chance(2, 5, (0.5, 0.75, 1.0), 100_000)
    assert found == pytest.approx(expected, abs=4 * 0.35 / np.sqrt(100_000))


def test_curves_sum_signed_relevance_or_average_the_top_five_bins():
    maps = np.array([[[3.0], [-4.0], [1.0], [1.0], [1.0], [1.0]]])
    assert frame_curves(maps).tolist() == [[3.0]]
    assert frame_curves(maps, "top5_mean").tolist() == [[1.4]]
    assert frame_curves(maps[:, :2], "top5_mean").tolist() == [[-0.5]]


@pytest.mark.parametrize("metric", [cells.cell_auroc, cells.cell_auroc_shifted, cells.cell_average_precision])
def test_nan_is_refused(metric):
    maps, masks = toy(0)
    maps[2, 1, 1] = np.nan
    with pytest.raises(DataError, match="row 2"):
        metric(maps, masks)
