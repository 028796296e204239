"""The study of lines in context runs by its file: who knows the speed finds and names what does not belong."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.mark.slow
def test_who_knows_the_speed_finds_marks_and_names_the_line_and_others_do_not(fresh):
    # seed 0, on which it was developed: what the study reports on stays unseen
    few = "dataset: {seed: 0, machines: [fan_0, gearbox_0], train_clips: 4, test_normal: 2, test_anomaly: 2}"
    overrides = f"overrides={{context: {{{few}, detectors: {{clip_level: null, mean_square: null}}}}}}"
    names = ("contexts", "context_sentences")
    files = [f"results/small/context/tables/{name}.parquet" for name in names]
    fresh.snakemake("--cores", "2", "--config", "run=small", "studies=context", overrides, "--", *files)
    numbers, sentences = (pd.read_parquet(fresh.path / file) for file in files)
    found = numbers.set_index("detector")
    assert found.loc["told", "auc"] > found.loc["blind", "auc"]
    assert found.loc["told", "cells"] > max(found.loc["blind", "cells"], found.loc["told_wrong", "cells"])
    assert found.loc["told", "named"] > found.loc["told_wrong", "named"]
    assert pd.isna(found.loc["blind", "named"])
    said = sentences[sentences["detector"].eq("told") & sentences["right"].eq("yes")]
    assert (
        said["sentence"] == "Normal at speed=" + said["home"] + ", not at speed=" + said["own"] + "."
    ).all()
    assert len(said)
