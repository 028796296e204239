"""Models in ONNX files: scored as written, and refused where they do not fit.

The locked environment has no ONNX Runtime; ``tests/workflow/test_onnx.py`` runs this where there is one.
"""

from __future__ import annotations

import copy
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from own_toys import SHAPE, clips, made
from toys.detectors import HeldClips
from toys.heard_clips import on_file, training_clips

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.hearing import hearing
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.scoring import score_maps
from soundproof.detectors.storage import load_detector, save_detector
from soundproof.interfaces.detector import TrainingRun
from soundproof.storage.provenance import Provenance

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
onnx2fx = pytest.importorskip("onnx2fx")
WEIGHT = torch.rand(SHAPE, generator=torch.Generator().manual_seed(2)).numpy()


def write(
    path: Path, nodes: list[Any], out: list[Any], batch: Any = "n", domain: str = "", kind: int = 1
) -> Path:
    """A model of maps ``x`` with a constant ``w``, which returns ``y``."""
    helper = onnx.helper
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("x", kind, [batch, *SHAPE])],
        [helper.make_tensor_value_info("y", kind, [batch, *out])],
        [onnx.numpy_helper.from_array(WEIGHT.astype(np.float64 if kind == 11 else np.float32), "w")],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), path)
    return path


def with_arrays(path: Path, **arrays: np.ndarray) -> Path:
    """Add constants to a model."""
    model = onnx.load(path)
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(values, name) for name, values in arrays.items()
    )
    onnx.save(model, path)
    return path


def scaled(path: Path, **options: Any) -> Path:
    return write(path, [onnx.helper.make_node("Mul", ["x", "w"], ["y"])], list(SHAPE), **options)


def fitted(path: Path, output: str = "reconstruction", **settings: Any) -> Any:
    entry = DETECTORS["external"]
    values = {"model": str(path), "output": output, "gradients": False, **settings}
    detector = entry.load()(SHAPE, entry.settings(values))
    detector.fit(HeldClips(clips()), TrainingRun(seed=0))
    return detector


@pytest.mark.parametrize("options", [{}, {"batch": 1}, {"kind": 11}], ids=["any", "one clip", "double"])
def test_a_reconstruction_is_scored_by_its_error(tmp_path: Path, options: dict[str, Any]) -> None:
    detector, x = fitted(scaled(tmp_path / "a.onnx", **options)), clips(5)
    error = (x * torch.from_numpy(WEIGHT) - x) ** 2
    torch.testing.assert_close(detector.score(x), error.mean(dim=(1, 2)))
    torch.testing.assert_close(detector.anomaly_map(x), error)
    torch.testing.assert_close(copy.deepcopy(detector).score(x), detector.score(x), rtol=0, atol=0)


def test_a_score_and_an_embedding(tmp_path: Path) -> None:
    node = onnx.helper.make_node("ReduceMean", ["x"], ["y"], axes=[1, 2], keepdims=0)
    x = clips(4)
    found = fitted(write(tmp_path / "score.onnx", [node], []), "score").score(x)
    torch.testing.assert_close(found, x.mean(dim=(1, 2)))
    node = onnx.helper.make_node("ReduceMean", ["x"], ["y"], axes=[2], keepdims=0)
    detector = fitted(write(tmp_path / "embedding.onnx", [node], [SHAPE[0]]), "embedding")
    known = clips().mean(dim=2)
    nearest = torch.cdist(x.mean(dim=2), known).amin(dim=1)
    torch.testing.assert_close(detector.score(x), nearest)


def of_sound(path: Path, nodes: list[Any]) -> Path:
    """A model of sounds ``x`` of any length, which returns a score ``y``."""
    graph = onnx.helper.make_graph(
        nodes,
        "toy",
        [onnx.helper.make_tensor_value_info("x", 1, ["n", "samples"])],
        [onnx.helper.make_tensor_value_info("y", 1, ["n"])],
    )
    opsets = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10), path)
    return path


