"""The adversarial auto-encoder: whose loss reaches whose weights, and what it learns."""

import math

import pytest
import torch
from test_vae import SHAPE, lines
from torch.testing import assert_close
from toys.detectors import HeldClips, build, fitted

from soundproof.core.errors import ConfigError
from soundproof.interfaces.detector import TrainingRun

QUICK = {"epochs": 60, "batch_size": 12, "width": 8, "latents": 6, "learning_rate": 0.003}


@pytest.fixture(scope="module")
def trained():
    return fitted("ganomaly", lines(36), **QUICK).freeze()


def slopes_of(detector, x):
    loss = detector.training_loss(x, None, torch.Generator())
    names, weights = zip(*detector.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(loss, weights, allow_unused=True), strict=True))


def size(slopes, prefix):
    parts = [slope for name, slope in slopes.items() if name.startswith(prefix) and slope is not None]
    return sum(part.abs().sum().item() for part in parts)


def test_neither_side_s_loss_reaches_the_other_s_weights():
    detector, x = build("ganomaly", SHAPE, **QUICK, cell_weight=0, latent_weight=0).train(), lines(6)
    # nothing but the game is left; without the generator's part, its weights get no slope
    both = slopes_of(detector, x)
    assert size(both, "discriminator") > 0
    assert size(both, "decoder") > 0
    alone = build("ganomaly", SHAPE, **QUICK, cell_weight=0, latent_weight=0, adversarial_weight=0).train()
    alone.load_state_dict(detector.state_dict())
    of_discriminator = slopes_of(alone, x)
    assert size(of_discriminator, "decoder") == 0
    # and the generator's part has none for the discriminator's: with and without it, they are the same
    for name in (name for name in both if name.startswith("discriminator")):
        assert_close(of_discriminator[name], both[name])


def test_the_discriminator_notes_its_own_pass_alone():
    detector = build("ganomaly", SHAPE, **QUICK).train()
    detector.training_loss(lines(6), None, torch.Generator())
    norms = [layer for layer in detector.discriminator.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert [int(norm.num_batches_tracked) for norm in norms] == [1, 1, 1, 1]


def test_validation_asks_cells_and_latents_by_hand():
    detector = build("ganomaly", SHAPE, **QUICK, cell_weight=3, latent_weight=5).eval()
    x = lines(4)
    u, z, made, again = detector._passed(x)
    expected = 3 * (u - made).abs().mean() + 5 * (z - again).square().mean()
    assert_close(detector.training_loss(x, None, torch.Generator()), expected)
    assert_close(detector.score(x), (z - again).abs().mean(dim=1))
    assert_close(detector.anomaly_map(x), (u - made).abs())


def test_a_discriminator_at_its_start_is_in_doubt():
    detector = build("ganomaly", SHAPE, **QUICK, cell_weight=0, latent_weight=0, adversarial_weight=0).train()
    torch.nn.init.zeros_(detector.discriminator.told.weight)
    torch.nn.init.zeros_(detector.discriminator.told.bias)
    assert detector.training_loss(lines(6), None, torch.Generator()).item() == pytest.approx(math.log(2))


def test_it_learns_more_than_the_mean_and_marks_a_line_where_none_was(trained):
    history = build("ganomaly", SHAPE, **QUICK).fit(HeldClips(lines(36)), TrainingRun(seed=0))
    assert history["validation_loss"].min() < 0.98 * history["trivial_loss"].iloc[0]
    strange = lines(8, seed=50)
    strange[:, 8, 5:15] += 3
    with torch.no_grad():
        marked = trained.anomaly_map(strange)
    assert marked[:, 8, 5:15].mean() > 2 * marked.mean()


@pytest.mark.parametrize("change", [{"cell_weight": -1}, {"latents": 0}, {"clip_score": "both"}])
def test_settings_out_of_range_are_refused(change):
    (name,) = change
    with pytest.raises(ConfigError, match=f"setting '{name}' of 'ganomaly'"):
        build("ganomaly", SHAPE, **change)
