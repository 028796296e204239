"""A registered measure of detectors appears in the table of detection, in its own direction and words."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from toys.study import clips, measurements, results_of

from soundproof.analysis import our_numbers as ours
from soundproof.analysis.ranking import mean_areas, run_areas
from soundproof.detection.areas import average_precision
from soundproof.detection.registry import DETECTION, DetectionEntry
from soundproof.tables import detection

TOY = DetectionEntry(
    name="toy_ap",
    title="Toy AP",
    implementation="soundproof.detection.areas:average_precision",
    citation="none",
    higher_is_better=True,
    chance="the share of anomalies",
    unit="0..1",
)


@pytest.fixture
def study():
    rng = np.random.default_rng(2)
    table = clips(8, 8)
    rows = [
        {"detector": "ae", "seed": seed, "metric": "anomaly_score", "machine": "fan", "clip_id": clip.clip_id}
        | {"value": rng.normal(float(clip.label == "anomaly"))}
        for seed in (0, 1)
        for clip in table.itertuples()
    ]
    return results_of(measurements(rows), clips=table)


def reporting(study, metric):
    return results_of(study.measurements, clips=study.clips, reported=pd.DataFrame({"metric": [metric]}))


def test_it_is_averaged_over_seeds_without_an_interval(study, monkeypatch):
    monkeypatch.setitem(DETECTION._entries, "toy_ap", TOY)
    before = detection.build(study)
    assert "toy_ap" not in before.frame
    table = detection.build(reporting(study, "toy_ap"))
    rows = study.measurements.merge(study.clips[["clip_id", "label"]], on="clip_id")
    by_hand = [
        average_precision(run["value"].to_numpy(), run["label"].eq("anomaly").to_numpy())
        for _, run in rows.groupby("seed")
    ]
    row = table.frame.iloc[0]
    assert row["toy_ap"] == pytest.approx(np.mean(by_hand))
    assert row["toy_ap_sd_seeds"] == pytest.approx(np.std(by_hand, ddof=1))
    assert np.isnan(row["toy_ap_ci_low"]) and row["toy_ap_interval"] == ""
    headers = [column.header for column in table.formats]
    assert headers[:3] == ["Detector", "AUC", "sd over seeds"]
    assert headers[5:7] == ["Toy AP", "sd over seeds (Toy AP)"]
    assert "Toy AP: 0..1; by chance the share of anomalies; higher is better." in table.caption
    # the others are what they were
    pd.testing.assert_frame_equal(table.frame[list(before.frame)], before.frame)


def test_a_shown_one_needs_no_paper_and_ours_stands_beside_a_reported_one(study, monkeypatch):
    shown = DetectionEntry(**(vars(TOY) | {"shown": True}))
    monkeypatch.setitem(DETECTION._entries, "toy_ap", shown)
    assert "toy_ap" in detection.build(study).frame
    runs, _ = run_areas(study)
    summary = mean_areas(runs[runs["domain"].eq("all")], ["detector", "metric"]).set_index("metric")
    numbers = pd.concat(ours._areas(study), ignore_index=True)
    of_toy = numbers[numbers["metric"].eq("toy_ap") & numbers["machine"].eq(ours.ALL_MACHINES)]
    assert of_toy[of_toy["domain"].eq("")]["value"].item() == summary.loc["toy_ap", "value"]


def test_levels_of_chance_are_those_of_scores_that_ignore_the_label():
    rng = np.random.default_rng(7)
    scores, anomalous = rng.random(4000), rng.random(4000) < 0.5
    for entry in DETECTION.values():
        if entry.of != "challenge" and entry.level is not None:
            assert entry.load()(scores, anomalous) == pytest.approx(entry.level, abs=0.03), entry.name


def test_the_registry_is_light():
    heavy = "{'pandas', 'numpy', 'scipy', 'sklearn', 'torch'}"
    code = f"import sys, soundproof.detection.registry; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
