"""P2's tables by hand: detection by SNR, and the levels of clips, cells, frames and faithfulness."""

from dataclasses import replace

import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from toys.study import REPORTED, measurements, results_of

from soundproof.analysis.machine_kinds import kind_of
from soundproof.analysis.reported import read_reported
from soundproof.datasets.published.pinned_names import PinnedName
from soundproof.figures import levels_by_snr
from soundproof.tables import detection_by_snr, levels, reproduction

MACHINES = ("siren_6dB", "drilling_6dB", "siren_-6dB")
# anomalous first: found, missed; normal: one above the missed one
SCORES = {
    "siren_6dB": (4.0, 2.0, 3.0, 1.0),
    "drilling_6dB": (4.0, 3.0, 2.0, 1.0),
    "siren_-6dB": (1.0, 2.0, 3.0, 4.0),
}
MEASURED = {"siren_6dB": 0.6, "drilling_6dB": 0.8, "siren_-6dB": 0.5}


def clips():
    return pd.DataFrame(
        [
            {
                "clip_id": f"{machine}_{index}",
                "machine": machine,
                "machine_id": "all",
                "split": "test",
                "label": "anomaly" if index < 2 else "normal",
                "domain": None,
                "anomaly_type": None,
                "snr_db": float(PinnedName.parse(machine, ("siren", "drilling")).snr_db),
                "path": None,
                "events": [],
            }
            for machine in MACHINES
            for index in range(4)
        ]
    )


def rows():
    for machine in MACHINES:
        run = {"detector": "patchcore", "machine": machine}
        for index, value in enumerate(SCORES[machine]):
            yield run | {"metric": "anomaly_score", "clip_id": f"{machine}_{index}", "value": value}
        for explainer, factor in (("own", 1.0), ("random", 0.1)):
            of_map, value = run | {"explainer": explainer}, MEASURED[machine] * factor
            for metric in ("auroc", "ap", "max_f1"):
                for protocol in ("exact_stems", "energy_rule"):
                    cell = of_map | {"metric": f"pooled_cell_{metric}"}
                    yield cell | {"protocol": protocol, "value": value}
                    yield cell | {"protocol": f"chance_uniform_{protocol}", "value": 0.25}
                    if metric == "auroc":
                        yield cell | {"protocol": f"chance_circular_shift_{protocol}", "value": 0.35}
                    for index in range(4):
                        weight = {"clip_id": f"{machine}_{index}", "value": value + 0.1 * (-1) ** index}
                        yield cell | {"protocol": f"influence_{protocol}"} | weight
                yield of_map | {"metric": f"pooled_frame_{metric}", "value": value}
            for index in range(2):
                clip = of_map | {"metric": "soft_removal", "clip_id": f"{machine}_{index}"}
                yield clip | {"protocol": "as_published", "value": value + index}
                yield clip | {"protocol": "flag_all_as_published", "value": 1.0}


@pytest.fixture
def study():
    asked = {"anomaly_score", "average_precision", "max_f1", "pooled_cell_auroc", "pooled_frame_auroc"}
    return results_of(
        measurements(list(rows())),
        clips=clips(),
        detector_titles={"patchcore": "PatchCore"},
        explainer_titles={"own": "Own map", "random": "Random"},
        explainer_kinds={"own": "error_map", "random": "random_map"},
        measures=frozenset(asked),
    )


def test_a_machine_is_of_its_kind_however_it_is_pinned():
    for individual in (None, "00"):
        for snr_db in (None, -6, 0, 6):
            for kind in ("fan", "air_conditioner", "children_playing"):
                assert kind_of(str(PinnedName(kind, individual, snr_db))) == kind


def test_detection_by_snr_has_a_column_for_each_kind_and_its_rivals(study):
    table = detection_by_snr.build(study)
    frame = table.frame.set_index(["snr", "metric"])
    assert set(table.frame["snr"]) == {"+6", "-6"}
    labels = [True, True, False, False]
    assert (
        frame.loc[("+6", "auc"), "siren"] == pytest.approx(roc_auc_score(labels, SCORES["siren_6dB"])) == 0.75
    )
    assert frame.loc[("+6", "average_precision"), "siren"] == pytest.approx(
        average_precision_score(labels, SCORES["siren_6dB"])
    )
    assert frame.loc[("+6", "auc"), "mean"] == pytest.approx((0.75 + 1) / 2)
    assert frame.loc[("-6", "max_f1"), "siren"] == pytest.approx(2 / 3)
    assert frame["flag_all"].dropna().tolist() == pytest.approx([2 / 3] * 2)
    assert frame["chance"].notna().all()
    assert pd.isna(frame.loc[("-6", "auc"), "drilling"])
    headers = [column.header for column in table.formats]
    assert headers[:5] == ["Detector", "SNR (dB)", "Measure", "drilling", "siren"]


