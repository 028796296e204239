"""P2's studies run on miniatures of their data sets, from nothing to scores, without network."""

from __future__ import annotations

import pandas as pd
import pytest
import yaml

from soundproof.config.load import load_config

SMALL_AE = {"epochs": 1, "batch_size": 4}
MINIATURES = {
    "mimii": {"machines": ["fan"], "ids": ["00"], "snr_db": 6, "test_share": None},
    "envmix": {"machines": ["siren"], "anomalies": ["dog"], "snr_db": 6},
}
PARTS = {"mimii": ["fan_id_00_6dB"], "envmix": ["siren_6dB"]}


def small(name: str, study: dict) -> dict:
    """Overrides: the miniature, one seed, one epoch, and the detectors at hand without the slow ones."""
    kept = {"ae": SMALL_AE, "clip_level": {"seeds": [0]}}
    gone = dict.fromkeys(label for label in study["detectors"] if label not in kept)
    return {
        "dataset": {**MINIATURES[name], "miniature": True},
        "seeds": [0],
        "detectors": {**kept, **gone, "ae": {**SMALL_AE, "seeds": [0]}},
    }


@pytest.mark.slow
def test_miniature_studies_run_from_nothing_to_scores(fresh, tmp_path):
    folder = fresh.path / "config/studies"
    overrides = {
        name: small(name, yaml.safe_load((folder / f"{name}.yaml").read_text())) for name in MINIATURES
    }
    settings = {"run": "small", "studies": list(MINIATURES), "overrides": overrides}
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(settings))
    default = yaml.safe_load((fresh.path / "config/config.yaml").read_text())
    _, studies = load_config({**default, **settings}, folder)
    assert {name: study.parts() for name, study in studies.items()} == PARTS
    targets = {name: f"results/small/{name}/scores/{part}.parquet" for name, (part,) in PARTS.items()}
    fresh.snakemake("--cores", "2", "--configfile", str(tmp_path / "small.yaml"), "--", *targets.values())

    for name, study in studies.items():
        clips = pd.read_parquet(fresh.path / f"results/small/{name}/clips.parquet").set_index("clip_id")
        tested = clips[clips["split"] == "test"]
        assert set(tested["label"]) == {"normal", "anomaly"}
        scores = pd.read_parquet(fresh.path / targets[name]).query("metric == 'anomaly_score'")
        assert set(scores["detector"]) == {*study.detectors, "level"}
        for detector, own in scores.groupby("detector"):
            assert set(own["clip_id"]) == set(tested.index), detector
            # clips may have been mixed to one level
            assert detector == "level" or own["value"].nunique() == len(tested), detector
        masks = pd.read_parquet(fresh.path / f"results/small/{name}/masks/{PARTS[name][0]}.parquet")
        assert len(masks) == ((clips["label"] == "anomaly").sum() if name == "envmix" else 0)
