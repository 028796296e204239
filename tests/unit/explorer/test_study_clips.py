"""Clips of a study as the explorer shows them: truth, sounds that were made, recordings that are gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from soundproof.audio.pair import flac
from soundproof.audio.sound import Audio
from soundproof.core.errors import DataError
from soundproof.core.registry import Parameters
from soundproof.explorer.numbers import Numbers
from soundproof.explorer.study_clips import StudyClips
from soundproof.explorer.view import Event
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.sounds import ClipSounds
from soundproof.illustrations.part_files import PartFiles
from soundproof.illustrations.sounds import NO_SOUND
from soundproof.interfaces.dataset import AudioDataset, SpectrogramDataset
from soundproof.storage.maps import MapWriter
from soundproof.storage.provenance import Provenance

RATE = 16_000
RECORD = Provenance(stage="features")
NOTHING = Numbers((), {"a": {"ae": 1.5}}, {}, {})
IDS = ["a", "b", "c"]


class Noise(AudioDataset):
    """Noise; a lost clip cannot be read, a changed one is other noise."""

    lost: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()

    def __init__(self) -> None:
        super().__init__(Parameters(), Path())

    def clips(self) -> pd.DataFrame:
        return pd.DataFrame({"clip_id": IDS})

    def read(self, clip_id: str) -> Audio:
        if clip_id in self.lost:
            raise DataError(f"the recording {clip_id}.wav", "no such file", "put it back")
        seed = ord(clip_id) + 100 * (clip_id in self.changed)
        samples = np.random.default_rng(seed).normal(scale=0.05, size=RATE).astype(np.float32)
        return Audio(samples, RATE)


SETTINGS = FeatureSettings(**resolve({"recipe": "bench", "standardise": "none"}))


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Opens a study of three clips whose maps were made of their sound."""
    dataset = Noise()
    sounds = ClipSounds(dataset, dataset.clips(), SETTINGS, [RATE])
    maps = np.stack([sounds.map(sounds.samples(clip_id), clip_id).numpy() for clip_id in IDS])
    axes = sounds.maker.axes(maps.shape[-1], "dB")
    files = {}
    for name, ids, values in (
        ("features", IDS, maps),
        ("masks", ["a"], (maps[:1] > 0).astype(np.uint8)),
        ("saliency", IDS[:2], maps[:2]),
        ("external", IDS[1:], maps[1:]),
    ):
        files[name] = tmp_path / f"{name}.parquet"
        with MapWriter(files[name], axes, RECORD, str(values.dtype)) as writer:
            writer.append(ids, values)
    event = {"onset_s": 0.1, "offset_s": 0.4, "low_hz": None, "high_hz": None}
    clips = pd.DataFrame(
        {
            "clip_id": IDS,
            "machine": "fan",
            "machine_id": "id00",
            "label": "anomaly",
            "domain": None,
            "anomaly_type": ["rub", None, None],
            "snr_db": [0.0, np.nan, np.nan],
            "sample_rate_hz": RATE,
            "events": [np.array([event]), None, np.array([])],
        }
    )
    part = PartFiles(
        files["features"],
        files["masks"],
        {("ae", name): files[name] for name in ("saliency", "external")},
    )

    def opened(of=dataset, listening=None, reasons=None) -> StudyClips:
        monkeypatch.setattr("soundproof.datasets.open_sounds.open_dataset", lambda *_: of)
        settings = {"dataset": {}, "features": SETTINGS.model_dump(mode="json")}
        return StudyClips({"all": part}, clips, NOTHING, listening, reasons, settings, tmp_path)

    return opened


def test_a_clip_has_its_own_sound_truth_and_maps(study) -> None:
    shown = study()
    assert shown.clip_ids == IDS
    a, b, c = shown.views(IDS)
    assert a.facts == {"machine": "fan", "machine_id": "id00", "label": "anomaly", "anomaly_type": "rub"}
    assert (a.snr_db, b.snr_db, a.scores, b.scores) == (0.0, None, {"ae": 1.5}, {})
    assert a.events == [Event(0.1, 0.4)] and b.events is None and c.events == []
    assert a.mask is not None and a.mask.dtype == bool and b.mask is None
    # an explainer may have explained some clips alone
    assert [set(one.maps) for one in (a, b, c)] == [
        {("ae", "saliency")},
        {("ae", "saliency"), ("ae", "external")},
        {("ae", "external")},
    ]
    [sound] = a.sounds
    assert (sound.role, sound.rate_hz, a.silent) == ("clip", RATE, "")
    assert np.abs(sound.samples / 32768 - Noise().read("a").samples).max() <= 0.5 / 32768 + 1e-9


def test_sentences_stand_with_their_maps(study) -> None:
    row = {"clip_id": "a", "detector": "ae", "explainer": "saliency", "sentence": None}
    said = pd.DataFrame(
        [
            row | {"detector": None, "explainer": None, "sentence": "Impacts."},
            row | {"sentence": "Noise."},
            row | {"clip_id": "b"},
        ]
    )
    a, b, c = study(reasons=said).views(IDS)
    assert (a.sentences, a.truth_says) == ({("ae", "saliency"): "Noise."}, "Impacts.")
    assert [(one.sentences, one.truth_says) for one in (b, c)] == [({}, "")] * 2


def test_recordings_that_are_gone_or_changed_are_said_and_their_maps_are_shown(study) -> None:
    dataset = Noise()
    dataset.lost, dataset.changed = frozenset({"a"}), frozenset({"b"})
    a, b, c = study(dataset).views(IDS)
    assert "no such file" in a.silent and "changed since" in b.silent and c.silent == ""
    assert a.sounds == b.sounds == [] and len(c.sounds) == 1
    assert a.maps and b.maps


def test_data_without_sound_say_so(study) -> None:
    class Ready(SpectrogramDataset):
        frequencies_hz = np.zeros(1)
        frames_per_second = 1.0
        clips = read = None

    shown = study(Ready(Parameters(), Path()))
    assert {one.silent for one in shown.views(IDS)} == {NO_SOUND}


def test_sounds_that_the_study_made_are_taken(study) -> None:
    tone = np.arange(-400, 400, dtype=np.int16)
    row = {"clip_id": "a", "detector": None, "explainer": None, "flac": None, "why": None}
    made = pd.DataFrame(
        [
            row | {"role": "clip", "flac": flac(tone, RATE)},
            row | {"role": "marked", "detector": "ae", "explainer": "saliency", "flac": flac(-tone, RATE)},
            row | {"role": "marked", "detector": "ae", "explainer": "external", "why": "marks nothing"},
            row | {"clip_id": "b", "role": "clip", "why": "it is gone"},
        ]
    )
    a, b = study(listening=made).views(["a", "b"])
    assert [(one.role, one.of, one.rate_hz) for one in a.sounds] == [
        ("clip", None, RATE),
        ("marked", ("ae", "saliency"), RATE),
    ]
    assert np.array_equal(a.sounds[1].samples, -tone) and a.silent == ""
    assert b.sounds == [] and b.silent == "it is gone"
