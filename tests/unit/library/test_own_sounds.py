"""A model of the waveform in a notebook: the numbers of its sounds, on cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import soundproof
from soundproof.core.errors import ConfigError, DataError
from soundproof.datasets.open import open_dataset

BENCH = {
    "kind": "bench",
    "machines": ["fan"],
    "train_clips": 4,
    "test_normal": 2,
    "test_anomaly": 2,
    "seconds": 2.0,
}


def loudness(x: Tensor) -> Tensor:
    return x.square().mean(dim=1)


def clips_of(**features: Any) -> soundproof.Clips:
    return soundproof.load_dataset(BENCH, features=features)


@pytest.fixture(scope="module")
def clips() -> soundproof.Clips:
    return clips_of(recipe="audio")


def test_a_function_of_sound_is_scored_explained_and_measured(clips, tmp_path):
    mine = soundproof.wrap(clips, loudness, output="score", input="audio", rate_hz=16000)
    scores = mine.scores.set_index("clip_id")["value"]
    dataset = open_dataset(BENCH, tmp_path)
    wanted = {clip_id: np.mean(dataset.read(clip_id).samples.astype(float) ** 2) for clip_id in scores.index}
    assert len(wanted) == 4
    np.testing.assert_allclose(scores, list(wanted.values()), rtol=1e-5)
    explained = soundproof.explain(mine, ["saliency", "random_map"])
    faithful = explained.faithfulness({"deletion": {"replacement": "clip_median"}, "sound_deletion": {}})
    assert {"deletion_auc", "sound_deletion"} <= set(faithful["metric"])
    localised = explained.localisation(["cell_ranking"])
    # loudness goes with every cell that is loud
    slope = torch.from_numpy(explained.relevance("saliency"))
    assert slope.shape[1:] == clips.features.axes.shape and slope.isfinite().all()
    assert set(localised["explainer"].dropna()) >= {"saliency", "random_map"}


def test_clips_without_sound_say_what_to_do(clips):
    with pytest.raises(DataError, match=r"keeps no sound(?s:.*)recipe: audio"):
        soundproof.wrap(clips_of(), loudness, output="score", input="audio")
    with pytest.raises(DataError, match=r"sound at 8000 Hz(?s:.*)16000 Hz"):
        soundproof.wrap(clips, loudness, output="score", input="audio", rate_hz=8000)
    with pytest.raises(ConfigError, match="takes maps: leave it out"):
        soundproof.wrap(clips, loudness, output="score", rate_hz=8000)
