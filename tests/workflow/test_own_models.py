"""A model of one's own through the whole workflow: explained, measured, and made anew when its files change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
from checkout import NOTHING, STUDY, Checkout, per_rule
from safetensors.torch import save_file
from toys.own_models import FILE

pytestmark = pytest.mark.slow
RERUN = {
    "train_detector": 1,
    "score_clips": 1,
    "attribute_clips_tiny": 1,
    "measure_faithfulness_tiny": 1,
    "measure_localisation": 1,
    "illustrate_clips": 1,
    "collect_measurements": 1,
    "build_tables_tiny": 1,
    "draw_figures_tiny": 1,
    "explore_clips": 1,
    "write_report": 1,
    "index_studies": 1,
}
"""What follows the model; nothing of other detectors, of clips or of maps."""


def save_weights(path: Path, scale: float) -> None:
    drawn = torch.Generator().manual_seed(0)
    shapes = {
        "encode.weight": (3, 1, 3, 3),
        "encode.bias": (3,),
        "decode.weight": (3, 1, 3, 3),
        "decode.bias": (1,),
    }
    save_file({name: scale * torch.randn(shape, generator=drawn) for name, shape in shapes.items()}, path)


def set_up(checkout: Checkout) -> None:
    shutil.copytree(FILE.parent, checkout.path / "mine", ignore=shutil.ignore_patterns("__pycache__"))
    save_weights(checkout.path / "mine/weights.safetensors", 0.3)
    mine = {
        "kind": "external",
        "title": "My model",
        "model": "mine/small_model.py:build",
        "output": "reconstruction",
        "weights": "mine/weights.safetensors",
        "cam_layer": "encode",
        "explain": True,
    }
    checkout.set_study(
        detectors={"mine": mine, "mean_square": {}},
        explainers={"error_map": {}, "saliency": {}, "grad_cam": {}, "random_map": {}},
        faithfulness={
            "ff": {},
            "deletion": {"replacement": ["reconstruction", "clip_median"]},
            "randomisation": {"n_clips": 2},
        },
        reported=None,
    )


@pytest.fixture(scope="module")
def own(sources: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which a study of a model of one's own has ended."""
    checkout = sources.copy_to(tmp_path_factory.mktemp("own") / "checkout")
    set_up(checkout)
    checkout.snakemake("--cores", "2")
    return checkout


def test_it_is_scored_explained_and_measured_like_any_detector(own: Checkout) -> None:
    rows = pd.read_parquet(own.path / STUDY / "measurements.parquet").query("detector == 'mine'")
    assert len(rows.query("metric == 'anomaly_score'")) == 12
    # maps that differ between clips, and changed with the weights
    assert {"error_map", "saliency", "grad_cam"} <= set(
        rows.query("metric.str.contains('deletion')")["explainer"]
    )
    similar = rows[rows["metric"].str.contains("randomisation")]
    assert similar.query("explainer == 'grad_cam'")["value"].abs().max() < 1
    page = (own.path / STUDY / "index.html").read_text(encoding="utf-8")
    assert "My model" in page
    assert "fit their configuration, code and inputs" in own.snakemake("verify", "--cores", "1")


def test_what_changes_its_files_reruns_what_follows_it_and_nothing_else(
    own: Checkout, tmp_path: Path
) -> None:
    copy = own.copy_to(tmp_path / "copy")
    for path in (copy.path / "mine").iterdir():
        path.touch()
    (copy.path / "mine/other.py").write_text("import nothing\n")
    assert NOTHING in copy.dry_run()
    weights = copy.path / "mine/weights.safetensors"
    kept = weights.read_bytes()
    save_weights(weights, 0.4)
    assert per_rule(copy.planned()) == RERUN
    said = copy.snakemake("verify", "--cores", "1", check=False)
    assert "files of detector 'mine' have changed since (changed: weights.safetensors)" in said
    weights.write_bytes(kept)
    assert NOTHING in copy.dry_run()
    for name in ("small_model.py", "small_layers.py"):
        path = copy.path / "mine" / name
        code = path.read_text()
        path.write_text(f"{code}\n# another line\n")
        assert per_rule(copy.planned()) == RERUN, name
        path.write_text(code)
    assert NOTHING in copy.dry_run()


def test_what_is_wrong_with_its_files_is_said_before_anything_runs(sources: Checkout, tmp_path: Path) -> None:
    checkout = sources.copy_to(tmp_path / "checkout")
    set_up(checkout)
    (checkout.path / "mine/small_layers.py").write_text("def halved(:\n")
    said = checkout.snakemake("--dry-run", check=False)
    assert "at 'detectors.mine'" in said and "small_layers.py, line 1" in said and "Traceback" not in said
    (checkout.path / "mine/small_model.py").unlink()
    said = checkout.snakemake("--dry-run", check=False)
    assert "no file" in said and "Traceback" not in said
    shutil.rmtree(checkout.path / "mine")
    set_up(checkout)
    (checkout.path / "mine/weights.safetensors").unlink()
    said = checkout.snakemake("--dry-run", check=False)
    assert "path 'file of detectors.mine': mine/weights.safetensors" in said and "Traceback" not in said