@pytest.mark.parametrize("gradients", [False, True])
def test_a_model_of_sound_says_of_maps_what_it_says_of_their_sounds(tmp_path: Path, gradients: bool) -> None:
    samples = torch.randn(4, 4096, generator=torch.Generator().manual_seed(0)) / 10
    reader = on_file(tmp_path / "f.parquet", samples)
    nodes = [
        onnx.helper.make_node("Mul", ["x", "x"], ["squares"]),
        onnx.helper.make_node("ReduceMean", ["squares"], ["y"], axes=[1], keepdims=0),
    ]
    path = of_sound(tmp_path / "sound.onnx", nodes)
    entry = DETECTORS["external"]
    values = {"model": str(path), "output": "score", "input": "audio", "gradients": gradients}
    detector = entry.load()(reader.axes.shape, entry.settings(values))
    detector.fit(training_clips(reader), TrainingRun(seed=0))
    save_detector(tmp_path / "d.safetensors", detector, "external", Provenance(stage="test"))
    path.unlink()
    stored = load_detector(tmp_path / "d.safetensors", torch.device("cpu"))
    found = score_maps(stored, reader, reader.clip_ids, torch.device("cpu"), 1 << 30)["value"]
    np.testing.assert_allclose(found, samples.square().mean(dim=1), rtol=1e-5)
    maps = reader.read(["clip02"])
    x = torch.from_numpy(maps).requires_grad_()
    score = hearing(stored, reader, ["clip02"], maps).score(x)
    assert score.requires_grad == gradients
    if gradients:
        score.sum().backward()
        assert x.grad is not None and x.grad.abs().sum() > 0


def test_it_agrees_with_the_same_model_in_torch(tmp_path: Path) -> None:
    """A network of the kind of the DCASE baseline: dense layers with a bottleneck."""
    drawn = torch.Generator().manual_seed(4)
    n = SHAPE[0] * SHAPE[1]
    down, up = (torch.randn(shape, generator=drawn) / 8 for shape in ((n, 4), (4, n)))
    helper = onnx.helper
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "down"], ["code"]),
        helper.make_node("Relu", ["code"], ["bent"]),
        helper.make_node("MatMul", ["bent", "up"], ["wide"]),
        helper.make_node("Reshape", ["wide", "shape"], ["y"]),
    ]
    path = write(tmp_path / "dense.onnx", nodes, list(SHAPE))
    with_arrays(path, down=down.numpy(), up=up.numpy(), shape=np.array([-1, *SHAPE]))
    x = clips(7)
    rebuilt = ((x.flatten(1) @ down).relu() @ up).view_as(x)
    torch.testing.assert_close(fitted(path).reconstruct(x), rebuilt)


def test_what_is_stored_needs_the_file_no_more(tmp_path: Path) -> None:
    path = scaled(tmp_path / "a.onnx")
    detector, x = fitted(path), clips(3)
    save_detector(tmp_path / "fitted.safetensors", detector, "external", Provenance(stage="training"))
    expected = detector.score(x)
    path.unlink()
    again = load_detector(tmp_path / "fitted.safetensors", torch.device("cpu"))
    torch.testing.assert_close(again.score(x), expected, rtol=0, atol=0)


def test_explainers_by_scores_alone_explain_it(tmp_path: Path) -> None:
    from soundproof.attribution.registry import EXPLAINERS
    from soundproof.interfaces.explainer import ExplainContext

    # the score is linear in the cells: taking one away moves it by its weight
    nodes = [
        onnx.helper.make_node("Mul", ["x", "w"], ["product"]),
        onnx.helper.make_node("ReduceMean", ["product"], ["y"], axes=[1, 2], keepdims=0),
    ]
    detector, x = fitted(write(tmp_path / "a.onnx", nodes, []), "score"), clips(2)
    entry, settings = EXPLAINERS.choose({"kind": "occlusion", "window": [1, 1], "stride": [1, 1]})
    context = ExplainContext(settings=settings, clip_ids=["a", "b"], rows_per_pass=16, method="occlusion")
    found = entry.load()(detector.freeze(), x, context).relevance
    torch.testing.assert_close(found, x * torch.from_numpy(WEIGHT) / x[0].numel(), rtol=1e-4, atol=1e-6)


