"""Partial diffusion: its schedule and posterior by hand, its noise, and what it repairs."""

import pytest
import torch
from torch.testing import assert_close
from toys.detectors import HeldClips, build, fitted, noise

from soundproof.core.errors import ConfigError
from soundproof.detectors.generative.noise import Noise, lattice
from soundproof.detectors.generative.schedule import Schedule, stops
from soundproof.interfaces.detector import TrainingRun

SHAPE = (16, 24)
QUICK = {"epochs": 40, "batch_size": 12, "width": 8, "steps": 50, "repairs": 2, "steps_back": 4}


def hums(n, seed=0):
    """Noise, and a line whose strength differs from clip to clip."""
    maps = 0.5 * noise(n, *SHAPE, seed=seed)
    maps[:, 4] += 2 + torch.rand(n, 1, generator=torch.Generator().manual_seed(seed + 1))
    return maps


@pytest.fixture(scope="module")
def trained():
    return fitted("diffusion", hums(36), **QUICK, learning_rate=0.004).freeze()


def test_the_schedule_by_hand():
    schedule = Schedule(4)  # variances of 1000 / 4 times 1e-4 .. 0.02, the last cut at 0.999
    variances = torch.tensor([0.025, 0.025 + 0.974 / 3, 0.025 + 2 * 0.974 / 3, 0.999], dtype=torch.float64)
    kept = torch.tensor([1.0, *(1 - variances).cumprod(0).tolist()], dtype=torch.float64)
    assert_close(schedule.kept, kept)
    x, e = noise(2, 3, 5), noise(2, 3, 5, seed=1)
    found = schedule.noisy(x, e, torch.tensor([0, 2]))
    assert torch.equal(found[0], x[0])
    assert_close(found[1], (kept[2].sqrt() * x[1] + (1 - kept[2]).sqrt() * e[1]).float())
    assert Schedule(1000).kept[-1].item() == pytest.approx(4.0358e-5, rel=1e-3)  # as Ho et al. have it


def test_a_step_with_draws_is_one_of_the_posterior():
    schedule, t = Schedule(40), 17
    clean, e = noise(1, 3, 5, dtype=torch.float64), noise(1, 3, 5, seed=1, dtype=torch.float64)
    x = schedule.noisy(clean, e, torch.tensor([t]))
    here, there = schedule.kept[t], schedule.kept[t - 1]
    variance = 1 - here / there
    # Ho et al. 2020, equations 6 and 7
    mean = there.sqrt() * variance / (1 - here) * clean
    mean = mean + (1 - variance).sqrt() * (1 - there) / (1 - here) * x
    spread = (1 - there) / (1 - here) * variance
    drawn = noise(1, 3, 5, seed=2, dtype=torch.float64)
    assert_close(schedule.back(x, e, t, t - 1, 1.0, drawn), mean + spread.sqrt() * drawn)


def test_steps_back_that_see_the_very_noise_lead_to_the_clip():
    schedule = Schedule(30)
    clean, e = noise(2, 3, 5, dtype=torch.float64), noise(2, 3, 5, seed=1, dtype=torch.float64)
    x = schedule.noisy(clean, e, torch.tensor([20, 20]))
    for step, to in zip(stops(20, 4), stops(20, 4)[1:], strict=False):
        x = schedule.back(x, e, step, to)
    assert_close(x, clean)


@pytest.mark.parametrize(
    ("start", "n", "found"), [(20, 4, [20, 15, 10, 5, 0]), (2, 5, [2, 1, 0]), (0, 5, [0]), (7, 1, [7, 0])]
)
def test_the_way_back_ends_at_the_clip(start, n, found):
    assert stops(start, n) == found


def test_multi_scale_noise_has_variance_one_and_power_at_coarse_scales():
    drawn = {
        kind: Noise((40, 70), kind).draw(4000, torch.Generator().manual_seed(0))
        for kind in ("gaussian", "multi_scale")
    }
    for values in drawn.values():
        assert_close(values.mean(dim=0), torch.zeros(40, 70), atol=0.08, rtol=0)
        assert_close(values.var(dim=0), torch.ones(40, 70), atol=0.12, rtol=0)
    neighbours = {
        kind: (values[:, :, 1:] * values[:, :, :-1]).mean().item() for kind, values in drawn.items()
    }
    assert abs(neighbours["gaussian"]) < 0.01
    assert neighbours["multi_scale"] > 0.8
    blocks = {kind: values[:, :32, :64].mean(dim=(1, 2)).var().item() for kind, values in drawn.items()}
    assert blocks["gaussian"] == pytest.approx(1 / 2048, rel=0.1)
    assert blocks["multi_scale"] > 0.1


def test_a_lattice_by_hand():
    assert_close(
        lattice(5, 2), torch.tensor([[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 0.5, 0.5], [0, 0, 1.0]])
    )


def test_without_noise_the_clip_itself_comes_back():
    detector = fitted("diffusion", hums(6), **{**QUICK, "epochs": 1}, partial=0.0).freeze()
    x = hums(3, seed=5)
    with torch.no_grad():
        assert torch.equal(detector.reconstruct(x), x)
        assert torch.equal(detector.score(x), torch.zeros(3))


def test_the_more_noise_the_less_of_a_normal_clip_is_left(trained):
    x = hums(12, seed=5)
    errors = []
    for partial in (0.1, 0.3, 0.6, 1.0):
        detector = build("diffusion", SHAPE, **QUICK, partial=partial)
        detector.load_state_dict(trained.state_dict())
        with torch.no_grad():
            errors.append(detector.freeze().score(x).mean().item())
    assert errors == sorted(errors)
    assert errors[-1] > 1.3 * errors[0]


def test_it_learns_to_see_noise_and_repairs_a_line_where_none_was(trained):
    detector = build("diffusion", SHAPE, **QUICK, learning_rate=0.004)
    history = detector.fit(HeldClips(hums(36)), TrainingRun(seed=0))
    assert history["trivial_loss"].iloc[0] == 1
    assert history["validation_loss"].min() < 0.7
    strange = hums(8, seed=9)
    strange[:, 10, 4:14] += 4
    with torch.no_grad():
        assert (trained.score(strange) > trained.score(hums(8, seed=9))).all()
        marked = trained.anomaly_map(strange)
    assert marked[:, 10, 4:14].mean() > 3 * marked.mean()


@pytest.mark.parametrize(
    "change", [{"partial": 1.1}, {"partial": -0.1}, {"steps": 1}, {"eta": 2.0}, {"width": 6}]
)
def test_settings_out_of_range_are_refused(change):
    (name,) = change
    with pytest.raises(ConfigError, match=f"setting '{name}' of 'diffusion'"):
        build("diffusion", SHAPE, **change)
