"""Explanations that can be computed on paper."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close
from toys.attribution import Linear, Quadratic, SmallAutoEncoder, TwoChannels, clips, context_for, explain

from soundproof.core.errors import ConfigError

W = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
X = torch.tensor([[[2.0, 1.0], [-4.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]]])
IDS = ["a", "b"]


def test_saliency_is_the_absolute_gradient():
    assert_close(explain(Linear(W), "saliency", X, IDS).relevance, W.abs().expand(2, 2, 2))
    assert_close(explain(Quadratic(W), "saliency", X, IDS).relevance, (2 * W * X).abs())


@pytest.mark.parametrize(
    ("baseline", "level"),
    [("zero", [0.0, 0.0]), ("clip_mean", [-0.25, 1.0]), ("clip_min", [-4.0, 1.0])],
)
def test_integrated_gradients_of_a_quadratic_score(baseline, level):
    b = torch.tensor(level)[:, None, None]
    found = explain(Quadratic(W), "integrated_gradients", X, IDS, baseline=baseline, steps=3)
    # the gradient 2w(b + a(x - b)) is linear in a, so that the rule is exact: w(x - b)(x + b)
    assert_close(found.relevance, W * (X**2 - b**2))
    assert_close(found.per_clip["completeness_gap"], torch.zeros(2, dtype=torch.float64), atol=1e-5, rtol=0)


def test_completeness_gap_is_the_error_of_the_path_integral():
    class Cubic(Linear):
        def score(self, x):
            return super().score(x**3)

    found = explain(Cubic(W), "integrated_gradients", X, IDS, steps=1)
    # one node at a = 1/2: x * 3w(x/2)^2 = 3/4 w x^3, a quarter of the score is missing
    assert_close(found.relevance, 0.75 * W * X**3)
    score = (W * X**3).sum(dim=(1, 2)).double()
    assert_close(found.per_clip["completeness_gap"], -0.25 * score)
    assert_close(found.per_clip["completeness_error"], torch.full((2,), 0.25, dtype=torch.float64))


def test_smooth_grad_averages_absolute_gradients_of_noisy_copies():
    found = explain(Quadratic(W), "smooth_grad", X, IDS, samples=3, sigma=0.5).relevance
    for clip, clip_id, relevance in zip(X, IDS, found, strict=True):
        generator = context_for("smooth_grad", IDS).generator(clip_id)
        noise = torch.stack([torch.randn(2, 2, generator=generator) for _ in range(3)])
        assert_close(relevance, (2 * W * (clip + 0.5 * noise)).abs().mean(dim=0))


def test_gradient_shap_without_noise_weights_the_end_by_the_points_drawn():
    found = explain(Quadratic(W), "gradient_shap", X, IDS, samples=4, sigma=0.0).relevance
    for clip, clip_id, relevance in zip(X, IDS, found, strict=True):
        points = torch.rand(4, generator=context_for("gradient_shap", IDS).generator(clip_id))
        assert_close(relevance, (2 * points.mean()) * W * clip**2)


def test_gradient_shap_says_how_far_it_is_from_adding_up():
    found = explain(Quadratic(W), "gradient_shap", X, IDS, samples=4, sigma=0.0, baseline="clip_min")
    low = X.amin(dim=(1, 2), keepdim=True)
    difference = (W * (X**2 - low**2)).sum(dim=(1, 2)).double()
    gap = found.relevance.double().sum(dim=(1, 2)) - difference
    assert gap[0].abs() > 0.1
    assert_close(found.per_clip["completeness_gap"], gap)
    assert_close(found.per_clip["completeness_error"][:1], gap[:1].abs() / difference[:1].abs())
    # the second clip is the same everywhere: it is its own baseline, and nothing is to be explained
    assert found.per_clip["completeness_error"][1].isnan()


def test_grad_cam_keeps_its_sign_and_is_upsampled():
    x = torch.tensor([[[1.0, 9.0, -2.0, 9.0], [9.0, 9.0, 9.0, 9.0]]])
    found = explain(TwoChannels((2, 4)), "grad_cam", x, ["a"]).relevance
    # channels [2, -4] and [-3, 6]; mean gradients 5/2 and 7/2; sum = 5 - 10.5 and -10 + 21
    left, right = -5.5, 11.0
    row = [left, 0.75 * left + 0.25 * right, 0.25 * left + 0.75 * right, right]
    assert_close(found, torch.tensor([[row, row]]))


def test_occlusion_of_a_sum_is_the_sum_inside_the_window():
    x = torch.arange(1.0, 9.0).view(1, 2, 4)
    found = explain(Linear(torch.ones(2, 4)), "occlusion", x, ["a"], window=(2, 2), stride=(2, 2)).relevance
    left, right = 1 + 2 + 5 + 6, 3 + 4 + 7 + 8
    assert_close(found, torch.tensor([[[left, left, right, right]] * 2], dtype=torch.float32))


def test_overlapping_windows_are_averaged_and_the_last_one_is_cut():
    x = torch.tensor([[[1.0, 2.0, 4.0]]])
    found = explain(Linear(torch.ones(1, 3)), "occlusion", x, ["a"], window=(1, 2), stride=(1, 1)).relevance
    assert_close(found, torch.tensor([[[3.0, (3 + 6) / 2, 6.0]]]))


@pytest.mark.parametrize("settings", [{"window": (3, 1)}, {"window": (1, 1), "stride": (1, 2)}])
def test_occlusion_that_leaves_cells_uncovered_is_refused(settings):
    with pytest.raises(ConfigError, match="every cell is covered"):
        explain(Linear(W), "occlusion", X, IDS, **{"stride": (1, 1), **settings})


def test_own_map_is_the_detector_s():
    detector = SmallAutoEncoder()
    x, ids = clips(3)
    assert_close(explain(detector, "error_map", x, ids, rows=2).relevance, (detector.reconstruct(x) - x) ** 2)


@pytest.mark.parametrize("name", ["error_map", "grad_cam", "exp_vae"])
def test_a_detector_without_the_part_is_refused(name):
    with pytest.raises(ConfigError, match="detector 'Linear'\n  found: the detector lacks"):
        explain(Linear(W), name, X, IDS)


def test_random_maps_are_uniform_and_differ_between_clips():
    x, ids = clips(2, (80, 100))
    maps = explain(Linear(torch.ones(80, 100)), "random_map", x, ids).relevance
    assert np.allclose(np.quantile(maps, [0, 0.25, 0.5, 0.75, 1]), [0, 0.25, 0.5, 0.75, 1], atol=0.02)
    assert abs(np.corrcoef(maps.flatten(1))[0, 1]) < 0.05


def test_input_controls_are_the_map_itself_and_its_magnitude():
    assert torch.equal(explain(Linear(W), "input_map", X, IDS).relevance, X)
    assert torch.equal(explain(Linear(W), "input_magnitude", X, IDS).relevance, X.abs())
    assert (X < 0).any()


class Looking(Linear):
    """Activations [x, 2x]; one latent, 3 sum(x) + 4 sum(2x)."""

    def latents(self, x):
        activations = torch.stack([x, 2 * x], dim=1)
        return activations, 3 * activations[:, 0].flatten(1).sum(1) + 4 * activations[:, 1].flatten(1).sum(1)


def test_attention_of_the_latents_and_what_it_leaves_out():
    # mean slopes 3 and 4: |3x + 4 * 2x| = |11x|
    seen = explain(Looking(W), "exp_vae", X, IDS)
    assert_close(seen.relevance, 11 * X.abs())
    assert_close(seen.per_clip["attention_coverage"], torch.tensor([7 / 16, 1.0]))
    outside = explain(Looking(W), "exp_vae", X, IDS, shown="outside").relevance
    assert_close(outside, torch.tensor([[[0.5, 0.75], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]))
