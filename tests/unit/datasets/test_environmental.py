from __future__ import annotations

import hashlib
import io
import math
import tarfile
import zipfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from soundproof.audio.fitting import fitted, resampled
from soundproof.core.errors import ConfigError, DataError, DownloadError
from soundproof.datasets.environmental import files
from soundproof.datasets.environmental.classes import BACKGROUNDS, EVENTS, URBAN_CLASSES
from soundproof.datasets.environmental.envmix import EnvmixDataset
from soundproof.datasets.environmental.listings import SoundFile, esc50_sounds, urban_sounds
from soundproof.datasets.environmental.one_class import Esc50Dataset, Urbansound8kDataset
from soundproof.datasets.environmental.settings import (
    EnvmixParameters,
    Esc50Parameters,
    Urbansound8kParameters,
)
from soundproof.downloads.remote_file import RemoteFile

MINI = {"machines": ("siren",), "anomalies": ("dog", "frog"), "miniature": True}


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """Data folder in which the miniature is written."""
    folder = tmp_path_factory.mktemp("data")
    envmix(folder).fetch()
    return folder


def envmix(data_dir: Path, **settings: Any) -> EnvmixDataset:
    return EnvmixDataset(EnvmixParameters(**{**MINI, **settings}), data_dir)


SQUARE = np.tile([1.0, -1.0], 120_000)
STEPS = np.tile([1.0, 1.0, -1.0, -1.0], 11_025)
"""A second whose samples meet those of SQUARE with equal and with other sign, wherever it begins."""


def sources(
    folder: Path, amplitudes: list[float], *, background_s: float = 4.0, event: np.ndarray | None = None
) -> None:
    """A tree of sirens, each of a recording of its own, of these amplitudes, and one dog."""
    rows = []
    for number, amplitude in enumerate(amplitudes):
        path = folder / f"urbansound8k/audio/fold1/{number}-8-0-0.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        sound = amplitude * SQUARE[: round(background_s * 44_100)]
        soundfile.write(path, sound, 44_100, subtype="FLOAT")
        rows.append((path.name, number, 0.0, 4.0, 1, "siren"))
    columns = ["slice_file_name", "fsID", "start", "end", "fold", "class"]
    (folder / "urbansound8k/metadata").mkdir()
    pd.DataFrame(rows, columns=columns).to_csv(folder / "urbansound8k/metadata/UrbanSound8K.csv", index=False)
    (folder / "esc50/audio").mkdir(parents=True)
    (folder / "esc50/meta").mkdir()
    soundfile.write(
        folder / "esc50/audio/1-7-A-0.wav", STEPS if event is None else event, 44_100, subtype="FLOAT"
    )
    (folder / "esc50/meta/esc50.csv").write_text("filename,fold,category,src_file\n1-7-A-0.wav,1,dog,7\n")


def by_name(folder: Path, snr_db: int, protocol: str) -> tuple[EnvmixDataset, dict[str, tuple]]:
    """The data set of a tree, and (split, whether there is an event, both stems) by number of the background."""
    data = envmix(
        folder,
        miniature=False,
        folder=str(folder),
        anomalies=("dog",),
        expected_counts="any",
        snr_db=snr_db,
        protocol=protocol,
    )
    return data, {
        Path(clip.place).stem.split("-")[0]: (clip.split, clip.event is not None, data.stems(clip.clip_id))
        for clip in data.planned()
    }


