import logging
import subprocess
import sys

import numpy as np
import pytest

from soundproof.core.errors import ConfigError, DataError
from soundproof.detection.registry import DETECTION
from soundproof.interfaces.metric import MetricEntry
from soundproof.localisation.measure import Truth, measure_localisation
from soundproof.localisation.registry import LOCALISATION
from soundproof.storage.measurements import COLUMNS

ALL = {name: entry.settings({}) for name, entry in LOCALISATION.items() if "stems" not in entry.needs}
"""Those that need no sound; test_si_sdr_of_maps.py has the others."""


@pytest.fixture
def truth():
    masks = np.zeros((4, 6, 40), bool)
    masks[:, 2:4, 10:20] = True
    levels = np.where(masks, np.random.default_rng(1).uniform(-60, 0, masks.shape), -100)
    return Truth(10.0, [[(1.0, 2.0)]] * 3 + [None], masks, event_maps=levels)


@pytest.fixture
def maps(truth):
    noise = np.random.default_rng(0).normal(size=truth.masks.shape).astype(np.float32)
    return {"good": truth.masks * 2.0 + noise * 0.1, "flat": np.zeros(truth.masks.shape)}


IDS = ["a", "b", "c", "d"]


def test_rows_of_every_family_and_their_chance_lines(maps, truth):
    table = measure_localisation(maps, IDS, truth, ALL)
    assert list(table.columns) == list(COLUMNS)
    free = table["metric"].isin(["aupro_regions", "cell_mse_ratio"]) | table["protocol"].eq("influence")
    assert table.loc[~free, "value"].between(0, 1).all()
    assert set(table["metric"]) == {m for name in ALL for m in LOCALISATION[name].measures}
    keys = ["explainer", "metric", "protocol", "parameter", "clip_id"]
    assert not table.duplicated(keys).any()
    # of shares of false positives none is better, of errors the lower
    good = table[table["explainer"].eq("good") & ~table["metric"].str.startswith(("aupro_", "cell_mse"))]
    measured = good[good["protocol"].isin(["", "corrected"])]
    every = good[good["protocol"].eq("chance_uniform")]
    assert set(every["metric"]) == set(measured["metric"])
    assert measured["value"].mean() > every["value"].mean()


def test_set_level_rows_have_no_clip_and_clip_rows_all_do(maps, truth):
    table = measure_localisation(maps, IDS, truth, ALL)
    pooled = table[table["clip_id"].isna()]
    assert set(pooled["metric"]) == {
        *("aupro", "aupro_false_positives", "aupro_regions"),
        *("cell_auroc", "cell_ap"),
        *(measure for entry in LOCALISATION.values() if entry.pooled for measure in entry.measures),
    }
    assert set(table["clip_id"].dropna()) == set(IDS)


def test_a_clip_without_events_is_left_out_and_counted(maps, truth, caplog):
    with caplog.at_level(logging.WARNING):
        table = measure_localisation(maps, IDS, truth, {"segment_f1": ALL["segment_f1"]})
    assert set(table["clip_id"]) == {"a", "b", "c"}
    assert "segment_f1 of good: undefined for 1 of 4 clips" in caplog.text
    assert "flat: 4 of 4 maps are constant" in caplog.text
    published = table["explainer"].eq("flat") & table["protocol"].eq("as_published")
    assert (table.loc[published, "value"] == 0).all()


def test_flagging_every_segment_stands_beside_f1_whatever_the_map(maps, truth):
    table = measure_localisation(maps, IDS, truth, {"segment_f1": ALL["segment_f1"]})
    flagged = table[table["protocol"].eq("flag_all")]
    assert set(flagged["explainer"]) == set(maps)
    # one of four seconds is positive: 2 x 1 / (1 + 4)
    assert flagged["value"].to_numpy() == pytest.approx(0.4)


def test_ties_hang_on_the_clips_name_and_not_on_its_place(maps, truth):
    settings = {"segment_f1": ALL["segment_f1"], "iou": ALL["iou"]}
    whole = measure_localisation({"flat": maps["flat"]}, IDS, truth, settings)
    alone = Truth(10.0, truth.events[1:2], truth.masks[1:2])
    one = measure_localisation({"flat": maps["flat"][1:2]}, ["b"], alone, settings)
    keys = ["metric", "protocol", "parameter", "clip_id"]
    both = one.merge(whole, on=keys, validate="one_to_one")
    assert len(both) == len(one)
    assert (both["value_x"] == both["value_y"]).all()
    assert both["value_x"].nunique() > 1


def test_families_without_truth_are_left_out_with_a_reason(maps, truth, caplog):
    with caplog.at_level(logging.WARNING):
        table = measure_localisation(maps, IDS, Truth(10.0, [None] * 4, None), ALL)
    assert table.empty and list(table.columns) == list(COLUMNS)
    (warning,) = (said for said in caplog.messages if "left out" in said)
    assert warning.startswith("left out, since none of the 4 clips has the truth for it: ")
    assert all(name in warning for name in ALL)
    assert "needs an event" in warning and "needs a mask" in warning


def test_masks_of_one_class_leave_no_pooled_row(maps, caplog):
    truth = Truth(10.0, [None] * 4, np.zeros((4, 6, 40), bool))
    settings = {name: ALL[name] for name in ("cell_ranking", "aupro", "iou")}
    with caplog.at_level(logging.WARNING):
        assert measure_localisation(maps, IDS, truth, settings).empty
    assert "aupro of good left out: no cell of any clip is masked" in caplog.text
    assert "iou_oracle of good: undefined for 4 of 4 clips" in caplog.text


def test_segments_keep_their_length_in_seconds(maps, truth):
    short = LOCALISATION["segment_f1"].settings({"segment_s": 0.5, "percentiles": [95]})
    table = measure_localisation(maps, IDS, truth, {"segment_f1": short})
    flagged = table[table["explainer"].eq("good") & table["protocol"].eq("chance_uniform")]
    # 40 frames in 8 cells of 5, two of them positive; 2 peaks at random
    p_both_inside = 10 / 40 * 9 / 39
    p_one_inside = 2 * 10 / 40 * 30 / 39
    same_cell = 4 / 9
    expected = p_both_inside * (same_cell * 2 / 3 + (1 - same_cell)) + p_one_inside * 2 / 4
    np.testing.assert_allclose(flagged["value"], expected, rtol=1e-12)


def test_mismatch_and_nan_are_refused_by_name(maps, truth):
    with pytest.raises(DataError, match="'good'"):
        measure_localisation(maps, IDS[:3], truth, ALL)
    maps["flat"][1, 0, 0] = np.nan
    with pytest.raises(DataError, match="'flat'"):
        measure_localisation(maps, IDS, truth, ALL)


def test_registry_refuses_what_it_does_not_know():
    with pytest.raises(ConfigError, match="segment_f1"):
        LOCALISATION["segment_f2"]
    with pytest.raises(ConfigError, match="limit"):
        LOCALISATION["aupro"].settings({"limit": 1.5})
    entry = LOCALISATION["iou"]
    with pytest.raises(ValueError, match="labels"):
        MetricEntry(**{**vars(entry), "needs": frozenset({"labels"})})


def test_entries_load_and_their_measures_do_not_collide():
    entries = [*LOCALISATION.values(), *DETECTION.values()]
    assert all(callable(entry.load()) for entry in entries)
    measures = [measure for entry in entries for measure in entry.measures]
    assert len(measures) == len(set(measures))


def test_importing_the_registry_loads_no_numerical_library():
    code = (
        "import sys, soundproof.localisation.registry;"
        "print(sorted({'torch', 'scipy', 'sklearn', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