def network(path: Path, batch: Any) -> tuple[Path, Any]:
    """A model of convolutions, and what it does as a function of torch."""
    drawn = torch.Generator().manual_seed(7)
    narrow, wide = torch.randn(3, 1, 3, 3, generator=drawn), torch.randn(3, 1, 2, 2, generator=drawn)
    helper = onnx.helper
    nodes = [
        helper.make_node("Unsqueeze", ["x", "one"], ["image"]),
        helper.make_node("Conv", ["image", "narrow"], ["code"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("LeakyRelu", ["code"], ["bent"], alpha=0.2),
        helper.make_node("ConvTranspose", ["bent", "wide"], ["wide_image"], strides=[2, 2]),
        helper.make_node("Tanh", ["wide_image"], ["bounded"]),
        helper.make_node("Squeeze", ["bounded", "one"], ["y"]),
    ]
    write(path, nodes, list(SHAPE), batch=batch)
    with_arrays(path, narrow=narrow.numpy(), wide=wide.numpy(), one=np.array([1]))

    def same(x: torch.Tensor) -> torch.Tensor:
        code = torch.nn.functional.conv2d(x[:, None], narrow, stride=2, padding=1)
        bent = torch.nn.functional.leaky_relu(code, 0.2)
        return torch.nn.functional.conv_transpose2d(bent, wide, stride=2).tanh()[:, 0]

    return path, same


@pytest.mark.parametrize("batch", ["n", 1])
def test_gradients_are_those_of_the_same_network_in_torch(tmp_path: Path, batch: Any) -> None:
    path, same = network(tmp_path / "a.onnx", batch)
    detector, alone = fitted(path, gradients=True), fitted(path)
    x, again = clips(5).requires_grad_(), clips(5).requires_grad_()
    error = (same(again) - again).square().mean(dim=(1, 2))
    torch.testing.assert_close(detector.score(x), error)
    torch.testing.assert_close(detector.score(x).detach(), alone.score(x), rtol=1e-4, atol=1e-5)
    (found,) = torch.autograd.grad(detector.score(x).sum(), x)
    (expected,) = torch.autograd.grad(error.sum(), again)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(copy.deepcopy(detector).score(x), detector.score(x), rtol=0, atol=0)
    save_detector(tmp_path / "fitted.safetensors", detector, "external", Provenance(stage="training"))
    path.unlink()
    stored = load_detector(tmp_path / "fitted.safetensors", torch.device("cpu"))
    (again_found,) = torch.autograd.grad(stored.score(x).sum(), x)
    torch.testing.assert_close(again_found, found, rtol=0, atol=0)


def test_operators_that_do_not_convert_are_named_and_need_no_gradients(tmp_path: Path) -> None:
    # one of ONNX Runtime's own, which the converter does not know
    nodes = [
        onnx.helper.make_node("Mul", ["x", "w"], ["product"]),
        onnx.helper.make_node("ExpandDims", ["product", "last"], ["wide"], domain="com.microsoft"),
        onnx.helper.make_node("Squeeze", ["wide", "axes"], ["y"]),
    ]
    path = write(tmp_path / "a.onnx", nodes, list(SHAPE), domain="com.microsoft")
    with_arrays(path, last=np.array(-1, np.int32), axes=np.array([-1]))
    x = clips(2)
    torch.testing.assert_close(fitted(path).reconstruct(x), x * torch.from_numpy(WEIGHT))
    said = r"do not convert: 'com\.microsoft:ExpandDims'[\s\S]*gradients: false"
    with pytest.raises(DataError, match=said):
        fitted(path, gradients=True)


def test_a_conversion_that_returns_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = scaled(tmp_path / "a.onnx")
    fitted(path, gradients=True)
    # the true converter, given another model than the runtime
    other = onnx.load(path)
    weight = torch.from_numpy(WEIGHT * (1 + 1e-3)).numpy()
    other.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(weight, "w"))
    monkeypatch.setattr(onnx, "load_model_from_string", lambda content: other)
    with pytest.raises(
        DataError, match=r"the same in torch as in ONNX Runtime[\s\S]*where [\d.e-]+ is allowed"
    ):
        fitted(path, gradients=True)


def test_names_in_a_file_are_no_code(tmp_path: Path) -> None:
    """The converter makes Python of the graph: no name may break out of it."""
    trace = tmp_path / "ran"
    evil = f'w"), __import__("pathlib").Path({str(trace)!r}).touch(), getattr(self, "x\n    import os #'
    nodes = [
        onnx.helper.make_node("Mul", ["x", evil], [f"{evil}2"], name=evil),
        onnx.helper.make_node("Add", [f"{evil}2", "w"], ["y"], name=f"{evil}3"),
    ]
    path = with_arrays(write(tmp_path / "a.onnx", nodes, list(SHAPE)), **{evil: WEIGHT})
    x, weight = clips(2), torch.from_numpy(WEIGHT)
    rebuilt = fitted(path, gradients=True).reconstruct(x)
    torch.testing.assert_close(rebuilt, x * weight + weight)
    assert not trace.exists()


def test_a_score_without_a_gradient_is_refused(tmp_path: Path) -> None:
    # rounded, so flat wherever there is a derivative
    nodes = [
        onnx.helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1, 2], keepdims=0),
        onnx.helper.make_node("Cast", ["mean"], ["precise"], to=onnx.TensorProto.DOUBLE),
        onnx.helper.make_node("Mul", ["precise", "many"], ["scaled"]),
        onnx.helper.make_node("Cast", ["scaled"], ["count"], to=onnx.TensorProto.INT64),
        onnx.helper.make_node("Cast", ["count"], ["y"], to=onnx.TensorProto.FLOAT),
    ]
    path = with_arrays(write(tmp_path / "a.onnx", nodes, []), many=np.array(1e6))
    fitted(path, "score")
    with pytest.raises(DataError, match=r"gradients of the score[\s\S]*gradients: false"):
        fitted(path, "score", gradients=True)


