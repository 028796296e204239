"""Programs of ``torch.export``: they do what the module did, and load nothing that is pickled."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from own_toys import SHAPE, clips
from torch import nn
from torch.testing import assert_close
from toys.detectors import HeldClips

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.storage import load_detector, save_detector
from soundproof.interfaces.detector import TrainingRun
from soundproof.storage.provenance import Provenance

ANY_NUMBER = ({0: torch.export.Dim("clips")},)
ENTRY = DETECTORS["external"]


class Small(nn.Module):
    """Rebuilds maps, with all that a mode could change."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Conv2d(1, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.3)
        self.decode = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        code = self.drop(self.norm(self.encode(x[:, None])).relu())
        return self.decode(code)[:, 0] + torch.tensor([0.5])


class Deaf(nn.Module):
    """A score that follows from its input, but not by steps that have a gradient."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.detach().square().mean(dim=(1, 2))


def small() -> Small:
    torch.manual_seed(0)
    return Small().eval()


def exported(path: Path, model: nn.Module, example: torch.Tensor, dynamic: Any = None) -> Path:
    torch.export.save(torch.export.export(model, (example,), dynamic_shapes=dynamic), path)
    return path


def made(path: Path, output: str = "reconstruction", **settings: Any) -> Any:
    values = {
        "model": str(path),
        "output": output,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        **settings,
    }
    return ENTRY.load()(SHAPE, ENTRY.settings(values))


def fitted(path: Path, output: str = "reconstruction", **settings: Any) -> Any:
    detector = made(path, output, **settings)
    detector.fit(HeldClips(clips()), TrainingRun(seed=0))
    return detector


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("program") / "small.pt2", small(), clips(3), ANY_NUMBER)


def rewritten(path: Path, target: Path, change: Callable[[str, bytes], bytes | None], **more: bytes) -> Path:
    """A copy of the file with other members; ``change`` gets names without the folder they all stand in."""
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(target, "w") as after:
        for full in before.namelist():
            content = change(full.partition("/")[2], before.read(full))
            if content is not None:
                after.writestr(full, content)
        for name, content in more.items():
            after.writestr(f"{path.stem}/{name}", content)
    return target


@pytest.mark.parametrize("dynamic", [ANY_NUMBER, None], ids=["any number", "one clip"])
def test_scores_maps_and_gradients_are_those_of_the_module(tmp_path: Path, dynamic: Any) -> None:
    model = small()
    detector = fitted(exported(tmp_path / "a.pt2", model, clips(3 if dynamic else 1), dynamic))
    x, same = clips(5).requires_grad_(), clips(5).requires_grad_()
    error = (model(same) - same).square()
    assert_close(detector.anomaly_map(x), error)
    assert_close(detector.score(x), error.mean(dim=(1, 2)))
    (found,) = torch.autograd.grad(detector.score(x).sum(), x)
    (expected,) = torch.autograd.grad(error.mean(dim=(1, 2)).sum(), same)
    assert_close(found, expected)
    assert expected.abs().min() > 0


def test_what_is_stored_are_its_weights_and_the_file_is_needed(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.pt2"
    path.write_bytes(program.read_bytes())
    detector, x = fitted(path), clips(3)
    stored = tmp_path / "fitted.safetensors"
    save_detector(stored, detector, "external", Provenance(stage="training"))
    again = load_detector(stored, torch.device("cpu"))
    assert_close(again.score(x), detector.score(x), rtol=0, atol=0)
    exported(path, Deaf(), clips(3), ANY_NUMBER)
    with pytest.raises(DataError, match="with SHA-256"):
        load_detector(stored, torch.device("cpu"))
    path.unlink()
    with pytest.raises(DataError, match="No such file"):
        load_detector(stored, torch.device("cpu"))


def test_redrawn_weights_give_another_score(program: Path) -> None:
    detector, x = fitted(program), clips(4)
    stranger = copy.deepcopy(detector)
    stranger.randomise(1)
    assert (stranger.score(x) - detector.score(x)).abs().min() > 1e-3
    assert_close(detector.score(x), fitted(program).score(x), rtol=0, atol=0)


def test_a_program_without_gradients_is_explained_by_its_scores_alone(tmp_path: Path) -> None:
    path = exported(tmp_path / "a.pt2", Deaf(), clips(3), ANY_NUMBER)
    with pytest.raises(DataError, match="gradients: false"):
        fitted(path, "score")
    x = clips(4)
    assert_close(fitted(path, "score", gradients=False).score(x), x.square().mean(dim=(1, 2)))


def test_a_program_that_was_exported_in_training_is_refused(tmp_path: Path) -> None:
    path = exported(tmp_path / "a.pt2", small().train(), clips(3), ANY_NUMBER)
    with pytest.raises(DataError, match="returns the same for a clip twice"):
        fitted(path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sha256": None}, r"sha256sum mine\.pt2"),
        ({"weights": "mine.safetensors"}, "leave out 'weights'"),
        ({"arguments": {"depth": 3}}, "leave out 'arguments'"),
        ({"cam_layer": "encode"}, "leave out 'cam_layer'"),
    ],
)
def test_what_a_program_must_or_cannot_have_is_said(changes: dict[str, Any], said: str) -> None:
    words = {"model": "mine.pt2", "output": "score", "sha256": "0" * 64}
    settings = ENTRY.settings(words)
    assert settings.own_files() == (Path("mine.pt2"),) and settings.named_modules() == ()
    with pytest.raises(ConfigError, match=said):
        ENTRY.settings({**words, **changes})


def test_another_checksum_and_forms_that_do_not_fit_are_refused(program: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"with SHA-256 {'0' * 64}"):
        made(program, sha256="0" * 64)
    with pytest.raises(DataError, match="it takes 3 at a time"):
        made(exported(tmp_path / "three.pt2", small(), clips(3)))
    with pytest.raises(DataError, match="output 'score'"):
        fitted(program, "score")
    other = exported(tmp_path / "other.pt2", small(), torch.rand(3, 7, 10), ANY_NUMBER)
    with pytest.raises(DataError, match=r"a pass of the model[\s\S]*on maps \(6, 10\)"):
        fitted(other)
    whole = program.read_bytes()
    for name, content in {"cut": whole[: len(whole) // 2], "pickle": b"cos\nsystem\n(S'true'\ntR."}.items():
        broken = tmp_path / f"{name}.pt2"
        broken.write_bytes(content)
        with pytest.raises(DataError, match="no whole file"):
            made(broken)
    with pytest.raises(DataError, match=r"torch\.export\.save"):
        made(rewritten(program, tmp_path / "old.pt2", lambda name, _: None if name[:7] == "archive" else _))


class Traitor:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


def test_torch_would_unpickle_what_is_refused_here(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "ran"
    stream = io.BytesIO()
    torch.save((Traitor(trace),), stream)

    def swapped(name: str, content: bytes) -> bytes:
        return stream.getvalue() if name == "data/sample_inputs/model.pt" else content

    path = rewritten(program, tmp_path / "traitor.pt2", swapped)
    with pytest.raises(DataError, match=r"without pickled objects[\s\S]*data/sample_inputs/model\.pt"):
        made(path)
    assert not trace.exists()
    # its warning has another number of values than places
    monkeypatch.setattr(logging.getLogger("torch._export.serde.serialize"), "disabled", True)
    torch.export.load(path)
    assert trace.exists()


def test_pickled_weights_and_compiled_libraries_are_refused(program: Path, tmp_path: Path) -> None:
    def pickled(name: str, content: bytes) -> bytes:
        if name != "data/weights/model_weights_config.json":
            return content
        config = json.loads(content)
        config["config"]["encode.bias"]["use_pickle"] = True
        return json.dumps(config).encode()

    def same(name: str, content: bytes) -> bytes:
        return content

    with pytest.raises(
        DataError, match=r"without pickled objects[\s\S]*model_weights_config\.json: weight_\d"
    ):
        made(rewritten(program, tmp_path / "a.pt2", pickled))
    for member in ("data/aotinductor/model/model.so", "data/weights/model.pt", "data/constants/model.pt"):
        with pytest.raises(DataError, match=rf"without pickled objects[\s\S]*{member}"):
            made(rewritten(program, tmp_path / "b.pt2", same, **{member: b""}))
