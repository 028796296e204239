"""A model of one's own does what its settings say, with weights, code and draws that belong to it."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from own_toys import SHAPE, clips, fitted, made, write
from safetensors.torch import save_file
from torch.testing import assert_close
from toys.detectors import HeldClips

from soundproof.core.errors import ConfigError
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.storage import load_detector, save_detector
from soundproof.folders.own_code import code_files, own_model
from soundproof.interfaces.detector import TrainingRun
from soundproof.storage.provenance import Provenance

WEIGHTED = """
class Weighted(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape))

    def forward(self, x):
        return {returned}


def build(shape):
    return Weighted(shape)
"""


def weighted(folder: Path, returned: str) -> Path:
    return write(folder, WEIGHTED.replace("{returned}", returned))


@pytest.fixture
def weights(tmp_path: Path) -> tuple[Path, torch.Tensor]:
    drawn = torch.rand(SHAPE, generator=torch.Generator().manual_seed(5))
    save_file({"weight": drawn}, tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors", drawn


@pytest.mark.parametrize(
    "returned", ["(x * self.weight).sum(dim=(1, 2))", "(x * self.weight).sum((1, 2))[:, None]"]
)
def test_a_score_is_taken_as_it_is(tmp_path, weights, returned):
    path, drawn = weights
    x = clips(4)
    detector = fitted(weighted(tmp_path, returned), weights=path)
    assert_close(detector.score(x), (x * drawn).sum(dim=(1, 2)))
    assert detector.reconstruct(x) is None and detector.anomaly_map(x) is None and detector.embed(x) is None


def test_a_reconstruction_is_scored_by_its_mean_squared_error(tmp_path, weights):
    path, drawn = weights
    x = clips(4)
    detector = fitted(weighted(tmp_path, "x * self.weight"), "reconstruction", weights=path)
    error = (x * drawn - x) ** 2
    assert_close(detector.score(x), error.mean(dim=(1, 2)))
    assert_close(detector.anomaly_map(x), error)
    assert_close(detector.reconstruct(x), x * drawn)


@pytest.mark.parametrize(("clip_score", "dims"), [("mean", torch.mean), ("max", torch.amax)])
def test_a_map_of_cells_is_scored_by_its_mean_or_maximum(tmp_path, weights, clip_score, dims):
    path, drawn = weights
    x = clips(4)
    file = weighted(tmp_path, "((x * self.weight) ** 2)[:, None]")
    detector = fitted(file, "cell_map", weights=path, clip_score=clip_score)
    assert_close(detector.anomaly_map(x), (x * drawn) ** 2)
    assert_close(detector.score(x), dims((x * drawn) ** 2, dim=(1, 2)))


def test_an_embedding_is_scored_by_its_distance_to_the_nearest_normal_clips(tmp_path, weights):
    path, drawn = weights
    x = clips(4, seed=9)
    detector = fitted(
        weighted(tmp_path, "(x * self.weight).mean(dim=2)"), "embedding", weights=path, neighbours=2
    )
    normal = (clips() * drawn).mean(dim=2)
    away = torch.cdist((x * drawn).mean(dim=2), normal, compute_mode="donot_use_mm_for_euclid_dist")
    assert_close(detector.score(x), away.sort(dim=1).values[:, :2].mean(dim=1))
    assert detector.embed(x).shape == (4, SHAPE[0])


def test_images_have_a_channel_and_single_clips_come_alone(tmp_path):
    file = write(
        tmp_path,
        """
        class Sizes(nn.Module):
            def forward(self, x):
                assert x.ndim == 4 and len(x) == 1, x.shape
                return x.mean(dim=(1, 2, 3))

        def build(shape):
            return Sizes()
        """,
    )
    x = clips(3)
    detector = fitted(file, input="images", one_by_one=True)
    assert_close(detector.score(x), x.mean(dim=(1, 2)))


def test_arguments_reach_the_function(tmp_path):
    file = write(
        tmp_path,
        """
        class Scaled(nn.Module):
            def __init__(self, factor):
                super().__init__()
                self.factor = factor

            def forward(self, x):
                return self.factor * x.mean(dim=(1, 2))

        def build(shape, factor):
            return Scaled(factor)
        """,
    )
    x = clips(3)
    assert_close(fitted(file, arguments={"factor": 3.5}).score(x), 3.5 * x.mean(dim=(1, 2)))
    with pytest.raises(ConfigError, match=r"missing a required argument: 'factor'"):
        made(file)
    with pytest.raises(ConfigError, match=r"unexpected keyword argument 'other'"):
        made(file, arguments={"factor": 1, "other": 2})


LEARNING = """
import random

