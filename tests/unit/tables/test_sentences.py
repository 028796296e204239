"""The table of sentences, by hand."""

from __future__ import annotations

import pandas as pd
from toys.study import clips, measurements, results_of

from soundproof.reasons.sentence import CANNOT_TELL
from soundproof.storage.schemas import REASONS
from soundproof.tables import sentences

CLIP = "fan_030"


def reasons(rows: list[dict[str, object]]) -> pd.DataFrame:
    defaults: dict[str, object] = {"clip_id": CLIP, "machine": "fan"}
    return pd.DataFrame([defaults | row for row in rows], columns=REASONS.names)


def test_the_true_mask_comes_first_and_controls_stand_once() -> None:
    said = reasons(
        [
            {"sentence": "Impacts. Likely a damaged bearing.", "fault": "bearing"},
            {"detector": "ae", "explainer": "saliency", "sentence": f"Noise. {CANNOT_TELL}"},
            {"detector": "ae", "explainer": "random_map", "sentence": "Knocks."},
            {"detector": "mae", "explainer": "saliency", "sentence": f"Noise. {CANNOT_TELL}"},
            {"detector": "mae", "explainer": "random_map", "sentence": "Knocks."},
            {"clip_id": "fan_031", "why": "the recording is gone"},
        ]
    )
    table = clips()
    table.loc[table["clip_id"].eq(CLIP), "anomaly_type"] = "bearing"
    frame = sentences.build(results_of(measurements([]), reasons=said, clips=table)).frame
    assert frame["detector_title"].fillna("").tolist() == [
        "True mask",
        "AE (Skip-CAE-Transformer)",
        "Any",
        "MAE (masked 4×4, 30 %)",
        "",
    ]
    assert frame["drawn"].iloc[0] == "bearing"
    assert frame["named"].fillna("").tolist() == ["bearing", "cannot tell", "", "cannot tell", ""]
    assert frame["said"].iloc[-1] == "the recording is gone"


def test_a_study_that_says_nothing_says_why() -> None:
    frame = sentences.build(results_of(measurements([]))).frame
    assert "name 'reasons'" in frame["reason"].iloc[0]
    assert "closed set of seven faults" in sentences.CAPTION
