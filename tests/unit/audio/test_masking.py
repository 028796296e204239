"""Sound cut in two by a mask: identities, masks by hand, files that sum to the clip's, SI-SDR by projection."""

from __future__ import annotations

import io

import numpy as np
import pytest
import scipy.linalg
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st

from soundproof.audio.masking import Stft, soft_mask
from soundproof.audio.pair import common_gain, flac, parts
from soundproof.audio.settings import MaskSettings
from soundproof.audio.si_sdr import si_sdr
from soundproof.core.errors import DataError

RATE = 16_000


def noise(n_samples: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(n_samples, generator=generator)


@given(st.sampled_from([(16, 16), (512, 512), (1024, 1024), (1024, 400), (22, 22)]), st.integers(17, 6000))
def test_a_mask_of_ones_gives_the_clip_and_of_zeros_silence(lengths: tuple[int, int], n_samples: int) -> None:
    stft, clip = Stft(*lengths), noise(n_samples)
    shape = (stft.n_bins, stft.n_frames(n_samples))
    assert torch.allclose(stft.masked(clip, torch.ones(shape)), clip, atol=1e-6)
    assert not stft.masked(clip, torch.zeros(shape)).any()


def test_a_mask_and_its_opposite_sum_to_the_clip() -> None:
    stft, clip = Stft(1024, 1024), noise(8000)
    mask = torch.rand(stft.n_bins, stft.n_frames(8000), generator=torch.Generator().manual_seed(1))
    assert torch.allclose(stft.masked(clip, mask) + stft.masked(clip, 1 - mask), clip, atol=1e-6)


def test_a_mask_lets_through_the_tone_it_marks() -> None:
    time = torch.arange(RATE, dtype=torch.float64) / RATE
    low, high = torch.sin(2 * torch.pi * 1000 * time), torch.sin(2 * torch.pi * 4000 * time)
    stft = Stft(1024, 1024)
    bins = torch.arange(stft.n_bins)[:, None] * RATE / 1024
    heard = stft.masked(low + high, (bins > 2500).double().expand(-1, stft.n_frames(RATE)))
    # away from the ends, where tones that start are no pure tones
    assert torch.allclose(heard[2048:-2048], high[2048:-2048], atol=1e-3)


def test_masks_broadcast_over_leading_dimensions() -> None:
    stft, clips = Stft(64, 64), torch.stack([noise(500, 1), noise(500, 2)])
    masks = torch.rand(3, 1, stft.n_bins, stft.n_frames(500), generator=torch.Generator().manual_seed(3))
    together = stft.masked(clips, masks)
    assert together.shape == (3, 2, 500)
    assert torch.allclose(together[2, 1], stft.masked(clips[1], masks[2, 0]), atol=1e-6)


@pytest.mark.parametrize(
    ("mask", "words"),
    [(torch.ones(3, 3), "a mask of 33 bins"), (torch.full((33, 32), torch.nan), "a finite mask")],
)
def test_a_mask_of_another_grid_or_with_nan_is_refused(mask: torch.Tensor, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Stft(64, 64).masked(noise(500), mask)


RELEVANCE = np.array([[8.0, -5.0, 4.0], [2.0, 0.0, 2.0]])
"""Positive relevance 16 in all: 8 holds half of it, 8 and 4 three quarters."""


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"share": 0.5}, [[1, 0, 0.5], [0.25, 0, 0.25]]),
        ({"share": 0.75}, [[1, 0, 1], [0.5, 0, 0.5]]),
        ({"share": 0.5, "power": 2.0}, [[1, 0, 0.25], [0.0625, 0, 0.0625]]),
        ({"share": 1.0}, [[1, 0, 1], [1, 0, 1]]),
    ],
)
def test_soft_masks_by_hand(settings: dict[str, float], expected: list[list[float]]) -> None:
    assert soft_mask(RELEVANCE, MaskSettings(**settings)) == pytest.approx(np.array(expected))


def test_a_mask_knows_neither_the_scale_of_a_map_nor_its_neighbours() -> None:
    maps = np.stack([RELEVANCE, 1e-30 * RELEVANCE, 1e30 * RELEVANCE, np.zeros((2, 3)), -np.ones((2, 3))])
    masks = soft_mask(maps, MaskSettings())
    assert masks[1] == pytest.approx(masks[0]) and masks[2] == pytest.approx(masks[0])
    assert not masks[3:].any()


