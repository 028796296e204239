"""Captum's methods by name: what they say of detectors that are known, and how their settings are checked."""

from __future__ import annotations

import inspect
from typing import get_args

import pytest
import torch
from captum import attr
from torch import nn
from torch.testing import assert_close
from toys.attribution import Linear, SmallAutoEncoder, Toy, clips, explain

from soundproof.attribution.captum import segments
from soundproof.attribution.registry import EXPLAINERS, check_compatible
from soundproof.attribution.settings import BY_SEGMENTS, CAPTUM_PARAMETERS, CaptumMethod
from soundproof.core.errors import ConfigError
from soundproof.detectors.registry import DETECTORS

METHODS = get_args(CaptumMethod)
OURS = {
    *(
        "self",
        "model",
        "forward_func",
        "inputs",
        "target",
        "additional_forward_args",
        "baselines",
        "feature_mask",
    ),
    *("perturbations_per_eval", "show_progress", "return_convergence_delta", "return_input_shape", "kwargs"),
    # functions, which a file of settings cannot hold
    *("custom_attribution_func", "interpretable_model", "similarity_func", "perturb_func", "verbose"),
}
"""Parameters that are said by other settings, or decided here."""
ELSEWHERE = {
    "IntegratedGradients": "integrated_gradients",
    "Saliency": "saliency",
    "Occlusion": "occlusion",
    "GradientShap": "gradient_shap",
    "NoiseTunnel": "captum",  # its setting 'noise'
    "GuidedGradCam": "grad_cam",
}
"""Methods that have a kind of their own."""
LEFT_OUT = {
    "FeaturePermutation": "shuffles clips of a batch",
    "ShapleyValues": "asks for 2 to the number of segments",
    "LimeBase": "a base class",
    "DataLoaderAttribution": "of a whole set",
}


class Layered(Toy):
    """A small network of layers that every rule knows; its score has one number."""

    def __init__(self, shape=(6, 10)):
        super().__init__(shape)
        self.first = nn.Linear(shape[0] * shape[1], 5)
        self.bend = nn.ReLU()
        self.last = nn.Linear(5, 1)
        self.randomise(5)
        self.freeze()

    def score(self, x):
        self.count(x)
        return self.last(self.bend(self.first(x.flatten(1))))[:, 0]


def of(detector, method, x, ids, **settings):
    return explain(detector, "captum", x, ids, method=method, **settings)


def test_every_method_of_captum_has_a_name_a_kind_or_a_reason():
    classes = {
        name
        for name, value in vars(attr).items()
        if inspect.isclass(value) and issubclass(value, attr.Attribution) and not inspect.isabstract(value)
    }
    about_the_input = {
        name
        for name in classes
        if not name.startswith(("Layer", "Neuron", "Internal", "LLM", "Remote"))
        and name not in ("Attribution", "GradientAttribution", "PerturbationAttribution")
    }
    assert about_the_input <= {*METHODS, *ELSEWHERE, *LEFT_OUT}
    assert set(ELSEWHERE.values()) <= set(EXPLAINERS)


@pytest.mark.parametrize("method", METHODS)
def test_parameters_are_those_of_the_signature(method):
    made = getattr(attr, method)
    taken = {
        *inspect.signature(made.__init__).parameters,
        *inspect.signature(inspect.unwrap(made.attribute)).parameters,
    }
    assert taken - OURS == set(CAPTUM_PARAMETERS.get(method, {}))


