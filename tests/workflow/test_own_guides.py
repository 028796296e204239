"""The guides to what is one's own, followed literally."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
import yaml
from checkout import Checkout
from guide import blocks_of
from safetensors.torch import load_file
from torchaudio.transforms import MelSpectrogram

from soundproof.datasets.open import open_dataset
from soundproof.one_recording.explain import Asked, explain_recording
from soundproof.storage.maps import MapReader

DOCS = Path(__file__).parents[2] / "docs"
STUDY_OF_SOUND = next(block.text for block in blocks_of(DOCS / "own-audio.md") if block.language == "yaml")
# nine runs, one after the other
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def followed(sources: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout after all that the guides say, in their order."""
    checkout = sources.copy_to(tmp_path_factory.mktemp("own") / "checkout")
    # into the checkout, which is on the path: the environment is shared with other tests
    installing = {**os.environ, "PIP_TARGET": str(checkout.path), "PATH": checkout.environment()["PATH"]}
    for name in (
        "own-model",
        "own-program",
        "own-audio",
        "own-maps",
        "own-metric",
        "own-onnx",
        "own-keras",
        "own-together",
    ):
        for block in blocks_of(DOCS / f"{name}.md"):
            block.follow(checkout.path)
            for words in block.commands():
                if "pip" in words:
                    # not through the proxy that checkouts are given, which leads nowhere
                    subprocess.run(words, cwd=checkout.path, env=installing, check=True)
                else:
                    checkout.command(*words)
    return checkout


def test_the_model_is_scored_explained_and_measured(followed: Checkout) -> None:
    study = followed.path / "results/own/own_model"
    rows = pd.read_parquet(study / "measurements.parquet").query("detector == 'mine'")
    assert len(rows.query("metric == 'anomaly_score'")) == 6
    assert {"error_map", "grad_cam", "deep_lift", "random_map"} <= set(rows["explainer"])
    assert set(rows.query("metric == 'deletion_auc'")["explainer"]) >= {"error_map", "grad_cam", "deep_lift"}
    assert "My model" in (study / "index.html").read_text(encoding="utf-8")


def numbers(study: Path, detector: str, metric: str, explainer: str | None = None) -> pd.Series:
    """What a study says of a detector, by clip, explainer, protocol and parameter."""
    rows = pd.read_parquet(study / "measurements.parquet").fillna({"parameter": -1.0})
    rows = rows[(rows["detector"] == detector) & (rows["metric"] == metric)]
    if explainer is not None:
        rows = rows[rows["explainer"] == explainer]
    return rows.set_index(["clip_id", "explainer", "protocol", "parameter"])["value"].sort_index()


def test_a_program_is_what_it_was_exported_from(followed: Checkout) -> None:
    study = followed.path / "results/own_program/own_program"
    asked = (
        ("anomaly_score", None, 1e-5),
        ("cell_auroc", "integrated_gradients", 1e-2),
        ("deletion_auc", "integrated_gradients", 1e-2),
    )
    for metric, explainer, tolerance in asked:
        module, program = (numbers(study, name, metric, explainer) for name in ("mine", "program"))
        assert len(module) >= 3
        pd.testing.assert_series_equal(program, module, rtol=tolerance)
    assert "My program" in (study / "index.html").read_text(encoding="utf-8")


def test_a_model_of_sound_is_explained_on_the_cells_of_its_maps(followed: Checkout) -> None:
    study = followed.path / "results/own_audio/own_audio"
    rows = pd.read_parquet(study / "measurements.parquet").query("detector == 'mine'")
    scores = rows.query("metric == 'anomaly_score'").set_index("clip_id")["value"]
    assert len(scores) == 6 and scores.nunique() == 6
    # what the stored bands say of the sounds, by a way that knows of no map
    stored = load_file(study / "models/fan/mine/seed0.safetensors")
    mel = MelSpectrogram(16000, n_fft=1024, hop_length=512, n_mels=32)
    dataset = open_dataset(yaml.safe_load(STUDY_OF_SOUND)["dataset"], followed.path / "data")
    for clip_id, score in scores.items():
        audio = dataset.read(clip_id)
        assert audio.rate_hz == 16000
        bands = (mel(torch.from_numpy(audio.samples)) + 1e-6).log()
        unusual = ((bands - stored["network.mean"]) / stored["network.deviation"]).square().mean()
        assert score == pytest.approx(float(unusual), rel=1e-4), clip_id
    explained = {"integrated_gradients", "saliency", "random_map"}
    for metric in ("deletion_auc", "sound_deletion", "cell_auroc"):
        assert explained <= set(rows.query("metric == @metric")["explainer"]), metric
    ranked = rows.query("metric == 'cell_auroc' and protocol == ''").groupby("explainer")["value"].mean()
    assert ranked["integrated_gradients"] > ranked["random_map"]
    assert "My bands" in (study / "index.html").read_text(encoding="utf-8")


