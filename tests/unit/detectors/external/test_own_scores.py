"""Scores without a model: kept by clip, and refused to whoever would ask for others."""

from __future__ import annotations

import pytest
import torch
from toys.configuration import load
from toys.detectors import HeldClips

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.batching import rows_per_pass
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.scoring import score_maps
from soundproof.detectors.storage import load_detector, save_detector
from soundproof.interfaces.detector import TrainingRun
from soundproof.storage.maps import Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance

CPU = torch.device("cpu")


def fitted(path, text):
    path.write_text(text)
    entry = DETECTORS["scores"]
    detector = entry.load()((2, 3), entry.settings({"path": str(path)}))
    detector.fit(HeldClips(torch.zeros(1, 2, 3)), TrainingRun(seed=0))
    return detector


@pytest.mark.parametrize(
    "text",
    ["clip_id,score\nb,-2.5\na,1e3\nunused,7\n", "Score;clip_id\n-2,5;b\n1e3;a\n"],
    ids=["commas", "semicolons"],
)
def test_scores_stay_with_their_clips_and_are_stored(tmp_path, text):
    detector = fitted(tmp_path / "s.csv", text)
    save_detector(tmp_path / "model.safetensors", detector, "scores", Provenance(stage="training"))
    loaded = load_detector(tmp_path / "model.safetensors", CPU)
    with MapWriter(
        tmp_path / "maps.parquet", Axes((1.0, 2.0), 1.0, 3, "dB"), Provenance(stage="features")
    ) as writer:
        writer.append(["a", "b"], torch.zeros(2, 2, 3).numpy())
    rows = score_maps(loaded, MapReader(tmp_path / "maps.parquet"), ["b", "a"], CPU, 1 << 20)
    assert rows.pop("parameter").isna().all()
    assert rows.to_dict("list") == {
        "clip_id": ["b", "a"],
        "metric": ["anomaly_score"] * 2,
        "value": [-2.5, 1000.0],
    }
    assert rows_per_pass(loaded, CPU, 1 << 20, gradients=False) > 0
    with pytest.raises(DataError, match="no model to ask"):
        loaded.score(torch.zeros(1, 2, 3))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clip_id,value\na,1\n", "no column 'score'"),
        ("clip_id,score\na,1\na,2\n", "row 3: 'a' once more"),
        ("clip_id,score\na,1\nb,nan\n", "row 3(?s:.*)'nan'"),
        ("clip_id,score\na,high\n", "row 2(?s:.*)'high'"),
        ("", "nothing in it"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_the_row(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        fitted(tmp_path / "s.csv", text)


def test_clips_without_a_score_are_named(tmp_path):
    detector = fitted(tmp_path / "s.csv", "clip_id,score\na,1\n")
    with pytest.raises(DataError, match=r"of all 8 test clips(?s:.*)none of b, c, d, e, f and 2 more"):
        detector.scores_of(list("abcdefgh"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"explainers": {"occlusion": {}, "saliency": None, "integrated_gradients": None}},
            "explainer 'occlusion' for detector 'scores'",
        ),
        (
            {"faithfulness": {"deletion": {}, "ff": None}},
            "faithfulness metric 'deletion' for detector 'scores'",
        ),
        ({"bands": {"scale": "mel", "bands": [4]}}, r"\('bands'\) for detector 'scores'"),
    ],
)
def test_what_needs_the_model_says_so_when_the_study_is_read(tmp_path, changes, said):
    (tmp_path / "s.csv").write_text("clip_id,score\n")
    vendor = {"kind": "scores", "path": str(tmp_path / "s.csv"), "explain": True}
    none = {"saliency": None, "integrated_gradients": None}
    fits = {
        "detectors": {"vendor": vendor},
        "explainers": {**none, "random_map": {}},
        "faithfulness": {"ff": None, "deletion": None},
    }
    load(tmp_path, **fits)
    with pytest.raises(ConfigError, match=said) as refused:
        load(tmp_path, **{**fits, **changes})
    assert "no model to ask" in refused.value.found
