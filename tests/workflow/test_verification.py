"""Stale, broken and surplus results are named."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from checkout import NOTHING, PLANTED, STUDY

from soundproof.storage.provenance import Provenance
from soundproof.storage.schemas import MEASUREMENTS
from soundproof.storage.tables import read_provenance, read_table, write_table

RESULTS_LOG = STUDY.parent / "logs/test_results.log"


def verify(checkout):
    done = checkout.command("snakemake", "verify", "--cores", "1", check=False)
    return done.returncode, done.stdout


@pytest.fixture
def without_records(copy):
    """Results as they arrive without Snakemake's records."""
    shutil.rmtree(copy.path / ".snakemake")
    return copy


def test_verify_names_what_is_wrong_with_each_file(copy):
    study = copy.path / STUDY
    maps = study / "attributions/random_map/all/ae/seed0.parquet"
    record = read_provenance(maps)
    write_table(read_table(maps).iloc[:1], maps, record)
    (study / "scores/all.parquet").unlink()
    model = study / "models/all/isolation_forest/seed0.safetensors"
    model.write_bytes(model.read_bytes()[:100])
    (study / "features/.all.77.part.parquet").write_bytes(b"PAR1")
    (study / "attributions/occlusion.parquet").write_bytes(b"PAR1")
    copy.replace("config/studies/tiny.yaml", "steps: 4", "steps: 5")

    code, said = verify(copy)
    assert code != 0
    for line in (
        f"missing: {STUDY}/scores/all.parquet (rule score_clips makes it)",
        f"unreadable: {STUDY}/models/all/isolation_forest/seed0.safetensors",
        f"stale: {STUDY}/attributions/integrated_gradients/all/ae/seed0.parquet "
        "(explainer.steps: 4 in the file, 5 in the configuration)",
        f"stale: {STUDY}/localisation/all.parquet (input 'maps/ae/0/random_map' has changed since)",
    ):
        assert line in said
    # what is right, and what nobody asked for, is no error
    for name in ("features/all.parquet", "attributions/error_map", "occlusion"):
        assert f"{STUDY}/{name}" not in said


def test_verify_mentions_surplus_files_without_failing(copy):
    study = copy.path / STUDY
    (study / "features/.all.77.part.parquet").write_bytes(b"PAR1")
    (study / "attributions/occlusion.parquet").write_bytes(b"PAR1")
    code, said = verify(copy)
    assert code == 0
    assert f"left over: {STUDY}/features/.all.77.part.parquet" in said
    assert f"foreign: {STUDY}/attributions/occlusion.parquet" in said


def test_a_page_of_many_files_is_checked_file_by_file_and_mended_as_printed(copy):
    page = copy.path / STUDY / "explorer"
    name, data = sorted(path.name for path in page.rglob("*.js"))[:2]
    lost, changed = next(page.rglob(name)), next(page.rglob(data))
    before = {path: path.read_bytes() for path in page.rglob("*") if path.is_file()}
    (page / "notes.txt").write_text("mine")
    code, said = verify(copy)
    assert code == 0
    assert f"foreign: {STUDY}/explorer/notes.txt" in said

    lost.unlink()
    changed.write_bytes(changed.read_bytes() + b" ")
    code, said = verify(copy)
    assert code != 0
    assert f"missing: {lost.relative_to(copy.path)} (rule explore_clips makes it)" in said
    assert f"stale: {changed.relative_to(copy.path)} (not as explorer.parquet says)" in said
    # the remedy works as printed
    remedy = next(line for line in said.splitlines() if line.strip().startswith("rm -r "))
    copy.command(*remedy.split())
    copy.snakemake("--cores", "1")
    code, said = verify(copy)
    assert code == 0 and "foreign" not in said
    assert {path: path.read_bytes() for path in before} == before


