import numpy as np
import pytest
import torch
from detector_toys import fitted, noise
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import OAS, LedoitWolf

from soundproof.core.errors import DataError

# bands that move together, and of unequal spread
MIX = torch.tensor([[1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 5.0]])
NORMAL = torch.einsum("ij,njt->nit", MIX, noise(40, 3, 12)) - 30
TEST = torch.cat([NORMAL[:4] + 0.5, noise(5, 3, 12, seed=2) - 28])
ESTIMATORS = {"ledoit_wolf": LedoitWolf, "oas": OAS}


def statistics(maps):
    wide = maps.double().numpy()
    return np.concatenate([wide.mean(axis=2), wide.std(axis=2)], axis=1)


@pytest.mark.parametrize("kind", ["ledoit_wolf", "oas"])
def test_the_score_is_the_squared_distance_of_scikit_learn_and_scipy(kind):
    reference = ESTIMATORS[kind]().fit(statistics(NORMAL))
    score = fitted("gaussian", NORMAL, covariance=kind).score(TEST).numpy()
    np.testing.assert_allclose(score, reference.mahalanobis(statistics(TEST)), rtol=1e-5)
    inverse = np.linalg.inv(reference.covariance_)
    by_scipy = [mahalanobis(row, reference.location_, inverse) ** 2 for row in statistics(TEST)]
    np.testing.assert_allclose(score, by_scipy, rtol=1e-5)


def test_the_diagonal_one_adds_squared_z_scores():
    values = statistics(NORMAL)
    z = (statistics(TEST) - values.mean(axis=0)) / values.std(axis=0)
    score = fitted("gaussian", NORMAL, covariance="diagonal").score(TEST)
    np.testing.assert_allclose(score.numpy(), (z**2).sum(axis=1), rtol=1e-9)


def test_by_hand():
    # one band of two frames: means -1 and 1 (variance 1), deviations 1 and 3 (variance 1) about 2
    normal = torch.tensor([[[-2.0, 0.0]], [[-2.0, 4.0]], [[-4.0, 2.0]], [[0.0, 2.0]]])
    detector = fitted("gaussian", normal, covariance="diagonal")
    x = torch.tensor([[[3.0, 11.0]]])  # mean 7, deviation 4: 7 and 2 standard deviations away
    assert detector.score(x).item() == pytest.approx(7**2 + 2**2)
    # frames 3 and 11 from the mean 0: 9 and 121 of 130
    parts = detector.anomaly_map(x)[0, 0] / 53
    assert parts.tolist() == pytest.approx([9 / 130, 121 / 130])


@pytest.mark.parametrize("kind", ["ledoit_wolf", "oas", "diagonal"])
def test_the_map_is_not_negative_and_sums_to_the_score(kind):
    detector = fitted("gaussian", NORMAL, covariance=kind)
    cells = detector.anomaly_map(TEST)
    assert cells.shape == TEST.shape and (cells >= 0).all()
    np.testing.assert_allclose(cells.sum(dim=(1, 2)), detector.score(TEST), rtol=1e-5)


def test_a_clip_at_the_mean_in_every_frame_has_its_contribution_spread_evenly():
    detector = fitted("gaussian", NORMAL)
    quiet = detector.centre[:3].float()[None, :, None].expand(1, 3, 12)
    detector.centre[:3] = quiet[0, :, 0].double()
    cells = detector.anomaly_map(quiet)
    assert torch.allclose(cells, cells[:, :, :1].expand_as(cells)) and cells.sum() > 0


def test_the_map_marks_the_band_and_the_frames_that_changed():
    x = NORMAL[:1].clone()
    x[0, 1, 8:] += 6
    cells = fitted("gaussian", NORMAL).anomaly_map(x)[0]
    assert cells.sum(dim=1).argmax() == 1
    assert cells[1, 8:].sum() > 0.9 * cells[1].sum()


def test_it_has_a_gradient_also_where_a_band_does_not_vary():
    detector = fitted("gaussian", NORMAL)
    x = TEST[:2].double().requires_grad_()
    assert torch.autograd.gradcheck(detector.score, (x,), fast_mode=True)
    flat = torch.full((1, 3, 12), -30.0, requires_grad=True)
    detector.score(flat).sum().backward()
    assert flat.grad.isfinite().all()


@pytest.mark.parametrize("kind", ["ledoit_wolf", "oas", "diagonal"])
def test_a_band_that_never_varies_leaves_finite_scores(kind):
    normal = NORMAL.clone()
    normal[:, 2] = 1.0
    assert fitted("gaussian", normal, covariance=kind).score(TEST).isfinite().all()


@pytest.mark.parametrize("maps", [NORMAL[:1], NORMAL[:1].expand(5, -1, -1)])
def test_clips_that_do_not_differ_are_refused(maps):
    with pytest.raises(DataError, match="same mean and deviation"):
        fitted("gaussian", maps)


def test_mean_square_is_the_error_of_reconstructing_zero():
    x = torch.tensor([[[1.0, -3.0], [0.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]]])
    assert fitted("mean_square", x).score(x).tolist() == [3.5, 0.0]