def test_levels_are_means_and_deviations_over_runs_of_the_own_map(study):
    frame = levels.build(study).frame.set_index(["snr", "level", "title", "said"])
    cells = frame.loc[("+6", "cells", "AUC", "energy rule, as published")]
    assert cells["value"] == pytest.approx(0.7) and cells["n_runs"] == 2
    assert cells["sd"] == pytest.approx(0.2 / 2**0.5) and cells["chance"] == 0.25
    removal = frame.loc[("-6", "faithfulness", "FF1", "as published")]
    assert removal["value"] == pytest.approx(1.0) and removal["flag_all"] == 1.0
    assert frame.loc[("+6", "clips", "AUC", ""), "value"] == pytest.approx((0.75 + 1) / 2)
    assert frame.loc[("+6", "clips", "AUC", ""), "chance"] == 0.5
    assert ("+6", "faithfulness", "FF2", "corrected") not in frame.index


def test_intervals_are_over_clips_by_their_weights_in_the_set(study):
    frame = levels.build(study).frame.set_index(["snr", "level", "title", "said"])
    cells = frame.loc[("+6", "cells", "AUC", "exact stems")]
    # eight clips, each 0.1 above or below its machine's value
    assert 0.5 < cells["ci_low"] < cells["value"] < cells["ci_high"] < 0.9
    assert cells["chance_shift"] == 0.35
    # four clips are too few
    assert pd.isna(frame.loc[("-6", "cells", "AUC", "exact stems"), "ci_low"])
    headers = [column.header for column in levels.build(study).formats]
    assert "Chance: shifted" in headers and "sd over runs" in headers
    # the toy's weights are of normal clips as well
    assert "normal ones among them" in levels.build(study).caption
    rows = study.measurements
    anomalous = rows[rows["explainer"].isna() | ~rows["clip_id"].str.contains("_[23]$", na=False)]
    assert "no normal one is explained here" in levels.build(replace(study, measurements=anomalous)).caption


def test_the_figure_has_a_marker_for_each_snr_and_ticks_of_chance(study):
    figure = levels_by_snr.draw(study)
    titles = [axes.get_title().replace("\n", " ") for axes in figure.figure.axes if axes.get_title()]
    assert titles[0] == "AUC of clips →" and "AUC of cells (exact stems) →" in titles
    # FF is measured as published alone, which no ranking of detectors can use
    assert not any("FF" in title for title in titles)
    panel = figure.figure.axes[titles.index("AUC of cells (exact stems) →")]
    lines = [(line.get_marker(), line.get_linestyle(), line.get_xdata()) for line in panel.lines]
    markers = [x[0] for marker, _, x in lines if marker not in ("None", None, "")]
    assert markers == pytest.approx([0.7, 0.5])
    assert {float(x[0]) for _, style, x in lines if style == ":"} == {0.35}
    labels = [text.get_text() for text in figure.figure.legends[0].get_texts()]
    # the lowest SNR, which is the loudest event, first
    assert labels == ["-6 dB", "+6 dB", "chance: random", "chance: shifted"]
    assert set(figure.frame["snr"]) == {"-6", "+6"}


def test_without_maps_the_figure_says_why(study):
    rows = study.measurements
    bare = replace(study, measurements=rows[rows["metric"].eq("anomaly_score")], measures=frozenset())
    assert "would have to list 'pooled_cells'" in levels_by_snr.draw(bare).caption


def test_the_supplement_has_each_machine(study):
    frame = levels.build_by_machine(study).frame
    own = frame[frame["title"].eq("AUC") & frame["said"].eq("exact stems")].set_index("machine")["value"]
    assert own.to_dict() == pytest.approx(MEASURED)


def test_without_maps_there_is_a_true_reason(study):
    rows = study.measurements
    bare = replace(study, measurements=rows[rows["metric"].eq("anomaly_score")], measures=frozenset())
    assert "would have to list 'pooled_cells'" in levels.build(bare).frame["reason"].item()


def test_a_third_party_s_rerun_stands_beside_ours_and_says_so(study):
    reported = read_reported(REPORTED.with_name("p2.csv"))
    assert set(reported["mark"]) == {"T"} and reported["note"].str.contains("not the paper's number").all()
    own = reported.assign(detector=reported["detector"].replace({"cfa": "patchcore", "patchcore": "other"}))
    own = own.assign(explainer=own["explainer"].replace({"error_map": "own"}))
    frame = reproduction.compare(replace(study, reported_dataset="EnvMix +6 dB"), own)
    at_6db = frame[frame["dataset"].eq("EnvMix +6 dB") & frame["detector"].eq("patchcore")]
    ours = at_6db.set_index(["metric", "machine"])["ours"]
    assert ours["pooled_cell_auroc", "mean"] == pytest.approx((0.6 + 0.8 + 0.5) / 3)
    assert ours["auc", "mean"] == pytest.approx((0.75 + 1 + 0) / 3)
    assert "a third party's rerun, not the paper's number" in reproduction.build(study).caption