def test_one_more_recording_is_heard_by_the_model_of_sound(
    followed: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = followed.path / "results/own_audio/own_audio"
    maps = MapReader(study / "attributions/integrated_gradients/fan/mine/seed0.parquet")
    clip_id = maps.clip_ids[-1]
    audio = open_dataset(yaml.safe_load(STUDY_OF_SOUND)["dataset"], followed.path / "data").read(clip_id)
    soundfile.write(tmp_path / f"{clip_id}.wav", audio.samples, audio.rate_hz, subtype="FLOAT")
    # the study names the model's file from there
    monkeypatch.chdir(followed.path)
    asked = Asked(
        path=tmp_path / f"{clip_id}.wav", study=study, detector="mine", explainer="integrated_gradients"
    )
    found = explain_recording(asked, Path("data"))
    scores = numbers(study, "mine", "anomaly_score")
    assert found.score == pytest.approx(float(scores.xs(clip_id).iloc[0]), rel=2e-6)
    relevance = maps.read([clip_id])[0]
    np.testing.assert_allclose(found.relevance, relevance, atol=2e-5 * np.abs(relevance).max())


def test_maps_and_scores_are_judged_without_a_model(followed: Checkout) -> None:
    study = followed.path / "results/own_maps/own_maps"
    rows = pd.read_parquet(study / "measurements.parquet").query("detector == 'vendor'")
    scores = rows.query("metric == 'anomaly_score'").set_index("clip_id")["value"]
    given = pd.read_csv(followed.path / "mine/scores.csv").set_index("clip_id")["score"]
    assert len(scores) == 6 and scores.to_dict() == given[scores.index].to_dict()
    ranked = rows.query("metric == 'cell_auroc' and protocol == ''").groupby("explainer")["value"].mean()
    assert ranked["mine"] > ranked["random_map"]
    assert "Vendor" in (study / "tables/detection.md").read_text(encoding="utf-8")


def test_a_metric_of_ones_own_package_has_rows_with_chance_and_a_column(followed: Checkout) -> None:
    study = followed.path / "results/own_metric/own_metric"
    hits = pd.read_parquet(study / "measurements.parquet").query("metric == 'peak_hit'")
    assert {"", "chance_uniform"} == set(hits["protocol"])
    measured = hits.query("protocol == ''")
    assert set(measured["explainer"]) == {"error_map", "saliency", "random_map"}
    assert set(measured["value"]) <= {0.0, 1.0} and len(measured) == 9
    quality = pd.read_parquet(study / "tables/quality.parquet").set_index("explainer")
    assert quality.loc["error_map", "peak_hit"] == measured.query("explainer == 'error_map'")["value"].mean()
    assert "Peak hit" in (study / "index.html").read_text(encoding="utf-8")


def test_a_model_in_an_onnx_file_is_explained_by_scores_and_gradients(followed: Checkout) -> None:
    study = followed.path / "results/own_onnx/own_onnx"
    rows = pd.read_parquet(study / "measurements.parquet").query("detector == 'components'")
    assert rows.query("metric == 'anomaly_score'")["value"].nunique() == 6
    asked = {"error_map", "occlusion", "kernel_shap", "integrated_gradients"}
    assert asked <= set(rows.query("metric == 'deletion_auc'")["explainer"])
    ranked = rows.query("metric == 'cell_auroc' and protocol == ''").groupby("explainer")["value"].mean()
    assert ranked["error_map"] > ranked["random_map"]
    assert "Components" in (study / "index.html").read_text(encoding="utf-8")


def test_a_model_of_keras_says_here_what_it_says_there(followed: Checkout) -> None:
    study = followed.path / "results/own_keras/own_keras"
    rows = pd.read_parquet(study / "measurements.parquet").query("detector == 'keras_ae'")
    scores = rows.query("metric == 'anomaly_score'").set_index("clip_id")["value"]
    errors = pd.read_csv(followed.path / "mine/keras_errors.csv").set_index("clip_id")["score"]
    assert len(scores) == 6 and scores.nunique() == 6
    pd.testing.assert_series_equal(scores, errors[scores.index], rtol=1e-3, check_names=False)
    ranked = rows.query("metric == 'cell_auroc' and protocol == ''").groupby("explainer")["value"].mean()
    assert ranked["error_map"] > ranked["random_map"] and "integrated_gradients" in ranked
    assert set(rows.query("metric == 'deletion_auc'")["explainer"]) >= {"error_map", "integrated_gradients"}
    assert "Keras AE" in (study / "index.html").read_text(encoding="utf-8")


def test_one_report_has_them_all_with_the_numbers_that_each_has_alone(followed: Checkout) -> None:
    study = followed.path / "results/own_together/own_together"
    rows = pd.read_parquet(study / "measurements.parquet")
    explained = {"ae", "mine", "program", "components", "keras_ae"}
    asked = rows.query("metric == 'cell_auroc' and protocol == ''").groupby("detector")["explainer"].agg(set)
    assert set(asked.index) == explained
    for explainers in asked:
        assert {"error_map", "integrated_gradients", "vendor_map", "random_map"} <= explainers
    assert set(rows.query("metric == 'deletion_auc'")["detector"]) == explained
    alone = {
        "own_keras": "keras_ae",
        "own_onnx": "components",
        "own_maps": "vendor",
        "own_program": "program",
    }
    for name, detector in alone.items():
        other = followed.path / f"results/{name}/{name}"
        scores = numbers(other, detector, "anomaly_score")
        assert len(scores) == 6 and numbers(study, detector, "anomaly_score").equals(scores), name
    # a map is judged the same in company
    curve = numbers(followed.path / "results/own_keras/own_keras", "keras_ae", "cell_auroc", "error_map")
    assert len(curve) and numbers(study, "keras_ae", "cell_auroc", "error_map").equals(curve)
    page = (study / "index.html").read_text(encoding="utf-8")
    titles = ("AE", "My model", "My program", "Components", "Keras AE", "Vendor")
    detection = (study / "tables/detection.md").read_text(encoding="utf-8")
    assert all(title in page and f"| {title} " in detection for title in titles)
