"""Attributes of synthetic sounds whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import signal

from soundproof.audio.masking import Stft
from soundproof.audio.resampling import resampled
from soundproof.core.errors import DataError
from soundproof.reasons import envelope, lines, measure
from soundproof.reasons.attributes import ATTRIBUTES
from soundproof.reasons.extent import edges
from soundproof.reasons.marked import Normal, binarised, marked, repeated
from soundproof.reasons.measure import Measured

RATE, SECONDS = 16_000, 4.0
N = round(RATE * SECONDS)
STFT = Stft(1024, 1024)
TIME = np.arange(N) / RATE
BACKGROUND = 0.01
FIRST, LAST = 1.0, 2.5
"""When something happens."""


def noise(seed: int) -> np.ndarray:
    return BACKGROUND * np.random.default_rng(seed).standard_normal(N)


def normal() -> Normal:
    return Normal.of_sounds([torch.from_numpy(noise(seed)).float() for seed in range(3)], STFT)


def cells(low_hz: float, high_hz: float, first_s: float = FIRST, last_s: float = LAST) -> torch.Tensor:
    bins = torch.arange(STFT.n_bins) * RATE / STFT.n_fft
    frames = torch.arange(STFT.n_frames(N)) * STFT.hop_length / RATE
    inside = ((bins >= low_hz) & (bins <= high_hz))[:, None] & ((frames >= first_s) & (frames <= last_s))
    return inside.float()


def heard(sound: np.ndarray, mask: torch.Tensor) -> Measured:
    usual = normal()
    spectrum = STFT.forward(torch.from_numpy(sound).float())
    return measure.measure(marked(spectrum / usual.gain(spectrum), mask, usual, STFT, N), STFT, RATE)


def during(sound: np.ndarray) -> np.ndarray:
    """A sound that begins and ends, in noise."""
    return noise(9) + np.where((TIME >= FIRST) & (TIME <= LAST), sound, 0)


def clicks(rate_hz: float, ringing_hz: float, jitter: float = 0.0) -> np.ndarray:
    """Blows that ring, as often as told."""
    rng = np.random.default_rng(1)
    blows = np.zeros(N)
    places = np.cumsum(1 / rate_hz * (1 + jitter * rng.standard_normal(round(SECONDS * rate_hz) - 2)))
    blows[(places * RATE).astype(int)] = 1
    ring = np.exp(-TIME[:400] / 0.001) * np.sin(2 * np.pi * ringing_hz * TIME[:400])
    return np.convolve(blows, ring)[:N]


def test_a_tone_is_one_line_at_its_frequency_and_level():
    amplitude = 0.1
    found = heard(during(amplitude * np.sin(2 * np.pi * 1234 * TIME)), cells(1100, 1400)).values
    assert found["line_count"] == 1
    assert found["fundamental_hz"] == pytest.approx(1234, abs=0.5)
    assert found["tonality"] > 0.9
    assert found["impulsiveness"] == pytest.approx(-1, abs=0.1)
    assert found["duty"] > 0.9
    # cells 1100..1400 Hz hold 300 / 8000 of the noise's power
    in_band = BACKGROUND**2 * 300 / 8000
    assert found["level_db"] == pytest.approx(10 * np.log10((amplitude**2 / 2 + in_band) / in_band), abs=1)


def test_a_hum_has_its_fundamental_even_where_that_line_is_weak():
    sound = 0.01 * np.sin(2 * np.pi * 120 * TIME)
    for order, amplitude in ((2, 0.1), (3, 0.08), (5, 0.06)):
        sound += amplitude * np.sin(2 * np.pi * order * 120 * TIME + order)
    found = heard(during(sound), cells(60, 700)).values
    assert found["fundamental_hz"] == pytest.approx(120, rel=0.005)
    assert found["line_count"] >= 3


@pytest.mark.parametrize("rate_hz", [23.0, 87.0, 170.0])
def test_a_train_of_impacts_has_rate_and_ringing(rate_hz: float):
    found = heard(during(clicks(rate_hz, 3100, jitter=0.01)), cells(2000, 4500)).values
    assert found["rate_hz"] == pytest.approx(rate_hz, rel=0.02)
    assert found["rate_prominence_db"] > 15
    assert found["peak_hz"] == pytest.approx(3100, rel=0.03)
    assert found["tonality"] < 0.2


def test_impacts_that_swing_with_the_shaft_keep_their_own_rate():
    swing = 1 + 0.5 * np.cos(2 * np.pi * 29.7 * TIME)
    found = heard(during(swing * clicks(101.0, 3100)), cells(2000, 4500)).values
    assert found["rate_hz"] == pytest.approx(101, rel=0.02)


def test_bursts_once_per_turn_are_no_rate_of_their_multiples():
    turn = np.mod(TIME * 25, 1)
    gate = np.where(turn < 0.15, np.sin(np.pi * turn / 0.15) ** 2, 0)
    found = heard(during(gate * np.random.default_rng(3).standard_normal(N)), cells(1000, 5000)).values
    assert found["rate_hz"] == pytest.approx(25, rel=0.02)
    assert found["rate_depth"] > 1
    assert found["impulsiveness"] > 2


def test_filtered_noise_is_flat_steady_and_has_its_edges():
    sections = signal.butter(8, (3000, 6000), btype="bandpass", fs=RATE, output="sos")
    sound = signal.sosfilt(sections, np.random.default_rng(5).standard_normal(N))
    found = heard(during(sound), cells(3000, 6000)).values
    # 5 % of the weight lies beyond either edge
    assert found["low_hz"] == pytest.approx(3150, rel=0.02)
    assert found["high_hz"] == pytest.approx(5850, rel=0.02)
    assert found["width_octaves"] == pytest.approx(np.log2(5850 / 3150), rel=0.05)
    assert found["centre_hz"] == pytest.approx(4500, rel=0.03)
    assert found["onset_s"] == pytest.approx(FIRST + 0.05 * (LAST - FIRST), abs=0.05)
    assert found["offset_s"] == pytest.approx(LAST - 0.05 * (LAST - FIRST), abs=0.05)
    assert found["duration_s"] == found["offset_s"] - found["onset_s"]
    assert found["impulsiveness"] == pytest.approx(0, abs=0.3)
    assert found["duty"] > 0.8
    assert found["flatness"] > 0.6
    assert found["line_count"] == 0


def test_what_is_missing_lies_below_normal():
    mask = cells(1000, 3000)
    whole = torch.from_numpy(noise(11)).float()
    wider = cells(900, 3100, FIRST - 0.2, LAST + 0.2)
    found = heard((whole - 0.9 * STFT.masked(whole, wider)).numpy(), mask).values
    # a tenth of the amplitude is left
    assert found["level_db"] == pytest.approx(-20, abs=1)


def test_bins_that_hold_nothing_say_nothing_of_the_gain():
    """A sound brought to three times its rate: by hand, at a fifth of the level its gain is a fifth."""
    low = torch.from_numpy(resampled(noise(3)[::3].astype(np.float32), RATE // 3, RATE))
    usual = Normal.of_sounds([low], STFT)
    assert 0.2 < usual.heard.float().mean() < 0.45
    assert usual.gain(STFT.forward(0.2 * low)) == pytest.approx(0.2, rel=1e-3)
    silent = torch.zeros_like(low)
    assert usual.gain(STFT.forward(silent)) == 1


def test_the_gain_of_a_clip_is_no_level():
    band = cells(3000, 6000)
    one, other = (heard(gain * during(clicks(50, 4000)), band).values for gain in (1.0, 0.2))
    assert one == pytest.approx(other, rel=1e-3, abs=1e-3)


def test_no_cell_and_silence_have_reasons_instead_of_numbers():
    nothing = heard(noise(1), torch.zeros(STFT.n_bins, STFT.n_frames(N)))
    assert nothing.values == {}
    assert set(nothing.absent) == set(ATTRIBUTES)
    assert set(nothing.absent.values()) == {measure.NOTHING_MARKED}
    silent = heard(np.zeros(N), cells(500, 4000))
    assert silent.values["level_db"] == measure.LEAST_DB
    assert silent.absent["rate_hz"] == measure.SILENT


def test_an_event_too_short_for_a_rate_has_none_and_says_so():
    short = np.ones(round(0.01 * RATE))
    assert envelope.repetition(short, RATE) is None
    found = heard(during(clicks(50, 3000)), cells(2000, 4000, 1.0, 1.02))
    assert ("rate_hz" in found.values) != ("rate_hz" in found.absent)


def test_every_attribute_is_either_there_or_absent_for_a_reason():
    for found in (heard(during(clicks(50, 3000)), cells(2000, 4000)), heard(noise(2), cells(100, 300))):
        assert set(found.values) | set(found.absent) == set(ATTRIBUTES)
        assert not set(found.values) & set(found.absent)
        assert np.isfinite(list(found.values.values())).all()


@pytest.mark.parametrize(
    ("made", "impulsive", "share"),
    [
        (lambda: np.ones(16_000), -1.0, 1.0),
        # a quarter of the time at one level
        (lambda: np.where(np.arange(16_000) % 4000 < 1000, 1.0, 0.0), 4.0 - 2, 0.25),
    ],
)
def test_impulsiveness_and_duty_by_hand(made: Callable[[], np.ndarray], impulsive: float, share: float):
    assert envelope.impulsiveness(made()) == pytest.approx(impulsive)
    assert envelope.duty(made(), RATE) == pytest.approx(share, rel=0.05)


def test_flatness_by_hand():
    assert lines.flatness(np.array([1.0, 4.0])) == pytest.approx(2 / 2.5)
    assert lines.flatness(np.full(8, 3.0)) == pytest.approx(1)


def test_the_averaged_spectrum_is_scipy_s():
    sound = np.random.default_rng(0).standard_normal(4096)
    frequency, power = lines.averaged_spectrum(sound, RATE, 512)
    expected_at, expected = signal.welch(sound, RATE, nperseg=512)
    assert frequency == pytest.approx(expected_at)
    ratio = power[1:-1] / expected[1:-1]
    assert ratio == pytest.approx(np.full(len(ratio), ratio[0]))


def test_edges_by_hand():
    # ten cells of equal weight, of which 5 % are half a cell
    assert edges(np.ones(10)) == pytest.approx((0.5, 9.5))
    assert edges(np.array([0, 0, 2.0, 2.0, 0])) == pytest.approx((2.1, 3.9))


def test_as_many_cells_are_marked_whatever_the_map_and_none_that_speaks_for_normal():
    maps = np.stack([np.arange(20.0).reshape(4, 5), np.ones((4, 5)), -np.ones((4, 5))])
    found = binarised(maps, 0.2, np.linspace(0, 1, 20))
    assert found.sum(axis=(1, 2)).tolist() == [4, 4, 0]
    assert found[0].ravel()[-4:].all()
    with pytest.raises(DataError, match="finite relevance"):
        binarised(np.full((1, 2, 2), np.nan), 0.5, np.zeros(4))


def test_normal_clips_are_repeated_to_any_length_and_must_be_there():
    spectrum = torch.arange(6.0).reshape(2, 3)
    assert repeated(spectrum, 5).tolist() == [[0, 1, 2, 0, 1], [3, 4, 5, 3, 4]]
    assert repeated(spectrum, 2).tolist() == [[0, 1], [3, 4]]
    for sounds in ([], [torch.zeros(4096)]):
        with pytest.raises(DataError, match="normal clips to compare with"):
            Normal.of_sounds(sounds, STFT)