def rms(samples):
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def backgrounds(category: str, count: int, per_recording: int = 4) -> dict[str, SoundFile]:
    sounds = [
        SoundFile(f"{category}/{n}", Path(), f"{category}-{n}", category, 1, str(n // per_recording), 4.0)
        for n in range(count)
    ]
    return {sound.place: sound for sound in sounds}


def split_of(category: str, count: int, **settings: Any) -> pd.DataFrame:
    """The split of that many backgrounds, four cut from each recording."""
    data = EnvmixDataset(EnvmixParameters(machines=(category,), **settings), Path())
    data.__dict__["_backgrounds"] = backgrounds(category, count)
    event = SoundFile("dog", Path(), "dog", "dog", 1, "1", math.nan)
    rows = data._of_class(category, {"dog": [event]})
    return pd.DataFrame(
        [(sound.name, sound.recording, split, event is not None) for sound, split, event in rows],
        columns=["name", "recording", "split", "event"],
    )


@pytest.mark.parametrize(
    ("category", "train", "test"),
    # P2's sizes
    [
        *[("air_conditioner", 740, 247), ("engine_idling", 692, 231), ("street_music", 732, 245)],
        *[("children_playing", 727, 243), ("siren", 625, 209), ("jackhammer", 590, 197)],
        *[("drilling", 573, 191), ("car_horn", 140, 47)],
    ],
)
def test_the_published_split_has_the_sizes_of_p2(category, train, test):
    assert BACKGROUNDS[category] == train + test
    clips = split_of(category, train + test, protocol="as_published")
    assert (clips["split"] == "train").sum() == train
    assert (clips["split"] == "test").sum() == test
    assert clips["event"].sum() == test // 2
    assert set(clips.loc[clips["event"], "split"]) == {"test"}


def test_the_corrected_split_keeps_recordings_together_and_the_published_one_does_not():
    corrected = split_of("siren", 834)
    assert corrected.groupby("recording")["split"].nunique().max() == 1
    # at most the rest of the last recording drawn more than a quarter
    assert 209 <= (corrected["split"] == "test").sum() < 209 + 4
    published = split_of("siren", 834, protocol="as_published")
    assert published.groupby("recording")["split"].nunique().max() == 2


def test_another_number_of_backgrounds_than_p2s_is_refused():
    with pytest.raises(DataError, match=r"834 clips of 'siren'[\s\S]*833 \(-1\)"):
        split_of("siren", 833)


def test_another_seed_draws_another_split():
    first, second = (split_of("siren", 834, seed=seed) for seed in (0, 1))
    assert not first["split"].equals(second["split"])


@pytest.mark.parametrize("snr_db", [-6, 0, 6])
def test_a_mixture_has_its_snr(snr_db, home):
    data = envmix(home, snr_db=(snr_db,))
    for clip in data.planned():
        if clip.event is not None:
            stems = data.stems(clip.clip_id)
            assert 20 * math.log10(rms(stems.normal) / rms(stems.fault)) == pytest.approx(snr_db, abs=1e-3)


AMPLITUDES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]


@pytest.mark.parametrize(
    ("snr_db", "in_mixture", "in_clean"), [(-6, 0.33386, 0.20076), (0, 0.5, 0.5), (6, 0.66614, 0.79924)]
)
def test_the_published_recipe_by_hand(snr_db, in_mixture, in_clean, tmp_path):
    sources(tmp_path, AMPLITUDES)
    _, clips = by_name(tmp_path, snr_db, "as_published")
    assert Counter(split for split, _, _ in clips.values()) == {"train": 6, "test": 2}
    (amplitude,) = [AMPLITUDES[int(n)] for n, (_, event, _) in clips.items() if event]
    # the event has the RMS (1 - in_mixture) x amplitude over four seconds, of which it sounds for one: twice that
    event = 2 * (1 - in_mixture) * amplitude
    peak = max(1.0, in_mixture * amplitude + event)
    clean = {n: AMPLITUDES[int(n)] * in_clean for n, (split, event, _) in clips.items() if not event}
    largest = max(
        [(in_mixture * amplitude + event) / peak, *(clean[n] for n in clean if clips[n][0] == "test")]
    )
    for number, (_, has_event, stems) in clips.items():
        expected = in_mixture * amplitude / peak if has_event else clean[number]
        assert np.abs(stems.normal).max() == pytest.approx(expected / largest, rel=1e-4), number
        assert np.abs(stems.fault).max() == pytest.approx(
            event / peak / largest if has_event else 0, rel=1e-4
        )
        assert np.count_nonzero(stems.fault) == (44_100 if has_event else 0)
    # all test clips stand below full scale, one of them reaches it
    heard = [(stems.normal + stems.fault).max() for split, _, stems in clips.values() if split == "test"]
    assert max(heard) == pytest.approx(1.0)


@pytest.mark.parametrize(("snr_db", "in_mixture"), [(-6, 0.33386), (0, 0.5), (6, 0.66614)])
def test_the_corrected_recipe_gives_backgrounds_one_level_by_hand(snr_db, in_mixture, tmp_path):
    sources(tmp_path, AMPLITUDES)
    data, clips = by_name(tmp_path, snr_db, "corrected")
    (amplitude,) = [AMPLITUDES[int(n)] for n, (_, event, _) in clips.items() if event]
    peak = in_mixture * amplitude + 2 * (1 - in_mixture) * amplitude
    gain = 1 if peak <= 1 else 0.99999 / peak
    for number, (_, _, stems) in clips.items():
        # to the bit: nothing of the background tells if an event is there
        expected = np.float32(gain) * np.float32(
            in_mixture_exactly(snr_db) * np.float32(AMPLITUDES[int(number)])
        )
        assert np.abs(stems.normal).max() == pytest.approx(expected, rel=1e-6), number
        sound = data.read(f"siren_{snr_db}dB_{number}-8-0-0").samples
        assert np.array_equal(sound, stems.normal + stems.fault)
        assert np.abs(sound).max() <= 1
    assert any(event for _, event, _ in clips.values())


def in_mixture_exactly(snr_db: float) -> float:
    return 1 - 1 / (10 ** (snr_db / 20) + 1)


def test_split_events_and_onsets_are_the_same_at_every_snr(home):
    clips = envmix(home, snr_db=(-6, 6), one_model_per=("snr",)).clips()
    assert set(clips["machine"]) == {"siren_-6dB", "siren_6dB"}
    clips["mixture"] = clips["clip_id"].str.replace(r"_-?\d+dB", "", regex=True)
    clips["events"] = clips["events"].map(str)
    for column in ("split", "label", "events", "attributes"):
        assert clips.groupby("mixture")[column].nunique(dropna=False).eq(1).all(), column


def test_events_are_drawn_from_all_classes_and_named(home):
    clips = envmix(home).clips()
    anomalies = clips[clips["label"] == "anomaly"]
    assert set(anomalies["anomaly_type"]) <= {"dog", "frog"}
    assert anomalies["attributes"].str.fullmatch(r"event=[1-5]-\d+-A-\d+").all()
    for events in anomalies["events"]:
        assert 0 <= events[0]["onset_s"] < events[0]["offset_s"] <= 4.0


@pytest.mark.parametrize("gap_s", [0.05, 0.2])
def test_a_background_that_is_shorter_than_an_event_may_be_is_refused(gap_s, tmp_path):
    sources(tmp_path, [0.1] * 8, background_s=4 - gap_s)
    data = envmix(tmp_path, miniature=False, folder=str(tmp_path), anomalies=("dog",), expected_counts="any")
    if gap_s < 0.1:
        # the list says 4 s: rounded times are no fault, and zeros stand for what is missing, as in P2
        clip = next(clip for clip in data.planned() if clip.event is None)
        assert not data.read(clip.clip_id).samples[-round(gap_s * 44_100) :].any()
        return
    with pytest.raises(
        DataError, match=r"background of 4 s[\s\S]*-8-0-0.wav[\s\S]*3.80 s[\s\S]*leave it out"
    ):
        data.clips()


def test_a_silent_event_is_refused_by_name(tmp_path):
    sources(tmp_path, [0.1] * 8, event=np.zeros(44_100))
    data = envmix(tmp_path, miniature=False, folder=str(tmp_path), anomalies=("dog",), expected_counts="any")
    with pytest.raises(DataError, match=r"1-7-A-0.wav[\s\S]*44100 samples read are 0[\s\S]*remove the clip"):
        data.clips()


def test_a_background_that_is_silent_where_a_clip_is_taken_is_refused_by_name(tmp_path):
    sources(tmp_path, [0.1] * 8)
    late = np.zeros(5 * 44_100)
    late[-1000:] = SQUARE[:1000]
    for path in (tmp_path / "urbansound8k").rglob("*.wav"):
        soundfile.write(path, late, 44_100, subtype="FLOAT")
    data = envmix(tmp_path, miniature=False, folder=str(tmp_path), anomalies=("dog",), expected_counts="any")
    with pytest.raises(
        DataError, match=r"event .*1-7-A-0.wav, background urbansound8k/.*\n.*silent background"
    ):
        data.clips()


def test_classes_and_machines_that_are_not_there_are_refused(home):
    with pytest.raises(ConfigError, match="did you mean 'siren'"):
        EnvmixParameters(machines=("sirens",))
    with pytest.raises(ConfigError, match="did you mean 'dog'"):
        EnvmixParameters(anomalies=("dogs",))
    with pytest.raises(DataError, match="class 'rooster' of ESC-50"):
        envmix(home, anomalies=("rooster",)).clips()


def test_esc50_is_read_from_its_archive_without_unpacking(home, tmp_path):
    unpacked = home / "envmix-miniature" / "esc50"
    with zipfile.ZipFile(tmp_path / "ESC-50-33c8ce9eb2cf.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in unpacked.rglob("*.*"):
            archive.write(path, f"ESC-50-33c8ce9/{path.relative_to(unpacked)}")
    packed = esc50_sounds(tmp_path, complete=False)
    assert [(s.name, s.category, s.fold) for s in packed] == [
        (s.name, s.category, s.fold) for s in esc50_sounds(unpacked, complete=False)
    ]
    settings = {"machines": ("dog",), "anomalies": ("frog",), "expected_counts": "any"}
    data = Esc50Dataset(Esc50Parameters(folder=str(tmp_path), **settings), tmp_path)
    assert data.clips().groupby(["split", "label"]).size().to_dict() == {
        ("train", "normal"): 4,
        ("test", "normal"): 1,
        ("test", "anomaly"): 1,
    }


def test_a_list_that_does_not_fit_the_clips_is_refused(home, tmp_path):
    source = home / "envmix-miniature" / "urbansound8k"
    (tmp_path / "metadata").mkdir()
    rows = pd.read_csv(source / "metadata/UrbanSound8K.csv")
    rows.to_csv(tmp_path / "metadata/UrbanSound8K.csv", index=False)
    with pytest.raises(DataError, match="no such file"):
        urban_sounds(tmp_path)
    (tmp_path / "audio").symlink_to(source / "audio")
    rows.drop(columns="fsID").to_csv(tmp_path / "metadata/UrbanSound8K.csv", index=False)
    with pytest.raises(DataError, match="column 'fsID'"):
        urban_sounds(tmp_path)


def test_a_clip_that_no_list_knows_is_refused(home, tmp_path):
    (tmp_path / "meta").mkdir()
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio/1-1-A-0.wav").write_bytes(b"")
    (tmp_path / "meta/esc50.csv").write_text("filename,fold,category,src_file\n")
    with pytest.raises(DataError, match="not in the list"):
        esc50_sounds(tmp_path, complete=False)


def test_urbansound_of_any_rate_and_length_comes_as_four_seconds_at_44100_hz(tmp_path):
    rows = []
    for fold, (rate_hz, n_samples, channels) in enumerate(
        [(22_050, 22_050, 2), (44_100, 200_000, 1), (11_025, 5_000, 1)], 1
    ):
        name = f"{fold}-8-0-0.wav" if fold < 3 else f"{fold}-6-0-0.wav"
        time = np.arange(n_samples) / rate_hz
        tone = np.repeat(0.5 * np.sin(2 * np.pi * 440 * time)[:, None], channels, axis=1)
        (tmp_path / f"audio/fold{fold}").mkdir(parents=True)
        soundfile.write(tmp_path / f"audio/fold{fold}" / name, tone, rate_hz, subtype="PCM_16")
        category = URBAN_CLASSES[8 if fold < 3 else 6]
        rows.append((name, fold, 0.0, n_samples / rate_hz, fold, category))
    columns = ["slice_file_name", "fsID", "start", "end", "fold", "class"]
    (tmp_path / "metadata").mkdir()
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "metadata/UrbanSound8K.csv", index=False)
    settings = {"machines": ("siren",), "anomalies": ("gun_shot",), "test_folds": (2, 3)}
    data = Urbansound8kDataset(Urbansound8kParameters(folder=str(tmp_path), **settings), tmp_path)
    clips = data.clips()
    assert set(clips["n_samples"]) == {176_400} and set(clips["sample_rate_hz"]) == {44_100}
    sound = data.read("siren_train_normal_1-8-0-0").samples
    time = np.arange(44_100) / 44_100
    inner = slice(1000, 43_000)
    assert sound[:44_100][inner] == pytest.approx(0.5 * np.sin(2 * np.pi * 440 * time)[inner], abs=2e-3)
    assert not sound[44_200:].any()


def test_resampling_keeps_what_both_rates_can_hold():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    there = resampled(tone, 16_000, 44_100)
    assert there.size == 44_100
    back = resampled(there, 44_100, 16_000)
    # the filter ripples by 0.1 % each way
    assert np.abs(back - tone)[500:-500].max() < 3e-3
    assert np.array_equal(resampled(tone, 16_000, 16_000), tone)
    assert fitted(tone, 4).tolist() == tone[:4].tolist()
    assert fitted(tone[:2], 4).tolist() == [*tone[:2].tolist(), 0.0, 0.0]


def test_p2s_events_are_classes_of_esc50():
    assert len(EVENTS) == 17
    assert Esc50Parameters().anomalies == EVENTS


def test_both_archives_are_fetched_verified_and_read(home, site, tmp_path, monkeypatch):
    made = home / "envmix-miniature"
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (made / "esc50").rglob("*.*"):
            archive.write(path, f"ESC-50-33c8ce9/{path.relative_to(made / 'esc50')}")
    with tarfile.open(fileobj=tarred, mode="w:gz") as packed:
        packed.add(made / "urbansound8k", "UrbanSound8K")
    records = {}
    for kind, name, body in (
        ("esc50", "ESC-50-33c8ce9eb2cf.zip", zipped.getvalue()),
        ("urbansound8k", "UrbanSound8K.tar.gz", tarred.getvalue()),
    ):
        site.files[name] = body
        remote = RemoteFile(name, (site.url(name),), len(body), hashlib.md5(body).hexdigest())
        records[kind] = SimpleNamespace(files=(remote,))
    monkeypatch.setattr(files, "catalogue", lambda: records)

    data = envmix(tmp_path, miniature=False, expected_counts="any")
    assert [path.relative_to(tmp_path).as_posix() for path in data.fetch()] == [
        "esc50/ESC-50-33c8ce9eb2cf.zip",
        "urbansound8k/UrbanSound8K.tar.gz",
    ]
    asked = len(site.requests)
    clips, expected = data.clips(), envmix(home).clips()
    pd.testing.assert_frame_equal(clips.drop(columns="path"), expected.drop(columns="path"))
    clip_id = clips["clip_id"][0]
    assert np.array_equal(data.read(clip_id).samples, envmix(home).read(clip_id).samples)
    assert (data.folder / clips["path"][0]).is_file()
    # what is there is neither fetched nor unpacked again
    data.fetch()
    assert len(site.requests) == asked


def test_a_download_is_named_with_all_that_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("SOUNDPROOF_OFFLINE", "1")
    with pytest.raises(DownloadError) as caught:
        envmix(tmp_path, miniature=False).fetch()
    assert "ESC-50-33c8ce9eb2cf.zip" in str(caught.value) and "UrbanSound8K.tar.gz" in str(caught.value)
