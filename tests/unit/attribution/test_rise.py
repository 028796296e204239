"""RISE, by hand and by what its masks must be."""

import pytest
import torch
from toys.attribution import Linear, clips, explain

from soundproof.attribution.registry import EXPLAINERS
from soundproof.attribution.rise import random_masks
from soundproof.core.errors import ConfigError


def settings(**changes):
    return EXPLAINERS["rise"].settings(changes)


def masks(n, shape=(6, 10), seed=0, **changes):
    return random_masks(n, shape, settings(**changes), torch.Generator().manual_seed(seed))


def test_masks_show_the_part_that_is_asked_for_everywhere():
    found = masks(3000, cell=(2, 4), shown=0.3)
    assert found.shape == (3000, 6, 10)
    assert found.min() >= 0 and found.max() <= 1
    # 3000 draws: four standard errors of a cell are at most 0.034
    assert ((found.mean(dim=0) - 0.3).abs() < 0.034).all()


def test_a_mask_does_not_hang_on_how_many_are_drawn():
    assert torch.equal(masks(5)[:3], masks(3))


def test_cells_are_as_large_as_asked():
    # a cell as large as the map leaves a gradient; cells of 1 are drawn each for itself
    single = masks(400, cell=(1, 1), shown=0.5)
    assert set(single.unique().tolist()) == {0.0, 1.0}
    coarse = masks(400, cell=(6, 10), shown=0.5)
    assert (coarse.diff(dim=2).abs() <= 0.1 + 1e-6).all()


def test_of_a_linear_score_with_single_cells_it_is_each_cell_s_part():
    # cov(sum of w x m, m) = w x p (1 - p); divided by p, w x (1 - p)
    weights, (x, ids) = torch.linspace(-1, 1, 60).view(6, 10), clips(1)
    found = explain(Linear(weights), "rise", x, ids, cell=(1, 1), masks=20000, shown=0.5).relevance[0]
    parts = weights * x[0] * 0.5
    # each of the 60 cells adds noise of (its part) to the others' covariance: deviation 0.5 |w x| / sqrt(n)
    noise = 0.5 * (weights * x[0]).norm() / 20000**0.5
    assert (found - parts).abs().max() < 5 * noise


@pytest.mark.parametrize("changes", [{"shown": 0}, {"shown": 1}, {"masks": 0}, {"cell": (0, 3)}])
def test_settings_without_sense_are_refused(changes):
    with pytest.raises(ConfigError):
        settings(**changes)