import numpy as np


class Learning(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.register_buffer("middle", torch.zeros(shape))
        self.register_buffer("drawn", torch.zeros(4))
        self.first = nn.Parameter(torch.randn(3))

    def fit(self, clips, run):
        self.middle.copy_(clips.read(list(range(len(clips)))).mean(dim=0))
        self.drawn.copy_(torch.tensor([random.random(), np.random.rand(), torch.rand(()), self.first[0].item()]))

    def forward(self, x):
        return (x - self.middle).square().mean(dim=(1, 2)) + self.first.sum()


def build(shape):
    return Learning(shape)
"""


def test_its_own_fit_learns_from_the_clips_and_draws_from_the_seed(tmp_path):
    file = write(tmp_path, LEARNING)
    torch.rand(3)
    one, same, other = fitted(file, seed=1), fitted(file, seed=1), fitted(file, seed=2)
    assert_close(one.network.middle, clips().mean(dim=0))
    assert torch.equal(one.network.drawn, same.network.drawn)
    assert (one.network.drawn != other.network.drawn).all()


def test_draws_of_others_go_on_as_before(tmp_path):
    file = write(tmp_path, LEARNING)
    torch.manual_seed(3)
    undisturbed = torch.rand(2)
    torch.manual_seed(3)
    first = torch.rand(1)
    fitted(file)
    assert torch.equal(torch.cat([first, torch.rand(1)]), undisturbed)


def test_a_history_is_handed_on(tmp_path):
    file = write(
        tmp_path,
        LEARNING.replace("    def forward", "        return history\n\n    def forward", 1).replace(
            "import random",
            "import random\n\nimport pandas as pd\n\nhistory = pd.DataFrame({'epoch': [1]})",
            1,
        ),
    )
    detector = made(file)
    pd.testing.assert_frame_equal(
        detector.fit(HeldClips(clips()), TrainingRun(seed=0)), pd.DataFrame({"epoch": [1]})
    )


def test_without_weights_or_a_fit_it_is_said(tmp_path, caplog):
    fitted(weighted(tmp_path, "(x * self.weight).sum(dim=(1, 2))"))
    assert "neither 'weights' nor a method fit" in caplog.text


def test_random_weights_are_drawn_for_bare_parameters_and_references(tmp_path, weights):
    path, _ = weights
    detector = fitted(weighted(tmp_path, "(x * self.weight).mean(dim=2)"), "embedding", weights=path)
    weight, references = detector.network.weight.clone(), detector.references.clone()
    detector.randomise(7)
    assert (detector.network.weight != weight).all()
    assert (detector.references != references).all()
    assert detector.references.mean() == pytest.approx(float(references.mean()), abs=0.1)


def test_two_models_may_have_a_module_of_the_same_name_each(tmp_path):
    body = "from parts import scale\n\n\nclass Mine(nn.Module):\n    def forward(self, x):\n"
    body += "        import later\n        return later.twice(scale(x)).mean(dim=(1, 2))\n\n\n"
    body += "def build(shape):\n    return Mine()"
    for name, factor in (("one", 2), ("two", 5)):
        write(tmp_path / name, body)
        write(tmp_path / name, f"def scale(x):\n    return {factor} * x", "parts.py")
        write(tmp_path / name, "def twice(x):\n    return 2 * x", "later.py")
    x = clips(3)
    before = dict(sys.modules)
    one, two = (fitted(tmp_path / name / "mine.py") for name in ("one", "two"))
    assert_close(one.score(x), 4 * x.mean(dim=(1, 2)))
    assert_close(two.score(x), 10 * x.mean(dim=(1, 2)))
    assert not {"parts", "later", "mine"} & (sys.modules.keys() - before.keys())


def test_an_edit_within_a_tick_of_the_clock_is_seen(tmp_path):
    file = write(
        tmp_path,
        "from parts import factor\n\n\nclass Mine(nn.Module):\n    def forward(self, x):\n"
        "        return factor * x.mean(dim=(1, 2))\n\n\ndef build(shape):\n    return Mine()",
    )
    x = clips(3)
    for factor in (2, 3, 4):
        write(tmp_path, f"factor = {factor}", "parts.py")
        assert_close(fitted(file).score(x), factor * x.mean(dim=(1, 2)))


def test_all_modules_that_are_read_are_tracked(tmp_path):
    file = write(
        tmp_path,
        """
        import json
        import numpy
        import near
        from pack.inner import thing
        from loose import deep

        def build(shape):
            import late
    """,
    )
    for name in (
        "near.py",
        "late.py",
        "further.py",
        "unused.py",
        "json.py",
        "loose/deep.py",
        "loose/other.py",
    ):
        write(tmp_path, "import further" if name == "near.py" else "", name)
    write(tmp_path, "from . import helper", "pack/__init__.py")
    write(
        tmp_path, "from .. import nothing\nfrom .helper import x\nfrom pack.third import y", "pack/inner.py"
    )
    for name in ("helper", "third", "fourth"):
        write(tmp_path, "", f"pack/{name}.py")
    found = own_model(f"{file}:build")
    assert set(found.files) == {
        *("mine", "near", "late", "further", "loose", "loose.deep"),
        *("pack", "pack.inner", "pack.helper", "pack.third"),
    }
    assert found.files["loose"] is None
    assert code_files(str(file)) == {path for path in found.files.values() if path}


def test_a_module_of_a_package_is_found_and_tracked_with_its_own(tmp_path, monkeypatch):
    write(tmp_path, "", "homemade/__init__.py")
    write(
        tmp_path,
        "import torch\nfrom homemade.parts import factor\nimport elsewhere\n\n\n"
        "class Mine(nn.Module):\n    def forward(self, x):\n        return factor * x.mean(dim=(1, 2))\n\n\n"
        "def build(shape):\n    return Mine()",
        "homemade/model.py",
    )
    write(tmp_path, "factor = 3", "homemade/parts.py")
    write(tmp_path, "", "elsewhere.py")
    monkeypatch.syspath_prepend(tmp_path)
    found = own_model("homemade.model:build")
    assert set(found.files) == {"homemade.model", "homemade", "homemade.parts"}
    assert {path.name for path in code_files("homemade.model")} == {"model.py", "__init__.py", "parts.py"}
    entry = DETECTORS["external"]
    detector = entry.load()(SHAPE, entry.settings({"model": "homemade.model:build", "output": "score"}))
    assert_close(detector.score(clips(2)), 3 * clips(2).mean(dim=(1, 2)))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("nowhere.py:build", "no file"),
        ("mine", "no 'where:what'"),
        ("mine.py", "no 'where:what'"),
        ("mine.py:a-b", "no 'where:what'"),
        ("not_installed_anywhere.model:build", "can be imported here"),
        ("soundproof.no_such:build", "can be imported here"),
    ],
)
def test_a_model_that_is_not_there_is_refused(model, said):
    with pytest.raises(ConfigError) as refused:
        own_model(model)
    assert said in f"{refused.value}"
    assert code_files("not_installed_anywhere.model") == frozenset()


def test_a_module_beside_it_that_is_called_like_an_installed_one_is_refused(tmp_path):
    file = write(tmp_path, "import captum")
    write(tmp_path, "", "captum.py")
    with pytest.raises(
        ConfigError, match=r"'captum' that lies beside the model(?s:.*)give yours another name"
    ):
        own_model(f"{file}:build")


def test_code_that_is_no_python_is_refused_with_the_line(tmp_path):
    file = write(tmp_path, "import near")
    write(tmp_path, "def half(:", "near.py")
    with pytest.raises(ConfigError, match=r"near\.py, line 6"):
        own_model(f"{file}:build")


def test_it_is_stored_with_its_weights_and_rebuilt_from_its_code(tmp_path, weights):
    path, _ = weights
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    file = weighted(tmp_path, "(x * self.weight).sum(dim=(1, 2))")
    detector = fitted(file, weights=path, sha256=checksum)
    save_detector(tmp_path / "model.safetensors", detector, "external", Provenance(stage="training"))
    path.unlink()
    loaded = load_detector(tmp_path / "model.safetensors", torch.device("cpu"))
    assert torch.equal(loaded.score(clips(3)), detector.score(clips(3)))
