from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import soxr
from scipy.signal import resample_poly

from soundproof.audio.fitting import fitted
from soundproof.audio.resampling import resampled


def tone(hz: float, rate: int, seconds: float = 2.0) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate).astype(np.float32)


def level_db(sound: np.ndarray) -> float:
    """Level against a full-scale sine, away from the ends."""
    inner = sound[len(sound) // 8 : -len(sound) // 8].astype(np.float64)
    return float(10 * np.log10(2 * np.mean(inner**2) + 1e-30))


@pytest.mark.parametrize("from_hz", [44_100, 48_000, 44_101, 22_255])
def test_what_lies_above_the_new_nyquist_frequency_is_gone(from_hz: int) -> None:
    for hz in (8050, 8500, 9000, 10_500):
        assert level_db(resampled(tone(hz, from_hz), from_hz, 16_000)) < (-78 if hz < 8500 else -120)


@pytest.mark.parametrize("from_hz", [44_100, 48_000, 22_255, 8000])
def test_what_lies_below_stays_as_it_is(from_hz: int) -> None:
    edge = 0.47 * min(from_hz, 16_000)
    assert level_db(resampled(tone(edge, from_hz), from_hz, 16_000)) == pytest.approx(-0.5, abs=0.3)
    for hz in (50.0, 1000.0, 0.4 * min(from_hz, 16_000)):
        assert level_db(resampled(tone(hz, from_hz), from_hz, 16_000)) == pytest.approx(0, abs=0.01)


def test_a_hiss_between_the_rates_raises_no_band() -> None:
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.normal(size=2 * 44_100))
    hz = np.fft.rfftfreq(2 * 44_100, 1 / 44_100)
    hiss = np.fft.irfft(np.where((hz > 8300) & (hz < 9800), spectrum, 0)).astype(np.float32)
    low = rng.normal(scale=1e-3, size=2 * 16_000).astype(np.float32)
    assert np.std(resampled(hiss, 44_100, 16_000)[800:-800]) < 1e-3 * np.std(low)


def test_a_slow_sine_is_the_same_sine_at_the_new_rate() -> None:
    ours = resampled(tone(440, 44_100), 44_100, 16_000)
    assert len(ours) == 32_000
    np.testing.assert_allclose(ours[800:-800], tone(440, 16_000)[800:-800], atol=1e-5)
    polyphase = resample_poly(tone(440, 44_100).astype(float), 160, 441)
    np.testing.assert_allclose(ours[800:-800], polyphase[800:-800], atol=2e-3)


def test_shapes_rates_and_types() -> None:
    sound = np.random.default_rng(0).normal(size=(2, 3, 4410)).astype(np.float32)
    out = resampled(sound, 44_100, 16_000)
    assert out.shape == (2, 3, 1600) and out.dtype == np.float32
    np.testing.assert_array_equal(out[1, 2], soxr.resample(sound[1, 2], 44_100, 16_000, quality="VHQ"))
    np.testing.assert_array_equal(resampled(sound, 8000, 8000), sound)
    assert fitted(out[0, 0], 2000).shape == (2000,)


@pytest.mark.parametrize("from_hz", [20_833, 22_255, 44_101, 47_999])
def test_rates_without_a_common_divisor_need_little_memory(from_hz: int) -> None:
    program = (
        "import resource, numpy as np; from soundproof.audio.resampling import resampled;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        f"out = resampled(np.random.default_rng(0).normal(size=10 * {from_hz}), {from_hz}, 16_000);"
        "assert len(out) == 160_000;"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 64, "MiB for ten seconds of sound"
