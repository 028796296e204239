"""Deletion and insertion on the sound, by hand and against sound that is cut independently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from toys.faithfulness import Linear

from soundproof.audio.sound import Audio
from soundproof.core.errors import DataError
from soundproof.core.registry import Parameters
from soundproof.faithfulness import on_sound
from soundproof.faithfulness.measure import measure_faithfulness
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.faithfulness.sound_deletion import sound_deletion
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.sounds import ClipSounds
from soundproof.interfaces.dataset import AudioDataset
from soundproof.interfaces.faithfulness import FaithfulnessContext
from soundproof.storage.maps import MapReader, MapWriter
from soundproof.storage.provenance import Provenance

RATE, SAMPLES = 16_000, 8192
RECIPE = FeatureSettings(**resolve({"recipe": "stft", "n_fft": 256, "window_length": 256, "hop_length": 256}))
SHAPE = (129, 32)
TONE = slice(60, 69)
"""Rows around a tone of 4 kHz."""
EXPLAINERS = {"tone": 1.0, "elsewhere": -1.0}


class Tones(AudioDataset):
    """A tone of 1 kHz and one of 4 kHz."""

    gain = 1.0

    def clips(self) -> pd.DataFrame:
        return pd.DataFrame()

    def read(self, clip_id: str) -> Audio:
        time = np.arange(SAMPLES) / RATE
        sound = np.sin(2 * np.pi * 1000 * time) + np.sin(2 * np.pi * 4000 * time)
        return Audio((self.gain * sound).astype(np.float32), RATE)


def sounds_and_maps() -> tuple[ClipSounds, torch.Tensor]:
    sounds = ClipSounds(Tones(Parameters(), Path()), pd.DataFrame(), RECIPE, [RATE])
    return sounds, sounds.map(sounds.samples("a"), "a")[None]


def detector(sign: float = 1.0) -> Linear:
    """Adds up the rows of the high tone."""
    weights = torch.zeros(SHAPE)
    weights[TONE] = sign
    return Linear(weights)


def relevance(sign: float) -> torch.Tensor:
    """Marks all cells of the tone first, or all others first; cells tie otherwise."""
    of_map = torch.zeros(1, *SHAPE)
    of_map[:, TONE] = sign
    return of_map


def context(sounds: ClipSounds | None, metric: str, rows_per_pass: int = 1000, **settings: object):
    return FaithfulnessContext(
        settings=FAITHFULNESS[metric].settings(settings),
        clip_ids=["a"],
        annotated=[None],
        frames_per_second=1.0,
        segment_frames=2,
        rows_per_pass=rows_per_pass,
        sounds=sounds,
    )


def measured(metric: str, rows_per_pass: int = 1000, **settings: object) -> pd.Series:
    sounds, x = sounds_and_maps()
    maps = {name: relevance(sign) for name, sign in EXPLAINERS.items()}
    of = context(sounds, metric, rows_per_pass, **settings)
    rows = FAITHFULNESS[metric].load()(detector(), x, maps, of)
    rows = rows[rows["metric"] == f"{metric}_curve"]
    return rows.set_index(["protocol", "explainer", "parameter"])["value"]


# nine of 129 rows are the tone's: just that many cells
SHARE = 9 / 129


@pytest.mark.parametrize("filling", ["silence", "surroundings"])
def test_removing_the_tone_silences_what_the_detector_hears(filling: str) -> None:
    left = measured("sound_deletion", shares=[SHARE], fillings=[filling])
    assert left[filling, "tone", SHARE] < 0.05
    # these cells hold the low tone at most, which the detector does not hear
    assert left[filling, "elsewhere", SHARE] == pytest.approx(1, abs=0.02)
    # rows shifted in time are the same rows
    assert left[f"chance_circular_shift_{filling}", "tone", SHARE] == pytest.approx(
        left[filling, "tone", SHARE]
    )


def test_keeping_the_tone_alone_keeps_the_score() -> None:
    kept = measured("sound_insertion", shares=[SHARE])
    assert kept["silence", "tone", SHARE] == pytest.approx(1, abs=0.02)
    assert kept["silence", "elsewhere", SHARE] < 0.05
    # tones do not change over time: their median is as loud as they are
    assert kept["surroundings", "elsewhere", SHARE] == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("metric", ["sound_deletion", "sound_insertion"])
def test_a_value_is_the_score_of_the_sound_cut_by_hand(metric: str) -> None:
    sounds, x = sounds_and_maps()
    samples = sounds.samples("a")
    through = sounds.stft.masked(samples, sounds.bins((relevance(1.0)[0] > 0).float(), SAMPLES))
    cut = samples - through if metric == "sound_deletion" else through
    score = detector().score(sounds.map(cut, "a")[None]) / detector().score(x)
    got = measured(metric, shares=[SHARE], fillings=["silence"])["silence", "tone", SHARE]
    assert got == pytest.approx(score.item(), abs=1e-5)


def test_the_value_of_a_clip_is_the_mean_of_its_curve() -> None:
    sounds, x = sounds_and_maps()
    of = context(sounds, "sound_deletion", shares=[0.1, 0.4])
    rows = sound_deletion(detector(), x, {"tone": relevance(1.0)}, of)
    keys = ["protocol", "explainer"]
    mean = rows[rows["metric"] == "sound_deletion"].set_index(keys)["value"]
    curve = rows[rows["metric"] == "sound_deletion_curve"].groupby(keys)["value"].mean()
    pd.testing.assert_series_equal(mean.sort_index(), curve.sort_index(), check_names=False)
    assert set(rows["clip_id"]) == {"a"}


def test_marked_cells_by_hand() -> None:
    own = np.array([[0, 1, 2, 3]])
    shifted = np.array([[3, 0, 1, 2]])
    at_random = np.array([[2, 3, 0, 1]])
    energy = np.array([1.0, 0.2, 0.7, 5.0])
    one, two = on_sound._marked(own, shifted, at_random, energy, (0.25, 0.5)).astype(int).tolist()
    # the map marks 1 of energy: of the shifted order 0.2 + 0.7 come nearest from below
    assert one == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0]]
    # 1.2: the next cell, of 5, would exceed it
    assert two == [[1, 1, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 1]]


def test_passes_are_bounded_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measured("sound_deletion", shares=[0.05, 0.3])
    pd.testing.assert_series_equal(measured("sound_deletion", rows_per_pass=3, shares=[0.05, 0.3]), whole)
    sounds, x = sounds_and_maps()
    cells = sounds.stft.n_bins * sounds.stft.n_frames(SAMPLES)
    monkeypatch.setattr(on_sound, "PASS_BYTES", 2 * on_sound.BYTES_PER_CELL * cells)
    toy = detector()
    of = context(sounds, "sound_deletion", shares=[0.05, 0.3])
    sound_deletion(toy, x, {"tone": relevance(1.0)}, of)
    # the intact clip; then two shares of three rankings and a random one, by two fillings
    assert toy.passes == [1, *[2] * 8]


def test_a_clip_whose_score_is_not_positive_is_left_out_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    sounds, x = sounds_and_maps()
    of = context(sounds, "sound_deletion")
    assert sound_deletion(detector(-1.0), x, {"tone": relevance(1.0)}, of).empty
    assert "left out 1 clips whose score is not positive" in caplog.text


def test_a_recording_that_changed_is_refused() -> None:
    _, x = sounds_and_maps()
    changed = Tones(Parameters(), Path())
    changed.gain = 1.1
    other = ClipSounds(changed, pd.DataFrame(), RECIPE, [RATE])
    with pytest.raises(DataError, match="changed since"):
        sound_deletion(detector(), x, {"tone": relevance(1.0)}, context(other, "sound_deletion"))


def test_without_sound_it_is_refused_and_a_study_leaves_it_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sounds, x = sounds_and_maps()
    with pytest.raises(DataError, match="the sound of clips"):
        sound_deletion(detector(), x, {"tone": relevance(1.0)}, context(None, "sound_deletion"))
    axes = sounds.maker.axes(SHAPE[1], "magnitude")
    for name, values in (("x", x), ("map", relevance(1.0))):
        with MapWriter(tmp_path / name, axes, Provenance(stage="test")) as writer:
            writer.append(["a"], values.numpy())
    arguments = {
        "annotated": {},
        "segment_frames": 2,
        "device": torch.device("cpu"),
        "memory_budget_bytes": 1 << 28,
    }
    families = {name: FAITHFULNESS[name].settings({}) for name in ("deletion", "sound_deletion")}
    readers = MapReader(tmp_path / "x"), {"tone": MapReader(tmp_path / "map")}
    deaf = measure_faithfulness(detector(), *readers, ["a"], families, **arguments)
    assert not deaf["metric"].str.startswith("sound").any() and "deletion_auc" in set(deaf["metric"])
    assert "left out, since the data set ships no sound: sound_deletion" in caplog.text
    heard = measure_faithfulness(detector(), *readers, ["a"], families, sounds=sounds, **arguments)
    assert "sound_deletion" in set(heard["metric"])
