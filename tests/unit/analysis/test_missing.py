from __future__ import annotations

from pathlib import Path

import pytest
from toys.study import clips, full_study, measurements, results_of

from soundproof.analysis.missing import no_type, why_missing
from soundproof.config.load import load_config
from soundproof.config.stages import Stages
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.figures.finished import FinishedFigure

F1 = {
    "detector": "ae",
    "explainer": "saliency",
    "metric": "segment_f1",
    "protocol": "corrected",
    "parameter": 98.0,
}


def study(rows=(), *, events: bool, types: bool = True, **facts):
    table = clips(2, 2)
    table["events"] = table["events"] if events else None
    table["anomaly_type"] = table["anomaly_type"] if types else None
    rows = [row | {"clip_id": "fan_002", "machine": "fan", "value": 1.0} for row in rows]
    return results_of(measurements(list(rows)), clips=table, **facts)


@pytest.mark.parametrize(
    ("results", "metrics", "reason"),
    [
        (study(events=True, measures=frozenset()), ["segment_f1"], "'segment_f1' under 'localisation'"),
        (study(events=False, measures=frozenset()), ["segment_f1"], "the study does not measure it"),
        (
            study(events=False, measures=frozenset({"segment_f1"})),
            ["segment_f1"],
            "no test clip has labelled",
        ),
        (study(events=True, measures=frozenset({"cell_auroc"})), ["cell_auroc"], "exact mask"),
        (study(events=True, measures=frozenset({"segment_f1"})), ["segment_f1"], "undefined for every"),
        (study(events=True, measures=frozenset(), explainer_titles={}), ["iou"], "explains no detector"),
        (study(events=False, measures=frozenset({"ff_frame"})), ["ff_frame", "ff_segment"], "reconstruction"),
        (study(events=True), ["band_rho"], "undefined for every"),
    ],
)
def test_the_reason_is_the_true_one(results, metrics, reason):
    said = why_missing(results, *metrics)
    assert reason in said
    others = {
        "does not measure",
        "labelled events",
        "exact mask",
        "undefined",
        "explains no",
        "reconstruction",
    }
    assert sum(other in said for other in others) <= 2


def test_segments_lack_events_only_where_frames_were_measured():
    ff = F1 | {"metric": "ff_frame"}
    results = study([ff], events=False, measures=frozenset({"ff_frame", "ff_segment"}))
    assert why_missing(results, "ff_segment") == "no test clip has labelled events"


def test_f1_by_type_tells_unknown_types_from_missing_events():
    assert "anomaly_type" in no_type(study([F1], events=True, types=False), "segment_f1")
    assert no_type(study(events=False), "segment_f1") == "no test clip has labelled events"
    table = ARTEFACTS["temporal_localisation_by_type"].load()(study([F1], events=True, types=False))
    assert "names its type" in table.frame["reason"].iloc[0] and "labelled events" not in table.caption


@pytest.mark.parametrize(
    "name", [name for name, entry in ARTEFACTS.items() if entry.kind != "illustration" and entry.needs]
)
def test_no_exhibit_claims_a_lack_of_events_where_nobody_measured(name):
    full = full_study()
    rows = full.measurements[full.measurements["metric"].eq("anomaly_score")]
    finished = ARTEFACTS[name].load()(
        results_of(rows, clips=full.clips, measures=frozenset({"anomaly_score"}))
    )
    words = finished.caption + ("" if isinstance(finished, FinishedFigure) else str(finished.frame.to_dict()))
    assert "labelled events" not in words.replace("where clips have labelled events", "")


def test_a_page_shows_what_its_study_measures_and_names_the_rest():
    _, studies = load_config({}, Path(__file__).parents[3] / "config" / "studies")
    for configured in studies.values():
        stages = Stages(configured)
        assert sorted([*stages.shown(), *stages.left_out()]) == sorted(ARTEFACTS)
    p3, domains = Stages(studies["p3"]), Stages(studies["p1_domains"])
    assert {
        "temporal_localisation",
        "temporal_localisation_curves",
        "faithfulness",
        "deletion_curves",
    } <= set(p3.left_out())
    assert {"auc_without_bands", "band_faithfulness", "band_relevance_and_effect"} <= set(p3.shown())
    assert {"auc_without_bands", "band_faithfulness", "deletion_curves"} <= set(domains.left_out())
    assert {"temporal_localisation", "detection", "detection_by_domain", "roc_curves"} <= set(domains.shown())