def test_verify_compares_with_the_reference(copy):
    reference = copy.path / "results/reference"
    shutil.rmtree(reference, ignore_errors=True)
    assert "there is no reference in results/reference" in verify(copy)[1]

    reference.mkdir(parents=True)
    shutil.copy(copy.path / "results/bench/metrics.json", reference)
    tables = reference / "tiny/tables"
    tables.mkdir(parents=True)
    shutil.copy(copy.path / STUDY / "tables/detection.csv", tables)
    code, said = verify(copy)
    assert code == 0 and "Headline numbers agree with results/reference" in said

    numbers = json.loads((reference / "metrics.json").read_text())
    numbers["tiny"]["detection"]["ae"] += 0.2
    (reference / "metrics.json").write_text(json.dumps(numbers))
    code, said = verify(copy)
    assert code != 0
    assert "tiny.detection.ae" in said

    # as if another processor had ended the training elsewhere
    named = tables / "detection.csv"
    table = pd.read_csv(named)
    own = table["detector"].eq("ae")
    numbers["tiny"]["detection"]["ae"] -= 0.1
    (reference / "metrics.json").write_text(json.dumps(numbers))
    table.assign(auc=table["auc"].mask(own, table["auc"] + 0.1)).to_csv(named, index=False)
    code, said = verify(copy)
    assert code == 0
    assert (
        "2 are within the 95 % intervals of both (1 in metrics.json, 1 in tiny/tables/detection.csv)" in said
    )


def test_results_are_tested_for_what_they_hold(copy):
    name = copy.path / STUDY / "measurements.parquet"
    rows = read_table(name)
    areas, record = rows["metric"] == "cell_auroc", read_provenance(name)
    write_table(rows.assign(value=rows["value"].where(~areas, 1.5)), name, record, MEASUREMENTS)
    done = copy.command("snakemake", "test_results", "--cores", "1", check=False)
    assert done.returncode != 0
    assert "test_areas_and_shares_lie_between_0_and_1[tiny]" in done.stdout
    assert "1 failed" in (copy.path / RESULTS_LOG).read_text()


def test_results_without_records_are_taken_where_they_fit(without_records):
    assert NOTHING in without_records.dry_run()


def test_stale_results_without_records_stop_the_run(without_records):
    without_records.set_study(explain={"clips": "annotated", "per_machine": 1})
    done = without_records.command("snakemake", "--dry-run", check=False)
    assert done.returncode != 0
    assert "explain.per_machine: 2 in the file, 1 in the configuration" in done.stdout
    assert "dvc pull" in done.stdout
    # the remedy works as printed
    remedy = next(line for line in done.stdout.splitlines() if line.strip().startswith("rm -r "))
    without_records.command(*remedy.split())
    counts = {job.rule for job in without_records.planned()}
    assert "attribute_clips_tiny" in counts and "train_detector" not in counts


def test_one_record_does_not_vouch_for_other_files(without_records):
    # a run that makes one file leaves one record; the rest still has none
    name = str(STUDY / "scores/all.parquet")
    (without_records.path / name).unlink()
    without_records.snakemake("--cores", "1", name)
    without_records.replace("config/studies/tiny.yaml", "epochs: 2", "epochs: 3")
    done = without_records.command("snakemake", "--dry-run", check=False)
    assert done.returncode != 0
    assert "detector.epochs: 2 in the file, 3 in the configuration" in done.stdout


def test_the_list_of_clips_states_what_may_be_done_with_them(finished):
    assert read_provenance(finished.path / STUDY / "clips.parquet").settings["licence"] == (
        "synthesised, free of rights"
    )


def test_records_name_no_machine_and_no_time(finished):
    for path in (finished.path / STUDY).rglob("*.parquet"):
        record = read_provenance(path)
        assert isinstance(record, Provenance)
        assert str(finished.path) not in record.encode().decode()


def test_no_file_of_a_run_holds_a_secret_of_its_environment(finished):
    assert PLANTED in finished.environment()["https_proxy"]
    files = [path for path in finished.path.rglob("*") if path.is_file() and ".venv" not in path.parts]
    assert len(files) > 200
    assert [path for path in files if PLANTED.encode() in path.read_bytes()] == []
