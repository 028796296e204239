"""The guides, followed literally: a checkout is made what their code blocks say, and has what they promise."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pandas as pd
import pytest
from checkout import Checkout
from guide import Block, blocks_of

REPOSITORY = Path(__file__).parents[2]
GUIDES = {
    path.stem.removeprefix("adding-a-").removeprefix("adding-an-"): blocks_of(path)
    for path in sorted((REPOSITORY / "docs").glob("adding-*.md"))
}
BLOCKS = [block for blocks in GUIDES.values() for block in blocks]
COMMANDS = list({tuple(words): None for block in BLOCKS for words in block.commands()})
STUDY = Path("results/tiny/tiny")
pytestmark = pytest.mark.slow


def first_words(*words: str) -> list[tuple[str, ...]]:
    return [command for command in COMMANDS if command[: len(words)] == words]


@pytest.fixture(scope="module")
def written(sources: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout into which all blocks of all guides have been written."""
    checkout = sources.copy_to(tmp_path_factory.mktemp("guides") / "checkout")
    for name in ("docs", "tests", "pyproject.toml", "README.md"):
        subprocess.run(["cp", "-a", REPOSITORY / name, checkout.path], check=True)
    # a file before what goes into it
    for block in sorted(BLOCKS, key=lambda block: bool(block.how)):
        block.follow(checkout.path)
    checkout.command("ruff", "check", "--fix-only", "--quiet", "--select", "I", "soundproof")
    return checkout


@pytest.fixture(scope="module")
def ended(written: Checkout) -> Checkout:
    """The same after the runs that the guides end with."""
    for words in [*first_words("python"), *first_words("snakemake")]:
        written.command(*words)
    return written


def new_files(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language and block.target and not block.how]


def test_there_is_a_guide_for_whatever_one_adds() -> None:
    assert set(GUIDES) == {"backbone", "data-set", "detector", "explainer", "metric", "table"}


@pytest.mark.parametrize("words", first_words("pytest"), ids=" ".join)
def test_the_tests_that_a_guide_names_pass_and_are_there(words: tuple[str, ...], written: Checkout) -> None:
    said = written.command(*words, "-p", "no:cacheprovider").stdout
    assert " passed" in said and "failed" not in said


def test_new_modules_keep_style_rooms_and_types(written: Checkout) -> None:
    modules = [block.target for block in new_files("python") if block.target.startswith("soundproof/")]
    tests = [block.target for block in new_files("python") if block.target.startswith("tests/")]
    changed = {block.target for block in BLOCKS if block.how in ("entry", "append") and ".py" in block.target}
    written.command("ruff", "check", *modules, *tests, *changed)
    written.command("ruff", "format", "--check", *modules, *tests, *changed)
    written.command("pytest", "-p", "no:cacheprovider", "tests/unit/test_rooms.py")
    written.command("mypy", *modules)


def test_generated_files_name_what_was_added(ended: Checkout) -> None:
    page = (ended.path / "docs/registries.md").read_text(encoding="utf-8")
    for name in ("mean_embedding", "input_x_gradient", "peak_frame", "peak_share", "press"):
        assert f"`{name}`" in page
    assert "It does not exist." in (ended.path / "docs/datasets/press.md").read_text(encoding="utf-8")


def test_the_detector_scores_and_is_explained_on_every_backbone(ended: Checkout) -> None:
    study = ended.path / "results/embedding/embedding"
    rows = pd.read_parquet(study / "measurements.parquet")
    scores = rows.query("metric == 'anomaly_score'").groupby("detector")["value"].agg(["size", "nunique"])
    assert (scores.loc[["on_mine", "on_patches", "on_random"]] == 6).all(axis=None)
    assert (study / "tables/detection.md").read_text(encoding="utf-8").count("Mean embedding") == 3
    quality = pd.read_parquet(study / "tables/quality.parquet")
    assert set(quality.query("explainer == 'saliency'")["detector"]) == {"on_patches", "on_random"}


def test_explainer_and_metrics_have_rows_with_chance_and_columns_in_quality(ended: Checkout) -> None:
    rows = pd.read_parquet(ended.path / STUDY / "measurements.parquet")
    hits = rows.query("metric == 'peak_frame'")
    assert {"", "chance_uniform", "chance_circular_shift"} == set(hits["protocol"])
    assert set(hits.query("protocol == ''")["value"]) <= {0.0, 1.0}
    shares = rows.query("metric == 'peak_share'")
    assert "random_cells" in set(shares.query("protocol == 'chance_uniform'")["explainer"])
    for found in (hits, shares.query("protocol == ''")):
        assert {"input_x_gradient", "ig_from_silence"} <= set(found["explainer"])
    quality = pd.read_parquet(ended.path / STUDY / "tables/quality.parquet")
    assert {"peak_frame", "peak_frame_chance_uniform", "peak_share"} <= set(quality.columns)
    assert "input_x_gradient" in set(quality["explainer"])
    assert (ended.path / STUDY / "attributions/input_x_gradient").is_dir()


def test_the_table_is_in_all_files_and_on_the_page(ended: Checkout) -> None:
    for suffix in ("parquet", "csv", "md", "tex"):
        assert (ended.path / STUDY / f"tables/cells_by_machine.{suffix}").is_file()
    frame = pd.read_parquet(ended.path / STUDY / "tables/cells_by_machine.parquet")
    assert set(frame["machine"]) == {"fan", "valve"}
    assert "On which machines do explanations find the cells of the fault?" in page_of(ended, STUDY)


def test_the_data_set_is_listed_scored_and_told(ended: Checkout) -> None:
    study = Path("results/press/press")
    clips = pd.read_parquet(ended.path / study / "clips.parquet")
    assert set(clips["dataset"]) == {"press"}
    assert len(clips) == 16
    rows = pd.read_parquet(ended.path / study / "measurements.parquet")
    assert len(rows.query("metric == 'anomaly_score' and detector == 'gaussian'")) == 8
    assert "CC-BY-4.0" in page_of(ended, study)


def page_of(checkout: Checkout, study: Path) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (checkout.path / study).glob("*.html"))
