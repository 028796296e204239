"""Models that explanations and metrics could not be trusted with are refused, each by what is wrong with it."""

from __future__ import annotations

import hashlib
import os
from textwrap import indent

import pytest
import torch
from own_toys import SHAPE, fitted, made, write
from safetensors.torch import save_file

from soundproof.core.errors import ConfigError, DataError, SoundproofError
from soundproof.detectors.registry import DETECTORS


def model(folder, forward, init="", more=""):
    """A file whose model computes ``forward`` of ``x``."""
    body = "class Mine(nn.Module):\n    def __init__(self, shape):\n        super().__init__()\n"
    body += indent(init, 8 * " ") + "\n    def forward(self, x):\n" + indent(forward, 8 * " ") + "\n"
    return write(folder, body + indent(more, 4 * " ") + "\n\ndef build(shape):\n    return Mine(shape)")


LINEAR = "self.layer = nn.Linear(shape[0] * shape[1], 1)"
BY_LINEAR = "return self.layer(x.flatten(1))[:, 0]"
UNFIT = {
    "shape of a score": (
        {},
        "return x.mean(dim=2)",
        "",
        r"shape \(\d+,\) for \d+ clips(?s:.*)shape \(\d+, 6\)",
    ),
    "shape of a map": (
        {"output": "reconstruction"},
        "return x[:, :, 1:]",
        "",
        r"output 'reconstruction'(?s:.*)shape \(\d+, 6, 9\)",
    ),
    "shape of an embedding": (
        {"output": "embedding"},
        "return x",
        "",
        r"dimensions\)(?s:.*)shape \(\d+, 6, 10\)",
    ),
    "no tensor": ({}, "return {'score': x}", "", "found: a dict"),
    "whole numbers": ({}, "return x.mean(dim=(1, 2)).long()", "", r"found: a tensor of torch\.int64"),
    "NaN": ({}, "return x.mean(dim=(1, 2)).log()", "", "NaN or infinity for the training clip 'clip"),
    "constant": ({}, "return x.sum(dim=(1, 2)) * 0 + 4", "", "4 for each of 4 training clips"),
    "draws": (
        {},
        "return nn.functional.dropout(x, 0.5).mean(dim=(1, 2))",
        "",
        "the same for a clip twice(?s:.*)it differs by(?s:.*)training=self.training",
    ),
    "hangs on its neighbours": (
        {},
        "return (x - x.mean(dim=0)).square().mean(dim=(1, 2)) + x.mean(dim=(1, 2))",
        "",
        "with other clips in the batch what it returns changes by(?s:.*)one_by_one",
    ),
    "normalises by the batch": (
        {"input": "images"},
        "return self.norm(x).square().amax(dim=(1, 2, 3))",
        "self.norm = nn.BatchNorm2d(1, track_running_stats=False)",
        "with other clips in the batch what it returns changes by",
    ),
    "changes its input": ({}, "return x.add_(1).mean(dim=(1, 2))", "", "that leaves its input alone"),
    "negative map": ({"output": "cell_map"}, "return x", "", "map of the model(?s:.*)not negative"),
    "no gradients": (
        {},
        "return x.detach().mean(dim=(1, 2))",
        "",
        "not follow from its input by differentiable steps(?s:.*)gradients: false",
    ),
    "NaN in the gradient": (
        {},
        "return (x - x).sqrt().mean(dim=(1, 2)) + x.mean(dim=(1, 2))",
        "",
        "gradients of the score(?s:.*)NaN or infinity",
    ),
    "another device": (
        {},
        "return (x.to('meta') * self.other).mean(dim=(1, 2))",
        "self.other = torch.ones(shape, device='meta')",
        r"on the device of its input, cpu(?s:.*)found: on meta(?s:.*)register_buffer",
    ),
    "two devices": (
        {},
        "return (x * self.other).mean(dim=(1, 2))",
        "self.other = torch.ones(shape, device='meta')",
        r"a pass of the model(?s:.*)device(?s:.*)mine\.py, line \d+: return \(x \* self(?s:.*)register_buffer",
    ),
    "fails": (
        {},
        "return x @ x",
        "",
        r"a pass of the model '.*mine\.py:build'(?s:.*)RuntimeError: .*\n    mine\.py, line \d+: return x @ x",
    ),
    "no such layer": ({"cam_layer": "leyer"}, BY_LINEAR, LINEAR, "use one of: layer"),
    "a layer without bands": ({"cam_layer": "layer"}, BY_LINEAR, LINEAR, "for Grad-CAM(?s:.*)channels"),
    "a layer off the way": (
        {"cam_layer": "side", "input": "images"},
        "self.side(x)\nreturn x.mean(dim=(1, 2, 3))",
        "self.side = nn.Conv2d(1, 2, 1)",
        "the score does not depend on it",
    ),
    "too few neighbours": (
        {"output": "embedding", "neighbours": 13},
        "return x.mean(dim=2)",
        "",
        "13 nearest normal clips(?s:.*)12 training clips",
    ),
}


@pytest.mark.parametrize(("settings", "forward", "init", "said"), UNFIT.values(), ids=UNFIT)
def test_a_model_that_cannot_be_trusted_is_refused(tmp_path, settings, forward, init, said):
    with pytest.raises(DataError, match=said):
        fitted(model(tmp_path, forward, init), **settings)


def test_what_is_refused_for_its_neighbours_works_one_by_one(tmp_path):
    _, forward, init, _ = UNFIT["normalises by the batch"]
    fitted(model(tmp_path, forward, init), input="images", one_by_one=True)


