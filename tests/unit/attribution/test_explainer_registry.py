"""Facts of explainers and what is refused before anything runs."""

import subprocess
import sys

import pytest

from soundproof.attribution.registry import EXPLAINERS, Passes, check_compatible
from soundproof.core.errors import ConfigError
from soundproof.detectors.registry import DETECTORS

P1 = ["error_map", "saliency", "integrated_gradients", "smooth_grad", "gradient_shap", "grad_cam"]


def test_defaults_are_those_of_the_first_paper():
    assert set(P1) <= set(EXPLAINERS)
    assert EXPLAINERS["integrated_gradients"].settings({}).model_dump() == {"steps": 50, "baseline": "zero"}
    assert EXPLAINERS["smooth_grad"].settings({}).model_dump() == {"samples": 25, "sigma": 0.1}
    shap = EXPLAINERS["gradient_shap"].settings({}).model_dump()
    assert shap == {"samples": 25, "sigma": 0.09, "baseline": "zero"}


def test_every_setting_is_described():
    for entry in EXPLAINERS.values():
        for field in entry.parameters.model_fields.values():
            assert field.description


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        ("error_map", Passes(1, 0)),
        ("saliency", Passes(0, 1)),
        ("integrated_gradients", Passes(2, 50)),
        ("smooth_grad", Passes(0, 25)),
        ("gradient_shap", Passes(2, 25)),
        ("occlusion", Passes(10 * 20 + 1, 0)),
        ("random_map", Passes(0, 0)),
        ("input_map", Passes(0, 0)),
        ("input_magnitude", Passes(0, 0)),
    ],
)
def test_cost_of_one_clip(name, passes):
    entry = EXPLAINERS[name]
    assert entry.passes(entry.settings({}), (80, 400)) == passes


REQUIRED = {"external": {"path": "maps.parquet"}, "captum": {"method": "DeepLift"}}


@pytest.mark.parametrize(("detector", "lacks"), [("vae", set()), ("skip_cae_transformer", {"exp_vae"})])
def test_an_auto_encoder_takes_every_explainer(detector, lacks):
    for explainer in (entry for name, entry in EXPLAINERS.items() if name not in lacks):
        entry, chosen = DETECTORS[detector], REQUIRED.get(explainer.name, {})
        check_compatible(entry, entry.settings({}), explainer, explainer.settings(chosen))


@pytest.mark.parametrize(
    ("detector", "explainer", "lacks"),
    [
        ("isolation_forest", "saliency", "a differentiable score"),
        ("isolation_forest", "error_map", "an anomaly map of its own"),
        ("dense_ae", "grad_cam", "a layer for Grad-CAM"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(detector, explainer, lacks):
    with pytest.raises(ConfigError, match=f"{explainer}.*{detector}") as refused:
        check_compatible(
            DETECTORS[detector],
            DETECTORS[detector].settings({}),
            EXPLAINERS[explainer],
            EXPLAINERS[explainer].settings({}),
        )
    assert lacks in refused.value.found
    instead, _, detectors = refused.value.remedy.partition("; or take a detector that offers it: ")
    assert "occlusion" in instead
    assert explainer not in instead
    assert "skip_cae" in detectors.split(", ")
    assert detector not in detectors.split(", ")


def test_what_a_setting_takes_away_is_refused_as_well():
    featex, grad_cam = DETECTORS["featex"], EXPLAINERS["grad_cam"]
    check_compatible(featex, featex.settings({"branches": "stft"}), grad_cam, grad_cam.settings({}))
    with pytest.raises(ConfigError, match="a layer for Grad-CAM"):
        check_compatible(featex, featex.settings({"branches": "spectrum"}), grad_cam, grad_cam.settings({}))


def test_unknown_names_and_settings_are_refused():
    with pytest.raises(ConfigError, match="did you mean 'grad_cam'"):
        EXPLAINERS["gradcam"]
    with pytest.raises(ConfigError, match="did you mean 'steps'"):
        EXPLAINERS["integrated_gradients"].settings({"step": 3})
    with pytest.raises(ConfigError, match="window"):
        EXPLAINERS["occlusion"].settings({"window": [0, 3]})


def test_every_implementation_exists():
    for entry in EXPLAINERS.values():
        assert callable(entry.load())


def test_importing_the_registry_is_light():
    heavy = "{'torch', 'captum', 'pandas', 'numpy', 'scipy'}"
    code = f"import sys, soundproof.attribution.registry; sys.exit(bool({heavy} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
