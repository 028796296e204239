"""The pointing game, by hand."""

import numpy as np
import pytest
import quantus

from soundproof.core.errors import DataError
from soundproof.core.registry import Parameters
from soundproof.localisation.measure import measure_localisation
from soundproof.localisation.pointing_game import measure
from soundproof.localisation.registry import LOCALISATION
from soundproof.truth.ground_truth import Truth


def measured(maps, masks):
    ids = [f"clip{row:02d}" for row in range(len(maps))]
    truth = Truth(frames_per_second=1.0, events=[[(0.0, 1.0)]] * len(ids), masks=np.asarray(masks))
    settings = {"pointing_game": LOCALISATION["pointing_game"].settings({})}
    rows = measure_localisation({"toy": np.asarray(maps, dtype=np.float32)}, ids, truth, settings)
    return rows.pivot_table(index="clip_id", columns="protocol", values="value")


MASK = np.array([[False, True, True, False], [False, False, False, True]])


def test_hits_misses_and_their_chance_lines():
    hit, miss = np.zeros((2, 2, 4))
    hit[0, 2] = miss[1, 0] = 1
    found = measured([hit, miss, hit], [MASK, MASK, np.zeros_like(MASK)])
    # a clip without a fault has no value
    assert list(found.index) == ["clip00", "clip01"]
    assert found[""].to_list() == [1.0, 0.0]
    assert found["chance_uniform"].to_list() == pytest.approx([3 / 8, 3 / 8])
    assert found["chance_circular_shift"].to_list() == pytest.approx([2 / 4, 1 / 4])


def test_cells_that_tie_for_the_highest_place_count_alike():
    tied, constant = np.zeros((2, 4)), np.full((2, 4), -3.0)
    tied[0, 1] = tied[1, 0] = tied[1, 3] = 5
    found = measured([tied, constant], [MASK, MASK])
    assert found[""].to_list() == pytest.approx([2 / 3, 3 / 8])
    assert found["chance_circular_shift"].to_list() == pytest.approx([(2 / 4 + 1 / 4 + 1 / 4) / 3, 3 / 8])


def test_negative_relevance_points_nowhere_by_its_size():
    assert measured([[[-9.0, -1.0, -2.0, -9.0], [-9.0] * 4]], [MASK])[""].to_list() == [1.0]


def test_the_shifted_line_is_the_mean_over_all_shifts():
    rng = np.random.default_rng(0)
    # few values, so that many cells tie
    maps, masks = rng.integers(4, size=(1, 5, 12)).astype(float), rng.random((1, 5, 12)) < 0.3
    every = [measured(np.roll(maps, shift, axis=2), masks)[""].item() for shift in range(12)]
    assert measured(maps, masks)["chance_circular_shift"].item() == pytest.approx(np.mean(every))


def test_agrees_with_quantus_where_nothing_ties():
    rng = np.random.default_rng(1)
    maps, masks = rng.standard_normal((40, 1, 6, 9)), rng.random((40, 1, 6, 9)) < 0.4
    other = quantus.PointingGame(disable_warnings=True, abs=False, normalise=False)
    hits = other(
        model=None,
        x_batch=np.zeros_like(maps),
        y_batch=np.zeros(40, int),
        a_batch=maps,
        s_batch=masks,
        explain_func=lambda **_: maps,
    )
    assert 0 < np.mean(hits) < 1
    np.testing.assert_array_equal(measured(maps[:, 0], masks[:, 0])[""], np.array(hits, float))


def test_what_is_not_finite_is_refused():
    maps = np.full((1, 2, 4), np.nan)
    with pytest.raises(DataError, match="finite"):
        list(measure(maps, Truth(1.0, [[(0.0, 1.0)]], MASK[None]), Parameters()))
