"""Removal beside normal clips, by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toys.faithfulness import Linear, context

from soundproof.core.errors import ConfigError, DataError
from soundproof.faithfulness.beyond_normals import beyond_normals
from soundproof.faithfulness.deletion import deletion
from soundproof.faithfulness.settings import BeyondNormalsSettings

NORMAL = torch.tensor([[[1.0, 1, 1, 1]], [[2.0, 2, 2, 2]], [[3.0, 3, 3, 3]], [[4.0, 4, 4, 4]]])
"""Scores 4, 8, 12, 16: half of them, the middle ones, lie between 7 and 13."""
CLIP = torch.tensor([[[1.0, 1, 5, 1]]])
RIGHT = torch.tensor([[[0.0, 0, 1, 0]]])
SETTINGS = {"fractions": (0, 0.25, 1), "replacement": "zero", "range_share": 0.5, "range_of": 4, "normals": 4}


def measured(clip=CLIP, normal=NORMAL, maps=None, **settings):
    given = context("beyond_normals", len(clip), **{**SETTINGS, **settings})
    given = replace(given, beside=lambda detector, clip_id, n: [(detector, normal[:n])])
    detector = Linear(torch.ones(clip.shape[1:])).freeze()
    return beyond_normals(detector, clip, maps or {"right": RIGHT}, given), detector


def values(rows, metric, explainer="right"):
    return rows[rows["metric"].eq(metric) & rows["explainer"].eq(explainer)].set_index("parameter")["value"]


def test_areas_and_the_normal_range_by_hand():
    rows, _ = measured()
    # of the clip 3 / 8 is left, of normal clips 3 / 4, and in the end nothing of either: the curves differ by 3 / 8
    # at a quarter of the cells, a triangle of height 3 / 8 over 0..1
    assert values(rows, "beyond_normals").item() == pytest.approx(3 / 8 / 2)
    # scores 3, 6, 9, 12, of which 9 and 12 lie within; where all or nothing goes the map says nothing
    assert values(rows, "normal_range").to_dict() == {0.25: 2 / 4}
    # intact 8 and 12 do
    intact = rows[rows["protocol"].eq("intact")]
    assert intact[["metric", "value", "explainer"]].to_numpy().tolist() == [
        ["normal_range", 2 / 4, "random_cells"]
    ]


def test_what_any_clip_loses_is_not_counted():
    # one cell makes each score, fault or not
    weights, normal = torch.tensor([[0.0, 0, 1, 0]]), torch.rand(6, 1, 4) + 1
    given = replace(
        context("beyond_normals", 1, **SETTINGS | {"normals": 6}),
        beside=lambda detector, clip_id, n: [(detector, normal[:n])],
    )
    detector = Linear(weights).freeze()
    rows = beyond_normals(detector, CLIP, {"right": RIGHT}, given)
    assert values(rows, "beyond_normals").item() == pytest.approx(0)
    gone = deletion(detector, CLIP, {"right": RIGHT}, context("deletion", 1, fractions=(0, 0.25, 1)))
    assert gone.query("metric == 'deletion_auc' and explainer == 'right'")["value"].item() < 0.5
    assert values(rows, "normal_range").to_dict() == {0.25: 0}


def test_the_clip_s_curve_is_that_of_deletion_and_both_have_the_same_random_orders():
    rng = torch.Generator().manual_seed(0)
    clips, normal = torch.rand(3, 2, 5, generator=rng), torch.ones(7, 2, 5)
    maps = {"one": torch.rand(3, 2, 5, generator=rng), "tied": torch.ones(3, 2, 5)}
    settings = {"fractions": (0, 0.3, 0.6, 1), "replacement": ["zero", "band_median"], "draws": 2}
    rows, detector = measured(clips, normal, maps, **settings)
    theirs = deletion(detector, clips, maps, context("deletion", 3, **settings))
    keys = ["protocol", "explainer", "clip_id"]
    own = rows.query("metric == 'beyond_normals'").set_index(keys)["value"]
    area = theirs.query("metric == 'deletion_auc'").set_index(keys)["value"]
    # of clips of one value zero takes the share of cells, and the median nothing
    of_normals = own.index.get_level_values("protocol").str.endswith("zero")
    expected = np.where(of_normals, 0.5, 1.0) - area.reindex(own.index)
    assert len(own) == 2 * 3 * 3
    np.testing.assert_allclose(own, expected, atol=1e-6)


def test_a_clip_without_a_positive_score_is_left_out_and_counted(caplog):
    clips = torch.cat([CLIP, -CLIP])
    rows, _ = measured(clips, maps={"right": RIGHT.repeat(2, 1, 1)})
    assert set(rows.query("metric == 'beyond_normals'")["clip_id"]) == {"clip0"}
    assert "left out 1 clips whose score is not positive" in caplog.text
    rows, _ = measured(normal=-NORMAL)
    assert rows.query("metric == 'beyond_normals'").empty and not rows.query("metric == 'normal_range'").empty


def test_scores_no_row_twice_that_all_rankings_share():
    maps = {name: torch.rand(CLIP.shape) for name in "abc"}
    _, detector = measured(maps=maps)
    # of the clip and of each normal one: the intact, the empty, and one for each map and random order; the range
    assert sum(detector.passes) == (1 + 4) * (2 + 4) + 4


def test_without_normal_clips_or_a_reconstruction_it_says_so():
    detector = Linear(torch.ones(1, 4)).freeze()
    with pytest.raises(DataError, match="normal clips for 'beyond_normals'"):
        beyond_normals(detector, CLIP, {"right": RIGHT}, context("beyond_normals", 1))
    with pytest.raises(ConfigError, match="reconstruction"):
        measured(replacement="reconstruction")


@pytest.mark.parametrize("replacement", ["nearest_normal", ["clip_median", "nearest_normal"]])
def test_a_normal_clip_is_not_replaced_by_itself(replacement):
    with pytest.raises(ValueError, match="whose nearest may be itself: choose another"):
        BeyondNormalsSettings(replacement=replacement)
