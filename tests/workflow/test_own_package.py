"""A package that is installed beside this one: its detector, explainer, metrics and data set in a study."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
from checkout import NOTHING, STUDY, Checkout, per_rule

PLUGIN = Path(__file__).parents[1] / "plugin"
STAGES = [
    *("list_clips", "extract_features", "fit_detectors_tiny", "score_clips", "attribute_clips_tiny"),
    *("measure_faithfulness_tiny", "measure_localisation"),
]
"""Rules that compute numbers, in their order."""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plugged(sources: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout with the package installed into its folder, which is on the path, after a run that uses it."""
    folder = tmp_path_factory.mktemp("plugged")
    checkout = sources.copy_to(folder / "checkout")
    shutil.copytree(PLUGIN, folder / "package", ignore=shutil.ignore_patterns("__pycache__"))
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation")
    checkout.command(*pip, "--no-index", "--target", str(checkout.path), str(folder / "package"))
    checkout.set_study(
        dataset={"kind": "hum", "clips": 6},
        detectors={"loudness": {"explain": True, "power": 2}, "gaussian": {}},
        explainers={"squares": {}, "saliency": {}, "random_map": {}},
        faithfulness={"peak_effect": {}},
        localisation={"peak_hit": {}, "cell_ranking": {}},
        reported=None,
    )
    checkout.snakemake("--cores", "2")
    return checkout


def test_all_that_it_registers_is_run_and_printed(plugged: Checkout) -> None:
    study = plugged.path / STUDY
    rows = pd.read_parquet(study / "measurements.parquet")
    assert set(rows["dataset"]) == {"hum"}
    assert len(rows.query("metric == 'anomaly_score' and detector == 'loudness'")) == 12
    hits = rows.query("metric == 'peak_hit' and explainer == 'squares'").groupby("protocol")["value"].mean()
    assert hits[""] == 1.0 > hits["chance_uniform"]
    effect = rows.query("metric == 'peak_effect'").groupby("explainer")["value"].mean()
    assert effect["squares"] > effect["random_cells"]
    quality = pd.read_parquet(study / "tables/quality.parquet").set_index("explainer")
    assert quality.loc["squares", "peak_hit"] == 1.0
    assert quality.loc["squares", "peak_hit_chance_uniform"] < 0.5
    verdict = pd.read_parquet(study / "tables/verdict.parquet").set_index("explainer")
    assert verdict.loc["squares", "peak_hit"] in ("yes", "undecided")
    page = (study / "index.html").read_text(encoding="utf-8")
    for words in ("Loudness", "Squares", "Peak hit", "CC0-1.0"):
        assert words in page
    assert "peak_hit" in (study.parent / "metrics.json").read_text()
    assert "fit their configuration, code and inputs" in plugged.snakemake("verify", "--cores", "1")


@pytest.mark.parametrize(
    ("file", "first"),
    [
        # data set and detector import the classes of their settings from it
        ("declared", "list_clips"),
        ("dataset", "list_clips"),
        ("detector", "fit_detectors_tiny"),
        ("explainer", "attribute_clips_tiny"),
        ("metrics", "measure_faithfulness_tiny"),
        # which the metrics import
        ("peaks", "measure_faithfulness_tiny"),
    ],
)
def test_an_edit_of_its_files_reruns_what_they_shape(
    plugged: Checkout, tmp_path: Path, file: str, first: str
) -> None:
    copy = plugged.copy_to(tmp_path / "copy")
    path = copy.path / "loud_things" / f"{file}.py"
    path.touch()
    assert NOTHING in copy.dry_run()
    path.write_text(path.read_text() + "\n# another line\n")
    planned = set(per_rule(copy.planned()))
    assert [rule for rule in STAGES if rule in planned] == STAGES[STAGES.index(first) :]


def test_a_package_that_takes_a_known_name_stops_the_run(plugged: Checkout, tmp_path: Path) -> None:
    copy = plugged.copy_to(tmp_path / "copy")
    table = copy.path / "loud_things-1.0.dist-info/entry_points.txt"
    table.write_text(table.read_text().replace("squares =", "saliency ="))
    said = copy.snakemake("--dry-run", check=False)
    assert "the name 'saliency' among 'soundproof.explainers'" in said and "Traceback" not in said
    shutil.rmtree(table.parent)
    said = copy.snakemake("--dry-run", check=False)
    assert "no data set of that name" in said
