"""SI-SDR of what maps mark, against a computation by hand, and what is said without stems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from soundproof.audio.sound import Audio, Stems
from soundproof.core.errors import DataError
from soundproof.core.registry import Parameters
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.sounds import ClipSounds
from soundproof.interfaces.dataset import AudioDataset
from soundproof.localisation.measure import measure_localisation
from soundproof.localisation.registry import LOCALISATION
from soundproof.localisation.si_sdr import measure
from soundproof.truth.ground_truth import Truth

RATE, SAMPLES = 16_000, 8000
RECIPE = FeatureSettings(**resolve({"recipe": "stft", "frames_multiple": 1}))
SHAPE = (513, 16)
SETTINGS = LOCALISATION["si_sdr"].settings({"share": 1.0})


class Tone(AudioDataset):
    """A tone of 1 kHz, and as its fault one of 4 kHz; ``silent`` has no fault, of ``missing`` the tone is gone."""

    has_stems = True

    def clips(self) -> pd.DataFrame:
        return pd.DataFrame()

    def read(self, clip_id: str) -> Audio:
        raise NotImplementedError

    def stems(self, clip_id: str) -> Stems | None:
        time = np.arange(SAMPLES) / RATE
        low, high = (np.sin(2 * np.pi * hz * time).astype(np.float32) for hz in (1000, 4000))
        return (
            Stems(low, {"silent": 0 * high, "missing": -low}.get(clip_id, high), RATE)
            if self.has_stems
            else None
        )


def truth(*clip_ids: str, with_stems: bool = True) -> Truth:
    dataset = Tone(Parameters(), Path())
    dataset.has_stems = with_stems
    masks = np.zeros((len(clip_ids), *SHAPE), bool)
    masks[:, 250:263] = True
    sounds = ClipSounds(dataset, dataset.clips(), RECIPE, [RATE])
    return Truth(31.25, [[]] * len(clip_ids), masks, clip_ids, sounds=sounds)


def values(relevance: np.ndarray, known: Truth, settings: Parameters = SETTINGS) -> dict[str, float]:
    maps = np.stack([relevance] * len(known.clip_ids))
    return {str(block.protocol): float(block.value[0]) for block in measure(maps, known, settings)}  # type: ignore[index]


def test_a_map_of_the_true_cells_is_the_oracle_and_one_of_all_cells_the_clip() -> None:
    known = truth("a")
    true = values(known.cells()[0].astype(np.float32), known)
    assert true[""] == true["oracle"] > 20
    everything = values(np.ones(SHAPE, np.float32), known)
    # two tones as loud as each other: half of the clip is the fault
    assert everything["flag_all"] == pytest.approx(0, abs=1e-3)
    assert everything[""] == pytest.approx(0, abs=1e-3)
    # of a map of one value no permutation and no shift is another map
    assert everything["chance_uniform"] == pytest.approx(everything[""])
    assert everything["chance_circular_shift"] == pytest.approx(everything[""])
    assert values(1 - 2 * known.cells()[0].astype(np.float32), known)[""] < -20


def test_a_frequency_mask_by_hand() -> None:
    # cells of the low tone at a quarter, those of the high one whole: powers 1/16 to 1
    known = truth("a")
    relevance = np.full(SHAPE, 0.25, np.float32)
    relevance[160:] = 1
    half = LOCALISATION["si_sdr"].settings({"share": 0.5})
    assert values(relevance, known, half)[""] == pytest.approx(10 * np.log10(16), abs=0.1)


def test_chance_derives_from_the_clip_alone() -> None:
    relevance = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    alone, beside = truth("a"), truth("b", "a")
    blocks = {str(b.protocol): b.value for b in measure(np.stack([relevance] * 2), beside, SETTINGS)}
    for protocol, value in values(relevance, alone).items():
        assert np.asarray(blocks[protocol])[1] == value, protocol


def test_clips_without_a_value_are_counted_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    ids = ["a", "silent", "missing"]
    known = truth(*ids)
    maps = {"right": known.cells().astype(np.float32), "nothing": -np.ones((3, *SHAPE), np.float32)}
    table = measure_localisation(maps, ids, known, {"si_sdr": SETTINGS})
    assert set(table["clip_id"]) == {"a"}
    own = table[table["protocol"] == ""]
    assert list(own["explainer"]) == ["right"]
    assert "si_sdr of nothing: undefined for 3 of 3 clips" in caplog.text


def test_data_without_stems_or_sound_are_said(caplog: pytest.LogCaptureFixture) -> None:
    known = truth("a", with_stems=False)
    maps = {"right": known.cells().astype(np.float32)}
    assert measure_localisation(maps, ["a"], known, {"si_sdr": SETTINGS}).empty
    assert "si_sdr (each needs the stems of its sound)" in caplog.text
    with pytest.raises(DataError, match="the sound of clips"):
        next(iter(measure(known.cells(), Truth(31.25, [[]], known.cells(), ["a"]), SETTINGS)))


def test_nan_in_a_map_is_refused() -> None:
    known = truth("a")
    with pytest.raises(DataError, match="finite"):
        measure_localisation({"x": np.full((1, *SHAPE), np.nan)}, ["a"], known, {"si_sdr": SETTINGS})


def test_sounds_are_read_once_for_all_explainers() -> None:
    known = truth("a")
    assert known.sounds is not None
    assert known.sounds.stems("a") is known.sounds.stems("a")
