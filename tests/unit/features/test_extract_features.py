from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soxr
import torch

from soundproof.audio.sound import Audio, Stems
from soundproof.core.errors import ArtefactError, DataError
from soundproof.core.registry import Parameters
from soundproof.features.extract import extract_features
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.sound_layer import SoundForm, SoundLayer
from soundproof.features.standardise import standardised
from soundproof.interfaces.dataset import AudioDataset, Dataset, SpectrogramDataset
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import Provenance

RATE = 16_000
RECORD = Provenance(stage="features")
STFT = {"recipe": "stft", "power": 2, "frames_multiple": 1}


def recipe(**values: object) -> FeatureSettings:
    return FeatureSettings(**resolve(values))


def noise(seed: int, seconds: float = 0.5) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=0.01, size=round(seconds * RATE)).astype(np.float32)


class Sounds(AudioDataset):
    """Clips given as arrays; the anomalous one is noise plus a 4 kHz tone in its second half."""

    def __init__(self, sounds: dict[str, np.ndarray], with_stems: bool = True) -> None:
        super().__init__(Parameters(), Path())
        self.sounds, self.with_stems = sounds, with_stems

    def clips(self) -> pd.DataFrame:
        rows = [
            {
                "clip_id": clip_id,
                "split": "train" if clip_id.startswith("train") else "test",
                "label": "anomaly" if "anomaly" in clip_id else "normal",
            }
            for clip_id in self.sounds
        ]
        return pd.DataFrame(rows)

    def fault(self, clip_id: str) -> np.ndarray:
        n_samples = len(self.sounds[clip_id])
        time = np.arange(n_samples) / RATE
        late = time >= n_samples / RATE / 2
        return (np.sin(2 * np.pi * 4000 * time) * late).astype(np.float32)

    def read(self, clip_id: str) -> Audio:
        extra = self.fault(clip_id) if "anomaly" in clip_id else 0
        return Audio(self.sounds[clip_id] + extra, RATE)

    def stems(self, clip_id: str) -> Stems | None:
        return Stems(self.sounds[clip_id], self.fault(clip_id), RATE) if self.with_stems else None


class Pictures(SpectrogramDataset):
    """Clips that come as spectrograms."""

    def __init__(self, maps: dict[str, np.ndarray]) -> None:
        super().__init__(Parameters(), Path())
        self.maps = maps

    frequencies_hz = np.array([10.0, 20.0])
    frames_per_second = 5.0

    def clips(self) -> pd.DataFrame:
        return pd.DataFrame({"clip_id": list(self.maps), "split": "train", "label": "normal"})

    def read(self, clip_id: str) -> np.ndarray:
        return self.maps[clip_id]


def extract(
    dataset: Dataset, folder: Path, settings: FeatureSettings, **options: object
) -> tuple[MapReader, MapReader]:
    features, masks = folder / "features.parquet", folder / "masks.parquet"
    extract_features(dataset, dataset.clips(), settings, features, masks, RECORD, **options)
    return MapReader(features), MapReader(masks)


SIX = {f"train_{n}": noise(n) for n in range(4)} | {"test_normal": noise(8), "test_anomaly": noise(9)}


def test_maps_keep_the_order_of_the_clips_and_say_their_grid(tmp_path: Path) -> None:
    done: list[int] = []
    features, masks = extract(Sounds(SIX), tmp_path, recipe(standardise="none"), on_clip=done.append)
    assert features.clip_ids == list(SIX) and done == [1, 2, 3, 4, 5, 6]
    assert features.axes.unit == "dB" and features.axes.frames_per_second == 40.0
    assert features.axes.n_frames == 16
    assert masks.axes.shape == features.axes.shape and masks.axes.unit == "fault"


def test_the_mask_is_where_the_fault_is_and_nowhere_else(tmp_path: Path) -> None:
    features, masks = extract(Sounds(SIX), tmp_path, recipe(**STFT))
    assert masks.clip_ids == ["test_anomaly"]
    mask = masks.read()[0].astype(bool)
    row = int(np.argmin(np.abs(np.array(features.axes.frequencies_hz) - 4000)))
    middle = mask.shape[1] // 2
    assert mask[row, middle + 2 :].all()
    assert not mask[:, : middle - 1].any()
    away = np.abs(np.array(features.axes.frequencies_hz) - 4000) > 500
    assert mask[away, middle + 3 : -1].mean() < 0.01


