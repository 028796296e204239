"""P2's recipe on ESC-10: on the excerpts of ``tests/sounds``, and on small trees."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from soundproof.audio.reading import read_audio
from soundproof.core.errors import ConfigError, DataError
from soundproof.datasets.environmental.classes import ESC10_EVENTS, TEXTURES
from soundproof.datasets.environmental.envmix_esc10 import EnvmixEsc10Dataset
from soundproof.datasets.environmental.listings import SoundFile, esc_sounds
from soundproof.datasets.environmental.settings import EnvmixEsc10Parameters
from soundproof.features.extract import extract_features
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import Provenance

SOUNDS = Path(__file__).parents[2] / "sounds" / "esc10"
OF_EXCERPTS = {"machines": ("rain",), "anomalies": ("dog", "sneezing"), "expected_counts": "any", "snr_db": 0}


def excerpts(folder: Path = SOUNDS, **settings: Any) -> EnvmixEsc10Dataset:
    return EnvmixEsc10Dataset(
        EnvmixEsc10Parameters(**{**OF_EXCERPTS, "folder": str(folder), **settings}), Path()
    )


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def test_the_classes_are_esc10s_and_each_has_one_part():
    settings = EnvmixEsc10Parameters()
    assert settings.machines == TEXTURES and settings.anomalies == ESC10_EVENTS
    assert len({*TEXTURES, *ESC10_EVENTS}) == 10
    with pytest.raises(ConfigError, match="did you mean 'rain'"):
        EnvmixEsc10Parameters(machines=("rainn",))
    with pytest.raises(ValueError, match="'dog' is background and event"):
        EnvmixEsc10Parameters(machines=("dog",))


def test_real_sounds_are_mixed_at_their_snr_with_exact_stems():
    for snr_db in (-6, 6):
        data = excerpts(snr_db=snr_db)
        clips = data.clips()
        assert clips.groupby(["split", "label"]).size().to_dict() == {
            ("train", "normal"): 3,
            ("test", "normal"): 2,
            ("test", "anomaly"): 1,
        }
        (clip,) = clips[clips["label"] == "anomaly"].itertuples()
        stems = data.stems(clip.clip_id)
        assert 20 * np.log10(rms(stems.normal) / rms(stems.fault)) == pytest.approx(snr_db, abs=1e-3)
        assert np.array_equal(data.read(clip.clip_id).samples, stems.normal + stems.fault)
        # the background is the recording, at one gain in all clips
        gains = []
        for row in clips.itertuples():
            source = data.stems(row.clip_id).normal
            recording = read_audio(SOUNDS / row.path)
            assert recording.rate_hz == 22_050
            gains.append(rms(source) / rms(recording.samples))
        # resampling leaves out what it cannot hold of the last octave
        assert np.ptp(gains) / np.mean(gains) < 0.02


def test_an_events_extent_is_derived_and_said():
    data = excerpts()
    (clip,) = data.clips().query("label == 'anomaly'").itertuples()
    (event,) = clip.events
    # excerpts of events last a second at most
    assert 0.2 < event["offset_s"] - event["onset_s"] <= 1.01
    (note,) = data.notes()
    assert note.kind == "caution" and "40 dB below its peak" in note.text
    (published,) = excerpts(event_floor_db=None).notes()
    assert "exactly zero" in published.text


def test_maps_and_masks_of_real_sound(tmp_path):
    """On the network's own recipe; what a mask marks is where the event's power lies."""
    data = excerpts()
    clips = data.clips()
    settings = FeatureSettings(**resolve({"recipe": "cnn9", "level": "normalise"}))
    outputs = tmp_path / "maps.parquet", tmp_path / "masks.parquet"
    extract_features(data, clips, settings, *outputs, Provenance(stage="features"), rates_hz=[44_100])
    (anomaly,) = clips.loc[clips["label"] == "anomaly", "clip_id"]
    mask = MapReader(tmp_path / "masks.parquet").read([anomaly])[0].astype(bool)
    maps = MapReader(tmp_path / "maps.parquet").read(list(clips["clip_id"]))
    assert maps.shape[1:] == mask.shape == (96, 168)
    (event,) = clips.set_index("clip_id").loc[anomaly, "events"]
    frames = np.flatnonzero(mask.any(axis=0)) * 1024 / 44_100
    # a window of 2048 samples hears an event half of its length before and after
    assert event["onset_s"] - 0.05 <= frames.min() and frames.max() <= event["offset_s"] + 0.05
    assert 0 < mask.mean() < 0.3


def esc10(folder: Path, per_class: int = 4) -> Path:
    """A tree in ESC-10's own layout, of short noises, in which two takes share a recording."""
    for number, name in enumerate(("Dog bark", "Rain", "Sea waves"), start=1):
        for clip in range(per_class):
            path = (
                folder / f"{number:03d} - {name}" / f"{1 + clip % 5}-{100 + clip // 2}-{'AB'[clip % 2]}.wav"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            rng = np.random.default_rng([number, clip])
            soundfile.write(path, rng.normal(0, 0.1, 4 * 8000 if number > 1 else 800), 8000)
    return folder


def test_esc10_is_read_from_folders_of_either_name_and_from_an_archive(tmp_path):
    own = esc_sounds(esc10(tmp_path / "own"), complete=False)
    assert {(s.category, s.fold, s.recording) for s in own if "Rain" in s.place} == {
        ("rain", 1, "100"),
        ("rain", 2, "100"),
        ("rain", 3, "101"),
        ("rain", 4, "101"),
    }
    shutil.copytree(tmp_path / "own/001 - Dog bark", tmp_path / "plain/dog_bark")
    shutil.copytree(tmp_path / "own/001 - Dog bark", tmp_path / "esc50/dog")
    (tmp_path / "zip").mkdir()
    with zipfile.ZipFile(tmp_path / "zip/ESC-10-master.zip", "w") as archive:
        for path in (tmp_path / "own").rglob("*.wav"):
            archive.write(path, f"ESC-10-master/{path.relative_to(tmp_path / 'own')}")

    def facts(sounds: list[SoundFile]) -> set[tuple[str, str, str]]:
        return {(s.name, s.category, s.recording) for s in sounds}

    dogs = facts([sound for sound in own if sound.category == "dog"])
    for name in ("plain", "esc50"):
        assert facts(esc_sounds(tmp_path / name, complete=False)) == dogs
    assert facts(esc_sounds(tmp_path / "zip", complete=False)) == facts(own)


def test_takes_of_one_recording_are_on_one_side(tmp_path):
    folder = esc10(tmp_path, per_class=20)
    data = excerpts(folder, machines=("rain", "sea_waves"), anomalies=("dog",))
    clips = data.clips()
    clips["recording"] = clips["machine"] + clips["clip_id"].str.extract(r"-(\d+)-", expand=False)
    assert clips.groupby("recording")["split"].nunique().max() == 1
    assert clips.groupby(["machine", "split", "label"]).size().to_dict() == {
        (machine, *kind): count
        for machine in ("rain", "sea_waves")
        for kind, count in {("train", "normal"): 10, ("test", "normal"): 5, ("test", "anomaly"): 5}.items()
    }
    published = excerpts(folder, machines=("rain",), anomalies=("dog",), protocol="as_published").clips()
    recordings = published["clip_id"].str.extract(r"-(\d+)-", expand=False)
    assert published.groupby(recordings)["split"].nunique().max() == 2


def test_a_background_that_is_too_short_is_left_out_and_named(tmp_path):
    folder = esc10(tmp_path, per_class=6)
    short = np.random.default_rng(0).normal(0, 0.1, 3 * 8000)
    soundfile.write(folder / "002 - Rain/1-100-A.wav", short, 8000)
    data = excerpts(folder, anomalies=("dog",))
    assert len(data.clips()) == 5
    _, note = data.notes()
    assert note.kind == "left out" and note.text == "shorter than 3.9 s: '002 - Rain/1-100-A.wav'"
    assert len(excerpts(folder, machines=("sea_waves",), anomalies=("dog",)).notes()) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"expected_counts": "published"},
            r"400 clips of ESC-10[\s\S]*12 \(-388\)[\s\S]*expected_counts: any",
        ),
        ({"machines": ("helicopter",)}, r"class 'helicopter'[\s\S]*use some of: dog, rain, sea_waves"),
    ],
)
def test_what_is_not_there_is_named(change, said, tmp_path):
    with pytest.raises(DataError, match=said):
        excerpts(esc10(tmp_path), **{"anomalies": ("dog",), **change}).clips()


