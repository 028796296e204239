"""Downloads as jobs: from the catalogue to the list of clips, against a real server on the loopback interface."""

from __future__ import annotations

import hashlib
import json

import pytest
import toys.dcase as toys
import yaml
from checkout import NOTHING
from toys.http_server import running, slowly

from soundproof.storage.tables import read_provenance, read_table

MACHINES = ("fan", "valve")
CLIPS = [f"results/any/only_{machine}/clips.parquet" for machine in MACHINES]
RUN = ("--config", "studies=[only_fan,only_valve]", "run=any")


@pytest.fixture
def site(monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    with running({f"dev_{m}.zip": toys.packed(toys.files_2022(m)) for m in MACHINES}) as server:
        yield server


@pytest.fixture
def checkout(fresh, site):
    """A checkout whose catalogue leads to the server, with two studies of one data set."""
    path = fresh.path / "config/datasets.yaml"
    records = yaml.safe_load(path.read_text())
    files = {
        name: {"bytes": len(body), "md5": hashlib.md5(body).hexdigest(), "urls": [site.url(name)]}
        for name, body in site.files.items()
    }
    records["dcase2022"]["sources"] = [{"files": files}]
    path.write_text(yaml.safe_dump(records))
    for machine in MACHINES:
        dataset = f"{{machines: [{machine}], expected_counts: any}}"
        study = fresh.path / f"config/studies/only_{machine}.yaml"
        # a tenth of a second is enough for a list, if it gives the auto-encoders their sixteen frames
        study.write_text(f"extends: dcase2022\ndataset: {dataset}\nfeatures: {{hop_length: 64}}\n")
    return fresh


@pytest.mark.slow
def test_two_studies_of_one_data_set_fetch_what_each_needs(checkout, site):
    site.faults = {name: [slowly(0.3)] for name in site.files}
    plan = checkout.dry_run(*RUN)
    assert "dcase2022: 2 files" in plan
    said = checkout.snakemake("--cores", "2", *CLIPS, *RUN)
    assert "terms of use of DCASE 2022 Task 2: CC-BY-NC-SA-4.0: no commercial use" in said
    assert sorted(request.path for request in site.requests) == sorted(site.files)
    for machine, clips in zip(MACHINES, CLIPS, strict=True):
        assert set(read_table(checkout.path / clips)["machine"]) == {machine}
        settings = read_provenance(checkout.path / clips).settings
        assert settings["licence"].startswith("CC-BY-NC-SA-4.0: no commercial use")
    manifests = sorted((checkout.path / "data/dcase2022").glob("manifest-*.json"))
    named = [{row["name"] for row in json.loads(path.read_text())} for path in manifests]
    assert sorted(map(sorted, named)) == [["dev_fan.zip"], ["dev_valve.zip"]]
    logs = list((checkout.path / "results/any/logs/download_dataset").glob("dcase2022-*.log"))
    assert len(logs) == 2 and all("terms of use" in path.read_text() for path in logs)

    plan = checkout.dry_run(*CLIPS, *RUN)
    assert NOTHING in plan and "2 files already there" in plan
    assert len(site.requests) == 2
