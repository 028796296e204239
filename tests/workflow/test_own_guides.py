"""The guides to one's own model, program, maps, scores, metric and ONNX file, followed literally."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from checkout import Checkout
from guide import blocks_of

DOCS = Path(__file__).parents[2] / "docs"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("own guides")]


@pytest.fixture(scope="module")
def followed(sources: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout after all that the guides say, in their order."""
    checkout = sources.copy_to(tmp_path_factory.mktemp("own") / "checkout")
    # into the checkout, which is on the path: the environment is shared with other tests
    installing = {**os.environ, "PIP_TARGET": str(checkout.path), "PATH": checkout.environment()["PATH"]}
    for name in ("own-model", "own-program", "own-maps", "own-metric", "own-onnx"):
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


def test_a_program_is_what_it_was_exported_from(followed: Checkout) -> None:
    study = followed.path / "results/own_program/own_program"
    rows = pd.read_parquet(study / "measurements.parquet").query("detector == 'program'")
    module = pd.read_parquet(followed.path / "results/own/own_model/measurements.parquet")
    scores = rows.query("metric == 'anomaly_score'").set_index("clip_id")["value"]
    expected = module.query("metric == 'anomaly_score' and detector == 'mine'").set_index("clip_id")["value"]
    pd.testing.assert_series_equal(scores.sort_index(), expected.sort_index(), rtol=1e-5)
    assert {"error_map", "deep_lift", "integrated_gradients"} <= set(rows["explainer"])
    # maps of the same model by the same gradients
    curves = [
        table.query("metric == 'deletion_auc' and explainer == 'deep_lift'") for table in (rows, module)
    ]
    one, other = (table.groupby("clip_id")["value"].mean().sort_index() for table in curves)
    assert len(one) and (one - other).abs().max() < 1e-3
    assert "My program" in (study / "index.html").read_text(encoding="utf-8")


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


def test_a_model_in_an_onnx_file_is_explained_by_its_scores(followed: Checkout) -> None:
    study = followed.path / "results/own_onnx/own_onnx"
    rows = pd.read_parquet(study / "measurements.parquet").query("detector == 'components'")
    assert rows.query("metric == 'anomaly_score'")["value"].nunique() == 6
    asked = {"error_map", "occlusion", "kernel_shap"}
    assert asked <= set(rows.query("metric == 'deletion_auc'")["explainer"])
    ranked = rows.query("metric == 'cell_auroc' and protocol == ''").groupby("explainer")["value"].mean()
    assert ranked["error_map"] > ranked["random_map"]
    assert "Components" in (study / "index.html").read_text(encoding="utf-8")
