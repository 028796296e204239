"""The models of machines and faults sound at the rates which their formulas give."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import signal

from soundproof.synthesis import faults
from soundproof.synthesis.faults import Bearing, Defects, Moment
from soundproof.synthesis.machines import Fan, Gearbox, Operation, Pump
from soundproof.synthesis.room import Path
from soundproof.synthesis.signals import band_of_energy, band_power, faded, harmonics, struck, turning
from soundproof.synthesis.strokes import SlideRail, Valve

RATE = 16_000
SECONDS = 4
OPERATION = Operation(n_samples=SECONDS * RATE, rate_hz=RATE, speed=1.0, load_db=0.0)
MOMENT = Moment(0, SECONDS * RATE, RATE)
SHAFT_HZ = 50.0


def stream(seed=0):
    return np.random.default_rng(seed)


def spectrum(sound):
    return signal.periodogram(sound, RATE, window="hann")


def peak_hz(sound, low_hz, high_hz):
    frequency, power = spectrum(sound)
    inside = (frequency >= low_hz) & (frequency <= high_hz)
    return frequency[inside][np.argmax(power[inside])]


def envelope(sound):
    return np.square(np.abs(signal.hilbert(sound)))


def steady_shaft():
    return 2 * np.pi * SHAFT_HZ * np.arange(SECONDS * RATE) / RATE


def defects(**changes):
    return dataclasses.replace(Defects.draw(stream(), RATE), **changes)


def test_ball_pass_rate_by_hand():
    # 9 balls, d/D = 0.25, contact angle 60 degrees: 4.5 * (1 - 0.25 * 0.5) = 3.9375 per turn.
    assert Bearing(9, 0.25, np.pi / 3, 0.01, 3000.0, 0.001).impacts_per_turn == pytest.approx(3.9375)


@pytest.mark.parametrize("balls", [7, 9, 11])
def test_bearing_impacts_come_at_the_ball_pass_rate(balls):
    bearing = Bearing(balls, 0.22, 0.1, 0.015, 3500.0, 0.001)
    sound = faults.bearing(defects(bearing=bearing), steady_shaft(), MOMENT, stream())
    expected_hz = bearing.balls / 2 * (1 - 0.22 * np.cos(0.1)) * SHAFT_HZ
    # Above the shaft rate, which modulates the impacts; below twice the ball-pass rate.
    assert peak_hz(envelope(sound), 1.5 * SHAFT_HZ, 1.5 * expected_hz) == pytest.approx(expected_hz, rel=0.01)
    assert peak_hz(envelope(sound), 20, 1.5 * SHAFT_HZ) == pytest.approx(SHAFT_HZ, abs=0.5)
    assert peak_hz(sound, 100, 8000) == pytest.approx(3500, rel=0.06)


def test_imbalance_grows_the_healthy_line_and_its_multiples():
    shaft = steady_shaft()
    for seed in range(10):
        sound = faults.imbalance(defects(growth=(1.0, 0.4, 0.2)), shaft, MOMENT, stream(seed))
        assert peak_hz(sound, 10, 8000) == pytest.approx(SHAFT_HZ, abs=0.5)
        assert np.mean(np.square(sound)) == pytest.approx((1 + 0.4**2 + 0.2**2) / 2, rel=1e-3)
        healthy = 0.3 * np.sin(shaft)
        assert peak_power(healthy + sound) > peak_power(sound)


def peak_power(sound):
    return np.max(spectrum(sound)[1])


def test_rub_bursts_once_per_turn():
    sound = faults.rub(defects(rub_width=0.15), steady_shaft(), MOMENT, stream())
    assert peak_hz(envelope(sound), 20, 140) == pytest.approx(SHAFT_HZ, abs=0.5)
    assert np.mean(sound == 0) == pytest.approx(0.85, abs=0.01)


def test_hum_is_made_of_multiples_of_twice_the_mains():
    sound = faults.hum(defects(mains_hz=60.0, hum_lines=(1.0, 0.5)), steady_shaft(), MOMENT, stream())
    assert peak_hz(sound, 10, 180) == pytest.approx(120, abs=0.5)
    assert peak_hz(sound, 180, 8000) == pytest.approx(240, abs=0.5)


def test_air_leak_hisses_above_its_lower_edge():
    sound = faults.air_leak(defects(leak_hz=(4000.0, 7500.0)), steady_shaft(), MOMENT, stream())
    low_hz, _ = band_of_energy(sound, RATE)
    assert 3500 < low_hz < 4800


def test_loose_part_knocks_from_end_to_end_of_the_event():
    sound = faults.loose_part(defects(), steady_shaft(), MOMENT, stream())
    loud = np.flatnonzero(np.abs(sound) > 0.1 * np.abs(sound).max()) / RATE
    assert loud[0] < 0.1
    assert loud[-1] > SECONDS - 0.2
    assert signal.find_peaks(envelope(sound), distance=RATE // 50)[0].size >= 3


def test_fan_sings_at_the_blade_pass_rate():
    fan = dataclasses.replace(Fan.draw(stream()), shaft_hz=52.0, blades=7, lines=np.array([1.0, 0.3]))
    sound = fan.run(OPERATION, stream()).sound
    assert peak_hz(sound, 50, 8000) == pytest.approx(7 * 52, rel=0.01)


def test_a_faster_fan_sings_higher():
    fan = dataclasses.replace(Fan.draw(stream()), shaft_hz=50.0, blades=6, lines=np.array([1.0, 0.3]))
    faster = dataclasses.replace(OPERATION, speed=1.2)
    assert peak_hz(fan.run(faster, stream()).sound, 50, 8000) == pytest.approx(6 * 60, rel=0.01)


def test_pump_cavitation_pulses_with_the_vanes():
    pump = dataclasses.replace(Pump.draw(stream()), shaft_hz=58.0, vanes=5)
    sound = pump.run(OPERATION, stream()).sound
    sections = signal.butter(8, 2500, "highpass", fs=RATE, output="sos")
    pulses = envelope(signal.sosfilt(sections, sound))
    assert peak_hz(pulses, 150, 450) == pytest.approx(5 * 58, rel=0.01)


def test_gear_mesh_has_sidebands_of_both_shafts():
    gearbox = dataclasses.replace(
        Gearbox.draw(stream()), shaft_hz=50.0, teeth=20, driven_teeth=25, lines=np.array([1.0])
    )
    sound = gearbox.run(OPERATION, stream()).sound
    assert peak_hz(sound, 50, 8000) == pytest.approx(1000, rel=0.01)
    frequency, power = spectrum(sound)
    for offset_hz in (-50, 50, -40, 40):
        line = power[np.abs(frequency - 1000 - offset_hz) < 6].max()
        valley = np.median(power[np.abs(frequency - 1000 - 1.5 * offset_hz) < 4])
        assert line > 10 * valley


@pytest.mark.parametrize("kind", [SlideRail, Valve])
def test_whole_strokes_lie_within_the_stretch_and_carry_the_sound(kind):
    running = kind.draw(stream(1)).run(OPERATION, stream(2))
    assert len(running.strokes) >= 3
    without = running.sound.copy()
    for stroke in running.strokes:
        assert stroke.start >= 0
        stop = stroke.start + stroke.sound.size
        assert stop <= OPERATION.n_samples
        without[stroke.start : stop] -= stroke.sound
    inside = slice(running.strokes[0].start, running.strokes[-1].start)
    assert np.mean(np.square(without[inside])) < 0.2 * np.mean(np.square(running.sound[inside]))


def test_slide_rail_strokes_at_its_period():
    rail = dataclasses.replace(SlideRail.draw(stream()), period_s=0.7)
    starts = [stroke.start / RATE for stroke in rail.run(OPERATION, stream()).strokes]
    assert np.diff(starts) == pytest.approx(0.7, rel=0.011)


def test_missing_stroke_cancels_one_stroke():
    running = Valve.draw(stream(1)).run(OPERATION, stream(2))
    moment, sound = faults.missing_stroke(running, 8000, 56_000, RATE, stream(3))
    assert 8000 <= moment.start < moment.stop <= 56_000
    stroke = next(stroke for stroke in running.strokes if stroke.start == moment.start)
    assert (sound == -stroke.sound).all()


def test_turning_keeps_its_mean_speed():
    angle = turning(stream(), 20 * RATE, RATE, 30.0, 0.002)
    assert (angle[-1] - angle[0]) / (2 * np.pi * 20) == pytest.approx(30.0, rel=0.002)
    assert (np.diff(angle) > 0).all()


def test_harmonics_equal_the_sum_of_sines():
    phase = np.linspace(0, 20, 50)
    expected = 0.5 * np.sin(phase + 0.1) + 2.0 * np.sin(2 * phase + 0.2) + 0.3 * np.sin(3 * phase - 1)
    assert harmonics(phase, [0.5, 2.0, 0.3], np.array([0.1, 0.2, -1])) == pytest.approx(expected)


def test_struck_resonance_rings_and_decays():
    sound = struck(np.array([10.0]), np.array([2.0]), 200, RATE, (1000.0,), (0.002,))
    time = np.arange(190) / RATE
    assert sound[:10] == pytest.approx(0)
    assert sound[10:] == pytest.approx(2 * np.exp(-time / 0.002) * np.sin(2 * np.pi * 1000 * time), abs=1e-9)


def test_a_blow_between_samples_is_shared():
    sound = struck(np.array([4.25]), np.array([1.0]), 40, RATE, (2000.0,), (0.002,))
    parts = [struck(np.array([at]), np.array([1.0]), 40, RATE, (2000.0,), (0.002,)) for at in (4.0, 5.0)]
    assert sound == pytest.approx(0.75 * parts[0] + 0.25 * parts[1])


def test_band_of_energy_and_band_power_of_two_tones():
    time = np.arange(RATE) / RATE
    sound = np.sin(2 * np.pi * 500 * time) + 3 * np.sin(2 * np.pi * 2000 * time)
    assert band_power(sound, RATE, 100, 1000) == pytest.approx(0.5, rel=1e-6)
    assert band_power(sound, RATE, 100, 8000) == pytest.approx(5.0, rel=1e-6)
    assert band_of_energy(sound, RATE) == (499.5, 2000.5)


def test_faded_is_silent_at_the_ends_and_whole_between():
    window = faded(np.ones(100), 10)
    assert window[0] < 0.01
    assert window[10:90] == pytest.approx(1)
    assert window == pytest.approx(window[::-1])


def test_room_keeps_energy_and_lets_the_direct_sound_come_first():
    path = Path.draw(stream(), RATE)
    assert np.sum(np.square(path.response)) == pytest.approx(1)
    assert np.argmax(np.abs(path.response)) == 0
    impulse = np.eye(1, 5)[0]
    assert path.carry(impulse)[: path.response.size] == pytest.approx(path.response)
    assert path.carry(impulse).size == 5 + path.memory
    assert (Path.direct().carry(impulse) == impulse).all()
