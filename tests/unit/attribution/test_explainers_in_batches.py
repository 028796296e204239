"""What holds for every explainer: an explanation belongs to the clip, and leaves everything as it was."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close
from toys.attribution import SMALL, Linear, SmallAutoEncoder, clips, explain

from soundproof.attribution.registry import EXPLAINERS

COMPUTED = sorted(set(EXPLAINERS) - {"external"})
STOCHASTIC = sorted(name for name in EXPLAINERS if EXPLAINERS[name].stochastic)
CLIPS = 7


@pytest.fixture
def detector():
    return SmallAutoEncoder()


@pytest.fixture(params=COMPUTED)
def name(request):
    return request.param


@pytest.mark.parametrize("rows", [1, 3, 16, 1000])
def test_batch_order_and_size_of_a_pass_change_nothing(detector, name, rows):
    x, ids = clips(CLIPS)
    together = explain(detector, name, x, ids, **SMALL.get(name, {}))
    order = [4, 0, 6]
    picked = explain(detector, name, x[order], [ids[i] for i in order], rows=rows, **SMALL.get(name, {}))
    assert_close(picked.relevance, together.relevance[order], rtol=1e-5, atol=1e-7)
    for metric, values in picked.per_clip.items():
        # NaN: it says nothing of that clip
        assert_close(values, together.per_clip[metric][order], rtol=1e-5, atol=1e-6, equal_nan=True)


def test_a_pass_is_never_larger_than_allowed_and_costs_what_the_registry_says(detector, name):
    x, ids = clips(CLIPS)
    explain(detector, name, x, ids, rows=4, **SMALL.get(name, {}))
    assert detector.most_rows <= 4
    entry = EXPLAINERS[name]
    passes = entry.passes(entry.settings(SMALL.get(name, {})), detector.shape)
    assert (detector.forward_rows, detector.gradient_rows) == (
        CLIPS * passes.forward,
        CLIPS * passes.gradient,
    )


def test_nothing_is_left_behind(detector, name):
    x, ids = clips(2)
    before = x.clone()
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    relevance = explain(detector, name, x, ids, **SMALL.get(name, {})).relevance
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert torch.equal(x, before)
    assert not x.requires_grad
    assert not relevance.requires_grad
    assert relevance.shape == x.shape
    assert relevance.dtype == torch.float32
    for module in detector.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks
    assert all(weight.grad is None and not weight.requires_grad for weight in detector.parameters())
    assert not detector.training


def test_sign_is_as_registered(detector, name):
    x, ids = clips(CLIPS)
    if not EXPLAINERS[name].needs & {"map", "cam_layer", "latents"}:
        detector = Linear(x[0])  # both signs among its weights
    relevance = explain(detector, name, x, ids, **SMALL.get(name, {})).relevance
    assert bool((relevance < 0).any()) == EXPLAINERS[name].signed


@pytest.mark.parametrize("name", STOCHASTIC, indirect=True)
def test_draws_follow_seed_method_and_clip(detector, name):
    x, _ = clips(1)
    first = explain(detector, name, x, ["a"], **SMALL.get(name, {})).relevance
    assert torch.equal(first, explain(detector, name, x, ["a"], **SMALL.get(name, {})).relevance)
    other_seed = explain(detector, name, x, ["a"], seed=1, **SMALL.get(name, {})).relevance
    other_clip = explain(detector, name, x, ["b"], **SMALL.get(name, {})).relevance
    assert not torch.allclose(first, other_seed)
    assert not torch.allclose(first, other_clip)
