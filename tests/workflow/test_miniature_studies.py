"""P2's studies run from nothing to scores, without network: on miniatures of their data sets, and on real sound."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from soundproof.config.load import load_config
from soundproof.config.study_files import read_study

SOUNDS = Path(__file__).parents[1] / "sounds" / "esc10"
SMALL_AE = {"epochs": 1, "batch_size": 4, "seeds": [0]}
ESC10 = {
    "machines": ["rain"],
    "anomalies": ["dog", "sneezing"],
    "folder": str(SOUNDS),
    "expected_counts": "any",
}
DATASETS = {
    "mimii": {"machines": ["fan"], "ids": ["00"], "snr_db": 6, "test_share": None, "miniature": True},
    "envmix": {"machines": ["siren"], "anomalies": ["dog"], "snr_db": 6, "miniature": True},
    # excerpts of real recordings
    "envmix_esc10": ESC10,
    "p4_esc10": ESC10,
}
KEPT = {
    # as published, on what needs no weights
    "mimii": {
        "patchcore": {"backbone": "random", "coreset_size": None},
        "padim": {"backbone": "none"},
        "cfa": {"backbone": "none", "narrower": 4},
        "stfpm": {"backbone": "random"},
        "ae": SMALL_AE,
        "clip_level": {},
    },
    "envmix": {
        "patchcore_corrected": {"backbone": "none", "coreset_size": None},
        "padim_corrected": {"backbone": "random"},
        "cfa_corrected": {"backbone": "none", "narrower": 4},
        "clip_level": {},
    },
    "envmix_esc10": {"patchcore_none": {}, "padim_random": {}, "band_memory_none": {}, "clip_level": {}},
    # one background is one class: without those that tell classes apart
    "p4_esc10": {
        "vae": {"epochs": 1},
        "few_shot_memory_random": {"shots": 2},
        "gaussian": {},
        "clip_level": {},
    },
}
PARTS = {"mimii": ["fan_id_00_6dB"], "envmix": ["siren_6dB"], "envmix_esc10": ["rain"], "p4_esc10": ["all"]}


def small(name: str, folder: Path) -> dict:
    """Overrides: few clips, one seed, one epoch, and some detectors that need no weights to be fetched."""
    labels = read_study(name, folder)["detectors"]
    gone = dict.fromkeys(label for label in labels if label not in KEPT[name])
    return {"dataset": DATASETS[name], "seeds": [0], "detectors": {**KEPT[name], **gone}}


@pytest.mark.slow
def test_small_studies_run_from_nothing_to_scores(fresh, tmp_path):
    folder = fresh.path / "config/studies"
    overrides = {name: small(name, folder) for name in DATASETS}
    settings = {"run": "small", "studies": list(DATASETS), "overrides": overrides}
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
        assert len(masks) == (0 if name == "mimii" else (clips["label"] == "anomaly").sum())
