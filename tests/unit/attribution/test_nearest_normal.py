"""Baselines from the nearest normal clip, by hand: a linear score's relevance is weight times distance."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close
from toys.attribution import (
    SMALL,
    HeldNormals,
    Linear,
    Quadratic,
    SmallAutoEncoder,
    clips,
    context_for,
    explain,
)

from soundproof.attribution.re_explanation import input_factor_of
from soundproof.attribution.registry import EXPLAINERS
from soundproof.core.errors import ConfigError

NORMAL = HeldNormals(torch.stack([torch.full((1, 2), 1.0), torch.full((1, 2), 5.0)]))
WEIGHTS = torch.tensor([[2.0, -3.0]])
X = torch.tensor([[[2.0, 0.0]], [[5.0, 7.0]]])
"""The first is nearest to 1, the second to 5."""
BOTH = pytest.mark.parametrize(
    ("kind", "exact"), [("integrated_gradients", {"steps": 3}), ("gradient_shap", {"sigma": 0, "samples": 2})]
)


@BOTH
@pytest.mark.parametrize("rows", [1, 16])
def test_relevance_is_weight_times_distance_from_the_nearest_normal_clip(kind, exact, rows):
    found = explain(
        Linear(WEIGHTS), kind, X, ["a", "b"], normal=NORMAL, rows=rows, baseline="nearest_normal", **exact
    )
    assert_close(found.relevance, torch.tensor([[[2.0, 3.0]], [[0.0, -6.0]]]))
    assert_close(found.per_clip["completeness_gap"], torch.zeros(2, dtype=torch.float64))


def test_the_path_of_a_curved_score_begins_at_the_nearest_normal_clip():
    found = explain(
        Quadratic(WEIGHTS), "integrated_gradients", X, ["a", "b"], normal=NORMAL, baseline="nearest_normal"
    )
    # w (x^2 - b^2)
    assert_close(found.relevance, torch.tensor([[[6.0, 3.0]], [[0.0, -72.0]]]))


@BOTH
def test_without_normal_clips_it_is_said(kind, exact):
    context = context_for(kind, ["a", "b"], baseline="nearest_normal", **exact)
    with pytest.raises(ConfigError, match="no normal clips at hand"):
        EXPLAINERS[kind].load()(Linear(WEIGHTS), X, context)


@BOTH
def test_the_default_needs_none(kind, exact):
    context = context_for(kind, ["a", "b"], **exact)
    assert context.settings.baseline == "zero"
    assert_close(EXPLAINERS[kind].load()(Linear(WEIGHTS), X, context).relevance, WEIGHTS * X)


def test_the_factor_of_the_relevance_is_that_distance():
    choice = {"ig": {"kind": "integrated_gradients", "baseline": "nearest_normal"}}
    assert torch.equal(input_factor_of(choice, NORMAL)("ig", X), torch.tensor([[[1.0, -1.0]], [[0.0, 2.0]]]))


@pytest.mark.parametrize("kind", ["integrated_gradients", "gradient_shap"])
def test_a_clip_does_not_depend_on_its_batch(kind):
    x, ids = clips(5)
    options = {**SMALL[kind], "baseline": "nearest_normal", "normal": HeldNormals(clips(9)[0][5:] * 0.5)}
    together = explain(SmallAutoEncoder(), kind, x, ids, **options).relevance
    for rows in (1, 3):
        alone = explain(SmallAutoEncoder(), kind, x[3:4], ids[3:4], rows=rows, **options).relevance
        assert_close(alone, together[3:4], rtol=1e-5, atol=1e-7)
