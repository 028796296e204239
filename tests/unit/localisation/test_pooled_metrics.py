"""Metrics of whole sets: by hand, against scikit-learn, and in batches of files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, f1_score, mean_squared_error, roc_auc_score

from soundproof.localisation.frame_ranking import loud_frames
from soundproof.localisation.measure import measure_localisation, measure_pooled
from soundproof.localisation.registry import LOCALISATION
from soundproof.storage.maps import Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance
from soundproof.truth.energy_rule import energy_mask
from soundproof.truth.ground_truth import Truth
from soundproof.truth.truth_of_clips import TruthReader

RATE, SHAPE = 4.0, (6, 8)
POOLED = [name for name, entry in LOCALISATION.items() if entry.pooled]


def measured(maps, truth, name, **settings):
    ids = [f"clip{row}" for row in range(len(maps))]
    rows = measure_localisation({"map": maps}, ids, truth, {name: LOCALISATION[name].settings(settings)})
    return rows[rows["clip_id"].isna()].set_index(["metric", "protocol"])["value"]


def influences(maps, truth, name, metric, protocol):
    ids = [f"clip{row}" for row in range(len(maps))]
    rows = measure_localisation({"map": maps}, ids, truth, {name: LOCALISATION[name].settings({})})
    own = rows[rows["metric"].eq(metric) & rows["protocol"].eq(protocol)]
    return own.set_index("clip_id")["value"]


def test_frames_by_hand():
    # the mean of the two bands; the event fills frames 1 and 2 of the first clip, the second is normal
    maps = np.array(
        [[[0.0, 4.0, 1.0, 0.0], [2.0, 4.0, 1.0, 0.0]], [[3.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0]]]
    )
    truth = Truth(1.0, [[(1.0, 3.0)], []])
    values = measured(maps, truth, "frame_ranking")
    # curves 1, 4, 1, 0 and 3, 0, 0, 0: of the 2 x 6 pairs the first event frame wins 6, the second 4 and a tie
    assert values["pooled_frame_auroc", ""] == pytest.approx((6 + 4.5) / 12)
    # flagging 4 alone: 2/3; 4 and 3: 1/2; 4, 3 and both 1: 4/6
    assert values["pooled_frame_max_f1", ""] == pytest.approx(2 / 3)
    assert values["pooled_frame_max_f1", "flag_all"] == pytest.approx(2 * 2 / (2 + 8))
    assert values["pooled_frame_ap", "error_bound"] == pytest.approx(0, abs=1e-12)


def test_clips_that_nobody_labelled_are_left_out():
    maps = np.random.default_rng(0).normal(size=(3, *SHAPE))
    known = Truth(RATE, [[(0.5, 1.0)], [], None])
    pd.testing.assert_series_equal(
        measured(maps, known, "frame_ranking"),
        measured(maps[:2], Truth(RATE, known.events[:2]), "frame_ranking"),
    )


@pytest.fixture
def toy() -> tuple[np.ndarray, Truth]:
    rng = np.random.default_rng(8)
    levels = rng.uniform(-60, 0, size=(5, *SHAPE))
    levels[:, :, :2] = -100
    levels[4] = -100
    masks = levels > -20
    maps = rng.permutation(levels.size).reshape(levels.shape).astype(np.float32) + 60.5 * masks
    events = [[(0.5, 2.0)]] * 4 + [[]]
    return maps, Truth(RATE, events, masks, event_maps=levels)


def test_cells_are_those_of_scikit_learn_by_either_truth(toy):
    maps, truth = toy
    values = measured(maps, truth, "pooled_cells")
    for protocol, positive in (("exact_stems", truth.cells()), ("energy_rule", energy_mask(truth.levels()))):
        flat, scores = positive.ravel(), maps.ravel()
        best = max(f1_score(flat, scores >= threshold) for threshold in np.unique(scores))
        by_scikit = {
            "pooled_cell_auroc": roc_auc_score(flat, scores),
            "pooled_cell_ap": average_precision_score(flat, scores),
            "pooled_cell_max_f1": best,
        }
        for metric, expected in by_scikit.items():
            error = values[metric, f"error_bound_{protocol}"]
            assert abs(values[metric, protocol] - expected) <= error + 1e-12
        share = flat.mean()
        assert values["pooled_cell_max_f1", f"flag_all_{protocol}"] == pytest.approx(2 * share / (1 + share))
    assert values["pooled_cell_auroc", "exact_stems"] != values["pooled_cell_auroc", "energy_rule"]


@pytest.mark.parametrize(
    ("name", "level"), [("pooled_cells", "pooled_cell"), ("frame_ranking", "pooled_frame")]
)
def test_chance_by_shift_is_the_mean_over_all_shifts_of_all_clips(toy, name, level):
    maps, truth = toy
    rng = np.random.default_rng(3)
    found = []
    for _ in range(300):
        lags = rng.integers(0, SHAPE[1], len(maps))
        moved = np.stack([np.roll(of_clip, lag, axis=1) for of_clip, lag in zip(maps, lags, strict=True)])
        if name == "pooled_cells":
            positive, scores = truth.cells(), moved
        else:
            positive = truth.frames(SHAPE[1])
            scores = np.sort(moved, axis=1)[:, -5:].mean(axis=1)
        found.append(roc_auc_score(positive.ravel(), scores.ravel()))
    protocol = "chance_circular_shift_exact_stems" if name == "pooled_cells" else "chance_circular_shift"
    ours = measured(maps, truth, name)[f"{level}_auroc", protocol]
    assert abs(ours - np.mean(found)) < 4 * np.std(found) / np.sqrt(len(found))


def test_a_map_that_knows_bands_or_clips_alone_is_at_its_chance_by_shift():
    # the event stands in band 1 of the first two clips, now here, now there; the maps know the band, or the clip
    masks = np.zeros((4, 3, 8), dtype=bool)
    masks[0, 1, 2:4] = masks[1, 1, 5:8] = True
    levels = np.where(masks, -10.0, -100.0)
    truth = Truth(1.0, [[(2.0, 4.0)], [(5.0, 8.0)], [], []], masks, event_maps=levels)
    bands = np.broadcast_to(np.array([0.0, 1.0, 0.5])[:, np.newaxis], masks.shape).copy()
    of_band = measured(bands, truth, "pooled_cells")
    assert of_band["pooled_cell_auroc", "exact_stems"] == pytest.approx(
        of_band["pooled_cell_auroc", "chance_circular_shift_exact_stems"]
    )
    assert of_band["pooled_cell_auroc", "exact_stems"] > 0.7
    of_clip = np.broadcast_to(np.array([2.0, 1.0, 0.0, 0.5])[:, np.newaxis, np.newaxis], masks.shape).copy()
    of_frames = measured(of_clip, truth, "frame_ranking")
    assert of_frames["pooled_frame_auroc", ""] > 0.7
    assert of_frames["pooled_frame_auroc", ""] == pytest.approx(
        of_frames["pooled_frame_auroc", "chance_circular_shift"]
    )


def test_a_clip_s_weight_is_that_of_the_jackknife_by_scikit_learn(toy):
    maps, truth = toy
    whole = roc_auc_score(truth.cells().ravel(), maps.ravel())
    without = []
    for row in range(5):
        kept = [other for other in range(5) if other != row]
        without.append(roc_auc_score(truth.cells()[kept].ravel(), maps[kept].ravel()))
    expected = whole + 4 * (np.mean(without) - np.array(without))
    ours = influences(maps, truth, "pooled_cells", "pooled_cell_auroc", "influence_exact_stems")
    assert ours.to_numpy() == pytest.approx(expected, abs=0.01)
    assert ours.mean() == pytest.approx(
        measured(maps, truth, "pooled_cells")["pooled_cell_auroc", "exact_stems"]
    )
    # beside values of clips stands chance of clips
    chance = influences(maps, truth, "pooled_cells", "pooled_cell_auroc", "chance_uniform_exact_stems")
    assert chance.drop(index=chance.index[chance.index.isna()]).eq(0.5).sum() == 5


def test_where_one_clip_holds_all_that_is_marked_no_clip_has_a_weight():
    maps = np.random.default_rng(0).normal(size=(2, *SHAPE))
    truth = Truth(RATE, [[(0.5, 1.0)], []])
    assert influences(maps, truth, "frame_ranking", "pooled_frame_auroc", "influence").empty


def test_frames_by_stems_and_by_the_energy_rule_by_hand():
    # band by frame; the event is heard in frame 1 alone, and loud in frames 1 and 2
    masks = np.zeros((2, 2, 4), dtype=bool)
    masks[0, 1, 1] = True
    levels = np.full((2, 2, 4), -100.0)
    levels[0] = [[-100, -20, -40, -90], [-100, -20, -40, -90]]
    assert loud_frames(levels).tolist() == [[False, True, True, False], [False] * 4]
    maps = np.zeros((2, 2, 4))
    maps[0, :, 1:3] = [[3.0, 1.0], [3.0, 1.0]]
    maps[1, :, 0] = 2.0
    values = measured(maps, Truth(1.0, [[(0.0, 3.0)], []], masks, event_maps=levels), "frame_ranking")
    # curves 0 3 1 0 and 2 0 0 0
    assert values["pooled_frame_auroc", "exact_stems"] == 1.0
    # frames 1 and 2 against six others: 6 wins, then 5 of 6
    assert values["pooled_frame_auroc", "energy_rule"] == pytest.approx(11 / 12)
    # frames 0, 1 and 2 against five: 2 ties at 0.5 each of frame 0 ... 4 of 5 are 0
    assert values["pooled_frame_auroc", ""] == pytest.approx((5 + 4 + 4 * 0.5) / 15)


def test_squared_error_by_hand_and_by_scikit_learn(toy):
    maps, truth = toy
    values = measured(maps, truth, "cell_mse")
    scaled = (maps.astype(float) - maps.min()) / (maps.max() - maps.min())
    # the normal clip is silent everywhere
    tops = truth.levels().max(axis=(1, 2), keepdims=True)
    target = (truth.levels() + 100) / np.where(tops > -100, tops + 100, 1)
    expected = mean_squared_error(target.ravel(), scaled.ravel())
    assert values["cell_mse", "set_min_max"] == pytest.approx(expected)
    assert values["cell_mse", "best_constant"] == pytest.approx(target.var())
    assert values["cell_mse_ratio", ""] == pytest.approx(expected / target.var())
    rng = np.random.default_rng(0)
    shuffled = [
        mean_squared_error(target.ravel(), rng.permuted(scaled.reshape(5, -1), axis=1).ravel())
        for _ in range(400)
    ]
    error = np.std(shuffled) / 20
    assert abs(values["cell_mse", "chance_uniform_set_min_max"] - np.mean(shuffled)) < 4 * error


def test_one_extreme_clip_moves_the_error_and_no_ranking(toy):
    maps, truth = toy
    higher = maps.copy()
    higher[4] += 1e6 * (maps[4] == maps[4].max())
    for name in ("pooled_cells", "frame_ranking"):
        before, after = (measured(m, truth, name) for m in (maps, higher))
        assert abs(before - after).max() < 0.06
    assert abs(measured(maps, truth, "cell_mse") - measured(higher, truth, "cell_mse")).max() > 0.1


def test_files_in_batches_give_what_arrays_give_and_normal_clips_have_nothing(toy, tmp_path, monkeypatch):
    maps, truth = toy
    ids, axes = [f"clip{row}" for row in range(5)], Axes(tuple(map(float, range(6))), RATE, 8, "dB")

    def write(name: str, values: np.ndarray, clip_ids: list[str], dtype: str) -> MapReader:
        path: Path = tmp_path / name
        with MapWriter(path, axes, Provenance(stage="features"), dtype) as writer:
            writer.append(clip_ids, values)
        return MapReader(path)

    clips = pd.DataFrame(
        {
            "clip_id": ids,
            "label": ["anomaly"] * 4 + ["normal"],
            "events": [[{"onset_s": 0.5, "offset_s": 2.0}]] * 4 + [None],
        }
    )
    reader = TruthReader(
        clips,
        write("masks", truth.cells()[:4].astype(np.uint8), ids[:4], "uint8"),
        write("events", truth.levels()[:4], ids[:4], "float32"),
    )
    assert reader.offers == {"events", "masks", "event_maps"}
    families = {name: LOCALISATION[name].settings({}) for name in POOLED}
    monkeypatch.setattr("soundproof.localisation.measure._CELLS_AT_ONCE", 2 * 48)
    of_files = measure_pooled({"map": write("maps", maps, ids, "float32")}, ids, reader, families)
    rounded = Truth(RATE, truth.events, truth.cells(), event_maps=truth.levels().astype(np.float32))
    of_arrays = measure_localisation({"map": maps}, ids, rounded, families)
    pd.testing.assert_frame_equal(of_files, of_arrays)
    assert set(of_files["metric"]) == {measure for name in POOLED for measure in LOCALISATION[name].measures}
    # without a map of one event there are none
    some = TruthReader(clips, reader._masks, write("some", truth.levels()[:3], ids[:3], "float32"))
    assert some.offers == {"events", "masks"}
