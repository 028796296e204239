"""Clips that go together: in resampling, in the signed-rank test, in tables of means."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, wilcoxon

from soundproof.statistics import means_with_spread, wilcoxon_holm
from soundproof.statistics.bootstrap import mean_ends
from soundproof.statistics.clustered import clustered_signed_rank
from soundproof.statistics.resampling import nested_weights, unit_weights


def test_nested_weights_by_hand():
    # two machines of one and of two clips: a replicate draws the first 0, 1 or 2 times, and with it its clip
    weights = nested_weights(np.array([0, 1, 1]), np.arange(3), 4000, "toy")
    rest = weights[:, 1:].sum(axis=1)
    assert {tuple(pair) for pair in np.stack([weights[:, 0], rest], axis=1)} == {(0, 4), (1, 2), (2, 0)}
    assert (weights[:, 0] == 1).mean() == pytest.approx(0.5, abs=0.03)
    # within the second, drawn once, both clips or one of them twice
    once = weights[weights[:, 0] == 1]
    assert {tuple(row) for row in once[:, 1:]} == {(0, 2), (1, 1), (2, 0)}
    assert (once[:, 1] == 1).mean() == pytest.approx(0.5, abs=0.04)


def test_segments_of_a_recording_are_drawn_together():
    weights = unit_weights(np.array([0, 0, 0, 1, 2]), 50, "toy")
    assert (weights[:, 0] == weights[:, 2]).all() and (weights[:, [0, 3, 4]].sum(axis=1) == 3).all()


def test_nested_interval_of_alike_clips_is_that_of_the_machines():
    machine_means = np.array([0.1, 0.25, 0.3, 0.45, 0.5, 0.8])
    machines = np.repeat(np.arange(6), 8)
    values = machine_means[machines][np.newaxis, :, np.newaxis]
    ends = mean_ends(values, "x", machines=machines, n_resamples=20000)
    half = t.ppf(0.975, 5) * machine_means.std(ddof=1) / np.sqrt(6)
    width = float(ends.machines_high[0] - ends.machines_low[0])
    assert width == pytest.approx(2 * half, rel=0.12)
    assert width > 2 * float(ends.high[0] - ends.low[0])


def frame_of(values, machines, **facts):
    """Rows of clips [n_clips, n_seeds]; NaN cells are absent."""
    rows = [
        {"clip_id": f"c{clip:02d}", "seed": seed, "value": value, "machine": machine} | facts
        for clip, (row, machine) in enumerate(zip(values, machines, strict=True))
        for seed, value in enumerate(row)
        if np.isfinite(value)
    ]
    return pd.DataFrame(rows)


def test_groups_are_as_each_alone_whatever_else_is_summarised():
    rng = np.random.default_rng(0)
    whole = rng.normal(size=(12, 2))
    holes = np.where(rng.random((12, 2)) < 0.2, np.nan, rng.normal(size=(12, 2)))
    machines = ["a"] * 4 + ["b"] * 8
    parts = [
        frame_of(values, machines, group=name) for name, values in (("x", whole), ("y", holes), ("z", -whole))
    ]
    together = means_with_spread(pd.concat(parts), ["group"], "toy").set_index("group")
    for part in parts:
        alone = means_with_spread(part, ["group"], "toy").set_index("group")
        pd.testing.assert_frame_equal(together.loc[alone.index], alone)
    # draws are shared: the mirrored group has the mirrored interval
    assert together.loc["x", "ci_low"] == pytest.approx(-together.loc["z", "ci_high"])
    expected = holes[np.isfinite(holes).any(axis=1)]
    assert together.loc["y", "value"] == pytest.approx(np.nanmean(expected, axis=0).mean())
    assert together["n_machines"].tolist() == [2] * 3
    assert together["machines_interval"].tolist() == ["too few machines"] * 3


def test_recordings_are_resampled_where_they_are_named():
    values = np.repeat(np.random.default_rng(1).normal(size=8), 5)[:, np.newaxis]
    frame = frame_of(values, ["fan"] * 40)
    frame["unit"] = np.repeat(np.arange(8), 5)
    clips, recordings = (means_with_spread(part, ()).iloc[0] for part in (frame.drop(columns="unit"), frame))
    assert recordings["ci_high"] - recordings["ci_low"] > 2 * (clips["ci_high"] - clips["ci_low"])
    few = means_with_spread(frame[frame["unit"] < 3], ()).iloc[0]
    assert few["interval"] == "too few clips" and np.isnan(few["ci_low"]) and few["n_clips"] == 15


def test_clustered_signed_rank_by_hand():
    # ranks 1 to 6, machines with sums 1 + 2 + 3 and 4 + 5 - 6: of the four sign patterns two are as far out
    differences = np.array([1.0, 2, 3, 4, 5, -6])
    assert clustered_signed_rank(differences, np.array([0, 0, 0, 1, 1, 1])) == 0.5
    # all alike: 2 of 2^3
    assert clustered_signed_rank(np.arange(1.0, 7), np.repeat([0, 1, 2], 2)) == 0.25
    assert clustered_signed_rank(np.zeros(4), np.arange(4)) == 1.0


@given(st.integers(0, 2**32 - 1), st.integers(4, 10))
def test_with_one_clip_a_machine_it_is_wilcoxons_exact_test(seed, n):
    differences = np.random.default_rng(seed).normal(size=n) + 0.3
    expected = wilcoxon(differences, method="exact").pvalue
    assert clustered_signed_rank(differences, np.arange(n)) == pytest.approx(expected)


def test_many_machines_are_sampled_close_to_the_exact_p():
    differences = np.random.default_rng(4).normal(size=20) + 0.4
    expected = wilcoxon(differences, method="exact").pvalue
    assert clustered_signed_rank(differences, np.arange(20), "x") == pytest.approx(expected, abs=0.02)


def test_alike_clips_of_few_machines_decide_nothing_beyond_them():
    frame = pd.DataFrame({"a": np.repeat([3.0, 4, 5, 6, 7], 10), "b": np.zeros(50)})
    row = wilcoxon_holm(frame, np.repeat(np.arange(5), 10)).iloc[0]
    assert row["p"] < 1e-6 and row["p_machines"] == row["p_machines_holm"] == 2 / 2**5
    assert row["n_machines"] == 5
