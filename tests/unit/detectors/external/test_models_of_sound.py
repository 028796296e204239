"""Models that take sound: asked about maps, they say what they say of the sounds."""

from __future__ import annotations

import copy
import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from own_toys import write
from torch import Tensor, nn
from torch.testing import assert_close
from toys.heard_clips import RATE_HZ, clip_table, on_file, training_clips

from soundproof.attribution.registry import EXPLAINERS
from soundproof.core.errors import ArtefactError, ConfigError, DataError
from soundproof.detectors.batching import rows_per_pass
from soundproof.detectors.external.model import ModelDetector
from soundproof.detectors.hearing import hearing
from soundproof.detectors.individuals import batches_by_individual
from soundproof.detectors.normal_clips import PartNormals
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.scoring import score_maps
from soundproof.detectors.storage import load_detector, save_detector
from soundproof.interfaces.detector import Detector, TrainingRun
from soundproof.interfaces.explainer import ExplainContext
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import Provenance

N_SAMPLES = 4096
CPU = torch.device("cpu")
MODEL = """
class Mine(nn.Module):
    def __init__(self, n_samples, rate_hz):
        super().__init__()
        {init}

    def forward(self, x):
        {forward}


def build(n_samples, rate_hz):
    return Mine(n_samples, rate_hz)
"""
BAND = "power = torch.fft.rfft(x).abs().square()"
"""2 / n of its sum over bins is the energy of a tone; bin k lies at k * 8000 / 4096 Hz."""


def model(folder: Path, forward: str, init: str = "pass") -> Path:
    body = MODEL.replace("{init}", init.replace("\n", "\n        "))
    return write(folder, body.replace("{forward}", forward.replace("\n", "\n        ")))


def energy_between(low_hz: float, high_hz: float) -> str:
    low, high = (round(hertz * N_SAMPLES / RATE_HZ) for hertz in (low_hz, high_hz))
    return f"{BAND}\nreturn power[:, {low}:{high}].sum(dim=1) * 2 / x.shape[1] ** 2"


def noise(n_clips: int, seed: int = 0) -> Tensor:
    return torch.randn(n_clips, N_SAMPLES, generator=torch.Generator().manual_seed(seed)) / 10


def tones() -> Tensor:
    """Two tones of equal energy, 0.005 each: 1000 Hz and 3000 Hz, with a grain of noise."""
    time = torch.arange(N_SAMPLES, dtype=torch.float64) / RATE_HZ
    two = sum(0.1 * torch.sin(2 * math.pi * hertz * time) for hertz in (1000, 3000))
    return two.float() + 1e-4 * noise(3)


def fitted(path: Path, reader: MapReader, output: str = "score", **settings: Any) -> ModelDetector:
    entry = DETECTORS["external"]
    name = f"{path}:build" if path.suffix == ".py" else str(path)
    values = entry.settings({"model": name, "output": output, "input": "audio", **settings})
    detector: ModelDetector = entry.load()(reader.axes.shape, values)
    detector.fit(training_clips(reader), TrainingRun(seed=0))
    detector.freeze()
    return detector


def told(detector: Detector, reader: MapReader, clip_id: str = "clip00") -> tuple[Detector, Tensor]:
    maps = reader.read([clip_id])
    return hearing(detector, reader, [clip_id], maps), torch.from_numpy(maps)


@pytest.mark.parametrize("recipe", ["audio", "bench"])
def test_the_score_of_a_map_is_the_score_of_its_sound(tmp_path, recipe):
    samples = noise(5)
    reader = on_file(tmp_path / "f.parquet", samples, recipe=recipe, standardise="none", keep_sound=True)
    detector = fitted(model(tmp_path, energy_between(500, 1500)), reader)
    found = score_maps(detector, reader, reader.clip_ids, CPU, 1 << 30)["value"].to_numpy()
    low, high = 256, 768
    power = np.abs(np.fft.rfft(samples.double().numpy()))[:, low:high] ** 2
    np.testing.assert_allclose(found, power.sum(axis=1) * 2 / N_SAMPLES**2, rtol=1e-5)