def test_without_stems_there_are_no_masks(tmp_path: Path) -> None:
    _, masks = extract(Sounds(SIX, with_stems=False), tmp_path, recipe())
    assert len(masks) == 0


def test_bands_have_zero_mean_and_unit_variance_over_the_training_clips(tmp_path: Path) -> None:
    features, _ = extract(Sounds(SIX), tmp_path, recipe())
    train = features.read([clip_id for clip_id in SIX if clip_id.startswith("train")]).astype(np.float64)
    np.testing.assert_allclose(train.mean(axis=(0, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(train.std(axis=(0, 2)), 1, atol=1e-5)
    anomaly = features.read(["test_anomaly"])[0]
    assert anomaly.max() > 5, "statistics of the test clips must not count"
    assert features.axes.unit == "standard deviations from the band's mean"


def test_standardised_maps_are_the_raw_ones_shifted_and_scaled_by_band(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    raw, _ = extract(Sounds(SIX), tmp_path / "raw", recipe(standardise="none"))
    scaled, _ = extract(Sounds(SIX), tmp_path, recipe())
    train = raw.read([clip_id for clip_id in SIX if clip_id.startswith("train")]).astype(np.float64)
    mean, deviation = train.mean(axis=(0, 2)), train.std(axis=(0, 2))
    expected = (raw.read() - mean[:, None]) / deviation[:, None]
    np.testing.assert_allclose(scaled.read(), expected, atol=1e-4)


def test_ready_made_spectrograms_are_cropped_and_kept_as_they_are(tmp_path: Path) -> None:
    values = np.arange(22, dtype=np.float32).reshape(2, 11)
    features, masks = extract(Pictures({"a": values, "b": values + 1}), tmp_path, recipe(recipe="as_shipped"))
    assert features.axes.frequencies_hz == (10.0, 20.0) and features.axes.frames_per_second == 5.0
    assert features.axes.unit == "as shipped" and features.axes.n_frames == 8
    np.testing.assert_array_equal(features.read(["b"])[0], values[:, :8] + 1)
    assert len(masks) == 0


BROKEN = {
    "short": (np.zeros(1000, np.float32), r"clip 'train_9': a clip of at least one window"),
    "longer": (noise(1, 0.75), r"clip 'train_9': 16 frames x \d+ bands as the first clip\n.*24 frames"),
    "silent": (np.zeros(RATE // 2, np.float32), "clip 'train_9': a map that varies"),
    "not finite": (np.full(RATE // 2, np.nan, np.float32), "clip 'train_9': finite values"),
}


@pytest.mark.parametrize("standardise", ["none", "band"])
@pytest.mark.parametrize("kind", BROKEN)
def test_a_clip_that_cannot_be_used_is_named_and_leaves_no_file(
    tmp_path: Path, kind: str, standardise: str
) -> None:
    sound, message = BROKEN[kind]
    with pytest.raises(DataError, match=message):
        extract(Sounds(SIX | {"train_9": sound}), tmp_path, recipe(standardise=standardise))
    assert list(tmp_path.iterdir()) == []


def test_no_clips_and_no_training_clips_are_errors(tmp_path: Path) -> None:
    nothing = Sounds({"test_normal": noise(0)})
    with pytest.raises(DataError, match=r"normal training clips to standardise with\n.*none"):
        extract(nothing, tmp_path, recipe())
    with pytest.raises(DataError, match="clips to extract features from"):
        extract_features(
            nothing,
            nothing.clips().iloc[:0],
            recipe(),
            tmp_path / "f.parquet",
            tmp_path / "m.parquet",
            RECORD,
        )
    assert list(tmp_path.iterdir()) == []


def test_a_band_that_never_varies_cannot_be_standardised(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    values[1] = -100
    with pytest.raises(DataError, match=r"band 1 \(of 3\) does not"):
        list(standardised(iter([("a", values)]), {"a"}, tmp_path / "x"))
    assert list(tmp_path.iterdir()) == []


def test_standardising_holds_a_map_at_a_time(tmp_path: Path) -> None:
    alive: list[weakref.ref[np.ndarray]] = []

    def maps() -> Iterator[tuple[str, np.ndarray]]:
        for index in range(200):
            values = np.random.default_rng(index).normal(size=(4, 16)).astype(np.float32)
            alive.append(weakref.ref(values))
            yield str(index), values
            del values
            gc.collect(0)
            assert sum(ref() is not None for ref in alive[-5:]) <= 2

    out = standardised(maps(), {str(index) for index in range(200)}, tmp_path / "x")
    assert [clip_id for clip_id, _ in out] == [str(index) for index in range(200)]
    assert sum(ref() is not None for ref in alive) == 0
    assert list(tmp_path.iterdir()) == []


def test_large_offsets_lose_no_precision(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    maps = [(str(n), (-1000 + rng.normal(size=(2, 50))).astype(np.float32)) for n in range(20)]
    out = np.stack(
        [values for _, values in standardised(iter(maps), {str(n) for n in range(20)}, tmp_path / "x")]
    )
    np.testing.assert_allclose(out.mean(axis=(0, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(out.std(axis=(0, 2)), 1, atol=1e-4)


@pytest.mark.parametrize("values", [{}, {"level": "normalise", "standardise": "band"}])
def test_the_level_beside_a_map_is_that_of_the_sound_before_any_normalisation(tmp_path, values):
    sounds = {f"train{n}": noise(n) * (n + 1) for n in range(3)}
    maps, masks = extract(Sounds(sounds), tmp_path, recipe(**({"standardise": "none"} | values)))
    expected = {name: 10 * np.log10(np.mean(sound.astype(float) ** 2)) for name, sound in sounds.items()}
    assert maps.numbers("level_dbfs") == pytest.approx(expected)
    with pytest.raises(ArtefactError, match="no such column"):
        masks.numbers("level_dbfs")


def test_spectrograms_without_sound_have_no_level(tmp_path):
    pictures = {name: np.random.default_rng(n).normal(size=(2, 8)) for n, name in enumerate("ab")}
    maps, _ = extract(Pictures(pictures), tmp_path, recipe(recipe="as_shipped"))
    assert maps.numbers("level_dbfs") == {}


KEPT = {"n_fft": 512, "window_length": 512, "hop_length": 128, "keep_sound": True}


@pytest.mark.parametrize("standardise", ["none", "band"])
def test_the_sound_of_each_clip_is_kept_beside_its_map(tmp_path: Path, standardise: str) -> None:
    sounds = {f"{name}{i}": noise(i) for i, name in enumerate(["train", "train", "anomaly", "other"])}
    own = {**KEPT, "standardise": standardise, "level": "normalise", "sample_rate_hz": RATE // 2}
    reader = extract(Sounds(sounds), tmp_path, recipe(**own))[0]
    kept = reader.sounds(reader.clip_ids)
    for clip_id, found in zip(reader.clip_ids, kept, strict=True):
        heard = Sounds(sounds).read(clip_id).samples
        wanted = soxr.resample(heard * (10 ** (-26 / 20) / np.sqrt(np.mean(heard**2))), 2, 1, "VHQ")
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    form = SoundForm.decode(reader.sound)
    assert (form.n_samples, form.scaling) == (kept.shape[1], reader.scaling)
    made = SoundLayer(form).maps(torch.from_numpy(kept)).numpy()
    np.testing.assert_allclose(made, reader.read(), atol=1e-3)
    np.testing.assert_array_equal(reader.sounds(["other3", "train0"]), kept[[3, 0]])


def test_clips_of_another_length_are_refused_where_sound_is_kept(tmp_path: Path) -> None:
    # their maps have as many frames
    sounds = Sounds({"train0": noise(0), "train1": noise(1)[:-3]})
    assert len(extract(sounds, tmp_path, recipe())[0]) == 2
    with pytest.raises(DataError, match=r"clip 'train1': 8000 samples as the first clip(?s:.*)7997 samples"):
        extract(sounds, tmp_path, recipe(**KEPT))