def test_smoothing_spreads_a_cell_over_its_own_map_alone() -> None:
    maps = np.zeros((2, 9, 9))
    maps[0, 4, 4] = 1
    masks = soft_mask(maps, MaskSettings(smoothing=1.0, share=1e-3))
    # a Gaussian falls to exp(-1/2) a standard deviation away; the peak alone holds the share
    assert masks[0, 4, 5] / masks[0, 4, 4] == pytest.approx(np.exp(-0.5), rel=1e-6)
    assert masks[0, 4, 4] == 1 and not masks[1].any()


def test_nan_in_a_map_is_refused() -> None:
    with pytest.raises(DataError, match="finite relevance"):
        soft_mask(np.array([[np.nan, 1.0]]), MaskSettings())


@pytest.mark.parametrize("loudest", [0.3, 1.0, 4.0])
def test_files_of_a_pair_sum_to_the_file_of_the_clip_and_none_clips(loudest: float) -> None:
    clip = noise(4000).numpy()
    clip *= loudest / np.abs(clip).max()
    # what is marked may be louder than the clip, where both parts cancel
    marked = np.roll(1.5 * clip, 3)
    gain = common_gain(clip, marked, clip - marked)
    pair = parts(clip, marked, gain)
    files = [soundfile.read(io.BytesIO(flac(part, RATE)))[0] for part in (pair.clip, pair.marked, pair.left)]
    assert np.array_equal(files[1] + files[2], files[0])
    assert np.abs(files[0] - gain * clip).max() <= 1e-4
    assert np.abs(files[2] - gain * (clip - marked)).max() <= 1e-4
    loud = max(np.abs(sound).max() for sound in (clip, marked, clip - marked))
    assert gain == pytest.approx(min(1.0, 1 / loud), rel=1e-4)
    assert max(np.abs(file).max() for file in files) <= 1


def test_nan_in_a_sound_is_refused() -> None:
    with pytest.raises(DataError, match="finite samples"):
        common_gain(np.array([0.1, np.nan]))


def test_flac_of_the_same_samples_is_the_same_file() -> None:
    samples = np.arange(-500, 500, dtype=np.int16)
    assert flac(samples, RATE) == flac(samples, RATE)
    assert np.array_equal(soundfile.read(io.BytesIO(flac(samples, RATE)), dtype="int16")[0], samples)


def test_si_sdr_by_hand() -> None:
    reference = np.array([1.0, 0.0])
    # target (3, 0), distortion (0, 1): 9 to 1
    assert si_sdr(np.array([3.0, 1.0]), reference) == pytest.approx(10 * np.log10(9))
    assert si_sdr(np.array([-3.0, 1.0]), reference) == pytest.approx(10 * np.log10(9))
    assert si_sdr(np.array([0.0, 1.0]), reference) == -np.inf
    assert si_sdr(np.array([2.0, 0.0]), reference) == np.inf
    assert np.isnan(si_sdr(np.zeros(2), reference)) and np.isnan(si_sdr(reference, np.zeros(2)))


@given(st.integers(0, 2**31), st.floats(-60, 60))
def test_si_sdr_agrees_with_least_squares(seed: int, level_db: float) -> None:
    rng = np.random.default_rng(seed)
    reference, other = rng.standard_normal((2, 800))
    estimate = reference + 10 ** (level_db / 20) * other
    (scale,), residual, *_ = scipy.linalg.lstsq(reference[:, None], estimate)
    expected = 10 * np.log10(scale**2 * (reference @ reference) / residual)
    assert si_sdr(estimate, reference) == pytest.approx(float(np.ravel(expected)[0]), abs=1e-6)


def test_si_sdr_does_not_hear_the_level_of_either() -> None:
    reference, estimate = np.random.default_rng(0).standard_normal((2, 300))
    plain = si_sdr(estimate, reference)
    assert si_sdr(1e-3 * estimate, 7 * reference) == pytest.approx(plain)
    both = si_sdr(np.stack([estimate, reference + estimate]), reference)
    assert both.shape == (2,) and both[0] == pytest.approx(plain) and both[1] > plain
