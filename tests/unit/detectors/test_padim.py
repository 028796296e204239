import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import OAS, LedoitWolf
from sklearn.metrics import roc_auc_score
from toys.detectors import noise
from toys.embedding import SHAPE, Cells, Columns, clips, columns, fit, new

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.embedding.covariance import Moments, factor

PUBLISHED = {"protocol": "as_published", "smoothing": "none"}


def gaussian(samples):
    """Mean and covariance [n_dims], [n_dims, n_dims] of samples [n, n_dims], over n - 1."""
    return samples.mean(axis=0), np.cov(samples, rowvar=False).reshape(samples.shape[1], samples.shape[1])


@pytest.mark.parametrize("position", ["cell", "band"])
@pytest.mark.parametrize("rule", ["absolute", "relative"])
def test_each_patch_has_scipys_distance(position, rule):
    maps, test = clips(30), clips(2, seed=1)
    detector = fit("padim", maps, position=position, covariance_rule=rule)
    normal, queries = detector.patches(maps).double().numpy(), detector.patches(test).double().numpy()
    scores = detector.cell_scores(test)
    for row, column in [(0, 0), (3, 5), (7, 11)]:
        samples = normal[:, row, column] if position == "cell" else normal[:, row].reshape(-1, 16)
        mean, covariance = gaussian(samples)
        added = 0.01 * (np.trace(covariance) / 16 if rule == "relative" else 1)
        inverse = np.linalg.inv(covariance + added * np.eye(16))
        for clip in range(2):
            expected = mahalanobis(queries[clip, row, column], mean, inverse)
            assert scores[clip, row, column].item() == pytest.approx(expected, rel=1e-4)


def test_fewer_clips_than_channels_agree_with_woodbury():
    """x' (aI + UU')^-1 x without ever inverting a matrix of all channels: U holds the centred clips."""
    maps, test = clips(6), clips(1, seed=1)
    detector = fit("padim", maps, **PUBLISHED)
    normal, query = detector.patches(maps).double(), detector.patches(test).double()[0]
    row, column = 2, 4
    centred = (normal[:, row, column] - normal[:, row, column].mean(dim=0)).T / 5**0.5
    away = query[row, column] - normal[:, row, column].mean(dim=0)
    small = torch.eye(6, dtype=torch.float64) + centred.T @ centred / 0.01
    projected = centred.T @ away / 0.01
    squared = away @ away / 0.01 - projected @ torch.linalg.solve(small, projected)
    assert detector.cell_scores(test)[0, row, column].item() == pytest.approx(squared.sqrt().item(), rel=1e-5)


class Scaled(Cells):
    """The map and its neighbour in time, times a factor."""

    layers = (*Cells.layers, *Cells.layers)

    def __init__(self, factor):
        super().__init__(SHAPE)
        self.factor = factor

    def forward(self, x):
        return [self.factor * x[:, None], self.factor * x.roll(1, dims=2)[:, None]]


def auc(detector):
    normal, odd = clips(12, seed=5), clips(12, seed=6)
    odd[:, 3:6, 4:9] += torch.linspace(0.1, 1.2, 12)[:, None, None]
    scores = torch.cat([detector.score(normal), detector.score(odd)])
    return scores, roc_auc_score([0] * 12 + [1] * 12, scores.numpy())


def test_the_scale_of_features_moves_the_absolute_rule_alone():
    maps = clips(20)
    found = {
        (rule, times): auc(fit("padim", maps, Scaled(times), covariance_rule=rule, position="cell"))
        for rule in ("absolute", "relative")
        for times in (0.1, 1.0, 10.0)
    }
    for times in (0.1, 10.0):
        torch.testing.assert_close(
            found["relative", times][0], found["relative", 1.0][0], rtol=1e-4, atol=1e-5
        )
        assert found["relative", times][1] == found["relative", 1.0][1]
    assert not torch.allclose(found["absolute", 0.1][0], found["absolute", 1.0][0], rtol=0.05)


def test_a_shift_in_time_moves_the_published_score_and_not_the_pooled_one():
    # a normal machine with a stroke in frames 4 to 6, at the same time in each training clip
    maps = clips(20)
    maps[:, :, 4:7] += 4
    test = clips(3, seed=1)
    test[:, :, 4:7] += 4
    shifted = test.roll(10, dims=2)
    settings = {"neighbourhood": 1, "smoothing": "none"}
    cell = fit("padim", maps, Cells(SHAPE), position="cell", **settings)
    band = fit("padim", maps, Cells(SHAPE), position="band", **settings)
    assert (cell.score(shifted) > 2 * cell.score(test)).all()
    torch.testing.assert_close(band.score(shifted), band.score(test))


def test_clips_of_another_length_are_refused_where_each_cell_has_its_gaussian():
    maps, longer = clips(8), clips(2, seed=1, shape=(16, 40))
    with pytest.raises(DataError, match=r"patch grid of 96 cells.*\n.*8 x 20 cells \(40 frames\)"):
        fit("padim", maps, position="cell").score(longer)
    band = fit("padim", maps, position="band")
    assert band.score(longer).shape == (2,) and band.anomaly_map(longer).shape == (2, 16, 40)