def test_a_clip_whose_name_tells_no_recording_is_refused(tmp_path):
    folder = esc10(tmp_path)
    clip = folder / "002 - Rain/1-100-A.wav"
    clip.rename(clip.with_name("strange.wav"))
    with pytest.raises(DataError, match=r"strange.wav[\s\S]*1-100032-A.ogg"):
        excerpts(folder, anomalies=("dog",)).clips()


def test_esc50_and_esc10_are_mixed_alike(tmp_path):
    """The same clips, listed by ESC-50's table or by ESC-10's folders, give the same sounds."""
    folders = esc10(tmp_path / "esc10", per_class=6)
    numbers = {"Dog bark": ("dog", 0), "Rain": ("rain", 10)}
    rows = []
    (tmp_path / "esc50/audio").mkdir(parents=True)
    (tmp_path / "esc50/meta").mkdir()
    for path in sorted(folders.rglob("*.wav")):
        category, target = numbers.get(path.parent.name[6:], ("sea_waves", 11))
        fold, recording, _ = path.stem.split("-")
        name = f"{path.stem}-{target}.wav"
        shutil.copy(path, tmp_path / "esc50/audio" / name)
        rows.append((name, fold, category, recording))
    pd.DataFrame(rows, columns=["filename", "fold", "category", "src_file"]).to_csv(
        tmp_path / "esc50/meta/esc50.csv", index=False
    )
    listed = [excerpts(tmp_path / of, anomalies=("dog",)).clips() for of in ("esc10", "esc50")]
    counts = [clips.groupby(["split", "label"]).size().to_dict() for clips in listed]
    assert counts[0] == counts[1]
    assert set(listed[1]["clip_id"]) == {f"{name}-10" for name in listed[0]["clip_id"]}
