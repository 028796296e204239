import math

import pandas as pd
import pytest
import torch
from detector_toys import AUTO_ENCODERS, build, noise
from hypothesis import given, settings
from hypothesis import strategies as st

from soundproof.core.errors import ConfigError
from soundproof.detectors.reconstruction.masking import hide_patches


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 6),
    columns=st.integers(1, 9),
    patch=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    ratio=st.floats(0.01, 0.99),
    seed=st.integers(0, 1000),
)
def test_each_clip_hides_exactly_its_share_of_whole_patches(rows, columns, patch, ratio, seed):
    shape = rows * patch[0], columns * patch[1]
    mask = hide_patches(3, shape, patch, ratio, generator(seed))
    patches = mask.view(3, rows, patch[0], columns, patch[1]).float().mean(dim=(2, 4))
    assert set(patches.unique().tolist()) <= {0.0, 1.0}
    assert patches.sum(dim=(1, 2)).tolist() == [max(1, math.floor(ratio * rows * columns))] * 3


def test_clips_and_draws_differ_and_every_patch_has_its_turn():
    masks = hide_patches(400, (8, 12), (4, 4), 1 / 3, generator())
    share = masks.float().mean(dim=0)
    # 400 draws of 2 in 6 patches: standard deviation 0.024
    assert (share - 1 / 3).abs().max() < 0.1
    assert len(torch.unique(masks.flatten(1), dim=0)) == 15  # all of 6 choose 2


def test_patches_are_cut_off_at_the_border_of_an_indivisible_map():
    masks = hide_patches(80, (5, 5), (4, 4), 0.25, generator())
    assert masks.shape == (80, 5, 5)
    # one of the four patches of the 2 x 2 grid: the whole one, those of a border and the single cell at the corner
    assert set(masks.sum(dim=(1, 2)).tolist()) == {16, 4, 1}
    assert masks.any(dim=0).all()


def test_a_patch_larger_than_the_map_is_refused():
    with pytest.raises(ConfigError, match="mask_patch"):
        hide_patches(1, (4, 8), (5, 4), 0.3, generator())


@pytest.mark.parametrize("kind", AUTO_ENCODERS)
def test_masked_loss_averages_the_error_of_hidden_cells(kind):
    detector = build(kind, (16, 32), mask_ratio=0.3).eval()
    x = noise(3, 16, 32)
    hidden = hide_patches(3, (16, 32), (4, 4), 0.3, generator(7))
    seen = x.clone()
    seen[hidden] = 0
    by_hand = (detector.reconstruct(seen) - x)[hidden].square().mean()
    loss = detector.training_loss(x, None, generator(7))
    assert int(hidden.sum()) == 3 * 9 * 16  # 30 % of 32 patches are 9.6, rounded down as P1 does
    assert torch.allclose(loss, by_hand)
    assert not torch.allclose(loss, detector.training_loss(x, None, generator(8)))


def test_plain_loss_is_the_mean_squared_error():
    detector = build("cae", (16, 32)).eval()
    x = noise(3, 16, 32)
    by_hand = (detector.reconstruct(x) - x).square().mean()
    assert torch.allclose(detector.training_loss(x, None, generator()), by_hand)


def test_score_of_a_masked_auto_encoder_uses_the_whole_map():
    detector = build("skip_cae", (16, 32), mask_ratio=0.3).freeze()
    x = noise(2, 16, 32)
    assert torch.equal(detector.score(x), (detector.reconstruct(x) - x).square().mean(dim=(1, 2)))


def test_a_clip_may_have_one_mask_always():
    detector = build("skip_cae", (16, 32), mask_ratio=0.3, masks="per_clip").eval()
    x = noise(3, 16, 32)
    seeds = detector.training_targets(pd.DataFrame({"clip_id": ["a", "b", "c"]}))
    loss = detector.training_loss(x, seeds, generator(7))
    assert torch.equal(loss, detector.training_loss(x, seeds, generator(8)))
    # of each clip alone, in another batch and order, under another generator; all hide equally many cells
    alone = [
        detector.training_loss(x[row : row + 1], seeds[row : row + 1], generator(row)) for row in (2, 0, 1)
    ]
    assert torch.allclose(torch.stack(alone).mean(), loss, rtol=1e-5)
    assert not torch.allclose(detector.training_loss(x, seeds[[1, 2, 0]], generator(7)), loss)


def test_masks_of_clips_differ_and_are_no_targets_of_plain_or_redrawn_training():
    clips = pd.DataFrame({"clip_id": [f"clip{index}" for index in range(50)]})
    seeds = build("cae", (16, 32), mask_ratio=0.3, masks="per_clip").training_targets(clips)
    assert len(set(seeds.tolist())) == 50
    assert build("cae", (16, 32), masks="per_clip").training_targets(clips) is None
    assert build("cae", (16, 32), mask_ratio=0.3).training_targets(clips) is None


@pytest.mark.parametrize(("masks", "differ"), [("redrawn", True), ("redrawn_in_training", False)])
def test_validation_hides_the_same_cells_in_each_epoch_unless_told(masks, differ):
    assert build("cae", (16, 32), mask_ratio=0.3, masks=masks).redraws_in_validation == differ


def test_the_published_dcase_variant_hides_748_of_2496_patches():
    # 30 % of 32 x 78 patches are 748.8
    assert int(hide_patches(1, (128, 312), (4, 4), 0.3, generator()).sum()) == 748 * 16
