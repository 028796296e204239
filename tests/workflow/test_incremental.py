"""What runs again after a change: exactly what the change touches."""

from __future__ import annotations

import os
import re

from checkout import NOTHING, STUDY, per_rule

# gathering numbers and finishing tables, figures and pages follows every measured number
GATHERED = {
    "collect_measurements": 1,
    "build_tables_tiny": 1,
    "draw_figures_tiny": 1,
    "explore_clips": 1,
    "write_report": 1,
    "index_studies": 1,
}
GRADIENTS = "soundproof/attribution/integrated_gradients.py"


def test_a_run_makes_every_expected_file_and_no_other(finished, copy):
    said = copy.snakemake("verify", "--cores", "1")
    assert "fit their configuration, code and inputs" in said
    assert "foreign" not in said and "left over" not in said
    assert (finished.path / "results/bench/index.html").is_file()


def test_a_second_run_has_nothing_to_do(finished):
    assert NOTHING in finished.dry_run()


def test_touching_everything_changes_nothing(copy):
    # oldest results last, so that every input is newer than what was made from it
    results = sorted(copy.path.rglob("results/**/*.*"), key=lambda path: -path.stat().st_mtime_ns)
    for second, path in enumerate(results):
        os.utime(path, (1_700_000_000 + second,) * 2)
    for folder in ("rules", "workflow_scripts", "soundproof", "config"):
        for path in (copy.path / folder).rglob("*.*"):
            path.touch()
    assert NOTHING in copy.dry_run()


def test_an_explainers_setting_reruns_its_maps_and_what_is_measured_on_them(copy):
    before = copy.digests()
    copy.replace("config/studies/tiny.yaml", "steps: 4", "steps: 5")
    assert per_rule(copy.planned()) == {
        "attribute_clips_tiny": 1,
        "measure_faithfulness_tiny": 1,
        "measure_localisation": 1,
        "illustrate_clips": 1,
        **GATHERED,
    }
    # the reason names the explainer that changed, and no other
    [reason] = re.findall(r"^rule attribute_clips_tiny:\n(?: .*\n)*? +reason: (.*)$", copy.dry_run(), re.M)
    assert "integrated_gradients" in reason and "random_map" not in reason

    copy.snakemake("--cores", "2", str(STUDY / "measurements.parquet"))
    after = copy.digests()
    # of the explainers, whose timings are of another run each time they are measured, one was run
    assert {name for name in before if after[name] != before[name]} == {
        "attributions/integrated_gradients/all/ae/seed0.parquet",
        "explanations/integrated_gradients/all/ae/seed0.parquet",
        "timings/integrated_gradients/all/ae/seed0.parquet",
        "faithfulness/all/ae/seed0.parquet",
        "localisation/all.parquet",
        "measurements.parquet",
    }
    said = made(copy)
    assert said.pop("integrated_gradients") == "explaining 4 clips"
    assert set(said) == {"error_map", "random_map", "input_map", "input_magnitude"}
    assert set(said.values()) == {"maps still fit and are carried over"}


def made(checkout):
    """What the last job that made maps did with each explainer."""
    log = checkout.path / "results/bench/logs/attribute_clips/tiny/all/ae/seed0.log"
    return dict(re.findall(r"^.* INFO __main__: (\w+): (.*)$", log.read_text(), re.MULTILINE))


def test_a_failure_of_one_explainer_costs_the_others_nothing(copy):
    before = copy.digests()
    maps = copy.path / STUDY / "attributions/random_map/all/ae/seed0.parquet"
    (copy.path / "mine.parquet").write_bytes(maps.read_bytes()[:-100])
    explainers = copy.study()["explainers"]
    changed = {**explainers, "integrated_gradients": {"steps": 5}}
    copy.set_study(explainers={**changed, "mine": {"kind": "external", "path": "mine.parquet"}})
    target = str(STUDY / "attributions/mine/all/ae/seed0.parquet")
    said = copy.snakemake("--cores", "1", target, check=False)
    assert "attribute_clips_tiny failed" in said
    # nothing is lost, so there is nothing to say of it
    assert "Cannot restore" not in said and "Restored previous version" not in said
    assert made(copy)["mine"] == made(copy)["integrated_gradients"] == "explaining 4 clips"

    (copy.path / "mine.parquet").write_bytes(maps.read_bytes())
    copy.snakemake("--cores", "1", target)
    said = made(copy)
    assert said.pop("mine") == "explaining 4 clips"
    assert set(said) == set(explainers) and set(said.values()) == {"maps still fit and are carried over"}
    after = copy.digests()
    mine = {name for name in before if after.get(name) != before[name]}
    assert mine == {
        f"{kind}/integrated_gradients/all/ae/seed0.parquet"
        for kind in ("attributions", "explanations", "timings")
    }
    assert list((copy.path / "results/bench/checkpoints").iterdir()) == []


def test_code_reruns_what_uses_it_and_reverting_it_nothing(copy):
    code = (copy.path / GRADIENTS).read_text()
    (copy.path / GRADIENTS).write_text(f"{code}\n# a comment is a change of content\n")
    planned = per_rule(copy.planned())
    # one metric explains again, so faithfulness uses the explainer as well
    assert planned == {
        "attribute_clips_tiny": 1,
        "measure_faithfulness_tiny": 1,
        "measure_localisation": 1,
        "illustrate_clips": 1,
        **GATHERED,
    }
    (copy.path / GRADIENTS).write_text(code)
    assert NOTHING in copy.dry_run()


def test_what_only_prints_reruns_only_printing(copy):
    page = copy.path / "soundproof/report/page.py"
    page.write_text(f"{page.read_text()}\n# changed\n")
    assert set(per_rule(copy.planned())) <= {"write_report", "index_studies"}
    assert copy.planned()


def test_another_seed_leaves_the_first_alone(copy):
    copy.set_study(seeds=[0, 1])
    planned = copy.planned()
    counts = per_rule(planned)
    # one that is trained, and one job for all that are fitted at once
    assert counts["train_detector"] == counts["fit_detectors_tiny"] == 1
    assert "extract_features" not in counts and "list_clips" not in counts
    of_cells = [
        path
        for job in planned
        for path in job.outputs
        if "/seed" in path and job.rule != "fit_detectors_tiny"
    ]
    assert of_cells and all("/seed1." in path for path in of_cells)


def test_a_simple_detectors_setting_refits_it_alone(copy):
    before = copy.digests()
    detectors = copy.study()["detectors"]
    copy.set_study(detectors={**detectors, "isolation_forest": {"trees": 50}})
    counts = per_rule(copy.planned())
    assert counts["fit_detectors_tiny"] == 1 and "train_detector" not in counts
    copy.snakemake("--cores", "1", str(STUDY / "models/all/gaussian/seed0.safetensors"))
    after = copy.digests()
    assert {name for name in before if after[name] != before[name]} == {
        "models/all/isolation_forest/seed0.safetensors",
        "history/all/isolation_forest/seed0.parquet",
    }


def test_a_deleted_file_comes_back_as_it_was(copy):
    name = "attributions/random_map/all/ae/seed0.parquet"
    before = copy.digests()
    (copy.path / STUDY / name).unlink()
    copy.snakemake("--cores", "2", str(STUDY / name))
    after = copy.digests()
    assert {key for key in before if after.get(key) != before[key]} == {
        "timings/random_map/all/ae/seed0.parquet"
    }
