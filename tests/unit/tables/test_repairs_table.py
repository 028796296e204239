"""How much must be repaired, by hand."""

import numpy as np
import pytest
from toys.study import clips, measurements, results_of

from soundproof.config.model import Study
from soundproof.config.stages import Stages
from soundproof.tables import repairs


def rows_of(detector, seed, numbers):
    """Rows of clips with (already, never, share, share at random), one clip each."""
    names = clips(0, len(numbers))["clip_id"]
    return [
        {
            "detector": detector,
            "seed": seed,
            "explainer": "repair",
            "machine": "fan",
            "clip_id": clip_id,
            "metric": metric,
            "value": value,
        }
        for clip_id, values in zip(names, numbers, strict=True)
        for metric, value in zip(repairs.SHARES, values, strict=True)
        if not np.isnan(value)
    ]


def test_shares_are_means_over_the_clips_that_were_repaired():
    nan = np.nan
    of_ae = [(1, 0, nan, nan), (0, 1, nan, nan), (0, 0, 0.1, 0.6), (0, 0, 0.3, 1.0)]
    results = results_of(
        measurements(rows_of("ae", 0, of_ae) + rows_of("ae", 1, of_ae)),
        explainer_titles={"repair": "Repair mask"},
    )
    (row,) = repairs.build(results).frame.to_dict("records")
    assert row["normal_already"] == row["never_normal"] == 0.25
    assert row["repaired_share"] == pytest.approx(0.2)
    assert row["repaired_share_at_random"] == pytest.approx(0.8)
    assert (row["never_normal_n_clips"], row["repaired_share_n_clips"], row["never_normal_n_seeds"]) == (
        4,
        2,
        2,
    )


def test_where_no_clip_was_repaired_the_others_are_counted():
    results = results_of(measurements(rows_of("ae", 0, [(0, 1, np.nan, np.nan)] * 3)))
    (row,) = repairs.build(results).frame.to_dict("records")
    assert row["never_normal"] == 1
    assert np.isnan(row["repaired_share"])


@pytest.mark.parametrize(("kind", "there"), [("repair_mask", True), ("saliency", False)])
def test_it_stands_on_the_page_of_a_study_that_repairs_clips(kind, there):
    study = Study.model_validate(
        {
            "name": "toy",
            "dataset": {"kind": "bench"},
            "detectors": {"ae": {"kind": "cae", "explain": True}},
            "explainers": {"mine": {"kind": kind}},
        }
    )
    assert ("repairs" in Stages(study).shown()) == there
    assert ("never_normal" in Stages(study).facts()["measures"]) == there
