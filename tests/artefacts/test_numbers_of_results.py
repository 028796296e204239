"""Measured numbers belong to the study, lie where they can lie, and have their chance line beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from soundproof.faithfulness.registry import FAITHFULNESS, RANDOM_CELLS, UNIFORM_FRAMES
from soundproof.localisation.registry import LOCALISATION
from soundproof.storage.tables import read_table

# numbers of regions
COUNTS = {"aupro_regions"}
# a clip's share in the area of the set may be below 0 and above 1
UNBOUNDED = {"influence"}
CORRELATIONS = ["randomisation_similarity", "training_similarity", "band_rho"]
# what each stands beside; of the others chance is a fact of their scale, or a protocol of its own
WITH_CHANCE = [
    *LOCALISATION.values(),
    *(FAITHFULNESS[name] for name in ("ff", "ff_background", "deletion", "insertion")),
]
# of a map of noise, over all clips and thousands of cells
NOISE = 0.05


@pytest.fixture
def rows(folder) -> pd.DataFrame:
    return read_table(folder / "measurements.parquet")


def test_numbers_are_of_what_the_study_names(study, folder, rows):
    clips = read_table(folder / "clips.parquet")
    assert set(rows["clip_id"].dropna()) <= set(clips["clip_id"])
    assert set(rows["detector"]) >= set(study.detectors)
    of_maps = set(rows["explainer"].dropna()) - {RANDOM_CELLS, UNIFORM_FRAMES}
    assert of_maps == (set(study.explainers) if study.explained else set())
    assert len(rows) and np.isfinite(rows["value"]).all()


def test_no_number_stands_twice(study, folder, rows):
    key = [name for name in rows if name != "value"]
    twice = rows[rows.duplicated(key, keep=False)]
    assert twice.empty, twice.head(10).to_string()


def test_areas_and_shares_lie_between_0_and_1(study, folder, rows):
    bounded = {
        name for entry in LOCALISATION.values() if "0..1" in entry.unit for name in entry.measures
    } - COUNTS
    found = rows[rows["metric"].isin(bounded) & ~rows["protocol"].isin(UNBOUNDED)]
    assert found["value"].between(-1e-9, 1 + 1e-9).all(), found.sort_values("value").iloc[[0, -1]].to_string()


def test_correlations_lie_between_minus_1_and_1(study, folder, rows):
    found = rows.query("metric in @CORRELATIONS")
    assert found["value"].between(-1 - 1e-9, 1 + 1e-9).all()


@pytest.mark.parametrize("entry", WITH_CHANCE, ids=lambda entry: entry.name)
def test_chance_stands_beside_every_number(study, folder, rows, entry):
    found = rows[rows["metric"].isin(set(entry.measures) - COUNTS)]
    by_chance = found["protocol"].str.startswith("chance")
    key = ["detector", "seed", "metric"]
    alone = set(found[~by_chance].groupby(key).groups) - set(found[by_chance].groupby(key).groups)
    assert not alone, alone


def test_a_map_of_noise_meets_its_chance_line(study, folder, rows):
    noise = {label for label, settings in study.explainers.items() if settings.kind == "random_map"}
    found = rows[rows["explainer"].isin(noise) & (rows["metric"] == "cell_auroc") & rows["clip_id"].notna()]
    means = found.groupby("protocol")["value"].mean()
    if len(found):
        assert abs(means[""] - means["chance_uniform"]) < NOISE, means.to_string()
