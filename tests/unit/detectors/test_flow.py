"""The normalising flow: its volume against autograd's Jacobian, its inverse, and what it learns."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal
from torch.testing import assert_close
from toys.detectors import noise
from toys.embedding import Cells, Clips, clips, fit, new

from soundproof.backbones.none import Patches
from soundproof.core.errors import ConfigError
from soundproof.detectors.embedding.directions import orthogonal
from soundproof.detectors.embedding.fastflow import whitening
from soundproof.detectors.embedding.flow_steps import Coupling, Flow, log_density
from soundproof.interfaces.detector import TrainingRun

QUICK = {
    "epochs": 40,
    "batch_size": 6,
    "dimensions": 6,
    "steps": 4,
    "learning_rate": 0.01,
    "neighbourhood": 1,
}


def restless(flow, seed=0):
    """The flow with last convolutions that are not 0, in float64."""
    for number, step in enumerate(flow.steps):
        step.last.weight.data = 0.3 * noise(*step.last.weight.shape, seed=seed + number)
        step.last.bias.data = 0.1 * noise(*step.last.bias.shape, seed=seed + number + 50)
    return flow.double()


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_the_change_of_volume_is_the_determinant_of_the_whole_jacobian(channels):
    flow = restless(Flow(channels, 4))
    x = noise(1, channels, 3, 2, dtype=torch.float64)
    _, log_volume = flow(x)
    jacobian = torch.autograd.functional.jacobian(
        lambda flat: flow(flat.view_as(x))[0].flatten(), x.flatten()
    )
    assert_close(log_volume.sum(), torch.linalg.slogdet(jacobian).logabsdet)
    assert log_volume.abs().sum() > 0.1


def test_the_inverse_gives_back_what_went_in():
    flow = restless(Flow(5, 6))
    x = noise(2, 5, 4, 3, dtype=torch.float64)
    z, _ = flow(x)
    assert (z - x).abs().max() > 0.1
    assert_close(flow.inverse(z), x, atol=1e-10, rtol=0)


def test_a_density_integrates_to_one():
    flow = restless(Flow(2, 4), seed=7)
    # four steps may carry a tail far: +-9 misses up to 2e-4 of it
    side = torch.linspace(-20, 20, 1001, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(side, side, indexing="ij")).flatten(1).T[:, :, None, None]
    with torch.no_grad():
        total = log_density(*flow(grid)).exp().sum() * (side[1] - side[0]) ** 2
    assert total.item() == pytest.approx(1, abs=1e-4)


def test_an_untrained_flow_only_reorders_and_has_the_density_of_a_standard_normal():
    x = noise(2, 6, 3, 2)
    flow = Flow(6, 3)
    assert (flow(x)[1] != 0).all()
    for step in flow.steps:
        step.start_at_nothing()
    z, log_volume = flow(x)
    assert_close(z.sort(dim=1).values, x.sort(dim=1).values)
    assert torch.equal(log_volume, torch.zeros(2, 3, 2))
    by_hand = -(x.square().sum(dim=1) / 2) - 3 * math.log(2 * math.pi)
    assert_close(log_density(z, log_volume), by_hand)


def test_a_coupling_by_hand():
    step = Coupling(2, 1, 0)
    step.start_at_nothing()
    step.order = torch.tensor([1, 0])
    step.last.bias.data = torch.tensor([0.5, 3.0])
    y, log_volume = step(torch.tensor([2.0, -1.0]).view(1, 2, 1, 1))
    scale = 1.9 * math.tanh(0.5 / 1.9)
    assert_close(y.flatten(), torch.tensor([-1.0, 2 * math.exp(scale) + 3]))
    assert log_volume.item() == pytest.approx(scale)


def test_whitened_patches_have_unit_covariance_and_a_still_direction_stays_finite():
    values = noise(4, 5, 6, 3, dtype=torch.float64) @ noise(3, 3, seed=1, dtype=torch.float64) + 4
    white, mean = whitening(values)
    flat = ((values - mean) @ white).flatten(0, 2)
    assert_close(flat.T @ flat / len(flat), torch.eye(3, dtype=torch.float64))
    still = torch.cat([values, torch.ones(4, 5, 6, 1, dtype=torch.float64)], dim=-1)
    assert whitening(still)[0].isfinite().all()
    directions = orthogonal(7, 3, seed=0)
    assert_close(directions.T @ directions, torch.eye(3, dtype=torch.float64))


def test_without_training_it_is_a_gaussian_over_all_patches():
    detector = fit(
        "fastflow",
        clips(10),
        Patches((16, 24), 2, 2),
        **{**QUICK, "epochs": 1, "learning_rate": 1e-12, "dimensions": 16},
    )
    x = clips(3, seed=4)
    patches = detector.patches(clips(10)).flatten(0, 2).double()
    away = patches - patches.mean(dim=0)
    gaussian = MultivariateNormal(patches.mean(dim=0), away.T @ away / len(patches))
    surprise = -gaussian.log_prob(detector.patches(x).double())
    apart = detector.cell_scores(x).double() - surprise
    above = detector.cell_scores(x) > 0
    assert above.float().mean() > 0.9
    # a constant apart: the volume of the whitening, and the most usual cell
    assert_close(apart[above], apart[above].mean().expand(int(above.sum())), rtol=1e-3, atol=1e-3)


def test_learning_raises_the_likelihood_of_normal_clips_it_has_not_seen():
    maps = clips(24)
    # what no Gaussian has: the second half of each band's frames follows the first's square
    maps[:, :, 12:] = maps[:, :, :12].square() - 1 + 0.1 * noise(24, 16, 12, seed=3)
    detector = new("fastflow", **QUICK)
    history = detector.fit(Clips(maps), TrainingRun(seed=0))
    assert history["validation_loss"].min() < history["trivial_loss"].iloc[0] - 0.05


def test_a_patch_unlike_all_others_is_the_least_probable():
    detector = fit("fastflow", clips(16), **QUICK)
    strange = clips(2, seed=9)
    strange[:, 6:10, 8:12] += 8
    with torch.no_grad():
        marked = detector.anomaly_map(strange)
        assert (detector.score(strange) > detector.score(clips(6, seed=8)).max()).all()
    assert marked[:, 6:10, 8:12].mean() > 3 * marked.mean()


def test_one_channel_is_no_flow():
    with pytest.raises(ConfigError, match="at least two channels"):
        new("fastflow", backbone=Cells((16, 24)), **QUICK)
    with pytest.raises(ConfigError, match="setting 'dimensions'"):
        new("fastflow", dimensions=1)
