from itertools import combinations

import numpy as np
import pytest

from soundproof.localisation.chance import circular_shift_chance, uniform_chance, uniform_frames_f1
from soundproof.localisation.segments import PERCENTILES, segment_f1


def enumerated_f1(positive, sizes, n_peaks):
    cell_of = np.repeat(np.arange(len(sizes)), sizes)
    values = []
    for chosen in combinations(range(len(cell_of)), n_peaks):
        hit = set(cell_of[list(chosen)])
        true = len(hit & set(np.flatnonzero(positive)))
        total = len(hit) + positive.sum()
        values.append(2 * true / total if total else 0.0)
    return np.mean(values)


@pytest.mark.parametrize("n_peaks", [0, 1, 2, 5, 10])
@pytest.mark.parametrize("positive", [[1, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 0]])
def test_uniform_expectation_equals_the_mean_over_every_subset(positive, n_peaks):
    positive, sizes = np.array(positive, bool), np.array([3, 3, 4])
    assert uniform_frames_f1(positive, sizes, n_peaks) == pytest.approx(
        enumerated_f1(positive, sizes, n_peaks), abs=1e-12
    )


def random_set(n_clips=46, share=0.341, seed=3):
    rng = np.random.default_rng(seed)
    cells = rng.random((n_clips, 10)) < share
    cells[np.arange(n_clips), rng.integers(10, size=n_clips)] = True
    return rng.normal(size=(n_clips, 400)), np.repeat(cells, 40, axis=1)


def test_uniform_expectation_agrees_with_200_random_draws_per_clip():
    curves, annotated = random_set()
    draws = np.random.default_rng(4).random((200, 46, 400))
    sampled = np.stack([segment_f1(draw, annotated) for draw in draws])
    exact = uniform_chance(curves, annotated)
    error = sampled.std(axis=0) / np.sqrt(200)
    # the number of peaks is the same in curve and draw, as neither has ties
    assert (np.abs(sampled.mean(axis=0) - exact) < 4.5 * error + 1e-9).all()


def test_chance_of_a_third_of_positive_cells_is_near_the_value_known_for_the_planer_labels():
    # clips of three or four positive seconds, 34 % on average, like the 46 annotated ones
    rng = np.random.default_rng(5)
    cells = np.zeros((46, 10), bool)
    for row in cells:
        row[rng.choice(10, size=rng.choice([1, 3, 6], p=[0.3, 0.4, 0.3]), replace=False)] = True
    chance = uniform_chance(rng.normal(size=(46, 400)), np.repeat(cells, 40, axis=1)).mean(axis=0)
    known = [0.480, 0.478, 0.476, 0.475, 0.470, 0.465, 0.453, 0.434, 0.397, 0.317]
    np.testing.assert_allclose(chance, known, atol=0.05)


def test_circular_shift_is_the_mean_over_rolled_curves():
    curves, annotated = random_set(n_clips=3)
    curves, annotated = curves[:, :93], annotated[:, :93]
    rolled = [segment_f1(np.roll(curves, lag, axis=1), annotated, 20) for lag in range(93)]
    np.testing.assert_allclose(
        circular_shift_chance(curves, annotated, 20), np.mean(rolled, axis=0), rtol=1e-12
    )


def test_clustered_peaks_have_a_lower_shift_chance_than_scattered_ones():
    annotated = np.zeros((1, 400), bool)
    annotated[:, 80:200] = True
    bump = np.exp(-0.5 * ((np.arange(400) - 140) / 8.0) ** 2)[np.newaxis]
    shifted, uniform = circular_shift_chance(bump, annotated), uniform_chance(bump, annotated)
    assert (shifted < uniform)[:, :8].all()


def test_a_curve_without_peaks_has_no_chance_either():
    annotated = np.zeros((1, 80), bool)
    annotated[:, :40] = True
    flat = np.ones((1, 80))
    for chance in (uniform_chance, circular_shift_chance):
        assert chance(flat, annotated, protocol="as_published").tolist() == [[0.0] * len(PERCENTILES)]


def test_corrected_chance_is_the_same_for_every_curve_and_published_chance_follows_its_own_peaks():
    _, annotated = random_set(n_clips=3)
    fine = np.random.default_rng(0).random((3, 400))
    blocks = np.repeat(np.random.default_rng(1).random((3, 10)), 40, axis=1)
    np.testing.assert_array_equal(uniform_chance(fine, annotated), uniform_chance(blocks, annotated))
    published = uniform_chance(blocks, annotated, protocol="as_published")
    # the highest block of 40 frames at every percentile: the chance of 40 frames, that of p90
    np.testing.assert_allclose(published, uniform_chance(fine, annotated)[:, :1].repeat(10, axis=1))