def test_custom_operators_are_refused_by_name(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Sparkle", ["x"], ["y"], domain="my.house")
    with pytest.raises(DataError, match=r"operators of ONNX[\s\S]*'my.house:Sparkle'"):
        fitted(write(tmp_path / "a.onnx", [node], list(SHAPE), domain="my.house"))


def test_files_and_forms_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = scaled(tmp_path / "a.onnx")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    fitted(path, sha256=digest)
    with pytest.raises(DataError, match=f"with SHA-256 {'0' * 64}"):
        fitted(path, sha256="0" * 64)
    with pytest.raises(DataError, match="it takes 8 at a time"):
        fitted(scaled(tmp_path / "eight.onnx", batch=8))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="ONNX Runtime cannot read it"):
        fitted(path)
    path.write_bytes(b"cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    with pytest.raises(DataError, match="ONNX Runtime cannot read it"):
        fitted(path)
    two = onnx.helper.make_node("Add", ["x", "z"], ["y"])
    model = onnx.load(write(tmp_path / "two.onnx", [two], list(SHAPE)))
    model.graph.input.append(onnx.helper.make_tensor_value_info("z", 1, list(SHAPE)))
    onnx.save(model, tmp_path / "two.onnx")
    with pytest.raises(DataError, match="2 inputs and 1 outputs"):
        fitted(tmp_path / "two.onnx")


def test_maps_of_another_size_and_outputs_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = scaled(tmp_path / "a.onnx")
    entry = DETECTORS["external"]
    settings = entry.settings({"model": str(path), "output": "reconstruction", "gradients": False})
    other = entry.load()((SHAPE[0] + 1, SHAPE[1]), settings)
    wide = torch.randn(6, SHAPE[0] + 1, SHAPE[1], generator=torch.Generator().manual_seed(0))
    with pytest.raises(DataError, match=r"a pass of the model[\s\S]*free axes"):
        other.fit(HeldClips(wide), TrainingRun(seed=0))
    with pytest.raises(DataError, match="output 'score'"):
        fitted(path, "score")
    nan = onnx.helper.make_node("Sqrt", ["x"], ["y"])
    with pytest.raises(DataError, match="NaN"):
        fitted(write(tmp_path / "nan.onnx", [nan], list(SHAPE)))


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("onnxruntime", ("it is not installed", "pip install onnxruntime")),
        ("onnx2fx", ("no module 'onnx2fx'", "pip install --no-deps onnx2fx", "gradients: false")),
    ],
)
def test_without_what_runs_or_converts_it_that_is_said(
    tmp_path: Path, module: str, said: tuple[str, ...]
) -> None:
    path = scaled(tmp_path / "a.onnx")
    program = (
        f"import sys; sys.path[:0] = {[str(Path(__file__).parent), *sys.path]!r}\n"
        "from pathlib import Path\nfrom test_onnx_models import fitted\n"
        f"sys.modules[{module!r}] = None; fitted(Path({str(path)!r}), gradients=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert all(words in done.stderr for words in said), done.stderr


def test_a_model_of_python_is_what_it_was(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no file .*mine\.py"):
        made(tmp_path / "mine.py")
