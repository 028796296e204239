"""What stems say of a clip, beside its map: the clip without its event, and the event alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from soundproof.audio.sound import Audio, Stems
from soundproof.core.registry import Parameters
from soundproof.features.extract import StemFiles, extract_features
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.spectrogram import TARGET_RMS
from soundproof.interfaces.dataset import AudioDataset
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import Provenance

RATE = 16_000


class Twins(AudioDataset):
    """Normal clips, and an anomalous one that is the first test clip with a loud tone in its second half."""

    names = ("train_0", "train_1", "test_normal", "test_anomaly")

    def __init__(self, with_stems: bool = True) -> None:
        super().__init__(Parameters(), Path())
        self.with_stems = with_stems

    def clips(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "clip_id": self.names,
                "machine": "fan",
                "machine_id": "00",
                "split": [name.split("_")[0] for name in self.names],
                "label": ["anomaly" if name == "test_anomaly" else "normal" for name in self.names],
            }
        )

    def normal(self, clip_id: str) -> np.ndarray:
        seed = self.names.index(clip_id.replace("anomaly", "normal"))
        return np.random.default_rng(seed).normal(scale=0.01, size=RATE // 2).astype(np.float32)

    def fault(self) -> np.ndarray:
        time = np.arange(RATE // 2) / RATE
        return (np.sin(2 * np.pi * 4000 * time) * (time >= 0.25)).astype(np.float32)

    def read(self, clip_id: str) -> Audio:
        extra = self.fault() if clip_id == "test_anomaly" else 0
        return Audio(self.normal(clip_id) + extra, RATE)

    def stems(self, clip_id: str) -> Stems | None:
        return Stems(self.normal(clip_id), self.fault(), RATE) if self.with_stems else None


def extracted(folder: Path, dataset: Twins, **values: object) -> tuple[MapReader, MapReader, MapReader]:
    features, masks = folder / "features.parquet", folder / "masks.parquet"
    stems = StemFiles(folder / "backgrounds.parquet", folder / "events.parquet")
    settings = FeatureSettings(**resolve({"frames_multiple": 1, **values}))
    extract_features(
        dataset, dataset.clips(), settings, features, masks, Provenance(stage="features"), stems=stems
    )
    return MapReader(features), MapReader(stems.backgrounds), MapReader(stems.events)


@pytest.mark.parametrize("recipe", ["bench", "stft", "cnn9"])
@pytest.mark.parametrize("level", ["keep", "individual"])
def test_the_background_is_the_map_of_the_clip_without_its_event(tmp_path, recipe, level):
    features, backgrounds, events = extracted(tmp_path, Twins(), recipe=recipe, level=level)
    assert backgrounds.clip_ids == events.clip_ids == ["test_anomaly"]
    assert backgrounds.axes == features.axes
    # standardised or not, in whatever unit: the twin without event is seen as it is
    np.testing.assert_allclose(backgrounds.read()[0], features.read(["test_normal"])[0], rtol=1e-4, atol=1e-4)
    assert np.abs(features.read(["test_anomaly"])[0] - backgrounds.read()[0]).max() > 0.1


def test_parts_keep_the_level_that_they_have_in_the_clip(tmp_path):
    # with its event the clip is 37 dB louder than without, so that one level for all turns its background down
    twins = Twins()
    kept, turned = (
        extracted(tmp_path / level, twins, level=level, standardise="none") for level in ("keep", "normalise")
    )
    rms = np.sqrt(np.mean(np.square(twins.read("test_anomaly").samples, dtype=np.float64)))
    step_db = 20 * np.log10(TARGET_RMS / rms)
    assert step_db < -15
    np.testing.assert_allclose(turned[1].read() - kept[1].read(), step_db, atol=1e-2)
    loud = kept[2].read() > -60
    np.testing.assert_allclose((turned[2].read() - kept[2].read())[loud], step_db, atol=1e-2)


@pytest.mark.parametrize("recipe", ["bench", "stft", "cnn9"])
def test_the_event_alone_in_decibels(tmp_path, recipe):
    _, _, events = extracted(tmp_path, Twins(), recipe=recipe, level="keep")
    assert events.axes.unit == "dB"
    event = events.read()[0]
    n_frames = event.shape[1]
    assert event.min() == pytest.approx(-100) and (event[:, : n_frames // 2 - 2] == event.min()).all()
    row = int(np.argmin(np.abs(np.array(events.axes.frequencies_hz) - 4000)))
    assert event[:, n_frames // 2 + 2 :].mean(axis=1).argmax() == row


def test_without_stems_nothing_is_written(tmp_path):
    _, backgrounds, events = extracted(tmp_path, Twins(with_stems=False), recipe="bench")
    assert len(backgrounds) == len(events) == 0
