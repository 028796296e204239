"""Inputs by role: one statement, which scripts write and verification compares with."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from soundproof.config.load import load_study
from soundproof.runs import inputs_of
from soundproof.runs.expected import Expected, expected_files
from soundproof.runs.jobs_of import StudyJobs
from soundproof.runs.verify import Finding, wrong_with

ROOT = Path(__file__).parents[3]
STUDIES = ROOT / "config" / "studies"
RUN = Path("results/any")
FOLDER = RUN / "tiny"
CLIPS, FEATURES = FOLDER / "clips.parquet", FOLDER / "features/all.parquet"
# rules whose files carry a record, and the scripts of the same names
RECORDED = sorted(
    path.stem for path in (ROOT / "workflow_scripts").glob("*.py") if "of_record(" in path.read_text()
)


def expected(**changes: object) -> dict[str, Expected]:
    study = load_study("tiny", STUDIES, {"seeds": [0, 1], **changes})
    return {str(file.path.relative_to(RUN)): file for file in expected_files({"tiny": study}, RUN)}


def test_a_parts_scores_are_made_from_its_maps_and_every_fit() -> None:
    models = {("ae", 0): Path("a"), ("ae", 1): Path("b")}
    by_hand = {"features": Path("f"), "models/ae/0": Path("a"), "models/ae/1": Path("b")}
    assert inputs_of.score_clips(Path("f"), models) == by_hand
    assert inputs_of.remove_bands(Path("f"), models) == by_hand


def test_maps_of_a_part_are_told_by_fit_and_explainer() -> None:
    maps = {("ae", 1): {"saliency": Path("s"), "lime": Path("l")}}
    by_hand = {"maps/ae/1/saliency": Path("s"), "maps/ae/1/lime": Path("l")}
    assert inputs_of.compare_trainings(maps) == by_hand
    assert inputs_of.measure_localisation(Path("m"), maps) == {"masks": Path("m"), **by_hand}


def test_numbers_of_papers_are_an_input_only_where_there_are_any() -> None:
    assert set(inputs_of.build_tables(Path("m"), Path("c"), None, None)) == {"measurements", "clips"}
    assert inputs_of.build_tables(Path("m"), Path("c"), Path("r"), None)["reported"] == Path("r")
    assert inputs_of.build_tables(Path("m"), Path("c"), None, Path("w"))["reasons"] == Path("w")


def test_files_of_ones_own_are_told_from_those_that_rules_make() -> None:
    own = {**inputs_of.list_clips("0a"), **inputs_of.foreign_maps({"a.npy": "1b"})}
    assert own == {"sources": "0a", "external/a.npy": "1b"}
    assert not [role for role in own if inputs_of.made_here(role)]
    assert inputs_of.made_here("features") and inputs_of.made_here("maps/external")
    assert inputs_of.foreign_name("external/a.npy") == "a.npy"
    assert inputs_of.list_clips(None) == {}


def test_expected_files_have_their_inputs_under_these_roles() -> None:
    files = expected()
    faithfulness = files["tiny/faithfulness/all/ae/seed1.parquet"].inputs
    assert faithfulness["model"] == FOLDER / "models/all/ae/seed1.safetensors"
    assert faithfulness["maps/error_map"] == FOLDER / "attributions/error_map/all/ae/seed1.parquet"
    assert files["tiny/models/all/gaussian/seed0.safetensors"].inputs == {
        "clips": CLIPS,
        "features": FEATURES,
    }
    scores = files["tiny/scores/all.parquet"].inputs
    assert scores["models/gaussian/1"] == FOLDER / "models/all/gaussian/seed1.safetensors"
    assert "models/ae" in files["tiny/illustrations.parquet"].inputs


def test_what_is_said_of_maps_is_an_input_of_tables_and_explorer() -> None:
    files, said = expected(reasons={}), FOLDER / "reasons.parquet"
    assert files["tiny/reasons.parquet"].inputs["maps/all/ae/0/error_map"].name == "seed0.parquet"
    assert files["tiny/tables/sentences.parquet"].inputs["reasons"] == said
    assert files["tiny/explorer.parquet"].inputs["reasons"] == said
    assert "scores" not in files["tiny/reasons.parquet"].inputs
    drawn = next(file for name, file in files.items() if name.startswith("tiny/figures/"))
    assert drawn.inputs["reasons"] == said
    without = expected()
    assert "reasons" not in without[f"tiny/{drawn.path.relative_to(FOLDER)}"].inputs
    assert "tiny/reasons.parquet" not in without and "reasons" not in without["tiny/explorer.parquet"].inputs


def test_where_a_gallery_is_put_into_words_the_scores_that_choose_its_clips_are_an_input() -> None:
    families = {"vae": {"explain": True, "epochs": 1}, "few_shot_memory": {"backbone": "none"}}
    files = expected(reasons={}, detectors=families)
    assert files["tiny/reasons.parquet"].inputs["scores"] == FOLDER / "scores/all.parquet"
    assert "scores" not in files["tiny/explorer.parquet"].inputs


def test_a_file_is_expected_before_what_is_made_from_it() -> None:
    seen: set[Path] = set()
    for file in expected(bands={"scale": "mel", "bands": [4]}, listen={}, reasons={}).values():
        made = {path for path in file.made_from() if RUN in path.parents}
        assert made <= seen, file.path
        seen.add(file.path)


@pytest.mark.parametrize("rule", RECORDED)
def test_a_script_writes_the_record_and_the_inputs_of_its_own_rule(rule: str) -> None:
    tree = ast.parse((ROOT / "workflow_scripts" / f"{rule}.py").read_text())
    named = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "inputs_of"
    }
    assert named - {"foreign_maps", "foreign_weights"} == {rule}
    # a record made by hand would be a second statement
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not [func for func in called if isinstance(func, ast.Name) and func.id == "Provenance"]
    # what is not made from maps made elsewhere has nothing to say of them
    assert ("foreign_maps" in named) == (rule == "attribute_clips")
    assert ("foreign_weights" in named) == (rule == "train_detector")


def test_every_rule_with_a_record_states_its_inputs() -> None:
    files = expected(bands={"scale": "mel", "bands": [4]}, listen={}, reasons={})
    expected_rules = {file.rule for file in files.values() if file.stage}
    assert set(RECORDED) == expected_rules
    for rule in RECORDED:
        assert callable(getattr(inputs_of, rule)) and callable(getattr(StudyJobs, rule))


@pytest.mark.parametrize(
    "changes",
    [{}, {"explorer": None}, {"listen": {"clips": 2}}, {"listen": {"clips": 2}, "explorer": None}],
    ids=str,
)
def test_whatever_is_removed_the_runs_index_is_made_after_it(changes: dict[str, object]) -> None:
    # else the printed remedy would delete a file that nothing makes anew
    files = list(expected(**changes).values())
    for removed in files:
        finding = Finding(removed.path, "missing", "")
        gone = wrong_with([finding], files, RUN)
        assert gone.intersection({RUN / "index.html", RUN / "metrics.json"}), removed.path
