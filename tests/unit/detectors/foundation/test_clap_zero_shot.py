"""CLAP zero-shot on real models that nobody trained: what the library makes is scored as it should be.

The locked environment has no ``transformers``; ``tests/workflow/test_clap.py`` runs this where there is one.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional
from toys.clap import DIMENSIONS, tiny_clap

from soundproof.core.errors import DataError
from soundproof.detectors.foundation.clap_model import N_FRAMES, SILENCE_DB, ClapText
from soundproof.detectors.foundation.clap_zero_shot import ClapZeroShot
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.storage import load_detector, read_header, save_detector
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.spectrogram import SpectrogramMaker
from soundproof.interfaces.detector import TrainingRun
from soundproof.storage.maps import Axes
from soundproof.storage.provenance import Provenance

transformers = pytest.importorskip("transformers")
ENTRY = DETECTORS["clap_zero_shot"]
SHAPE = (64, 200)
FEW = {"normal": ["a normal"], "anomalous": ["a broken"], "template": "{state} {machine}"}


class Clips:
    """Two training clips, of a fan and of a slide rail."""

    def __init__(self, shape: tuple[int, int] = SHAPE) -> None:
        self.axes = Axes(tuple(100.0 * (band + 1) for band in range(shape[0])), 100.0, shape[1], "dB")
        self.maps = noise(2, shape=shape)
        self.frame = pd.DataFrame(
            {"clip_id": ["a", "b"], "machine": ["fan", "slide_rail"], "machine_id": "00"}
        )

    def __len__(self) -> int:
        return len(self.maps)

    def read(self, rows: list[int]) -> Tensor:
        return self.maps[rows]


def noise(n: int, seed: int = 0, shape: tuple[int, int] = SHAPE) -> Tensor:
    """Maps in dB [n, n_freq, n_frames]."""
    return 5 * torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed)) - 40


def fitted(folder: Path, shape: tuple[int, int] = SHAPE, **settings: Any) -> ClapZeroShot:
    values = {"weights": str(folder), **FEW, **settings}
    detector: ClapZeroShot = ENTRY.load()(shape, ENTRY.settings(values))
    detector.fit(Clips(shape), TrainingRun(seed=0))
    detector.freeze()
    return detector


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clap(tmp_path_factory.mktemp("clap") / "tiny")


@pytest.fixture(scope="module")
def whole(folder: Path) -> Any:
    """The model as the library itself reads the folder."""
    return transformers.ClapModel.from_pretrained(folder, local_files_only=True).eval()


def test_the_recipe_gives_what_the_librarys_front_end_gives() -> None:
    front_end = transformers.ClapFeatureExtractor(frequency_min=50, truncation="rand_trunc")
    y = np.random.default_rng(0).normal(0, 0.1, 480_000).astype(np.float32)
    theirs = front_end(y, sampling_rate=48_000, return_tensors="np")["input_features"][0, 0].T
    chosen = FeatureSettings(**resolve({"recipe": "clap", "frames_multiple": 1}))
    maker = SpectrogramMaker(chosen)
    ours = maker.map(torch.from_numpy(y), 48_000).numpy()
    assert ours.shape == theirs.shape == (64, N_FRAMES)
    np.testing.assert_allclose(ours, theirs, atol=0.01)
    # silence is what bands that recordings do not have are filled with
    assert maker.map(torch.zeros(480_000), 48_000).unique().tolist() == [SILENCE_DB]
    silent = front_end(np.zeros(480_000), sampling_rate=48_000, return_tensors="np")["input_features"]
    assert set(silent.flat) == {SILENCE_DB}


def test_a_score_is_the_librarys_softmax_of_cosines(folder: Path, whole: Any) -> None:
    x = noise(3, seed=1, shape=(64, N_FRAMES))
    detector = fitted(folder, shape=(64, N_FRAMES), temperature=0.5)
    tokens = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    for machine, words in (("slide_rail", "slide rail"), ("unheard of", "machine")):
        with torch.no_grad():
            out = whole(
                input_ids=torch.tensor(
                    [tokens(f"{state} {words}")["input_ids"] for state in ("a normal", "a broken")]
                ),
                input_features=x.transpose(1, 2)[:, None],
            )
        cosines = out.audio_embeds @ out.text_embeds.T
        view = detector.for_individual(machine, "00")
        torch.testing.assert_close(view.embed(x), out.audio_embeds)
        torch.testing.assert_close(view.score(x), (cosines / 0.5).softmax(dim=1)[:, 1])
    assert not torch.equal(detector.for_individual("fan", "00").score(x), detector.score(x))


def test_vectors_of_a_class_are_averaged(folder: Path) -> None:
    text = ClapText(folder, None)
    one, other = (text.mean_vector([words]) for words in ("a normal fan", "an intact fan"))
    assert not torch.allclose(one, other, atol=1e-3)
    expected = functional.normalize((one + other) / 2, dim=0)
    torch.testing.assert_close(text.mean_vector(["a normal fan", "an intact fan"]), expected)


def test_a_short_clip_of_few_bands_is_repeated_and_silent_above(folder: Path) -> None:
    x = noise(2, shape=(40, 200))
    by_hand = torch.full((2, 64, N_FRAMES), SILENCE_DB)
    for frame in range(N_FRAMES):
        by_hand[:, :40, frame] = x[:, :, frame % 200]
    short, long = fitted(folder, shape=(40, 200)), fitted(folder, shape=(64, N_FRAMES))
    torch.testing.assert_close(short.score(x), long.score(by_hand))


def test_the_map_is_made_of_windows_of_a_second_bands_alone_and_the_clip(folder: Path) -> None:
    detector, x = fitted(folder, window_bands=32), noise(1, seed=2)
    own = detector.anomaly_map(x)
    seconds = [detector.score(x[:, :, begin : begin + 100]) for begin in (0, 50, 100)]
    bands = []
    for begin in (0, 16, 32):
        alone = torch.full_like(x, -100.0)
        alone[:, begin : begin + 32] = x[:, begin : begin + 32]
        bands.append(detector.score(alone))

    def mean(*scores: Tensor) -> float:
        return float(len(scores) / sum(1 / score for score in scores))

    # frame 60 lies in the first two seconds of three, band 20 in the first two of three windows
    for (band, frame), in_time, in_bands in (
        ((20, 60), seconds[:2], bands[:2]),
        ((0, 0), seconds[:1], bands[:1]),
        ((63, 199), seconds[2:], bands[2:]),
    ):
        expected = mean(torch.tensor(mean(*in_time)), torch.tensor(mean(*in_bands)), detector.score(x))
        assert float(own[0, band, frame]) == pytest.approx(expected, rel=1e-5)


def with_event(n: int, seed: int) -> Tensor:
    """Clips with something loud in the second second, in the upper half."""
    x = noise(n, seed)
    x[:, 32:, 100:] += 30
    return x


def test_words_that_mean_the_event_find_clip_and_cells(folder: Path) -> None:
    # what training gives a real model: sentences that lie where the sounds do
    detector = fitted(folder)
    vectors = [detector.embed(x).mean(0) for x in (noise(8, 3), with_event(8, 4))]
    detector.sentences = functional.normalize(torch.stack(vectors), dim=1)[None]
    usual, unusual = noise(10, 5), with_event(10, 6)
    scores = torch.cat([detector.score(usual), detector.score(unusual)])
    assert roc_auc_score([0] * 10 + [1] * 10, scores) > 0.95
    own = detector.anomaly_map(unusual)
    assert float(own[:, 40:, 150:].mean()) > float(own[:, :24, :50].mean())


def test_random_weights_detect_nothing_on_average(tmp_path: Path) -> None:
    """Twelve models: the mean area is 0.5 within its interval, and other words for it turn each area round."""
    x = torch.cat([noise(10, 7), with_event(10, 8)])
    labels = [0] * 10 + [1] * 10
    areas = []
    for seed in range(12):
        folder = tiny_clap(tmp_path / str(seed), seed)
        scores = fitted(folder).score(x)
        areas.append(float(roc_auc_score(labels, scores)))
        turned = fitted(folder, normal=FEW["anomalous"], anomalous=FEW["normal"]).score(x)
        torch.testing.assert_close(turned, 1 - scores)
    # 0.999 of a t distribution with 11 degrees of freedom on both sides
    half = 4.44 * float(np.std(areas, ddof=1)) / len(areas) ** 0.5
    assert abs(float(np.mean(areas)) - 0.5) < half
    assert half < 0.5 and len(set(areas)) > 1


def test_what_is_stored_names_the_weights_and_does_not_repeat_them(folder: Path, tmp_path: Path) -> None:
    copied, path = tmp_path / "clap", tmp_path / "model.safetensors"
    shutil.copytree(folder, copied)
    detector, x = fitted(copied), noise(3, 9)
    save_detector(path, detector, "clap_zero_shot", Provenance(stage="training"))
    assert path.stat().st_size < 10_000 < (copied / "model.safetensors").stat().st_size
    (named,) = read_header(path).weights.values()
    assert named["name"] == "clap" and "licence were not read" in named["credit"]
    assert torch.equal(load_detector(path, torch.device("cpu")).score(x), detector.score(x))
    # another model in that place is told
    tiny_clap(copied, seed=1)
    with pytest.raises(Exception, match="bring the weights it was fitted on"):
        load_detector(path, torch.device("cpu"))


def test_only_the_files_that_are_tracked_are_read(folder: Path, tmp_path: Path) -> None:
    settings = ENTRY.settings({"weights": str(folder)})
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in settings.own_files():
        shutil.copy(path, bare)
    # what a library might pick up beside them
    (bare / "adapter_config.json").write_text("{}")
    (bare / "modeling_clap.py").write_text("raise SystemExit")
    x = noise(2)
    assert torch.equal(fitted(bare).score(x), fitted(folder).score(x))


def edited(folder: Path, target: Path, name: str, **changes: Any) -> Path:
    shutil.copytree(folder, target)
    found = json.loads((target / name).read_text())
    for key, value in changes.items():
        place, _, inner = key.rpartition("__")
        (found[place] if place else found)[inner] = value
    (target / name).write_text(json.dumps(found))
    return target


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("config.json", {"model_type": "clip"}, "a model of the kind 'clip' instead of 'clap'"),
        ("config.json", {"audio_config__enable_fusion": True}, "fuses views"),
        ("config.json", {"projection_dim": 8, "audio_config__projection_dim": 8}, "do not fit one another"),
        ("config.json", {"audio_config__depths": [1, 2]}, "tensors missing, such as audio_model"),
        (
            "preprocessor_config.json",
            {"hop_length": 320},
            "'hop_length: 320', where the recipe 'clap' has '480'",
        ),
        ("preprocessor_config.json", {"truncation": "fusion"}, "'truncation: fusion'"),
    ],
)
def test_a_model_of_another_kind_is_refused(
    folder: Path, tmp_path: Path, name: str, changes: dict[str, Any], said: str
) -> None:
    other = edited(folder, tmp_path / "other", name, **changes)
    with pytest.raises(DataError, match=re.escape(said)):
        fitted(other)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("config.json", "{", "no JSON"),
        ("config.json", "[]", "a list instead of a mapping"),
        ("tokenizer.json", "{}", "no tokenizer"),
        ("model.safetensors", "weights", "no whole safetensors file"),
    ],
)
def test_a_damaged_file_is_named(folder: Path, tmp_path: Path, name: str, content: str, said: str) -> None:
    shutil.copytree(folder, tmp_path / "clap")
    (tmp_path / "clap" / name).write_text(content)
    with pytest.raises(DataError, match=f"(?s){name}.*{said}"):
        fitted(tmp_path / "clap")


def test_weights_of_another_checksum_are_refused(folder: Path) -> None:
    found = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    fitted(folder, sha256=found)
    with pytest.raises(DataError, match=rf"(?s)with SHA-256 {'0' * 64}.*SHA-256 {found}.*correct 'sha256'"):
        fitted(folder, sha256="0" * 64)


def test_clips_shorter_than_a_window_or_longer_than_clap_hears_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)one window of 2.5 s \('window_s'\).*2 s.*lower 'window_s'"):
        fitted(folder, window_s=2.5)
    with pytest.raises(DataError, match="cut clips to ten seconds"):
        fitted(folder, shape=(64, N_FRAMES + 1))
    with pytest.raises(DataError, match="cut clips to ten seconds"):
        fitted(folder, shape=(65, 200))


def test_a_sentence_that_clap_does_not_take_is_named(folder: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)a vector of the sentence 'a a a.*write shorter words"):
        fitted(folder, normal=[" ".join(["a"] * 40)])


def test_embeddings_have_length_one(folder: Path) -> None:
    found = fitted(folder).embed(noise(3))
    assert found.shape == (3, DIMENSIONS)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))
