import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from soundproof.statistics.spearman import spearman_rows

FEW = arrays(np.float64, (3, 5), elements=st.integers(-3, 3).map(float))


def test_by_hand():
    # ranks 1 2 3 against 1 3 2: 1 - 6 * 2 / 24; tied ranks 1.5 1.5 3 against 1 2 3: 1.5 / sqrt(1.5 * 2)
    rho = spearman_rows(np.array([[1.0, 2, 3], [7, 7, 9]]), np.array([[10.0, 30, 20], [1, 2, 3]]))
    np.testing.assert_allclose(rho, [0.5, 1.5 / np.sqrt(3)])


@given(FEW, FEW)
@pytest.mark.filterwarnings("ignore:An input array is constant")
def test_equals_scipy_row_by_row(a, b):
    expected = [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(spearman_rows(a, b), expected, atol=1e-12)


def test_one_vector_meets_all():
    a, b = np.random.default_rng(0).normal(size=(4, 2, 6)), np.arange(6.0)[None]
    expected = [[spearmanr(x, b[0]).statistic for x in rows] for rows in a]
    np.testing.assert_allclose(spearman_rows(a, b), expected)
