"""Robustness: maps of the same clip, changed as recordings differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor
from toys.attribution import Linear

from soundproof.core.errors import ConfigError, DataError
from soundproof.faithfulness.changed_sounds import changed_maps, other_microphone
from soundproof.faithfulness.robustness import robustness
from soundproof.faithfulness.settings import RobustnessSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import Explain, FaithfulnessContext
from soundproof.randomness.seeding import seed_from

N_FREQ, N_FRAMES, RATE_HZ = 6, 20, 60
"""Ten frames of six samples a second: a band is a place within the frame."""
IDS = ["one", "two"]


class Samples:
    """Sounds whose map holds their samples, frame by frame."""

    rate_hz = RATE_HZ

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(3)
        self.clips = {name: torch.randn(N_FREQ * N_FRAMES, generator=generator) for name in IDS}

    def map(self, samples: Tensor, clip_id: str) -> Tensor:
        return samples.reshape(N_FRAMES, N_FREQ).T.contiguous()

    def confirmed(self, clip_id: str, features: np.ndarray) -> Tensor:
        samples = self.clips[clip_id]
        if not np.array_equal(features, self.map(samples, clip_id).numpy()):
            raise DataError("the sound of the map", "another", "none")
        return samples


class Long:
    """One sound, whose map is its samples."""

    rate_hz = 16000

    def __init__(self, samples: Tensor) -> None:
        self.samples = samples

    def map(self, samples: Tensor, clip_id: str) -> Tensor:
        return samples[None]

    def confirmed(self, clip_id: str, features: np.ndarray) -> Tensor:
        return self.samples


def explain(label: str, detector: Detector, x: Tensor, clip_ids: Sequence[str]) -> Tensor | None:
    if label == "elsewhere":
        return None
    if label == "cubed":
        return x**3
    if label == "drawn":
        drawn = [
            torch.rand(x.shape[1:], generator=torch.Generator().manual_seed(seed_from(i))) for i in clip_ids
        ]
        return torch.stack(drawn)
    assert label == "first frame"  # does not follow the sound
    out = torch.zeros_like(x)
    out[:, :, 0] = 1
    return out


def context(**changes: object) -> FaithfulnessContext[RobustnessSettings]:
    values: dict[str, object] = {
        "settings": RobustnessSettings(),
        "clip_ids": IDS,
        "annotated": [None, None],
        "frames_per_second": RATE_HZ / N_FREQ,
        "segment_frames": 1,
        "rows_per_pass": 8,
        "explain": explain,
        "sounds": Samples(),
    }
    return FaithfulnessContext(**{**values, **changes})  # type: ignore[arg-type]


def measured(metric: str = "robustness", **changes: object) -> pd.DataFrame:
    asked = context(**changes)
    sounds = Samples()
    x = torch.stack([sounds.map(sounds.clips[name], name) for name in IDS])
    detector = Linear(torch.ones(N_FREQ, N_FRAMES)).freeze()
    maps = {name: explain(name, detector, x, IDS) for name in ("cubed", "drawn", "first frame")}
    maps["elsewhere"] = x.clone()
    rows = robustness(detector, x, maps, asked)  # type: ignore[arg-type]
    return rows[rows["metric"].eq(metric)]


def by_change(rows: pd.DataFrame, explainer: str) -> pd.Series:
    return rows[rows["explainer"].eq(explainer)].pivot_table(index="protocol", values="value")["value"]


def test_a_map_that_follows_gain_and_time_keeps_its_order_and_noise_moves_it() -> None:
    found = by_change(measured(), "cubed")
    assert found[["louder", "softer", "later"]].tolist() == pytest.approx([1, 1, 1])
    assert 0.9 < found["noise"] < 1
    louder_noise = by_change(measured(settings=RobustnessSettings(noise_db=0.0)), "cubed")
    assert louder_noise["noise"] < found["noise"] - 0.1


def test_noise_is_as_far_below_the_clip_as_said_and_the_clips_own() -> None:
    sounds, seen = Samples(), {}

    def keep(label: str, detector: Detector, x: Tensor, clip_ids: Sequence[str]) -> Tensor:
        seen[clip_ids[0].split()[-1]] = x
        return x

    rows = measured(explain=keep, settings=RobustnessSettings(noise_db=10.0, gain_db=6.0))
    clean = torch.stack([sounds.map(sounds.clips[name], name) for name in IDS])
    added = seen["noise"] - clean
    # 120 draws: the power of white noise is known within 4 standard errors, sqrt(2 / 120)
    ratio = (added.square().mean(dim=(1, 2)) / clean.square().mean(dim=(1, 2))).numpy()
    np.testing.assert_allclose(ratio, 0.1, rtol=4 * np.sqrt(2 / 120))
    np.testing.assert_allclose(seen["louder"], clean * 10 ** (6 / 20), rtol=1e-6)
    # of an independent implementation
    noisy = rows.query("explainer == 'cubed' and protocol == 'noise'").set_index("clip_id")["value"]
    for row, name in enumerate(IDS):
        expected = spearmanr(clean[row].flatten() ** 3, seen["noise"][row].flatten()).statistic
        assert noisy[name] == pytest.approx(expected)


def test_what_is_drawn_at_random_is_drawn_anew_and_lies_at_chance() -> None:
    rows = measured()
    chance = rows[rows["explainer"].eq("random_cells")]
    changes = ("louder", "softer", "later", "noise")
    assert sorted(chance["protocol"]) == sorted(f"chance_uniform_{change}" for change in changes for _ in IDS)
    # 4 standard errors of a correlation of 120 pairs
    limit = 4 / np.sqrt(N_FREQ * N_FRAMES)
    assert (rows[rows["explainer"].eq("drawn")]["value"].abs() < limit).all()
    assert (chance["value"].abs() < limit).all()


def test_a_map_that_stays_in_its_place_does_not_follow_a_later_sound() -> None:
    found = by_change(measured(), "first frame")
    assert found[["louder", "softer", "noise"]].tolist() == pytest.approx([1, 1, 1])
    # the marked frame against the one before it: disjoint sets of a twentieth of the cells
    assert found["later"] == pytest.approx(-1 / (N_FRAMES - 1))


def keeping(seen: dict[str, Tensor]) -> Explain:
    """Who keeps what is explained, by change."""

    def keep(label: str, detector: Detector, x: Tensor, clip_ids: Sequence[str]) -> Tensor | None:
        seen[clip_ids[0].split()[-1]] = x
        return x

    return keep


def test_only_the_changes_that_are_named_are_made() -> None:
    rows = measured(settings=RobustnessSettings(changes=("room", "microphone")))
    assert set(rows["protocol"]) == {
        f"{before}{name}" for before in ("", "chance_uniform_") for name in ("room", "microphone")
    }


def test_noise_of_a_room_is_as_loud_as_said_and_falls_above_its_corner() -> None:
    clip = torch.ones(1 << 16)
    given = context(
        settings=RobustnessSettings(changes=("room",), noise_db=14.0),
        clip_ids=["one"],
        frames_per_second=1.0,
        sounds=Long(clip),
    )
    ((name, _, made),) = changed_maps(clip[None, None], Long(clip), given)
    noise = made[0, 0] - clip
    assert name == "room" and noise.square().mean().item() == pytest.approx(10**-1.4, rel=1e-3)
    power = torch.fft.rfft(noise.double()).abs().square()

    def level(hz: float) -> float:
        """In an octave around a frequency, per bin."""
        low, high = (round(hz * 2**end * len(clip) / Long.rate_hz) for end in (-0.5, 0.5))
        return 10 * float(torch.log10(power[low:high].mean()))

    # flat below the corner, 5 dB an octave far above it
    assert level(20) == pytest.approx(level(40), abs=1)
    assert level(2000) - level(4000) == pytest.approx(5, abs=0.7)


def test_another_microphone_is_one_filter_for_all_clips_within_its_bounds() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 4000, generator=generator)
    heard = [other_microphone(samples, 3.0, 16000, seed=0) for samples in (one, other, one + other)]
    torch.testing.assert_close(heard[2], heard[0] + heard[1], atol=1e-4, rtol=0)
    response = torch.fft.rfft(heard[0].double()) / torch.fft.rfft(one.double())
    gains = 20 * torch.log10(response.abs())
    assert gains.abs().max() <= 3.0 + 1e-3 and gains.std() > 0.3
    # no delay, and no jump from bin to bin
    assert response.imag.abs().max() < 1e-3 and gains[8:].diff().abs().max() < 0.4
    assert not torch.equal(heard[0], other_microphone(one, 3.0, 16000, seed=1))
    np.testing.assert_allclose(other_microphone(one, 1e-9, 16000, seed=0), one, atol=1e-5)


def test_relative_stability_by_hand() -> None:
    found = by_change(measured("relative_stability", settings=RobustnessSettings(gain_db=1.0)), "cubed")
    sounds = Samples()
    x = torch.stack([sounds.map(sounds.clips[name], name) for name in IDS]).double().numpy()
    factor = 10 ** (1 / 20)
    for change, by in (("louder", factor), ("softer", 1 / factor)):
        # of y = c x the change is |c - 1| |x| / |x - mean|
        expected = [
            np.log10(abs(by - 1) * norm(of) / spread(of) / (abs(by**3 - 1) * norm(of**3) / spread(of**3)))
            for of in x
        ]
        assert found[change] == pytest.approx(np.mean(expected), abs=1e-4)
    assert "later" not in found.index


def norm(values: np.ndarray) -> float:
    return float(np.linalg.norm(values))


def spread(values: np.ndarray) -> float:
    return norm(values - values.mean())


def test_the_input_changes_as_much_as_itself_and_a_map_that_stays_by_no_more_than_rounding() -> None:
    rows = measured("relative_stability", explain=keeping({}))
    x = torch.stack([Samples().clips[name].reshape(N_FRAMES, N_FREQ).T for name in IDS])
    detector = Linear(torch.ones(N_FREQ, N_FRAMES)).freeze()
    own = robustness(detector, x, {"input": x}, context(explain=keeping({})))  # type: ignore[arg-type]
    of_input = own.query("metric == 'relative_stability' and explainer == 'input'")["value"]
    assert of_input.to_numpy() == pytest.approx(np.zeros(3 * len(IDS)), abs=1e-6)
    still = measured("relative_stability").query("explainer == 'first frame'")
    # log10 of the input's change over 1e-6
    assert (still["value"] > 4).all()
    # maps of noise change by the square root of 2 of their spread, about
    chance = rows.query("explainer == 'random_cells' and protocol == 'chance_uniform_louder'")["value"]
    by = (10 ** (1 / 20) - 1) * np.array([norm(of) / spread(of) for of in x.double().numpy()])
    assert chance.to_numpy() == pytest.approx(np.log10(by / np.sqrt(2)), abs=0.1)


def test_where_the_input_does_not_change_or_a_map_is_constant_there_is_no_relative_value() -> None:
    def flat(label: str, detector: Detector, x: Tensor, clip_ids: Sequence[str]) -> Tensor | None:
        return torch.ones_like(x)

    x = torch.stack([Samples().clips[name].reshape(N_FRAMES, N_FREQ).T for name in IDS])
    detector = Linear(torch.ones(N_FREQ, N_FRAMES)).freeze()
    rows = robustness(detector, x, {"flat": torch.ones_like(x)}, context(explain=flat))  # type: ignore[arg-type]
    assert set(rows.query("explainer == 'flat'")["metric"]) == {"robustness"}
    settings = RobustnessSettings(changes=("louder",), gain_db=1e-9)
    assert measured("relative_stability", settings=settings).empty


def test_maps_from_elsewhere_have_no_rows() -> None:
    assert "elsewhere" not in set(measured()["explainer"])


@pytest.mark.parametrize(
    ("changes", "error"), [({"explain": None}, ConfigError), ({"sounds": None}, DataError)]
)
def test_without_sound_or_somebody_who_explains_it_says_so(
    changes: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error, match="robustness"):
        measured(**changes)
