"""The library gives the numbers of the workflow, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from checkout import STUDY, Checkout

import soundproof

NAMES = ["value", "ci_low", "ci_high", "interval", "chance_uniform", "chance_shift", "flag_all", "n_clips"]
KEYS = ["protocol", "explainer", "metric", "parameter", "clip_id", "machine", "snr_db", "value"]


@pytest.fixture(scope="module")
def settings(finished: Checkout) -> dict[str, Any]:
    return finished.study()


@pytest.fixture(scope="module")
def explained(settings: dict[str, Any]) -> soundproof.Explanations:
    """The tiny study in the words of the library."""
    clips = soundproof.load_dataset(settings["dataset"], features=settings["features"], name="tiny")
    detector = {key: value for key, value in settings["detectors"]["ae"].items() if key != "explain"}
    fitted = soundproof.fit(clips, detector, label="ae")
    found = soundproof.explain(
        fitted,
        settings["explainers"],
        which=settings["explain"]["clips"],
        per_machine=settings["explain"]["per_machine"],
    )
    found.faithfulness(settings["faithfulness"])
    found.localisation(settings["localisation"])
    return found


def rows_of(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(KEYS, ignore_index=True)[KEYS]


def test_every_measured_number_is_that_of_the_workflow(
    finished: Checkout, explained: soundproof.Explanations
) -> None:
    theirs = pd.read_parquet(finished.path / STUDY / "measurements.parquet").query("detector == 'ae'")
    ours = pd.concat([explained.rows, explained.fitted.scores])
    assert len(ours) > 2000
    pd.testing.assert_frame_equal(rows_of(ours), rows_of(theirs), check_exact=True, check_dtype=False)


def test_comparisons_are_those_of_the_table_of_quality(
    finished: Checkout, explained: soundproof.Explanations
) -> None:
    quality = pd.read_parquet(finished.path / STUDY / "tables/quality.parquet").set_index("explainer")
    compared = soundproof.compare(explained)
    assert len(compared) > 40
    for row in compared.to_dict("records"):
        for name in NAMES:
            column = row["axis"] if name == "value" else f"{row['axis']}_{name}"
            theirs = quality.loc[row["explainer"], column]
            assert row[name] == theirs or (pd.isna(row[name]) and pd.isna(theirs)), (row["axis"], name)


def test_areas_are_those_of_the_table_of_detection(
    finished: Checkout, explained: soundproof.Explanations
) -> None:
    gaussian = soundproof.fit(explained.fitted.clips, "gaussian")
    found = soundproof.areas(explained.fitted, gaussian).set_index(["detector", "metric"])
    table = pd.read_parquet(finished.path / STUDY / "tables/detection.parquet").set_index("detector")
    for label in ("ae", "gaussian"):
        for metric in ("auc", "pauc"):
            ours = found.loc[(label, metric), ["value", "ci_low", "ci_high"]].to_numpy(np.float64)
            theirs = table.loc[label, [metric, f"{metric}_ci_low", f"{metric}_ci_high"]].to_numpy(np.float64)
            np.testing.assert_array_equal(ours, theirs)


def test_what_beats_its_rivals_is_what_the_verdict_says(
    finished: Checkout, explained: soundproof.Explanations
) -> None:
    found = soundproof.rivals(explained)
    table = pd.read_parquet(finished.path / STUDY / "tables/verdict.parquet").set_index("explainer")
    # of several rivals the verdict names the closest
    least = found.loc[found.groupby(["explainer", "axis"])["advantage"].idxmin()]
    assert len(least) > 10
    compared = 0
    for row in least.to_dict("records"):
        if table.loc[row["explainer"], f"{row['axis']}_rival"] == row["rival"]:
            assert table.loc[row["explainer"], f"{row['axis']}_advantage"] == row["advantage"]
            compared += 1
    assert compared > 5


def test_figures_and_maps_of_clips_are_drawn(explained: soundproof.Explanations) -> None:
    overview = soundproof.draw("quality_overview", explained)
    drawn = {axes.get_title() for axes in overview.axes if axes.get_title()}
    assert any(title.startswith("Cell AUROC") for title in drawn)
    shown = soundproof.show(explained, clip_id=explained.clip_ids[1])
    assert {"Input", "Error map"} <= {axes.get_title() for axes in shown.axes}
