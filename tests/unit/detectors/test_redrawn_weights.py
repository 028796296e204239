"""Redrawn weights are distributed as those of a new detector, in all kinds."""

import pytest
import torch
from torch import nn
from toys.detectors import AUTO_ENCODERS, build
from toys.own_models import REQUIRED

from soundproof.detectors.registry import DETECTORS
from soundproof.interfaces.detector import Detector

SHAPE = (16, 32)
# a model of one's own brings its weights, and is built from the same start each time
KINDS = [
    *(kind for kind in DETECTORS if kind not in REQUIRED),
    *[(kind, "as_published") for kind in ("cae", "dense_ae")],
]


def new(kind, seed):
    torch.manual_seed(seed)
    name, settings = (kind[0], {"protocol": kind[1]}) if isinstance(kind, tuple) else (kind, {})
    if "backbone" in DETECTORS[name].parameters.model_fields:
        # the default has weights that may not be here
        settings = {**settings, "backbone": "random"}
    return build(name, SHAPE, **settings)


def same(one, other):
    """Equal, where what no fit has set is not a number."""
    return torch.allclose(one, other, rtol=0, atol=0, equal_nan=one.is_floating_point())


@pytest.fixture(autouse=True)
def same_generator_afterwards():
    with torch.random.fork_rng(devices=[]):
        yield


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_redrawn_weights_are_those_of_a_new_detector(kind):
    one, other = (new(kind, seed).state_dict() for seed in (1, 2))
    detector = new(kind, 3)
    before = {name: value.clone() for name, value in detector.state_dict().items()}
    detector.randomise(4)
    for name, value in detector.state_dict().items():
        # a backbone comes with the same weights in every new detector; they are redrawn all the same
        given = name.startswith("backbone.") and value.ndim > 1
        if not given and same(one[name], other[name]):
            # what every new detector has alike (a bias of 0, a norm's weight of 1), a redrawn one has, too
            assert same(value, one[name]), name
            continue
        assert not same(value, before[name]), name
        if value.numel() >= 64:
            assert value.std().item() == pytest.approx(one[name].std().item(), rel=0.4), name


def test_the_output_bias_of_every_attention_starts_at_zero():
    detector = build("skip_cae_transformer", (80, 400))
    detector.initialise(5)
    attentions = [part for part in detector.modules() if isinstance(part, nn.MultiheadAttention)]
    assert len(attentions) == 3
    for attention in attentions:
        assert attention.out_proj.bias.abs().max() == 0
        assert attention.in_proj_bias.abs().max() == 0
        assert attention.out_proj.weight.std() > 0


class Nested(nn.Module):
    """A parent that sets what its child would draw."""

    def __init__(self):
        super().__init__()
        self.child = nn.Linear(3, 3)
        self.grandchild = nn.Sequential(nn.Linear(3, 3))

    def reset_parameters(self):
        nn.init.constant_(self.child.weight, 7.0)
        nn.init.constant_(self.grandchild[0].bias, -7.0)


class OfNested(Detector):
    def __init__(self):
        super().__init__(SHAPE, None)
        self.nested = nn.ModuleDict({"inner": Nested()})

    def fit(self, clips, run):
        raise NotImplementedError

    def score(self, x):
        raise NotImplementedError


def test_what_a_parent_sets_in_its_children_stands():
    detector = OfNested()
    detector.randomise(0)
    inner = detector.nested["inner"]
    assert (inner.child.weight == 7).all()
    assert (inner.grandchild[0].bias == -7).all()
    assert (inner.grandchild[0].weight.abs() < 1).all()


@pytest.mark.parametrize("kind", AUTO_ENCODERS)
def test_the_same_seed_draws_the_same_weights(kind):
    one, other = build(kind, SHAPE), build(kind, SHAPE)
    one.randomise(6)
    other.randomise(6)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