def test_a_model_that_listens_to_one_band_is_explained_by_that_band_and_loses_it(tmp_path):
    reader = on_file(tmp_path / "f.parquet", tones(), frames_multiple=1)
    detector, x = told(fitted(model(tmp_path, energy_between(500, 1500)), reader), reader)
    assert float(detector.score(x)) == pytest.approx(0.005, rel=1e-2)
    hertz = torch.arange(x.shape[1]) * RATE_HZ / 1024
    heard, other = ((hertz > low) & (hertz < low + 1000) for low in (500, 2500))
    leaf = x.clone().requires_grad_()
    detector.score(leaf).sum().backward()
    slope = leaf.grad[0].sum(dim=1)
    assert float(slope[heard].sum() / slope.abs().sum()) > 0.998
    # energy goes with the square of the gain: d(energy) / d(dB) = ln(10) / 10 of it, over all cells that hold it
    assert float(slope.sum()) == pytest.approx(math.log(10) / 10 * 0.005, rel=2e-2)
    without = [torch.where(band[:, None], -100.0, x) for band in (heard, other, hertz > -1)]
    left = detector.score(torch.cat(without))
    # at its ends the clip is no pure tone, and 0.03 % of its energy lies outside the band
    assert float(left[0]) < 1e-3 * 0.005 and float(left[1]) == pytest.approx(0.005, rel=1e-2)
    assert float(left[2]) < 1e-6 * 0.005
    # 6.02 dB less: a quarter of the energy
    assert float(detector.score(x - 20 * math.log10(2))) == pytest.approx(0.005 / 4, rel=2e-2)


@pytest.mark.parametrize(
    ("method", "settings"),
    [("saliency", {}), ("integrated_gradients", {}), ("occlusion", {"window": (9, 4), "stride": (9, 4)})],
)
def test_explainers_find_the_band_that_is_heard(tmp_path, method, settings):
    reader = on_file(tmp_path / "f.parquet", tones())
    detector, x = told(fitted(model(tmp_path, energy_between(500, 1500)), reader), reader)
    entry = EXPLAINERS[method]
    context = ExplainContext(
        settings=entry.settings(settings), clip_ids=["clip00"], rows_per_pass=8, method=method, seed=0
    )
    relevance = entry.load()(detector, x, context).relevance[0].abs().sum(dim=1)
    hertz = torch.arange(x.shape[1]) * RATE_HZ / 1024
    assert float(relevance[(hertz > 300) & (hertz < 1700)].sum() / relevance.sum()) > 0.95


def test_what_is_stored_is_made_anew_for_the_same_sounds(tmp_path):
    reader = on_file(tmp_path / "f.parquet", noise(5))
    path = model(
        tmp_path,
        "return (x * self.weight).square().mean(dim=1) * self.rate",
        "self.weight = nn.Parameter(torch.rand(n_samples))\nself.rate = rate_hz",
    )
    detector = fitted(path, reader)
    save_detector(tmp_path / "d.safetensors", detector, "external", Provenance(stage="test"))
    loaded = load_detector(tmp_path / "d.safetensors", CPU)
    one, other = (score_maps(of, reader, reader.clip_ids, CPU, 1 << 30) for of in (detector, loaded))
    assert one["value"].nunique() == 5 and one.equals(other)
    weight = detector.network.weight
    wanted = (noise(5) * weight).square().mean(dim=1) * RATE_HZ
    np.testing.assert_allclose(one["value"], wanted, rtol=1e-5)


def test_fit_is_given_sounds_and_their_rate(tmp_path):
    reader = on_file(tmp_path / "f.parquet", noise(5))
    path = write(
        tmp_path,
        """
class Mean(nn.Module):
    def __init__(self, n_samples):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_samples))

    def forward(self, x):
        return (x - self.mean).square().mean(dim=1)

    def fit(self, clips, run):
        assert clips.rate_hz == 8000 and list(clips.frame["clip_id"])[1] == "clip01"
        self.mean = clips.read(list(range(len(clips)))).mean(dim=0).to(run.device)


def build(n_samples, rate_hz):
    return Mean(n_samples)
""",
    )
    detector = fitted(path, reader)
    assert_close(detector.network.mean, noise(5).mean(dim=0))


