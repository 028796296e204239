"""Sparseness and complexity, by hand and against Quantus."""

import numpy as np
import pytest
import quantus
import torch
from toys.faithfulness import Linear, context

from soundproof.analysis.verdict import BESIDE, deciding
from soundproof.faithfulness.complexity import complexity
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.faithfulness.sparseness import sparseness

METRICS = {"sparseness": sparseness, "complexity": complexity}


def measured(metric, maps, **settings):
    maps = torch.as_tensor(np.asarray(maps, dtype=np.float32))
    detector = Linear(torch.zeros(maps.shape[1:]))
    given = context(metric, len(maps), **settings)
    rows = METRICS[metric](detector, torch.zeros_like(maps), {"map": maps}, given)
    assert not detector.passes
    return rows


def of_map(metric, maps):
    rows = measured(metric, maps)
    return rows[rows["explainer"].eq("map")].set_index("clip_id")["value"]


ONE, ALL = np.zeros((2, 4)), np.ones((2, 4))
ONE[1, 2] = -5


def test_gini_by_hand():
    # magnitudes 0 1 2 5: (-3) 0 + (-1) 1 + 1 * 2 + 3 * 5 = 16 of 4 * 8
    found = of_map("sparseness", [[[2.0, -1.0], [0.0, 5.0]]])
    assert found.item() == pytest.approx(16 / 32)
    assert of_map("sparseness", [ONE, ALL]).to_list() == pytest.approx([1 - 1 / 8, 0])


def test_entropy_by_hand():
    # shares 1/4 1/4 1/2: 1.5 bits of 2
    found = of_map("complexity", [[[1.0, -1.0], [0.0, 2.0]]])
    assert found.item() == pytest.approx(1.5 / 2)
    assert of_map("complexity", [ONE, ALL]).to_list() == pytest.approx([0, 1])


@pytest.mark.parametrize("metric", METRICS)
def test_neither_scale_nor_sign_nor_order_counts_and_nothing_overflows(metric):
    cells = np.random.default_rng(0).standard_normal((6, 9)).astype(np.float32)
    shuffled = np.random.default_rng(1).permutation(cells.ravel()).reshape(9, 6).T
    found = of_map(metric, [cells, -cells, 1e-30 * cells, cells * (3e38 / np.abs(cells).max()), shuffled])
    assert found.to_numpy() == pytest.approx(np.full(5, found.iloc[0]), rel=1e-5)


@pytest.mark.parametrize("metric", METRICS)
def test_a_map_of_zeros_has_none_and_the_log_says_so(metric, caplog):
    rows = measured(metric, [np.zeros((2, 4)), ONE])
    assert rows.loc[rows["explainer"].eq("map"), "clip_id"].to_list() == ["clip1"]
    assert "1 maps are zero everywhere" in caplog.text


def test_noise_has_what_theory_says():
    shape = (80, 200)
    rows = measured("sparseness", np.zeros((3, *shape)))
    # the Gini index of a half-normal distribution
    assert rows["value"].to_numpy() == pytest.approx(np.full(3, np.sqrt(2) - 1), abs=0.01)
    rows = measured("complexity", np.zeros((3, *shape)))
    # E[z log z] of z = |g| / E|g|, by numerical integration
    g = (np.arange(200_000) + 0.5) * 5e-5
    weights = np.exp(-(g**2) / 2) / np.exp(-(g**2) / 2).sum()
    z = g / (weights @ g)
    expected = 1 - weights @ (z * np.log(z)) / np.log(shape[0] * shape[1])
    assert rows["value"].to_numpy() == pytest.approx(np.full(3, expected), abs=0.005)
    assert set(rows["explainer"]) == {"random_cells"} and set(rows["protocol"]) == {"chance_uniform"}


def test_noise_is_a_clip_s_own_and_follows_the_seed():
    maps = np.ones((2, 6, 9))
    one, again = (measured("sparseness", maps)["value"].to_numpy() for _ in range(2))
    np.testing.assert_array_equal(one, again)
    alone = measured("sparseness", maps[1:], clip_ids=["clip1"])["value"]
    assert alone.to_list() == one[1::2].tolist()
    assert measured("sparseness", maps, seed=1)["value"].iloc[0] != one[0]


@pytest.mark.parametrize(
    ("metric", "other", "factor"),
    [("sparseness", quantus.Sparseness, 1.0), ("complexity", quantus.Complexity, np.log(54))],
)
def test_agrees_with_quantus(metric, other, factor):
    maps = np.random.default_rng(3).standard_normal((20, 1, 6, 9))
    maps[:, :, 2] = 0
    theirs = other(disable_warnings=True, abs=True, normalise=False)(
        model=None,
        x_batch=np.zeros_like(maps),
        y_batch=np.zeros(20, int),
        a_batch=maps,
        explain_func=lambda **_: maps,
    )
    found = of_map(metric, maps[:, 0])[[f"clip{row}" for row in range(20)]]
    # Quantus adds 1e-7 to each magnitude
    np.testing.assert_allclose(found * factor, np.ravel(theirs), rtol=1e-5)


def test_they_stand_beside_the_verdict_and_decide_nothing():
    criteria = [criterion for name in METRICS for criterion in FAITHFULNESS[name].criteria]
    assert {criterion.judges for criterion in criteria} == {"complexity"} <= set(BESIDE)
    assert deciding(criteria) == []
