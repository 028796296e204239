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
from soundproof.faithfulness.robustness import robustness
from soundproof.faithfulness.settings import RobustnessSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext
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


def measured(**changes: object) -> pd.DataFrame:
    asked = context(**changes)
    sounds = Samples()
    x = torch.stack([sounds.map(sounds.clips[name], name) for name in IDS])
    detector = Linear(torch.ones(N_FREQ, N_FRAMES)).freeze()
    maps = {name: explain(name, detector, x, IDS) for name in ("cubed", "drawn", "first frame")}
    maps["elsewhere"] = x.clone()
    return robustness(detector, x, maps, asked)  # type: ignore[arg-type]


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
