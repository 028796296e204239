"""Relevance mass and rank accuracy, by hand."""

import numpy as np
import pytest
import quantus

from soundproof.localisation.measure import measure_localisation
from soundproof.localisation.registry import LOCALISATION
from soundproof.truth.ground_truth import Truth


def measured(maps, masks):
    ids = [f"clip{row:02d}" for row in range(len(maps))]
    events = [[(0.0, 1.0)] if mask.any() else [] for mask in masks]
    truth = Truth(frames_per_second=1.0, events=events, masks=np.asarray(masks), clip_ids=ids)
    settings = {"relevance_mass": LOCALISATION["relevance_mass"].settings({})}
    rows = measure_localisation({"toy": np.asarray(maps, dtype=np.float32)}, ids, truth, settings)
    return rows.pivot_table(index="clip_id", columns=["metric", "protocol"], values="value")


MASK = np.array([[True, True, False, False], [False, False, False, False]])


def test_shares_and_their_chance_lines():
    found = measured([[[6.0, 0.0, 2.0, -9.0], [1.0, 0.0, 0.0, 1.0]]], [MASK]).loc["clip00"]
    mass, rank = found["relevance_mass"], found["relevance_rank"]
    # 6 of 10 in the mask; of the two highest cells (6 and 2) one
    assert mass[""] == pytest.approx(0.6) and rank[""] == pytest.approx(0.5)
    assert mass["chance_uniform"] == rank["chance_uniform"] == pytest.approx(2 / 8)
    # the first band holds 8 of 10 and both of the highest, and half of its frames are masked
    assert mass["chance_circular_shift"] == pytest.approx(0.8 * 0.5)
    assert rank["chance_circular_shift"] == pytest.approx(0.5)


def test_the_shifted_line_is_the_mean_over_all_shifts():
    rng = np.random.default_rng(0)
    maps, masks = rng.standard_normal((1, 5, 12)), rng.random((1, 5, 12)) < 0.3
    line = measured(maps, masks).loc["clip00"]
    every = [measured(np.roll(maps, shift, axis=2), masks).loc["clip00"] for shift in range(12)]
    for metric in ("relevance_mass", "relevance_rank"):
        mean = np.mean([shifted[metric][""] for shifted in every])
        assert line[metric]["chance_circular_shift"] == pytest.approx(mean)


def test_what_has_no_value_has_no_row():
    nothing = np.zeros((2, 4))
    found = measured([-np.ones((2, 4)), nothing, nothing + 3e38], [MASK, np.zeros_like(MASK), MASK])
    assert "clip01" not in found.index
    assert np.isnan(found.loc["clip00", ("relevance_mass", "")])
    assert found.loc["clip00", ("relevance_rank", "")] in (0.0, 0.5, 1.0)
    # all cells alike, however large
    assert found.loc["clip02", ("relevance_mass", "")] == pytest.approx(2 / 8)


@pytest.mark.parametrize(
    ("metric", "other"),
    [
        ("relevance_mass", quantus.RelevanceMassAccuracy),
        ("relevance_rank", quantus.RelevanceRankAccuracy),
    ],
)
def test_agrees_with_quantus_where_nothing_is_negative_or_ties(metric, other):
    rng = np.random.default_rng(2)
    maps, masks = rng.random((20, 1, 6, 9)), rng.random((20, 1, 6, 9)) < 0.4
    theirs = other(disable_warnings=True, abs=False, normalise=False)(
        model=None,
        x_batch=np.zeros_like(maps),
        y_batch=np.zeros(20, int),
        a_batch=maps,
        s_batch=masks,
        explain_func=lambda **_: maps,
    )
    ours = measured(maps[:, 0], masks[:, 0])[metric][""]
    np.testing.assert_allclose(ours, np.ravel(theirs), rtol=1e-6)
