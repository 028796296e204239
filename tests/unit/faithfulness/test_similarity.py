"""Similarity of maps is SciPy's Spearman correlation, bit for bit, with its edge cases settled."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from soundproof.faithfulness.similarity import ranked, similarity, similarity_of

KINDS = ["all different", "ties", "non-negative", "half zero", "both zeros"]


def map_of(kind: str, shape: tuple[int, int], seed: int, dtype: type) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=shape)
    if kind == "ties":
        values = values.round(1)
    if kind == "non-negative":
        values = np.abs(values)
    if kind == "half zero":
        values = np.maximum(values, 0)
    if kind == "both zeros":
        values = np.where(values > 0, values, np.copysign(0.0, values))
    return values.astype(dtype)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other_kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 5), (16, 20), (80, 100)])
def test_it_is_scipys_to_the_last_bit(kind: str, other_kind: str, shape: tuple[int, int]) -> None:
    for seed, dtypes in enumerate([(np.float32, np.float32), (np.float32, np.float64)]):
        a, b = map_of(kind, shape, seed, dtypes[0]), map_of(other_kind, shape, seed + 10, dtypes[1])
        expected = [
            float(spearmanr(a.ravel(), b.ravel()).statistic),
            float(spearmanr(np.abs(a).ravel(), np.abs(b).ravel()).statistic),
        ]
        assert similarity(a[None], b[None])[:, 0].tolist() == expected


def test_ranks_are_those_by_hand_and_serve_several_comparisons() -> None:
    maps = np.array([[[3.0, -1.0], [3.0, 0.0]]], dtype=np.float32)
    signed, absolute = ranked(maps)
    assert signed[0] is not None and signed[0].tolist() == [3.5, 1, 3.5, 2]
    assert absolute[0] is not None and absolute[0].tolist() == [3.5, 2, 3.5, 1]
    mine = ranked(maps)
    for other in (maps, -maps, maps**2):
        np.testing.assert_array_equal(similarity_of(mine, ranked(other)), similarity(maps, other))


def test_a_constant_map_is_unrelated_and_a_broken_one_undefined() -> None:
    rising = np.arange(6.0).reshape(1, 2, 3)
    assert similarity(rising, np.ones_like(rising)).tolist() == [[0.0], [0.0]]
    # of one magnitude, yet of two signs
    signs = np.where(rising > 2, 1.0, -1.0)
    assert similarity(rising, signs)[1].tolist() == [0.0] and similarity(rising, signs)[0, 0] > 0.8
    broken = rising.copy()
    broken[0, 0, 0] = np.nan
    assert np.isnan(similarity(rising, broken)).all()
