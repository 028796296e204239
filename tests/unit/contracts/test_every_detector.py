"""What holds for every registered detector; a new entry is tested by being there."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import torch
from contract_toys import ASKED, ODD, SMALL, ToyClips, abilities_of, clips, fitted, offered, quick_settings
from torch import Tensor, nn
from torch.testing import assert_close

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.storage import load_detector, read_header, save_detector
from soundproof.interfaces.abilities import Ability
from soundproof.interfaces.detector import Detector, TrainingRun
from soundproof.storage.provenance import Provenance
from soundproof.storage.schemas import HISTORY
from soundproof.training.settings import TrainingSettings

N_TEST = 5
VARIANTS = [(kind, ()) for kind in ASKED] + [
    (kind, (change,)) for kind, entry in DETECTORS.items() for change in entry.without
]
"""Each detector as it is by default, and with each setting that takes an ability away."""
every_detector = pytest.mark.parametrize("kind", ASKED)
at_both_shapes = pytest.mark.parametrize("shape", [SMALL, ODD], ids=["small", "odd"])
with_ability: dict[Ability, pytest.MarkDecorator] = {
    ability: pytest.mark.parametrize("kind", [kind for kind in ASKED if ability in offered(kind)])
    for ability in get_args(Ability)
}


def scored(detector: Detector, x: Tensor) -> Tensor:
    with torch.no_grad():
        return detector.score(x)


@every_detector
@at_both_shapes
def test_scores_are_finite_one_per_clip_and_depend_on_the_clip_alone(
    kind: str, shape: tuple[int, int]
) -> None:
    detector, x = fitted(kind, shape), clips(N_TEST, shape, seed=1)
    before = x.clone()
    scores = scored(detector, x)
    assert scores.shape == (N_TEST,)
    assert scores.isfinite().all()
    assert len(set(scores.tolist())) == N_TEST
    alone = torch.cat([scored(detector, x[row : row + 1]) for row in range(N_TEST)])
    assert_close(alone, scores, rtol=1e-5, atol=1e-6)
    assert torch.equal(x, before)


@pytest.mark.parametrize(("kind", "changes"), VARIANTS)
@at_both_shapes
def test_it_offers_what_its_entry_says_and_nothing_else(
    kind: str, changes: tuple[tuple[str, str], ...], shape: tuple[int, int]
) -> None:
    detector = fitted(kind, shape, changes)
    said = DETECTORS[kind].offered(detector.settings)
    assert abilities_of(detector, clips(2, shape, seed=1)) == said
    if changes:
        assert said < DETECTORS[kind].offers


@with_ability["gradients"]
@at_both_shapes
def test_a_small_step_along_the_gradient_raises_the_score(kind: str, shape: tuple[int, int]) -> None:
    detector, x = fitted(kind, shape), clips(N_TEST, shape, seed=1)
    leaf = x.clone().requires_grad_()
    scores = detector.score(leaf)
    (gradient,) = torch.autograd.grad(scores.sum(), leaf)
    assert gradient.shape == x.shape
    assert gradient.isfinite().all()
    length = gradient.flatten(1).norm(dim=1)[:, None, None]
    assert (length > 0).all()
    assert (scored(detector, x + 0.01 * gradient / length) > scores).all()


@with_ability["reconstruction"]
@at_both_shapes
def test_a_reconstruction_is_a_map_of_the_same_shape(kind: str, shape: tuple[int, int]) -> None:
    x = clips(N_TEST, shape, seed=1)
    with torch.no_grad():
        found = fitted(kind, shape).reconstruct(x)
    assert found is not None
    assert found.shape == x.shape
    assert found.isfinite().all()


@with_ability["map"]
@at_both_shapes
def test_its_own_map_is_unsigned_and_of_the_same_shape(kind: str, shape: tuple[int, int]) -> None:
    x = clips(N_TEST, shape, seed=1)
    with torch.no_grad():
        found = fitted(kind, shape).anomaly_map(x)
    assert found is not None
    assert found.shape == x.shape
    assert found.isfinite().all()
    assert (found >= 0).all()
    assert (found.amax(dim=(1, 2)) > found.amin(dim=(1, 2))).all()


@with_ability["embedding"]
@at_both_shapes
def test_an_embedding_is_one_vector_per_clip(kind: str, shape: tuple[int, int]) -> None:
    with torch.no_grad():
        found = fitted(kind, shape).embed(clips(N_TEST, shape, seed=1))
    assert found is not None
    assert found.ndim == 2
    assert len(found) == N_TEST
    assert found.isfinite().all()


@with_ability["cam_layer"]
@at_both_shapes
def test_the_layer_for_grad_cam_lies_on_the_way_to_the_score(kind: str, shape: tuple[int, int]) -> None:
    detector = fitted(kind, shape)
    layer = detector.cam_layer
    assert isinstance(layer, nn.Module)
    seen: list[Tensor] = []
    handle = layer.register_forward_hook(lambda module, inputs, output: seen.append(output))
    leaf = clips(N_TEST, shape, seed=1).requires_grad_()
    (gradient,) = torch.autograd.grad(detector.score(leaf).sum(), seen)
    handle.remove()
    assert seen[0].ndim == 4
    assert len(seen[0]) == N_TEST
    assert gradient.abs().sum() > 0


@every_detector
def test_a_stored_detector_scores_the_same_bits(kind: str, tmp_path: Path) -> None:
    detector, path = fitted(kind, SMALL), tmp_path / "model.safetensors"
    save_detector(path, detector, kind, Provenance(stage="training"))
    loaded = load_detector(path, torch.device("cpu"))
    x = clips(N_TEST, SMALL, seed=1)
    assert torch.equal(scored(loaded, x), scored(detector, x))
    assert loaded.settings == detector.settings
    assert DETECTORS[kind].settings(read_header(path).settings) == detector.settings


@every_detector
def test_the_seed_alone_decides_what_is_learnt(kind: str) -> None:
    entry = DETECTORS[kind]
    again: Detector = entry.load()(SMALL, entry.settings(quick_settings(kind)))
    torch.rand(3)  # what was drawn before does not matter
    history = again.fit(ToyClips(SMALL), TrainingRun(seed=3))
    x = clips(N_TEST, SMALL, seed=1)
    assert torch.equal(scored(again.freeze(), x), scored(fitted(kind, SMALL), x))
    assert list(history.columns) == HISTORY.names
    assert len(history) == (1 if issubclass(entry.parameters, TrainingSettings) else 0)


@every_detector
def test_random_weights_score_otherwise_and_follow_their_seed(kind: str) -> None:
    detector, x = fitted(kind, SMALL), clips(N_TEST, SMALL, seed=1)
    strangers = [copy.deepcopy(detector) for _ in range(3)]
    for stranger, seed in zip(strangers, (7, 7, 8), strict=True):
        stranger.randomise(seed)
        stranger.freeze()
    first, same, other = (scored(stranger, x) for stranger in strangers)
    assert torch.equal(first, same)
    has_weights = any(True for _ in detector.parameters())
    assert torch.equal(first, scored(detector, x)) != has_weights
    assert torch.equal(first, other) != has_weights


@every_detector
def test_frozen_means_that_no_weight_is_tracked(kind: str) -> None:
    detector = fitted(kind, SMALL)
    assert not detector.training
    assert not any(weight.requires_grad for weight in detector.parameters())


@every_detector
def test_the_smallest_maps_are_as_small_as_its_entry_says(kind: str) -> None:
    entry = DETECTORS[kind]
    settings = entry.settings(quick_settings(kind))
    least = entry.side(settings)
    if kind != "cfa":  # that needs two rows of patches for the two entries of its memory
        shape = (least, least)
        assert scored(fitted(kind, shape), clips(N_TEST, shape, seed=1)).isfinite().all()
    if least > 1:
        with pytest.raises((ConfigError, DataError)):
            entry.load()((least - 1, least), settings)
        with pytest.raises((ConfigError, DataError)):
            entry.load()((least, least - 1), settings)


@every_detector
def test_its_class_takes_the_settings_that_its_entry_names(kind: str) -> None:
    entry = DETECTORS[kind]
    assert get_type_hints(entry.load())["settings"] is entry.parameters


@every_detector
def test_an_individual_s_view_offers_the_same(kind: str) -> None:
    detector, x = fitted(kind, SMALL), clips(2, SMALL, seed=1)
    for machine in ("one", "two", "unheard of"):
        view = detector.for_individual(machine, "00")
        assert scored(view, x).isfinite().all()
        assert abilities_of(view, x) == abilities_of(detector, x)
