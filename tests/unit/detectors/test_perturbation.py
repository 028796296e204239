"""ODIN and Mahalanobis: scores by hand and against SciPy, the step, and what is chosen on normal clips."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis
from torch.testing import assert_close
from toys.detectors import build
from toys.featex import SHAPE, SMALL, ToyMachines, tones

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.perturbation.mahalanobis import within
from soundproof.detectors.perturbation.settings import EPSILONS, TEMPERATURES
from soundproof.interfaces.detector import TrainingRun

BINS = (5, 15, 25)
KINDS = ["odin", "mahalanobis"]


def fit(kind, clips=None, **settings):
    detector = build(kind, SHAPE, **{**SMALL, "validation_fraction": 0.25, **settings})
    detector.fit(ToyMachines() if clips is None else clips, TrainingRun(seed=0))
    return detector.freeze()


@pytest.fixture(scope="module")
def detectors():
    return {kind: fit(kind) for kind in KINDS}


def test_odin_by_hand_on_three_classes():
    detector = build("odin", SHAPE, **SMALL, sub_clusters=1, temperature=2.0)
    detector.temperature.fill_(2.0)
    detector.scale.fill_(4.0)
    detector.centres = torch.eye(3, detector.n_dims)[:, None]
    detector.embed = lambda x: torch.nn.functional.pad(
        torch.tensor([[0.6, 0.8, 0.0]]), (0, detector.n_dims - 3)
    )
    # logits 2.4, 3.2, 0; over the temperature 1.2, 1.6, 0
    expected = np.log(np.exp(1.2) + np.exp(1.6) + 1) - 1.6
    assert detector.plain_score(torch.zeros(1, *SHAPE)).item() == pytest.approx(expected, rel=1e-6)


def test_mahalanobis_is_scipy_s_and_takes_the_nearest_class(detectors):
    detector, x = detectors["mahalanobis"], tones((5, 16, 30), seed=3)
    embedded = detector.embed(x).double().numpy()
    inverse = np.linalg.inv((detector.cholesky @ detector.cholesky.T).numpy())
    distances = [[mahalanobis(h, mean, inverse) ** 2 for mean in detector.means.numpy()] for h in embedded]
    assert_close(detector.plain_score(x).numpy(), np.min(distances, axis=1), rtol=1e-6, atol=0)
    assert len(detector.means) == len(BINS)


def test_the_spread_within_classes_is_shrunk_and_whole():
    away = torch.randn(6, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    factor = within(away)
    covariance = factor @ factor.T
    assert_close(covariance.trace(), away.square().sum() / 6, rtol=1e-4, atol=0)
    assert torch.linalg.eigvalsh(covariance).min() > 0.1
    assert within(torch.zeros(4, 3, dtype=torch.float64)).isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_no_step_leaves_the_plain_score_and_a_step_lowers_it(detectors, kind):
    detector, x = detectors[kind], tones((5, 10, 20), seed=4)
    plain = detector.plain_score(x)
    assert torch.equal(detector.stepped_score(x, 0.0), plain)
    assert (detector.stepped_score(x, 1e-4) < plain).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_step_goes_as_far_in_each_band_against_the_slope(detectors, kind):
    detector, x = detectors[kind], tones((5, 20), seed=4)
    leaf = x.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(detector.plain_score(leaf).sum(), leaf)
    moved = x - 0.02 * slopes.sign() * detector.band_deviation[:, None]
    assert_close(detector.stepped_score(x, 0.02), detector.plain_score(moved))
    assert_close(detector.anomaly_map(x), slopes.abs() * detector.band_deviation[:, None])
    probed = detector.further_scores(x)
    assert set(probed) == {("perturbed_score", probe) for probe in detector.settings.probes}
    assert_close(probed["perturbed_score", 0.02], detector.plain_score(moved))


@pytest.mark.parametrize("kind", KINDS)
def test_the_step_is_the_one_that_makes_held_out_normal_clips_most_normal(detectors, kind):
    detector, clips, run = detectors[kind], ToyMachines(), TrainingRun(seed=0)
    held = detector.held_out(clips, run)
    assert len(held) == 9
    means = {epsilon: detector.stepped_score(held, epsilon).mean().item() for epsilon in EPSILONS}
    assert min(means, key=means.get) == float(detector.epsilon)
    assert float(fit(kind, epsilon=0.003).epsilon) == 0.003


def test_the_temperature_is_the_one_of_least_cross_entropy_on_them(detectors):
    detector, clips, run = detectors["odin"], ToyMachines(), TrainingRun(seed=0)
    rows = detector.held_out_rows(clips, run)
    logits = detector.logits(clips.read(rows))
    labels = torch.tensor(rows) // 12  # twelve clips of each machine, in the order of their names
    names = sorted({f"m{bin_}" for bin_ in BINS})
    labels = torch.tensor([names.index(f"m{BINS[label]}") for label in labels.tolist()])
    losses = [torch.nn.functional.cross_entropy(logits / value, labels).item() for value in TEMPERATURES]
    assert TEMPERATURES[int(np.argmin(losses))] == float(detector.temperature)
    assert float(fit("odin", temperature=1000.0).temperature) == 1000


@pytest.mark.parametrize("kind", KINDS)
def test_a_machine_that_nobody_has_heard_scores_higher(detectors, kind):
    known, strange = tones((5, 15, 25) * 4, seed=8), tones((10, 20, 30) * 4, seed=9)
    detector = detectors[kind]
    assert detector.score(strange).median() > detector.score(known).median()


@pytest.mark.parametrize("kind", KINDS)
def test_one_class_is_refused(kind):
    with pytest.raises(DataError, match="all 8 training clips are of one class"):
        fit(kind, ToyMachines(bins=(5,), per_machine=8))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("odin", {"temperature": 0.0}),
        ("odin", {"temperature": -1.0}),
        ("odin", {"epsilon": -0.1}),
        ("mahalanobis", {"epsilon": -0.1}),
        ("odin", {"probes": [-0.1]}),
    ],
)
def test_settings_out_of_range_are_refused(kind, change):
    (name,) = change
    with pytest.raises(ConfigError, match=f"setting '{name}"):
        build(kind, SHAPE, **change)


def test_odin_without_the_head_that_it_asks_is_refused():
    with pytest.raises(ConfigError, match="nothing tells the classes apart"):
        build("odin", SHAPE, loss_weights=[0, 0, 1])