def test_without_gradients_it_works_where_they_are_not_asked_for(tmp_path):
    detector = fitted(model(tmp_path, UNFIT["no gradients"][1]), gradients=False)
    assert not detector.score(torch.ones(2, *SHAPE).requires_grad_()).requires_grad


def test_a_model_that_stays_in_training_is_refused_by_the_layer(tmp_path):
    more = "def train(self, mode=True):\n    self.training = True\n    return self\n"
    with pytest.raises(DataError, match=r"still in training after eval\(\): the model"):
        fitted(model(tmp_path, BY_LINEAR, LINEAR, more))


def test_what_it_learns_must_be_stored(tmp_path):
    init, forward = "self.level = 0.0", "return (x.mean(dim=(1, 2)) - self.level).abs()"
    learn = "def fit(self, clips, run):\n    self.level = clips.read([0]).mean() + 3\n"
    with pytest.raises(
        DataError, match=r"the same after it was stored(?s:.*)differs by(?s:.*)register_buffer"
    ):
        fitted(model(tmp_path, forward, init, learn))
    late = "def fit(self, clips, run):\n    self.register_buffer('late', torch.ones(1))\n"
    with pytest.raises(DataError, match=r"the same after it was stored(?s:.*)late"):
        fitted(model(tmp_path, forward, init, late))


def test_a_fit_that_fails_or_returns_something_is_refused(tmp_path):
    fails = "def fit(self, clips, run):\n    raise ValueError('too few\\nclips')\n"
    with pytest.raises(
        DataError, match=r"fit\(clips, run\) of(?s:.*)ValueError: too few clips\n    mine\.py, line"
    ):
        fitted(model(tmp_path, BY_LINEAR, LINEAR, fails))
    returns = "def fit(self, clips, run):\n    return 3\n"
    with pytest.raises(DataError, match=r"found: a int(?s:.*)return None"):
        fitted(model(tmp_path, BY_LINEAR, LINEAR, returns))


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        (
            "import no_such_package",
            ConfigError,
            r"No module named 'no_such_package'\n    mine\.py, line 6: import no_",
        ),
        (
            "raise OSError('no card')",
            ConfigError,
            r"its import fails: OSError: no card\n    mine\.py, line 6: raise",
        ),
        ("def other(shape): ...", ConfigError, "no function or class 'build'"),
        ("def build(): ...", ConfigError, r"build\(shape\) of the model(?s:.*)cannot be called so"),
        ("def build(shape): return 3", DataError, "returned a int"),
        ("def build(shape): return nn.Linear(-1)", DataError, r"mine\.py, line 6: def build\(shape\)"),
        (
            "from deep import x",
            ConfigError,
            r"ZeroDivisionError: .*\n    mine\.py, line 6: .*\n    deep\.py, line 6",
        ),
    ],
    ids=["import", "at import", "no such name", "arguments", "no module", "build", "beside"],
)
def test_code_that_fails_says_so_in_the_user_s_own_lines(tmp_path, body, error, said):
    file = write(tmp_path, body)
    write(tmp_path, "x = 1 / 0", "deep.py")
    with pytest.raises(error, match=said) as refused:
        made(file)
    # nothing of this package or of torch
    assert "soundproof/" not in refused.value.found and "site-packages" not in refused.value.found


class Runs:
    """Unpickled, it makes a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_weights_that_do_not_fit_are_refused(tmp_path):
    file, path = model(tmp_path, BY_LINEAR, LINEAR), tmp_path / "w.safetensors"
    right = {"layer.weight": torch.ones(1, 60), "layer.bias": torch.zeros(1)}
    save_file({**right, "layer.weight": torch.ones(1, 61), "more": torch.ones(1)}, path)
    with pytest.raises(
        DataError, match=r"of another shape: layer.weight \(1, 61\) instead of \(1, 60\); not in the m"
    ):
        fitted(file, weights=path)
    save_file({"layer.weight": right["layer.weight"]}, path)
    with pytest.raises(DataError, match=r"missing: layer\.bias"):
        fitted(file, weights=path)
    save_file(right, path)
    fitted(file, weights=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(DataError, match=f"with SHA-256 {64 * '0'}"):
        fitted(file, weights=path, sha256=64 * "0")
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(DataError, match="no safetensors"):
        fitted(file, weights=path)


def test_a_file_of_tensors_is_read_and_a_pickle_is_refused_unread(tmp_path):
    file, path = model(tmp_path, BY_LINEAR, LINEAR), tmp_path / "w.pt"
    torch.save({"layer.weight": torch.ones(1, 60), "layer.bias": torch.zeros(1)}, path)
    assert float(fitted(file, weights=path).score(torch.ones(1, *SHAPE))) == pytest.approx(60)
    torch.save({"layer.weight": Runs(tmp_path / "it ran")}, path)
    with pytest.raises(DataError, match="a pickle that would run code of its own"):
        fitted(file, weights=path)
    assert not (tmp_path / "it ran").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"output": "score"}, "setting 'model' of 'external'"),
        ({"model": "a.py:b"}, "setting 'output' of 'external'"),
        ({"model": "a.py:b", "output": "scores"}, "output"),
        ({"model": "a.py:b", "output": "score", "sha256": 64 * "0"}, "a checksum needs 'weights'"),
        ({"model": "a.py:b", "output": "score", "weights": "w", "sha256": "abc"}, "sha256"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings, said):
    with pytest.raises(SoundproofError, match=said):
        DETECTORS["external"].settings(settings)