@pytest.mark.parametrize("method", METHODS)
def test_each_method_explains_a_network_and_a_clip_by_itself(method):
    x, ids = clips(5)
    settings = (
        {"segment": (3, 4), "parameters": {"n_samples": 6}}
        if method in BY_SEGMENTS - {"FeatureAblation"}
        else {}
    )
    together = of(Layered(), method, x, ids, rows=7, **settings)
    assert together.relevance.shape == x.shape and together.relevance.isfinite().all()
    assert not together.relevance.requires_grad
    assert together.relevance.abs().sum() > 0
    order = [3, 0]
    alone = of(Layered(), method, x[order], [ids[row] for row in order], rows=2, **settings)
    assert_close(alone.relevance, together.relevance[order], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_it_costs_what_the_registry_says(method):
    x, ids = clips(3)
    detector = Layered()
    settings = {"method": method, "segment": (3, 5)}
    relevance = of(detector, rows=4, x=x, ids=ids, **settings).relevance
    passes = EXPLAINERS["captum"].passes(EXPLAINERS["captum"].settings(settings), detector.shape)
    assert (detector.forward_rows, detector.gradient_rows) == (3 * passes.forward, 3 * passes.gradient)
    assert relevance.shape == x.shape


def test_a_linear_score_is_shared_out_exactly():
    weights, (x, ids) = torch.arange(60.0).view(6, 10), clips(2)
    parts = weights * x
    for method in ("InputXGradient", "DeepLift"):
        assert_close(of(Linear(weights), method, x, ids).relevance, parts, rtol=1e-4, atol=1e-3)
    cells = segments(x, (4, 3))[0]
    assert cells.unique().tolist() == list(range(8)) and (cells == 7).sum() == 2
    by_segment = torch.stack([parts[:, cells == number].mean(dim=1) for number in range(8)], dim=1)
    for method, samples in (("FeatureAblation", None), ("ShapleyValueSampling", 3), ("KernelShap", 200)):
        parameters = {} if samples is None else {"n_samples": samples}
        found = of(Linear(weights), method, x, ids, segment=(4, 3), parameters=parameters)
        assert_close(found.relevance, by_segment[:, cells], rtol=1e-2, atol=0.3)


def test_methods_that_add_up_say_how_far():
    x, ids = clips(2)
    found = of(Layered(), "DeepLift", x, ids, baseline="clip_mean")
    assert (found.per_clip["completeness_error"] < 1e-3).all()
    assert of(Layered(), "GuidedBackprop", x, ids).per_clip == {}


def test_deep_lift_shap_is_the_mean_over_the_three_baselines():
    x, ids = clips(1)
    each = [
        of(Layered(), "DeepLift", x, ids, baseline=kind).relevance
        for kind in ("zero", "clip_mean", "clip_min")
    ]
    assert_close(
        of(Layered(), "DeepLiftShap", x, ids).relevance, torch.stack(each).mean(dim=0), rtol=1e-4, atol=1e-6
    )


def test_noise_is_averaged_over():
    x, ids = clips(1)
    weights = torch.arange(60.0).view(6, 10)
    many = of(Linear(weights), "InputXGradient", x, ids, noise={"samples": 400, "sigma": 0.5}).relevance
    # the mean over copies has 0.5 / 20 of the noise
    assert ((many - weights * x).abs() <= weights * 0.5 / 20 * 5 + 1e-4).all()
    variance = of(
        Linear(weights), "InputXGradient", x, ids, noise={"type": "vargrad", "samples": 400}
    ).relevance
    assert_close(variance.mean(), (0.1 * weights).square().mean(), rtol=0.05, atol=0)


def test_a_layer_that_a_method_has_no_rule_for_is_said():
    x, ids = clips(1)
    with pytest.raises(
        ConfigError, match=r"LRP of Captum \(explainer 'captum'\) on 'SmallAutoEncoder'(?s:.*)Conv"
    ):
        of(SmallAutoEncoder(), "LRP", x, ids)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"method": "Deeplift"}, "'DeepLift'"),
        (
            {"method": "DeepLift", "parameters": {"n_samples": 3}},
            "no parameter 'n_samples' to set; it has multiply",
        ),
        ({"method": "LRP", "parameters": {"eps": 1.0}}, "it has none"),
        ({"method": "KernelShap", "parameters": {"n_samples": 2.5}}, "is a int, not 2.5"),
        ({"method": "KernelShap", "parameters": {"n_samples": True}}, "is a int, not True"),
        ({"method": "KernelShap", "parameters": {"n_samples": 0}}, "is above 0, not 0"),
        ({"method": "Lime", "noise": {"type": "mean"}}, "'smoothgrad'"),
    ],
)
def test_settings_that_do_not_fit_the_method_are_refused(settings, said):
    with pytest.raises(ConfigError) as refused:
        EXPLAINERS["captum"].settings(settings)
    assert said in str(refused.value)


def test_methods_by_segments_need_no_gradients():
    forest, entry = DETECTORS["isolation_forest"], EXPLAINERS["captum"]
    for method in METHODS:
        settings = entry.settings({"method": method})
        if method in BY_SEGMENTS:
            check_compatible(forest, forest.settings({}), entry, settings)
        else:
            with pytest.raises(ConfigError, match="a differentiable score"):
                check_compatible(forest, forest.settings({}), entry, settings)
