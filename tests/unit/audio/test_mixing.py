"""Mixing against hand-computed answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from soundproof.audio.mixing import clean, clean_gain, event_share, fault_mask, mix, placed, trimmed
from soundproof.core.errors import DataError

# no powers next to nothing: scaling those down loses their last bits
POWERS = arrays.arrays(np.float64, (3, 2, 4), elements=st.just(0.0) | st.floats(1e-9, 1e3))


def level(samples):
    return np.sqrt(np.mean(np.square(samples, dtype=np.float64)))


def test_trimmed_cuts_only_exact_zeros_at_the_ends():
    assert trimmed(np.array([0, 0, 1e-9, 0, 2, 0])).tolist() == [1e-9, 0, 2]


def test_trimmed_cuts_ends_far_below_the_peak_where_it_is_asked_to():
    event = np.array([0.0, 0.009, -0.02, 0.001, -1.0, 0.5, 0.01, 0.0])
    # 40 dB below a peak of 1 is 0.01, which is no event
    assert trimmed(event, 40).tolist() == [-0.02, 0.001, -1.0, 0.5]
    assert trimmed(3 * event, 40).tolist() == (3 * event[2:6]).tolist()
    placed_event = placed(event, 20, np.random.default_rng(0), 40)
    assert placed_event.offset - placed_event.onset == np.count_nonzero(placed_event.samples) == 4


@pytest.mark.parametrize("floor_db", [None, 40])
@pytest.mark.parametrize("n_samples", [0, 4])
def test_a_silent_event_is_refused(floor_db, n_samples):
    with pytest.raises(DataError, match="all samples are zero"):
        trimmed(np.zeros(n_samples), floor_db)


def test_placed_event_lies_between_onset_and_offset():
    event = placed(np.array([0.0, 3.0, 4.0, 0.0]), 10, np.random.default_rng(1))
    assert event.offset - event.onset == 2
    assert event.samples[event.onset : event.offset].tolist() == [3, 4]
    assert np.count_nonzero(event.samples) == 2
    assert event.samples.shape == (10,)


def test_placed_onset_takes_every_free_position_and_no_other():
    rng = np.random.default_rng(0)
    assert {placed(np.ones(3), 5, rng).onset for _ in range(100)} == {0, 1, 2}


def test_an_event_longer_than_the_clip_is_cut():
    event = placed(np.arange(1.0, 9.0), 3, np.random.default_rng(0))
    assert (event.onset, event.offset, event.samples.tolist()) == (0, 3, [1, 2, 3])


def test_mix_at_0_db_halves_the_background_and_matches_the_event_to_it():
    mixture = mix(np.array([0.2, -0.2, 0.2, -0.2]), np.array([0.0, 0.0, 5.0, 5.0]), 0.0)
    assert mixture.background == pytest.approx([0.1, -0.1, 0.1, -0.1])
    # An RMS of 0.1 over the whole clip, half of which is silent: amplitude 0.1 * sqrt(2).
    assert mixture.event == pytest.approx([0, 0, 0.1 * np.sqrt(2), 0.1 * np.sqrt(2)])


@given(snr_db=st.floats(-20, 20))
def test_background_over_event_is_the_snr(snr_db):
    rng = np.random.default_rng(3)
    mixture = mix(rng.normal(0, 0.1, 500), rng.normal(0, 2.0, 500), snr_db)
    assert 20 * np.log10(level(mixture.background) / level(mixture.event)) == pytest.approx(snr_db, abs=1e-3)


def test_a_mixture_above_full_scale_is_divided_by_its_peak_as_published_alone():
    mixture = mix(np.array([4.0, 4.0]), np.array([4.0, -4.0]), 0.0, "as_published")
    assert mixture.samples == pytest.approx([1.0, 0.0])
    assert mixture.background == pytest.approx([0.5, 0.5])
    # else the background keeps the level that it has in clips without event
    kept = mix(np.array([4.0, 4.0]), np.array([4.0, -4.0]), 0.0)
    assert kept.samples == pytest.approx([4.0, 0.0])
    assert kept.background == pytest.approx([2.0, 2.0])


def test_mix_refuses_different_lengths_and_silence():
    with pytest.raises(DataError, match="3 and 4 samples"):
        mix(np.ones(3), np.ones(4), 0.0)
    with pytest.raises(DataError, match="a silent event"):
        mix(np.ones(3), np.zeros(3), 0.0)
    with pytest.raises(DataError, match="a silent background"):
        mix(np.zeros(3), np.ones(3), 0.0)


@pytest.mark.parametrize(
    ("snr_db", "in_mixture", "published"), [(-6, 0.334, 0.201), (0, 0.5, 0.5), (6, 0.666, 0.799)]
)
def test_clean_gain_follows_the_mixture_unless_published(snr_db, in_mixture, published):
    assert 1 - event_share(snr_db) == pytest.approx(in_mixture, abs=5e-4)
    assert clean_gain(snr_db) == pytest.approx(in_mixture, abs=5e-4)
    assert clean_gain(snr_db, "as_published") == pytest.approx(published, abs=5e-4)


def test_clean_scales_and_keeps_full_scale():
    assert clean(np.array([0.5, -0.2]), 0.0) == pytest.approx([0.25, -0.1])
    assert clean(np.array([8.0, -4.0]), 0.0) == pytest.approx([1.0, -0.5])


def test_fault_mask_by_hand():
    normal = np.array([[1.0, 1.0, 9.0, 4.0, 0.0]])
    fault = np.array([[0.5, 3.0, 8.0, 4.0, 0.0]])
    mixture = np.array([[1.5, 4.0, 17.0, 0.01, 0.0]])
    # 0.5 > 0.75 no; 3 > 2 yes; 8 > 8.5 no; cancelled: 4 > 0.5 * max(0.01, 4) yes; silence: no.
    assert fault_mask(normal, fault, mixture, 0.5).tolist() == [[False, True, False, True, False]]


def test_fault_mask_is_not_inflated_by_cancellation():
    assert not fault_mask(np.array([1.0]), np.array([0.3]), np.array([0.1]), 0.5)[0]


@given(powers=POWERS, scale=st.sampled_from([0.25, 4.0]), fraction=st.floats(0.05, 0.5))
def test_fault_mask_ignores_level_and_shrinks_with_the_fraction(powers, scale, fraction):
    mask = fault_mask(*powers, fraction)
    assert (fault_mask(*(scale * powers), fraction) == mask).all()
    assert not (fault_mask(*powers, 2 * fraction) & ~mask).any()


def test_fault_mask_refuses_different_shapes_and_bad_fractions():
    with pytest.raises(DataError, match="one recipe"):
        fault_mask(np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 4)), 0.5)
    for fraction in (0.0, -1.0, float("nan")):
        with pytest.raises(DataError, match="greater than 0"):
            fault_mask(np.ones(1), np.ones(1), np.ones(1), fraction)