def test_a_reconstruction_is_scored_by_samples_and_shown_by_cells(tmp_path):
    samples = noise(4)
    reader = on_file(tmp_path / "f.parquet", samples)
    detector, x = told(fitted(model(tmp_path, "return x / 2"), reader, "reconstruction"), reader)
    assert_close(detector.score(x), samples[:1].square().mean(dim=1) / 4)
    # half the sound has 6.02 dB less in each cell, and so has the error
    rebuilt, errors = detector.reconstruct(x), detector.anomaly_map(x)
    assert_close(rebuilt, x - 20 * math.log10(2), rtol=1e-4, atol=1e-3)
    assert_close(errors, 10 ** (x / 10) / 4, rtol=1e-3, atol=1e-8)
    assert errors.shape == x.shape and detector.embed(x) is None


def test_an_embedding_is_compared_with_those_of_normal_sounds(tmp_path):
    samples = noise(6)
    reader = on_file(tmp_path / "f.parquet", samples[:5])
    detector = fitted(model(tmp_path, "return x[:, :40]"), reader, "embedding")
    other = on_file(tmp_path / "other.parquet", samples[5:])
    of_clip, x = told(detector, other)
    nearest = torch.cdist(samples[5:, :40], samples[:5, :40]).amin(dim=1)
    assert_close(of_clip.score(x), nearest, rtol=1e-4, atol=1e-6)


def test_it_is_asked_clip_by_clip_and_copies_keep_their_sound(tmp_path):
    reader = on_file(tmp_path / "f.parquet", noise(3))
    detector = fitted(model(tmp_path, "return x.square().mean(dim=1)"), reader)
    batches = list(batches_by_individual(detector, reader, 64, reader.clip_ids, None))
    assert [ids for _, ids, _ in batches] == [["clip00"], ["clip01"], ["clip02"]]
    view, _, maps = batches[1]
    copies = torch.from_numpy(maps).repeat(4, 1, 1)
    assert_close(view.score(copies), noise(3)[1].square().mean().expand(4))
    assert_close(copy.deepcopy(view).score(copies), view.score(copies), rtol=0, atol=0)
    assert view.of_no_clip() is detector and detector.of_no_clip() is detector
    assert rows_per_pass(detector, CPU, 1 << 30, gradients=True) > 1


def test_normal_clips_are_scored_by_their_own_sounds_whichever_clip_asks(tmp_path):
    samples = noise(4)
    reader = on_file(tmp_path / "f.parquet", samples)
    view, _ = told(fitted(model(tmp_path, "return x.square().mean(dim=1)"), reader), reader, "clip02")
    normals = PartNormals(reader, clip_table(reader))
    found = normals.scores(view, "clip02", 8)
    assert_close(found, samples.square().mean(dim=1).double(), rtol=1e-5, atol=0)
    # once for all clips
    other, _ = told(view.of_no_clip(), reader, "clip03")
    assert normals.scores(other, "clip03", 8) is found


UNFIT = {
    "shape of a score": ("score", "return x[:, :7]", r"shape \(\d+,\) for \d+ clips of \(4096,\)"),
    "shape of a sound": (
        "reconstruction",
        "return x[:, 1:]",
        r"shape \(\d+, 4096\)(?s:.*)shape \(\d+, 4095\)",
    ),
    "NaN": ("score", "return x.mean(dim=1) * float('nan')", "NaN or infinity for the training clip 'clip00"),
    "hangs on its neighbours": (
        "score",
        "return (x - x.mean(dim=0)).square().mean(dim=1)",
        "with other clips in the batch what it returns changes by",
    ),
    "changes its input": ("score", "return x.mul_(2).square().mean(dim=1)", "leaves its input alone"),
    "no gradients": (
        "score",
        "return x.detach().square().mean(dim=1)",
        "differentiable(?s:.*)gradients: false",
    ),
    "deaf": ("score", "return x.sum(dim=1) * 0 + 4", "4 for each of 4 training clips"),
    "fails": ("score", "return x @ x", r"RuntimeError: .*\n    mine\.py, line \d+: return x @ x"),
}


@pytest.mark.parametrize(("output", "forward", "said"), UNFIT.values(), ids=UNFIT)
def test_a_model_of_sound_that_cannot_be_trusted_is_refused(tmp_path, output, forward, said):
    reader = on_file(tmp_path / "f.parquet", noise(4))
    with pytest.raises(DataError, match=said):
        fitted(model(tmp_path, forward), reader, output)


