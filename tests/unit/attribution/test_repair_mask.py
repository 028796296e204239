"""The repair mask, on scores whose smallest repair is known by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from toys.attribution import HeldNormals, Toy, context_for, explain

from soundproof.attribution.registry import EXPLAINERS, check_compatible
from soundproof.core.errors import ConfigError
from soundproof.detectors.registry import DETECTORS

SHAPE = (6, 10)
CELLS = 60
USUAL = 2.0
"""Every cell of every normal clip."""
BOX = (slice(1, 3), slice(4, 8))


class Deviation(Toy):
    """score = floor + sum of w (x - usual)^2, and what the normal clips score as they are given."""

    def __init__(self, weights: Tensor, floor: float = 0.0):
        super().__init__(SHAPE)
        self.register_buffer("weights", weights)
        self.floor = floor

    def score(self, x):
        self.count(x)
        return self.floor + (self.weights * (x - USUAL) ** 2).sum(dim=(1, 2))

    def reconstruct(self, x):
        return torch.full_like(x, USUAL)


class Range(HeldNormals):
    """Normal clips that are usual in every cell, with scores of their own."""

    def __init__(self, *scores: float):
        super().__init__(torch.full((1, *SHAPE), USUAL))
        self.given = torch.tensor(scores, dtype=torch.float64)

    def scores(self, detector, clip_id, rows_per_pass):
        return self.given


def in_box(value: float) -> Tensor:
    out = torch.zeros(SHAPE)
    out[BOX] = value
    return out


def odd(inside: float, outside: float) -> Tensor:
    """A clip that deviates by so much in the box and everywhere else, [1, n_freq, n_frames]."""
    return (USUAL + outside + in_box(inside - outside))[None]


@pytest.mark.parametrize("replacement", ["nearest_normal", "reconstruction"])
@pytest.mark.parametrize("rows", [1, 16])
def test_the_mask_is_the_box_that_the_score_looks_at(replacement, rows):
    # all cells deviate, those of the box least; a single one of them left as it is costs 0.5
    x = odd(inside=0.5, outside=3.0)
    found = explain(
        Deviation(in_box(2.0)),
        "repair_mask",
        x,
        ["clip"],
        rows=rows,
        normal=Range(0.4),
        replacement=replacement,
    )
    assert torch.equal(found.relevance[0] > 0, in_box(1.0) > 0)
    assert_close(found.per_clip["repaired_share"], torch.tensor([8 / CELLS]))
    assert found.per_clip["never_normal"].tolist() == found.per_clip["normal_already"].tolist() == [False]
    assert 0 < found.relevance.max() <= 1


def test_no_more_is_repaired_than_is_needed_and_what_weighs_most_comes_first():
    weights = torch.zeros(SHAPE)
    weights[2, 3], weights[4, 6], weights[0, 9] = 9.0, 4.0, 1.0
    x = odd(1.0, 1.0)  # the score is 14
    for limit, cells in ((13.5, 1), (5.5, 1), (4.5, 2), (1.5, 2), (0.5, 3)):
        found = explain(Deviation(weights), "repair_mask", x, ["clip"], normal=Range(limit))
        relevance = found.relevance[0]
        assert int((relevance > 0).sum()) == cells, limit
        assert_close(found.per_clip["repaired_share"], torch.tensor([cells / CELLS]))
        assert relevance[2, 3] == relevance.max()
        assert (relevance[4, 6] > 0) == (cells > 1)
        assert relevance[2, 3] >= relevance[4, 6] >= relevance[0, 9]


def test_repairing_the_set_makes_the_clip_normal_and_leaving_out_its_last_cell_does_not():
    weights = torch.rand(SHAPE, generator=torch.Generator().manual_seed(2))
    detector, x = Deviation(weights), odd(1.5, 1.0)
    limit = 0.3 * float(detector.score(x))
    relevance = explain(detector, "repair_mask", x, ["clip"], normal=Range(limit)).relevance
    kept = relevance > 0
    assert detector.score(torch.where(kept, USUAL, x)) <= limit
    last = torch.where(kept, relevance, torch.inf).flatten().argmin()
    kept.view(-1)[last] = False
    assert detector.score(torch.where(kept, USUAL, x)) > limit
    # the best there is: cells in the order of what they cost
    costs = (weights * (x[0] - USUAL) ** 2).flatten().sort(descending=True).values
    fewest = int((costs.sum() - costs.cumsum(0) > limit).sum()) + 1
    assert int((relevance > 0).sum()) <= fewest + 1


def test_a_clip_inside_the_range_gives_an_empty_mask():
    x = torch.cat([odd(0.5, 3.0), odd(0.1, 3.0)])
    # 8 cells at 2 * 0.25, and at 2 * 0.01
    found = explain(Deviation(in_box(2.0)), "repair_mask", x, ["far", "near"], normal=Range(0.2))
    assert found.per_clip["normal_already"].tolist() == [False, True]
    assert found.per_clip["never_normal"].tolist() == [False, False]
    assert (found.relevance[1] == 0).all()
    assert found.per_clip["repaired_share"].isnan().tolist() == [False, True]
    assert found.per_clip["repaired_share_at_random"].isnan().tolist() == [False, True]


def test_a_score_that_no_repair_brings_down_is_said():
    x = odd(0.5, 3.0)
    found = explain(Deviation(in_box(2.0), floor=1.0), "repair_mask", x, ["clip"], normal=Range(0.9))
    assert found.per_clip["never_normal"].tolist() == [True]
    assert found.per_clip["normal_already"].tolist() == [False]
    assert found.per_clip["repaired_share"].isnan().all()
    assert torch.equal(found.relevance[0] > 0, in_box(1.0) > 0)  # what was tried


def test_a_search_that_is_cut_short_ends_with_the_repair_of_all_cells():
    # after one step of 0.1 the score is 0.81 of what it was, 4, of which each cell of the box has an eighth
    chosen = {"steps": 1, "step": 0.1, "size": 0, "roughness": 0}
    x, detector = odd(0.5, 3.0), Deviation(in_box(2.0))
    for limit, cells in ((0.82 * 4, 2), (0.80 * 4, 2), (0.3 * 4, 6)):
        found = explain(detector, "repair_mask", x, ["clip"], normal=Range(limit), **chosen)
        assert found.per_clip["never_normal"].tolist() == [False]
        assert_close(found.per_clip["repaired_share"], torch.tensor([cells / CELLS]))
        assert (found.relevance[0] > 0)[BOX].sum() == (found.relevance[0] > 0).sum() == cells


def test_the_limit_is_the_quantile_of_the_normal_scores():
    normal, x = Range(*map(float, range(11))), odd(1.0, 0.0)
    for score, quantile, already in (
        (7.0, 0.75, True),
        (8.0, 0.75, False),
        (8.0, 0.8, True),
        (10.0, 1.0, True),
    ):
        found = explain(
            Deviation(in_box(score / 8)), "repair_mask", x, ["clip"], normal=normal, quantile=quantile
        )
        assert found.per_clip["normal_already"].tolist() == [already], (score, quantile)


def test_in_random_order_it_takes_as_many_cells_as_come_before_the_one_that_counts():
    weights = torch.zeros(SHAPE)
    weights[3, 5] = 1.0
    ids = [f"clip{i}" for i in range(5)]
    x = odd(1.0, 1.0).repeat(5, 1, 1)
    found = explain(Deviation(weights), "repair_mask", x, ids, normal=Range(0.5))
    context = context_for("repair_mask", ids)
    expected = []
    for clip_id in ids:
        drawn = torch.rand(CELLS, generator=context.generator(clip_id))
        expected.append(int((drawn < drawn[35]).sum()) + 1)
    assert_close(found.per_clip["repaired_share_at_random"], torch.tensor(expected) / CELLS)
    assert_close(found.per_clip["repaired_share"], torch.full((5,), 1 / CELLS))


def test_of_equal_cells_those_that_hang_together_are_repaired_first():
    alone = torch.zeros(SHAPE)
    alone[0, ::2] = alone[5, 1::4] = 1.0  # eight cells without a neighbour
    box = torch.zeros(SHAPE)
    box[2:4, 3:7] = 1.0
    x, normal = odd(1.0, 1.0), Range(8.5)  # of 16
    smooth, rough = (
        explain(Deviation(alone + box), "repair_mask", x, ["clip"], normal=normal, roughness=price)
        for price in (0.1, 0.0)
    )
    assert torch.equal(smooth.relevance[0] > 0, box > 0)
    # without a price the cells are alike, and the first on the map are taken
    assert int((rough.relevance[0] > 0).sum()) == 8
    assert (rough.relevance[0, 0, ::2] > 0).all()


def test_what_it_needs_is_said_before_anything_is_computed():
    entry = EXPLAINERS["repair_mask"]
    with pytest.raises(ConfigError, match="the normal range for explainer 'repair_mask'"):
        entry.load()(Deviation(in_box(1.0)), odd(1.0, 1.0), context_for("repair_mask", ["clip"]))
    featex = DETECTORS["featex"]
    check_compatible(featex, featex.settings({}), entry, entry.settings({}))
    with pytest.raises(ConfigError, match="a reconstruction"):
        check_compatible(
            featex, featex.settings({}), entry, entry.settings({"replacement": "reconstruction"})
        )


@pytest.mark.parametrize(
    "wrong",
    [{"quantile": 1.2}, {"step": 0}, {"steps": 0}, {"size": -1}, {"replacement": "silence"}, {"tv": 1}],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ConfigError, match="repair_mask"):
        EXPLAINERS["repair_mask"].settings(wrong)
