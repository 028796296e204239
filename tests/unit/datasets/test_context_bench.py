"""Lines in context: the same line, as loud, is normal at one speed and a fault at another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundproof.core.errors import ConfigError, DataError
from soundproof.datasets.bench.contexts import LINE_OF, ContextBench, lines_hz
from soundproof.datasets.bench.settings import ContextParameters
from soundproof.datasets.registry import DATASETS

SMALL = ContextParameters(machines=("fan_0", "gearbox_1"), train_clips=1, test_normal=1, test_anomaly=2)


def power_at(samples: np.ndarray, frequency_hz: float, rate_hz: int) -> float:
    """Power of a tone where it is loudest: squared projection on it, by hand, over a fifth of a second."""
    turned = samples * np.exp(-2j * np.pi * frequency_hz * np.arange(len(samples)) / rate_hz)
    length = rate_hz // 5
    means = np.convolve(turned, np.full(length, 1 / length), mode="valid")
    return float(2 * np.abs(means).max() ** 2)


@pytest.fixture(scope="module")
def bench() -> ContextBench:
    return ContextBench(SMALL, Path())


def test_every_speed_sings_a_line_of_its_own_and_an_anomaly_that_of_another(bench):
    clips = bench.clips()
    assert len(clips) == 2 * 3 * 4 and clips["clip_id"].is_unique
    leads: list[float] = []
    for row in clips[clips["split"].eq("test")].to_dict("records"):
        lines, own = lines_hz(SMALL, row["machine"]), row["attributes"].removeprefix("speed=")
        ratios = np.diff(np.sort(np.log2(list(lines.values()))))
        assert (ratios > 1 / 3).all()
        stems = bench.stems(row["clip_id"])
        levels = {name: power_at(stems.normal, line, stems.rate_hz) for name, line in lines.items()}
        # its normal part holds its own line and no other; a tone of the machine may pass near one
        leads += [levels[own] / levels[name] for name in lines if name != own]
        if row["label"] == "normal":
            assert not stems.fault.any() and row["events"] == []
            continue
        home, (event,) = row["anomaly_type"].removeprefix(LINE_OF), row["events"]
        assert home != own
        inside = slice(*(round(event[key] * stems.rate_hz) for key in ("onset_s", "offset_s")))
        assert not np.delete(stems.fault, np.r_[inside]).any()
        # as loud below the machine as a line is at home, where a tone of the machine may add to it
        foreign = power_at(stems.fault, lines[home], stems.rate_hz)
        assert foreign == pytest.approx(10 ** (SMALL.line_db / 10) * np.mean(stems.normal**2), rel=0.15)
        assert levels[own] > 0.8 * foreign
        assert event["low_hz"] <= lines[home] <= event["high_hz"]
        audio = bench.read(row["clip_id"])
        assert np.array_equal(audio.samples, stems.normal + stems.fault)
    assert min(leads) > 1 and np.median(leads) > 20


def test_the_foreign_lines_of_a_speed_are_those_of_all_others(bench):
    clips = bench.clips()
    faults = clips[clips["label"].eq("anomaly") & clips["attributes"].eq("speed=slow")]["anomaly_type"]
    assert set(faults) == {f"{LINE_OF}medium", f"{LINE_OF}fast"}


def test_the_same_name_is_the_same_sound_whatever_else_is_asked_for(bench):
    more = ContextBench(SMALL.model_copy(update={"test_anomaly": 3, "machines": ("fan_0",)}), Path())
    clip_id = "fan_0_slow_test_anomaly_medium_000"
    assert np.array_equal(more.read(clip_id).samples, bench.read(clip_id).samples)
    with pytest.raises(DataError, match="no such clip"):
        bench.read("fan_0_slow")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"speeds": {"slow": 0.8}}, "nowhere else to be normal"),
        ({"machines": ["valve_0"]}, "no machine of that kind"),
        ({"machines": ["fan"]}, "no machine of that kind"),
        ({"machines": ["fan_0", "fan_0"]}, "a repeated machine"),
        ({"line_share": [0.6, 0.3]}, "0.6, 0.3"),
        ({"speeds": {"slow": 0.8, "fast": -1}}, "-1"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, told):
    with pytest.raises(ConfigError) as caught:
        DATASETS.choose({"kind": "contexts", **wrong})
    assert told in caught.value.found
