"""VAE: its bound, its collapse, its attention and the expansion of that."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close
from toys.detectors import HeldClips, build, fitted, noise

from soundproof.core.errors import ConfigError
from soundproof.detectors.generative.latent_attention import attention, on_map, scaled
from soundproof.detectors.generative.vae import COLLAPSED, divergence
from soundproof.interfaces.detector import TrainingRun

SHAPE = (19, 26)
QUICK = {"epochs": 60, "batch_size": 12, "width": 8, "latents": 6, "learning_rate": 0.003}


def lines(n, seed=0):
    """Noise, and a line whose band and strength differ from clip to clip: two numbers worth a latent each."""
    maps = 0.3 * noise(n, *SHAPE, seed=seed)
    for row, strength in enumerate(torch.rand(n, generator=torch.Generator().manual_seed(seed + 1)).tolist()):
        maps[row, 3 if row % 2 else 12] += 2 + 3 * strength
    return maps


@pytest.fixture(scope="module")
def trained():
    return fitted("vae", lines(36), **QUICK).freeze()


def test_divergence_is_that_of_torch_distributions():
    mean, log_variance = noise(4, 3), noise(4, 3, seed=1)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0))
    assert_close(divergence(mean, log_variance), expected)


def test_the_bound_of_a_clip_made_exactly_is_that_of_its_deviations():
    detector = build("vae", SHAPE, latents=2)
    torch.nn.init.constant_(detector.deviations.logarithm, math.log(2.0))
    exact = detector._bound(torch.zeros(1, *SHAPE), detector.deviations(), torch.tensor([[3.0, 5.0]]))
    cells = SHAPE[0] * SHAPE[1]
    assert_close(exact.item(), math.log(2) + math.log(2 * math.pi) / 2 + 8 / cells, rtol=1e-6, atol=0)
    # one deviation away in every cell: half a nat each
    away = detector._bound(torch.full((1, *SHAPE), 2.0), detector.deviations(), torch.tensor([[3.0, 5.0]]))
    assert_close((away - exact).item(), 0.5, rtol=1e-5, atol=0)


def test_the_trivial_loss_is_the_density_of_the_bands_themselves():
    maps = lines(12)
    detector = build("vae", SHAPE, **{**QUICK, "epochs": 1})
    history = detector.fit(HeldClips(maps), TrainingRun(seed=0))
    assert history["trivial_loss"].iloc[0] == pytest.approx(0.5 + math.log(2 * math.pi) / 2, abs=0.25)
    assert_close(detector.standardised(maps).mean(dim=(0, 2)), torch.zeros(SHAPE[0]), atol=1e-5, rtol=0)
    assert_close(detector.standardised(maps).std(dim=(0, 2), correction=0), torch.ones(SHAPE[0]))


def test_a_latent_space_is_used_where_clips_differ_and_collapses_where_its_price_is_high(trained, caplog):
    assert trained.collapsed < QUICK["latents"]
    assert trained.divergence.max() > 10 * COLLAPSED
    with caplog.at_level("INFO"):
        dear = fitted("vae", lines(36), **QUICK, kl_weight=1000.0)
    assert dear.collapsed == QUICK["latents"]
    assert "6 of 6 latents collapsed onto the prior" in caplog.text


def test_it_learns_more_than_the_mean_and_finds_a_line_where_none_was(trained):
    detector = build("vae", SHAPE, **QUICK)
    history = detector.fit(HeldClips(lines(36)), TrainingRun(seed=0))
    assert history["validation_loss"].min() < history["trivial_loss"].iloc[0] - 0.03
    normal, strange = lines(8, seed=50), lines(8, seed=50)
    strange[:, 8, 5:15] += 3
    with torch.no_grad():
        assert trained.score(normal).max() < trained.score(strange).min()
        marked = trained.anomaly_map(strange)
    assert marked[:, 8, 5:15].mean() > 3 * marked.mean()


def test_attention_by_hand():
    activations = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [0.0, -9.0]]]], requires_grad=True)
    # the latents see channel 1 by slopes 4, 0, 0, 0 (mean 1) and channel 2 by 2 everywhere
    latents = torch.stack([4 * activations[:, 0, 0, 0], 2 * activations[:, 1].sum(dim=(1, 2))], dim=1)
    assert_close(attention(activations, latents), torch.tensor([[[1.0, 4.0], [3.0, 14.0]]]))


def test_attention_is_brought_to_0_to_1_and_covers_all_where_it_is_flat():
    seen = torch.tensor([[[1.0, 4.0]], [[2.0, 2.0]], [[0.0, 0.0]]])
    assert_close(scaled(seen), torch.tensor([[[0.25, 1.0]], [[1.0, 1.0]], [[1.0, 1.0]]]))
    assert on_map(seen, (4, 6)).shape == (3, 4, 6)


def test_attention_of_a_clip_does_not_depend_on_its_batch(trained):
    x = lines(8, seed=9)
    together = attention(*trained.latents(x.clone().requires_grad_()))
    alone = [attention(*trained.latents(x[row : row + 1].clone().requires_grad_())) for row in range(8)]
    assert_close(torch.cat(alone), together, rtol=1e-4, atol=1e-6)


def test_what_is_shown_changes_the_map_and_no_score(trained):
    x = lines(3, seed=5)
    looking = fitted("vae", lines(36), **QUICK, own_map="attention").freeze()
    outside = fitted("vae", lines(36), **QUICK, own_map="outside_attention", attention_weight=0).freeze()
    with torch.no_grad():
        assert torch.equal(looking.score(x), trained.score(x))
        assert torch.equal(outside.score(x), trained.score(x))
        seen, left = looking.anomaly_map(x), outside.anomaly_map(x)
    found = attention(*trained.latents(x.clone().requires_grad_()))
    assert_close(seen, on_map(found, SHAPE))
    assert_close(left, 1 - on_map(scaled(found), SHAPE))
    assert left.min() >= 0


def test_expansion_teaches_the_attention_to_cover_normal_clips(trained):
    x = lines(8, seed=7)
    taught = fitted("vae", lines(36), **QUICK, attention_weight=1.0).freeze()
    assert taught.uncovered(x).mean() < trained.uncovered(x).mean() - 0.15


def test_the_attention_s_part_of_the_loss_is_differentiated_twice():
    detector = build("vae", SHAPE, **QUICK).double().eval()
    x = lines(2).double()
    weight = detector.encoder.stages[0][0].weight
    loss = detector.uncovered(x).sum()
    (slope,) = torch.autograd.grad(loss, weight)
    place, step = (2, 0, 1, 1), 1e-6
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            weight[place] += sign * step
        values.append(detector.uncovered(x).sum().item())
        with torch.no_grad():
            weight[place] -= sign * step
    assert slope[place].item() == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-4)


@pytest.mark.parametrize(
    "change", [{"attention_weight": -0.1}, {"latents": 0}, {"attention_layer": 5}, {"kl_weight": -1}]
)
def test_settings_out_of_range_are_refused(change):
    (name,) = change
    with pytest.raises(ConfigError, match=f"setting '{name}' of 'vae'"):
        build("vae", SHAPE, **change)