def test_variances_alone_add_squared_z_scores():
    maps, test = columns((0, 0), (2, 6), (4, 0)), columns((4, 5))
    detector = fit(
        "padim",
        maps,
        Columns(2),
        covariance="diagonal",
        covariance_rule="absolute",
        regularisation=0,
        neighbourhood=1,
    )
    # means 2 and 2, variances 4 and 12
    assert detector.cell_scores(test).item() == pytest.approx((4 / 4 + 9 / 12) ** 0.5)


def test_channels_are_drawn_by_name_and_all_kept_where_there_are_fewer():
    maps = clips(8)
    kept = [fit("padim", maps, channels=5, seed=seed).kept.tolist() for seed in (0, 0, 1)]
    assert kept[0] == kept[1] != kept[2] and len(kept[0]) == 5 and kept[0] == sorted(kept[0])
    assert fit("padim", maps).kept.tolist() == list(range(16))


def test_positions_in_blocks_give_the_same():
    maps, test = clips(8), clips(2, seed=1)
    whole, blocks = (fit("padim", maps, position="cell", budget=budget) for budget in (1 << 30, 20_000))
    torch.testing.assert_close(whole.cholesky, blocks.cholesky)
    torch.testing.assert_close(whole.score(test), blocks.score(test))


def test_moments_survive_a_mean_far_from_zero():
    samples = noise(2, 50, 3, dtype=torch.float64) + 1e6
    moments = Moments(full=True)
    for part in samples.split([1, 20, 29], dim=1):
        moments.add(part)
    for position in range(2):
        mean, covariance = gaussian(samples[position].numpy())
        np.testing.assert_allclose(moments.mean[position], mean, rtol=1e-12)
        np.testing.assert_allclose(moments.covariance[position], covariance, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("rule", "estimator"), [("oas", OAS), ("ledoit_wolf", LedoitWolf)])
@pytest.mark.parametrize("n", [5, 400])
def test_shrunk_covariances_are_scikit_learns(rule, estimator, n):
    """Also where there are fewer samples than channels, and the mean is far from 0."""
    samples = noise(3, n, 12, dtype=torch.float64) * torch.linspace(1, 9, 12) + 1e4
    samples[1] += 3 * samples[1, :, :1]
    moments = Moments(full=True)
    for part in samples.split([1, n - 1], dim=1):
        moments.add(part)
    found = moments.shrunk(rule)
    for position in range(3):
        expected = estimator().fit(samples[position].numpy())
        np.testing.assert_allclose(found[position], expected.covariance_, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("rule", "estimator"), [("oas", OAS), ("ledoit_wolf", LedoitWolf)])
def test_a_shrunk_covariance_gives_scikit_learns_distance(rule, estimator):
    maps, test = clips(6), clips(2, seed=1)
    detector = fit("padim", maps, position="cell", covariance_rule=rule)
    normal, queries = detector.patches(maps).double().numpy(), detector.patches(test).double().numpy()
    fitted = estimator().fit(normal[:, 3, 5])
    expected = fitted.mahalanobis(queries[:, 3, 5]) ** 0.5
    np.testing.assert_allclose(detector.cell_scores(test)[:, 3, 5], expected, rtol=1e-4)
    flat = clips(8)
    flat[:, :6] = 1.0
    assert fit("padim", flat, Cells(SHAPE), covariance_rule=rule).score(test).isfinite().all()
    with pytest.raises(DataError, match="all of them alike"):
        fit("padim", torch.ones(5, *SHAPE), Cells(SHAPE), covariance_rule=rule)
    with pytest.raises(ConfigError, match="shrinks a covariance that is full"):
        new("padim", covariance="diagonal", covariance_rule=rule)


def test_a_covariance_that_is_not_positive_definite_is_refused():
    with pytest.raises(DataError, match=r"positive definite.*\n.*none for cell 0 \(96 of 96\)"):
        fit("padim", clips(6), position="cell", regularisation=0)
    flat = torch.diag_embed(torch.tensor([[1.0, 2.0], [1.0, 0.0]], dtype=torch.float64))
    with pytest.raises(DataError, match=r"none for row 1 \(1 of 2\)"):
        factor(flat, 0.0, "row", relative=True)
    with pytest.raises(DataError, match="none for row 1"):
        factor(flat.diagonal(dim1=1, dim2=2), 0.0, "row", relative=False)


def test_a_band_that_never_varies_leaves_finite_scores_and_clips_all_alike_are_refused():
    maps = clips(8)
    maps[:, :6] = 1.0
    assert fit("padim", maps, Cells(SHAPE)).score(clips(2, seed=1)).isfinite().all()
    with pytest.raises(DataError, match="all of them alike"):
        fit("padim", torch.ones(5, *SHAPE), Cells(SHAPE))
    with pytest.raises(DataError, match="at least two normal patches"):
        fit("padim", clips(1), position="cell")


def test_protocols():
    published, corrected = (new("padim", protocol=name) for name in ("as_published", "corrected"))
    assert (published.position, corrected.position) == ("cell", "band")
