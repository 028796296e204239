"""Metrics ask a model of sound about the sounds that they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from toys.heard_clips import RATE_HZ, on_file, training_clips

from soundproof.audio.sound import Audio
from soundproof.core.registry import Parameters
from soundproof.detectors.external.model import ModelDetector
from soundproof.detectors.registry import DETECTORS
from soundproof.faithfulness.measure import measure_faithfulness
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.sounds import ClipSounds
from soundproof.interfaces.dataset import AudioDataset
from soundproof.interfaces.detector import Detector, TrainingRun
from soundproof.library.fitted import WrappedModel
from soundproof.storage.maps import MapReader, MapWriter
from soundproof.storage.provenance import Provenance

N_SAMPLES = 4096
CPU = torch.device("cpu")


class Noting(nn.Module):
    """Mean square of sounds, which it remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.asked.append(x.detach())
        return x.square().mean(dim=1)


class Own(AudioDataset):
    """The clips of the file."""

    def __init__(self, samples: Tensor) -> None:
        super().__init__(Parameters(), Path())
        self.samples = samples

    def clips(self) -> pd.DataFrame:
        return pd.DataFrame()

    def read(self, clip_id: str) -> Audio:
        return Audio(self.samples[int(clip_id[-2:])].numpy(), RATE_HZ)


SAMPLES = torch.randn(4, N_SAMPLES, generator=torch.Generator().manual_seed(0)) / 10


@pytest.fixture
def given(tmp_path: Path) -> tuple[ModelDetector, MapReader, MapReader]:
    reader = on_file(tmp_path / "f.parquet", SAMPLES)
    entry = DETECTORS["external"]
    settings = entry.settings({"model": "Noting", "output": "score", "input": "audio"})
    detector = WrappedModel(reader.axes.shape, settings, Noting())
    detector.fit(training_clips(reader), TrainingRun(seed=0))
    detector.network.asked.clear()
    with MapWriter(tmp_path / "m.parquet", reader.axes, Provenance(stage="test")) as writer:
        writer.append(reader.clip_ids, np.random.default_rng(1).normal(size=(4, *reader.axes.shape)))
    return detector, reader, MapReader(tmp_path / "m.parquet")


def measured(given: tuple[ModelDetector, MapReader, MapReader], metric: str, **options: Any) -> pd.DataFrame:
    detector, reader, maps = given
    settings = options.pop("settings", {})
    recipe = FeatureSettings(**resolve({"recipe": "audio", "sample_rate_hz": RATE_HZ}))
    return measure_faithfulness(
        detector,
        reader,
        {"own": maps},
        ["clip00", "clip01"],
        {metric: FAITHFULNESS[metric].settings(settings)},
        annotated={},
        segment_frames=4,
        device=CPU,
        memory_budget_bytes=1 << 30,
        sounds=ClipSounds(Own(SAMPLES), pd.DataFrame(), recipe, [RATE_HZ]),
        **options,
    )


def test_deletion_takes_cells_out_of_the_sound_of_each_clip(given):
    rows = measured(given, "deletion", settings={"replacement": "clip_median", "fractions": [0.0, 0.5, 1.0]})
    curve = rows.query("metric == 'deletion_curve' and explainer == 'own'")
    intact = curve.query("parameter == 0")
    assert list(intact["value"]) == [1, 1] and len(curve) == 6
    assert (curve.query("parameter == 1")["value"] < 0.9).all()


def test_deletion_on_the_sound_scores_the_very_sound_that_is_left(given):
    maps = given[2]
    rows = measured(given, "sound_deletion", settings={"shares": [0.5], "fillings": ["silence"], "draws": 1})
    left = rows.query("metric == 'sound_deletion' and explainer == 'own' and protocol == 'silence'")["value"]
    recipe = FeatureSettings(**resolve({"recipe": "audio", "sample_rate_hz": RATE_HZ}))
    sounds = ClipSounds(Own(SAMPLES), pd.DataFrame(), recipe, [RATE_HZ])
    for number, value in enumerate(left):
        spectrum = sounds.stft.forward(SAMPLES[number])
        relevance = torch.from_numpy(maps.read([f"clip{number:02d}"])[0])
        removed = sounds.bins((relevance > relevance.median()).float(), N_SAMPLES)
        rest = sounds.stft.inverse(spectrum * (1 - removed), N_SAMPLES)
        wanted = float(rest.square().mean() / SAMPLES[number].square().mean())
        assert value == pytest.approx(wanted, rel=1e-4)


def test_normal_clips_beside_a_clip_are_asked_by_their_own_sounds(given):
    detector = given[0]
    beside = {clip_id: ["clip02", "clip03"] for clip_id in ("clip00", "clip01")}
    settings = {"normals": 2, "range_of": 2, "fractions": [0.0, 0.5, 1.0], "replacement": "clip_median"}
    rows = measured(given, "beyond_normals", settings=settings, beside=beside)
    assert set(rows.query("metric == 'beyond_normals'")["clip_id"]) == {"clip00", "clip01"}
    asked = torch.cat(detector.network.asked)
    for number in range(4):
        # the intact sound, and not a mixture of one clip's map and another's phase
        assert (asked == SAMPLES[number]).all(dim=1).any()


def test_changed_sounds_are_explained_as_they_are(given):
    seen: list[Detector] = []

    def explain(label: str, detector: Detector, x: Tensor, clip_ids: Any) -> Tensor:
        seen.append(detector)
        detector.score(x)
        return x

    measured(given, "robustness", settings={"changes": ["louder", "later"]}, explain=explain)
    assert len(seen) == 4
    asked = torch.cat(given[0].network.asked[-4:])
    factor = 10 ** (FAITHFULNESS["robustness"].settings({}).gain_db / 20)
    for number in range(2):
        for changed in (SAMPLES[number] * factor, SAMPLES[number].roll(256)):
            assert (asked - changed).abs().amax(dim=1).min() < 1e-6


def test_a_copy_is_not_tuned_which_the_log_says(given, caplog):
    assert measured(given, "f_fidelity", normal=object()).empty
    assert "learns from sounds" in caplog.text
