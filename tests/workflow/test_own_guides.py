"""The guides to one's own model, maps and scores, followed literally."""

from __future__ import annotations

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
    for name in ("own-model", "own-maps"):
        for block in blocks_of(DOCS / f"{name}.md"):
            block.follow(checkout.path)
            for words in block.commands():
                checkout.command(*words)
    return checkout


def test_the_model_is_scored_explained_and_measured(followed: Checkout) -> None:
    study = followed.path / "results/own/own_model"
    rows = pd.read_parquet(study / "measurements.parquet").query("detector == 'mine'")
    assert len(rows.query("metric == 'anomaly_score'")) == 6
    assert {"error_map", "grad_cam", "deep_lift", "random_map"} <= set(rows["explainer"])
    assert set(rows.query("metric == 'deletion_auc'")["explainer"]) >= {"error_map", "grad_cam", "deep_lift"}
    assert "My model" in (study / "index.html").read_text(encoding="utf-8")


def test_maps_and_scores_are_judged_without_a_model(followed: Checkout) -> None:
    study = followed.path / "results/own_maps/own_maps"
    rows = pd.read_parquet(study / "measurements.parquet").query("detector == 'vendor'")
    scores = rows.query("metric == 'anomaly_score'").set_index("clip_id")["value"]
    given = pd.read_csv(followed.path / "mine/scores.csv").set_index("clip_id")["score"]
    assert len(scores) == 6 and scores.to_dict() == given[scores.index].to_dict()
    ranked = rows.query("metric == 'cell_auroc' and protocol == ''").groupby("explainer")["value"].mean()
    assert ranked["mine"] > ranked["random_map"]
    assert "Vendor" in (study / "tables/detection.md").read_text(encoding="utf-8")
