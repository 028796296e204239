import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wilcoxon

from soundproof.core.errors import DataError
from soundproof.statistics import holm, wilcoxon_holm


def test_holm_by_hand():
    # sorted .01 .02 .03 .04 x 4 3 2 1 = .04 .06 .06 .04, then never falling
    np.testing.assert_allclose(holm(np.array([0.04, 0.01, 0.03, 0.02])), [0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]
    assert holm(np.array([])).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_the_raw_and_the_bonferroni_values_and_keeps_their_order(values):
    raw = np.array(values)
    adjusted = holm(raw)
    assert (adjusted >= raw).all() and (adjusted <= np.minimum(raw * len(raw), 1) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(raw, kind="stable")]) >= 0).all()


def test_by_hand_all_positive_differences():
    frame = pd.DataFrame({"x": [2.0, 4.0, 6.0, 8.0, 10.0], "y": [1.0, 2.0, 3.0, 4.0, 5.0]})
    row = wilcoxon_holm(frame).iloc[0]
    assert (row["a"], row["b"], row["n"]) == ("x", "y", 5)
    assert row["statistic"] == 0 and row["p"] == row["p_holm"] == 2 / 2**5
    assert row["median_difference"] == 3.0 and row["rank_biserial"] == 1.0


def test_by_hand_mixed_signs_and_a_zero():
    frame = pd.DataFrame({"x": [1.0, 2.0, -3.0, 0.0], "y": [0.0] * 4})
    row = wilcoxon_holm(frame).iloc[0]
    # ranks 1 and 2 up, 3 down, the zero is dropped
    assert row["statistic"] == 3 and row["rank_biserial"] == 0.0 and row["n"] == 4
    assert row["median_difference"] == 0.5


def test_agrees_with_scipy_and_corrects_over_all_pairs():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal([0.0, 0.4, 0.9], size=(30, 3)), columns=["x", "y", "z"])
    table = wilcoxon_holm(frame)
    assert table[["a", "b"]].to_numpy().tolist() == [["x", "y"], ["x", "z"], ["y", "z"]]
    expected = [wilcoxon(frame[a], frame[b]).pvalue for a, b in [("x", "y"), ("x", "z"), ("y", "z")]]
    np.testing.assert_allclose(table["p"], expected, rtol=1e-9)
    np.testing.assert_allclose(table["p_holm"], holm(np.array(expected)), rtol=1e-9)
    mirrored = wilcoxon_holm(frame[["z", "y", "x"]]).set_index(["a", "b"])
    assert mirrored.loc[("z", "x"), "rank_biserial"] == pytest.approx(-table.loc[1, "rank_biserial"])


@given(st.lists(st.integers(-4, 4), min_size=2, max_size=15).filter(any))
def test_ties_are_counted_as_scipy_counts_them(differences):
    row = wilcoxon_holm(pd.DataFrame({"x": differences, "y": 0}, dtype=float)).iloc[0]
    expected = wilcoxon([difference for difference in differences if difference])
    assert (row["statistic"], row["p"]) == (expected.statistic, expected.pvalue)


def test_identical_columns_differ_in_nothing():
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [1.0, 2.0]})
    row = wilcoxon_holm(frame).iloc[0]
    assert (row["p"], row["rank_biserial"], row["median_difference"]) == (1.0, 0.0, 0.0)


def test_rounding_noise_breaks_no_tie():
    # both differences are 0.3, but 0.7 - 0.4 and 0.4 - 0.1 differ in the last bit
    frame = pd.DataFrame({"x": [0.7, 0.1], "y": [0.4, 0.4]})
    assert wilcoxon_holm(frame).iloc[0]["rank_biserial"] == 0.0


def test_missing_clips_are_left_out_per_pair():
    frame = pd.DataFrame({"x": [1.0, 2.0, np.nan], "y": [0.0, 0.0, 0.0], "z": [np.nan, np.nan, 1.0]})
    assert wilcoxon_holm(frame[["x", "y"]])["n"].tolist() == [2]
    with pytest.raises(DataError, match="'x' and 'z'"):
        wilcoxon_holm(frame)


def test_one_explainer_has_no_pair():
    assert wilcoxon_holm(pd.DataFrame({"x": [1.0, 2.0]})).empty
