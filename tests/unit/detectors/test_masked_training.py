import pytest
import torch
from detector_toys import AUTO_ENCODERS, build, noise
from hypothesis import given, settings
from hypothesis import strategies as st

from soundproof.detectors.masking import hide_patches
from soundproof.errors import ConfigError


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
    assert patches.sum(dim=(1, 2)).tolist() == [max(1, round(ratio * rows * columns))] * 3


def test_clips_and_draws_differ_and_every_patch_has_its_turn():
    masks = hide_patches(400, (8, 12), (4, 4), 1 / 3, generator())
    share = masks.float().mean(dim=0)
    # 400 draws of 2 in 6 patches: standard deviation 0.024
    assert (share - 1 / 3).abs().max() < 0.1
    assert len(torch.unique(masks.flatten(1), dim=0)) == 15  # all of 6 choose 2


def test_patches_are_cut_off_at_the_border_of_an_indivisible_map():
    mask = hide_patches(1, (5, 5), (4, 4), 0.999, generator())
    assert mask.shape == (1, 5, 5)
    assert mask.all()  # all four patches of the 2 x 2 grid
    # the smallest patch is the single cell at the far corner
    assert min(int(hide_patches(1, (5, 5), (4, 4), 0.25, generator(s)).sum()) for s in range(40)) == 1


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
    assert int(hidden.sum()) == 3 * 10 * 16  # 30 % of 32 patches are 9.6, rounded to 10
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
