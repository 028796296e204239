"""Values clip by clip of all detectors at once, against values by hand and against pandas detector by detector."""

from __future__ import annotations

import numpy as np
import pandas as pd

from soundproof.analysis.clip_values import clip_means, clip_values


def frame(*rows):
    return pd.DataFrame(rows, columns=["detector", "explainer", "clip_id", "seed", "parameter", "value"])


def drawn():
    """Two parameters, three seeds, some rows missing, in no order; a detector with other clips."""
    rng = np.random.default_rng(0)
    rows = [
        (detector, explainer, f"{detector[0]}{clip}", seed, parameter, rng.normal())
        for detector in ("ae", "mae", "b")
        for explainer in ("saliency", "occlusion", None)
        for clip in range(7)
        for seed in (3, 1, 2)
        for parameter in (0.1, 0.2)
    ]
    chosen = rng.permutation(len(rows))[: len(rows) * 2 // 3]
    return frame(*(rows[index] for index in chosen))


def test_values_by_hand():
    found = clip_values(
        frame(
            ("ae", "saliency", "b", 0, 0.1, 1.0),
            ("ae", "saliency", "b", 0, 0.2, 2.0),
            ("ae", "saliency", "a", 1, 0.1, 5.0),
            ("ae", "occlusion", "a", 0, 0.1, 7.0),
        )
    )["ae"]
    assert list(found.clip_ids) == ["a", "b"] and list(found.seeds) == [0, 1]
    assert list(found.of_explainer) == ["occlusion", "saliency"]
    np.testing.assert_array_equal(found.of_explainer["saliency"], [[np.nan, 5.0], [1.5, np.nan]])
    np.testing.assert_array_equal(found.of_explainer["occlusion"], [[7.0, np.nan], [np.nan, np.nan]])


def test_aligned_to_other_clips_and_trainings():
    of = clip_values(
        frame(
            ("ae", "saliency", "a", 0, 0.1, 1.0),
            ("ae", "saliency", "b", 1, 0.1, 3.0),
            ("ae", "saliency", "b", 0, 0.1, 2.0),
            ("ae", "occlusion", "b", 0, 0.1, 4.0),
        )
    )["ae"]
    wanted = np.array(["b", "c"]), np.array([1, 0])
    found = of.aligned(*wanted)
    np.testing.assert_array_equal(found["saliency"], [[3.0, 2.0], [np.nan, np.nan]])
    # one training alone was measured: it stands for both
    np.testing.assert_array_equal(found["occlusion"], [[4.0, 4.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(of.aligned(np.array(["b"]), np.array([7]))["saliency"], [[2.5]])


def test_values_are_those_of_each_detector_alone():
    rows = drawn()
    for detector, found in clip_values(rows).items():
        own = rows[rows["detector"].eq(detector)]
        np.testing.assert_array_equal(found.clip_ids, np.sort(own["clip_id"].unique()))
        np.testing.assert_array_equal(found.seeds, np.sort(own["seed"].unique()))
        assert set(found.of_explainer) == set(own["explainer"].dropna())
        for name, values in found.of_explainer.items():
            table = own[own["explainer"].eq(name)].pivot_table(
                index="clip_id", columns="seed", values="value"
            )
            wanted = table.reindex(index=found.clip_ids, columns=found.seeds).to_numpy()
            # pandas sums groups in another way where the rows lie in another order
            np.testing.assert_allclose(values, wanted, rtol=1e-13)


def test_means_are_those_of_each_detector_alone():
    rows = drawn()
    # a clip and an explainer without a value are no row and no column
    gone = rows["clip_id"].eq("a3") | (rows["detector"].eq("b") & rows["explainer"].eq("occlusion"))
    rows.loc[gone, "value"] = np.nan
    found = clip_means(rows)
    assert set(found) == {"ae", "mae", "b"}
    for detector, table in found.items():
        own = rows[rows["detector"].eq(detector)]
        keys = ["clip_id", "explainer", "seed"]
        of_seeds = own.groupby(keys)["value"].mean().reset_index()
        wanted = of_seeds.pivot_table(index="clip_id", columns="explainer", values="value")
        pd.testing.assert_frame_equal(table, wanted, rtol=1e-13, atol=0)
    assert "a3" not in found["ae"].index and list(found["b"].columns) == ["saliency"]


def test_no_rows_no_detectors():
    assert clip_values(frame()) == {} and clip_means(frame()) == {}
