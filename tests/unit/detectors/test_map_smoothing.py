import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from toys.detectors import noise

from soundproof.detectors.embedding.patches import along_both
from soundproof.detectors.embedding.smoothing import gaussian_matrix, sigmas_of_bands, sigmas_of_frames


def even(n, sigma):
    return gaussian_matrix(torch.full((n,), sigma, dtype=torch.float64))


# 4 cells on 9 bands: the Gaussian is wider than the axis and is mirrored more than once
@pytest.mark.parametrize(
    ("shape", "sigma"), [((30, 50), (4.0, 4.0)), ((9, 5), (4.0, 0.7)), ((12, 8), (0.0, 2.0))]
)
def test_it_is_scipys(shape, sigma):
    impulse = torch.zeros(2, *shape, dtype=torch.float64)
    impulse[0, 1, 2] = 1
    impulse[1] = noise(*shape, dtype=torch.float64)
    ours = along_both(even(shape[0], sigma[0]), impulse, even(shape[1], sigma[1]))
    for clip in range(2):
        expected = gaussian_filter(impulse[clip].numpy(), sigma, mode="reflect")
        np.testing.assert_allclose(ours[clip], expected, rtol=1e-9, atol=1e-15)


def test_a_radius_cuts_it_off():
    expected = gaussian_filter1d(np.eye(7), 4.0, axis=0, mode="reflect", radius=1)
    np.testing.assert_allclose(gaussian_matrix(torch.full((7,), 4.0), 1), expected, rtol=1e-7)


def test_hz_and_seconds_become_cells():
    # bands 100, 100, 200 and 400 Hz apart
    bands = torch.tensor([100.0, 200.0, 300.0, 500.0, 900.0])
    assert sigmas_of_bands(300.0, bands).tolist() == pytest.approx([3, 3, 2, 1, 0.75])
    assert sigmas_of_frames(0.1, 40.0, 3).tolist() == pytest.approx([4, 4, 4])
    assert sigmas_of_bands(300.0, bands[:1]).tolist() == [0]


def test_a_width_in_hz_spans_fewer_bands_where_bands_are_wide():
    matrix = gaussian_matrix(sigmas_of_bands(200.0, torch.tensor([50.0 * 1.2**band for band in range(20)])))
    torch.testing.assert_close(matrix.sum(dim=1), torch.ones(20, dtype=torch.float64))
    own = matrix.diagonal()[8:]  # away from the lower end, where the axis is mirrored
    assert (own[1:] > own[:-1]).all()
