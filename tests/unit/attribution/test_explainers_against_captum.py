"""Explanations equal Captum's own, given the same random draws."""

import captum.attr as captum
import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate
from torch.testing import assert_close
from toys.attribution import SmallAutoEncoder, clips, context_for, explain

SIGMA, SAMPLES = 0.3, 6


@pytest.fixture
def detector():
    return SmallAutoEncoder()


@pytest.fixture
def batch():
    return clips(4)


def test_saliency(detector, batch):
    x, ids = batch
    expected = captum.Saliency(detector.score).attribute(x.clone().requires_grad_())
    assert_close(explain(detector, "saliency", x, ids, rows=3).relevance, expected)


@pytest.mark.parametrize("baseline", ["zero", "clip_mean"])
def test_integrated_gradients(detector, batch, baseline):
    x, ids = batch
    level = torch.zeros_like(x) if baseline == "zero" else x.mean((1, 2), keepdim=True).expand_as(x)
    expected, delta = captum.IntegratedGradients(detector.score).attribute(
        x, level, n_steps=11, return_convergence_delta=True
    )
    found = explain(detector, "integrated_gradients", x, ids, steps=11, baseline=baseline, rows=5)
    assert_close(found.relevance, expected)
    assert_close(found.per_clip["completeness_gap"].float(), delta, atol=1e-5, rtol=1e-4)


@pytest.fixture
def same_noise(monkeypatch, batch):
    """Give Captum the noise that belongs to the clips; returns a function that sets the method's name."""
    x, ids = batch

    def use(name):
        points, noise = [], []
        for clip_id in ids:
            generator = context_for(name, ids).generator(clip_id)
            if name == "gradient_shap":
                points.append(torch.rand(SAMPLES, generator=generator))
            noise += [torch.randn(x.shape[1:], generator=generator) for _ in range(SAMPLES)]
        monkeypatch.setattr(torch, "normal", lambda mean, std: mean + std * torch.stack(noise))
        if points:
            monkeypatch.setattr(np.random, "uniform", lambda low, high, n: torch.cat(points).numpy())

    return use


def test_smooth_grad(detector, batch, same_noise):
    x, ids = batch
    found = explain(detector, "smooth_grad", x, ids, samples=SAMPLES, sigma=SIGMA).relevance
    same_noise("smooth_grad")
    expected = captum.NoiseTunnel(captum.Saliency(detector.score)).attribute(
        x, nt_type="smoothgrad", nt_samples=SAMPLES, stdevs=SIGMA
    )
    assert_close(found, expected)


def test_gradient_shap(detector, batch, same_noise):
    x, ids = batch
    found = explain(detector, "gradient_shap", x, ids, samples=SAMPLES, sigma=SIGMA).relevance
    same_noise("gradient_shap")
    expected = captum.GradientShap(detector.score).attribute(
        x, torch.zeros_like(x), n_samples=SAMPLES, stdevs=SIGMA
    )
    assert_close(found, expected)


def test_grad_cam(detector, batch):
    x, ids = batch
    coarse = captum.LayerGradCam(detector.score, detector.encode).attribute(
        x.clone().requires_grad_(), relu_attributions=False
    )
    expected = interpolate(coarse, x.shape[1:], mode="bilinear")[:, 0]
    assert_close(explain(detector, "grad_cam", x, ids, rows=3).relevance, expected.detach())


@pytest.mark.parametrize(("window", "stride"), [((3, 4), (2, 3)), ((2, 5), (2, 5)), ((6, 3), (6, 2))])
def test_occlusion(detector, batch, window, stride):
    x, ids = batch
    expected = captum.Occlusion(detector.score).attribute(
        x, sliding_window_shapes=window, strides=stride, baselines=0
    )
    found = explain(detector, "occlusion", x, ids, window=window, stride=stride, rows=5).relevance
    assert_close(found, expected)