def test_clips_one_by_one_are_taken(tmp_path):
    reader = on_file(tmp_path / "f.parquet", noise(4))
    forward = "assert len(x) == 1\nreturn x.square().mean(dim=1)"
    detector = fitted(model(tmp_path, forward), reader, one_by_one=True)
    found = score_maps(detector, reader, reader.clip_ids, CPU, 1 << 30)["value"]
    np.testing.assert_allclose(found, noise(4).square().mean(dim=1), rtol=1e-5)


def test_sound_that_is_not_there_is_asked_for(tmp_path):
    path = model(tmp_path, "return x.square().mean(dim=1)")
    silent = on_file(tmp_path / "maps.parquet", noise(4), keep=False)
    with pytest.raises(DataError, match=r"keeps no sound beside them(?s:.*)recipe: audio(?s:.*)keep_sound"):
        fitted(path, silent)
    reader = on_file(tmp_path / "f.parquet", noise(4))
    detector = fitted(path, reader)
    with pytest.raises(ArtefactError, match=r"maps alone(?s:.*)keep_sound: true"):
        score_maps(detector, silent, silent.clip_ids, CPU, 1 << 30)
    x = torch.from_numpy(reader.read())
    with pytest.raises(DataError, match=r"sound for 4 maps(?s:.*)no clip known: a map alone has no phase"):
        detector.score(x)
    view = hearing(detector, reader, reader.clip_ids[:2], reader.read(reader.clip_ids[:2]))
    with pytest.raises(DataError, match="2 clips known"):
        view.score(x)


def test_a_rate_that_the_model_was_not_made_for_is_refused(tmp_path):
    reader = on_file(tmp_path / "f.parquet", noise(4))
    path = model(tmp_path, "return x.square().mean(dim=1)")
    with pytest.raises(DataError, match=r"sound at 16000 Hz(?s:.*)8000 Hz: the rate of recipe 'audio'"):
        fitted(path, reader, rate_hz=16000)
    assert fitted(path, reader, rate_hz=8000).hears


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"input": "audio", "output": "cell_map"}, "knows nothing of the study's cells"),
        ({"input": "audio", "output": "score", "cam_layer": "a"}, "leave out 'cam_layer'"),
        ({"output": "score", "rate_hz": 8000}, "this one takes maps"),
    ],
)
def test_settings_that_do_not_fit_sound_are_refused(settings, said):
    with pytest.raises(ConfigError, match=said):
        DETECTORS["external"].settings({"model": "a.py:build", **settings})


class Energy(nn.Module):
    """Mean square of a sound, with a weight to redraw."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = nn.Conv1d(1, 2, 9, padding=4, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.filter(x[:, None]).square().mean(dim=(1, 2))


def test_a_program_hears_as_the_module_that_it_was_made_from(tmp_path):
    torch.manual_seed(0)
    energy = Energy().eval()
    reader = on_file(tmp_path / "f.parquet", noise(4))
    path = tmp_path / "energy.pt2"
    clips = ({0: torch.export.Dim("clips")},)
    torch.export.save(torch.export.export(energy, (noise(3),), dynamic_shapes=clips), path)
    detector = fitted(path, reader, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    save_detector(tmp_path / "d.safetensors", detector, "external", Provenance(stage="test"))
    loaded = load_detector(tmp_path / "d.safetensors", CPU)
    with torch.no_grad():
        wanted = energy(noise(4)).double().numpy()
    for one in (detector, loaded):
        np.testing.assert_allclose(
            score_maps(one, reader, reader.clip_ids, CPU, 1 << 30)["value"], wanted, rtol=1e-5
        )
    view, x = told(loaded, reader)
    leaf = x.clone().requires_grad_()
    view.score(leaf).sum().backward()
    assert leaf.grad.abs().sum() > 0
    # 512 samples more than it was exported for
    other = on_file(tmp_path / "other.parquet", noise(4).repeat(1, 2))
    with pytest.raises(DataError, match=r"of the model(?s:.*)on sound(?s:.*)input of this size"):
        fitted(path, other, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
