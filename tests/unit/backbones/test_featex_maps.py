"""FeatEx as a backbone: its maps are those of the network that FeatEx itself would have learnt."""

import pytest
import torch
from toys.featex import SHAPE, ToyMachines

from soundproof.backbones.build import build_backbone
from soundproof.backbones.registry import BackboneSettings
from soundproof.backbones.shared_maps import SharedMaps
from soundproof.core.errors import DataError
from soundproof.detectors.embedding.featex.backbone import FeatExMaps
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.storage import load_detector, read_header, save_detector
from soundproof.interfaces.detector import TrainingRun
from soundproof.storage.maps import Axes
from soundproof.storage.provenance import Provenance

WIDTH, EPOCHS = 0.25, 2
SETTINGS = {"kind": "featex", "width": WIDTH, "epochs": EPOCHS}


class Machines(ToyMachines):
    axes = Axes(tuple(100.0 * (band + 1) for band in range(SHAPE[0])), 40.0, SHAPE[1], "magnitude")


def new(kind="padim", **settings):
    entry = DETECTORS[kind]
    small = {"neighbourhood": 1} if kind != "stfpm" else {"epochs": 2, "learning_rate": 0.05, "batch_size": 4}
    return entry.load()(SHAPE, entry.settings({"backbone": SETTINGS, **small, **settings}))


def fitted(kind="padim", seed=0, shared=None, **settings):
    detector = new(kind, **settings)
    if shared is not None:
        shared.serve(detector)
    detector.fit(Machines(), TrainingRun(seed=seed))
    return detector.freeze()


@pytest.mark.parametrize("length", [319, 320, 322, 326])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_cell_sees_a_field_around_the_centre_that_its_layer_states(length: int, axis: int) -> None:
    """Positive weights and impulses on nothing: a cell answers where, and only where, it sees the impulse."""
    across = 16
    shape = (length, across) if axis == 0 else (across, length)
    network = FeatExMaps(shape, 0.0625).eval()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.fill_(1 / weight[0].numel() if weight.ndim > 1 else float(name.endswith("weight")))
        x = torch.zeros(length, *shape)
        for at in range(length):
            x.select(0, at).select(axis, at)[:] = 1.0
        maps = network.of_deviations(x)
    for values, layer, stride in zip(maps, network.layers, (4, 8, 16), strict=True):
        assert layer.stride == (stride, stride)
        seen = values.sum(1).amax(2 - axis) > 0
        middle = seen.shape[1] // 2
        field = seen[:, middle].nonzero().flatten()
        assert field.min() > 0 and field.max() < length - 1, "the field must lie inside"
        assert float(field.min() + field.max()) / 2 == layer.offset[axis] + layer.stride[axis] * middle


def test_it_gives_the_maps_of_the_network_that_featex_learns():
    backbone = fitted(seed=3).backbone
    # every other setting is FeatEx' own, that of its author's code
    own = DETECTORS["featex"].load()(SHAPE, DETECTORS["featex"].settings({"width": WIDTH, "epochs": EPOCHS}))
    own.fit(Machines(), TrainingRun(seed=3))
    branch = own.freeze().stft
    heard = []
    for number in (1, 3, 5):
        branch.blocks[number].register_forward_hook(lambda *given: heard.append(given[2]))
    x = Machines().maps[:4]
    with torch.no_grad():
        branch(x)
        for ours, theirs, layer in zip(backbone(x), heard, backbone.layers, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
            assert ours.shape[1] == layer.channels == theirs.shape[1]
    assert [layer.channels for layer in FeatExMaps(SHAPE).layers] == [16, 32, 64]


def test_it_learns_by_the_seed_and_is_frozen_afterwards():
    x = Machines().maps[:4]
    first, again, other = (fitted(seed=seed).score(x) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)
    backbone = fitted().backbone
    assert not backbone.training and not any(weight.requires_grad for weight in backbone.parameters())
    assert not torch.equal(backbone.stem[0].weight, FeatExMaps(SHAPE, WIDTH).stem[0].weight)


def test_detectors_of_a_job_learn_it_once_and_get_the_same_bits(monkeypatch):
    learnt = []
    learn = FeatExMaps.learn
    monkeypatch.setattr(FeatExMaps, "learn", lambda self, *given: (learnt.append(given), learn(self, *given)))
    x, shared = Machines().maps[:4], SharedMaps(1 << 26)
    for kind in ("padim", "patchcore", "band_memory"):
        assert torch.equal(fitted(kind, shared=shared).score(x), fitted(kind).score(x)), kind
    assert len(learnt) == 4
    # another seed and other settings are other networks
    fitted(seed=1, shared=shared)
    fitted(shared=shared, backbone={**SETTINGS, "epochs": 1})
    assert len(learnt) == 6


@pytest.mark.parametrize("kind", ["padim", "stfpm"])
def test_what_was_learnt_is_stored_with_the_detector(kind, tmp_path):
    detector, path = fitted(kind), tmp_path / "detector.safetensors"
    save_detector(path, detector, kind, Provenance(stage="weights"))
    assert read_header(path).weights == {}
    x = Machines().maps[:4]
    with torch.no_grad():
        assert torch.equal(load_detector(path, torch.device("cpu")).score(x), detector.score(x))


def test_its_control_is_the_same_network_and_learns_nothing(monkeypatch):
    monkeypatch.setattr(FeatExMaps, "learn", lambda *_: pytest.fail("a control must not learn"))
    control = fitted(backbone={"kind": "random", "network": "featex", "width": WIDTH})
    assert control.backbone.layers == FeatExMaps(SHAPE, WIDTH).layers
    learnt = {name: weight.shape for name, weight in FeatExMaps(SHAPE, WIDTH).named_parameters()}
    assert {name: weight.shape for name, weight in control.backbone.network.named_parameters()} == learnt


def test_clips_of_one_class_and_small_maps_are_refused():
    with pytest.raises(DataError, match="all 12 training clips are of one class"):
        new().fit(_one_class(), TrainingRun(seed=0))
    with pytest.raises(DataError, match="at least 16 bands and frames"):
        build_backbone(BackboneSettings(**SETTINGS), (15, 40), seed=0)


def _one_class():
    clips = Machines(bins=(5,))
    clips.frame = clips.frame.assign(machine_id="00")
    return clips
