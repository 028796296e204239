"""The table of reasons, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from toys.study import clips, measurements, results_of

from soundproof.datasets.bench.settings import FAULTS_BY_MACHINE
from soundproof.tables import reason_scores

N_CLIPS = 8


def rows(metric: str, protocol: str, values: list[float]) -> list[dict[str, object]]:
    common = {
        "detector": "ae",
        "explainer": "error_map",
        "metric": metric,
        "protocol": protocol,
        "machine": "fan",
    }
    return [common | {"clip_id": f"fan_{30 + row:03d}", "value": value} for row, value in enumerate(values)]


def individuals(n: int) -> pd.DataFrame:
    """Clips of so many individuals, in turns."""
    table = clips()
    return table.assign(machine_id=[f"id{row % n:02d}" for row in range(len(table))])


def test_intervals_are_over_individuals() -> None:
    """By hand: clips of an individual are all right or all wrong, so that eight of them tell as much as one."""
    own = [1.0, 1.0, 1.0, 1.0, 0.0] * 8
    few, many = (
        reason_scores.build(
            results_of(measurements(rows("reason_kind", "", own[:n_clips])), clips=individuals(n_individuals))
        ).frame.iloc[0]
        for n_clips, n_individuals in ((5, 5), (30, 5))
    )
    assert few["value"] == many["value"] == pytest.approx(0.8)
    # more clips of the same individuals make it no narrower; over clips it would be by sqrt(6)
    assert many["ci_high"] - many["ci_low"] == pytest.approx(few["ci_high"] - few["ci_low"], rel=0.02)
    three = reason_scores.build(
        results_of(measurements(rows("reason_kind", "", own[:30])), clips=individuals(3))
    ).frame.iloc[0]
    assert np.isnan(three["ci_low"]) and three["interval"] == "too few individuals"


def test_leads_are_paired_and_everything_stands_beside_its_control() -> None:
    own = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    frame = reason_scores.build(
        results_of(
            measurements(
                rows("reason_kind", "", own)
                + rows("reason_kind", "flag_all", [0.0] * 6 + [1.0] * 2)
                + rows("reason_kind", "chance_circular_shift", own)
                + rows("reason_kind", "chance_most_frequent", [1.0, 0.0] * 4)
                + rows("reason_kind", "oracle", [1.0] * N_CLIPS)
                + rows("reason_false", "", [2.0, 0.0] * 4)
                + rows("reason_left", "", [0.6] * N_CLIPS)
                + rows("reason_left", "elsewhere", [0.9] * N_CLIPS)
            ),
            clips=individuals(len(clips())),
        )
    ).frame.iloc[0]
    assert frame["value"] == pytest.approx(6 / 8)
    # six won, two lost
    assert frame["over_whole"] == pytest.approx(4 / 8)
    assert frame["over_whole_low"] < frame["over_whole"] < frame["over_whole_high"]
    # the same clips are right: no lead on any of them, so that there is nothing to resample
    assert [frame[name] for name in ("over_shift", "over_shift_low", "over_shift_high")] == [0, 0, 0]
    assert frame["kind_frequent"] == pytest.approx(0.5)
    assert frame["kind_oracle"] == 1
    assert frame["false"] == 1
    assert (frame["left"], frame["left_elsewhere"]) == pytest.approx((0.6, 0.9))
    assert frame["n_clips"] == N_CLIPS


def test_the_caption_counts_the_faults_of_the_bench() -> None:
    assert len({fault for faults in FAULTS_BY_MACHINE.values() for fault in faults}) == 7
    assert "closed set of seven faults" in reason_scores.CAPTION
