"""Band memory and few-shot memory."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.metrics import roc_auc_score
from toys.detectors import noise
from toys.embedding import SHAPE, Cells, Clips, clips, fit

from soundproof.core.errors import DataError
from soundproof.interfaces.detector import TrainingRun

BAND = {"neighbourhood": 1, "smoothing": "none", "window_s": None, "band_rows": 0}


def test_a_band_by_hand():
    # one cell a band: bands 1, 2, 4 and 10, 10, 13
    normal = torch.tensor([[[1.0], [10.0]], [[2.0], [10.0]], [[4.0], [13.0]]])
    plain = fit("band_memory", normal, Cells((2, 1)), band_scale="none", **BAND)
    test = torch.tensor([[[6.5], [12.0]]])
    assert plain.cell_scores(test).flatten().tolist() == [2.5, 1.0]
    assert plain.score(test).item() == 2.5
    two = fit("band_memory", normal, Cells((2, 1)), band_scale="none", neighbours=2, **BAND)
    # of 6.5: 4 and 2; of 12: 13 and 10
    assert two.cell_scores(test).flatten().tolist() == [3.5, 1.5]


def test_bands_compare_by_their_usual_distance():
    normal = torch.tensor([[[1.0], [10.0]], [[2.0], [14.0]], [[4.0], [20.0]]])
    detector = fit("band_memory", normal, Cells((2, 1)), **BAND)
    # to the nearest other: 1, 1, 2 and 4, 4, 6
    assert detector.usual.tolist() == [1.0, 4.0]
    assert detector.cell_scores(torch.tensor([[[6.0], [28.0]]])).flatten().tolist() == [2.0, 2.0]


def test_windows_are_means_of_their_columns():
    # 40 frames a second: 0.05 s are 2 of 5 columns, the fifth joins the last window
    normal = noise(6, 4, 5)
    detector = fit("band_memory", normal, Cells((4, 5)), **{**BAND, "window_s": 0.05, "band_scale": "none"})
    test = noise(1, 4, 5, seed=1)
    windows = [
        torch.stack([maps[:, :, :2].mean(dim=2), maps[:, :, 2:].mean(dim=2)], dim=2)
        for maps in (normal, test)
    ]
    scores = detector.cell_scores(test)[0]
    for row in range(4):
        away = cdist(windows[1][0, row][:, None], windows[0][:, row].reshape(-1, 1)).min(axis=1)
        np.testing.assert_allclose(scores[row], away[[0, 0, 1, 1, 1]], rtol=1e-5, atol=1e-6)


def test_windows_last_as_long_in_clips_of_another_length():
    detector = fit("band_memory", noise(6, 4, 8), Cells((4, 8)), **{**BAND, "window_s": 0.05})
    scores = detector.cell_scores(noise(1, 4, 16, seed=1))[0]
    # two columns each, as in training
    assert torch.equal(scores[:, ::2], scores[:, 1::2])
    assert not torch.equal(scores[:, 1:-1:2], scores[:, 2::2])


def test_a_band_that_never_varies_has_no_scale_of_its_own_and_finite_scores():
    maps = clips(6)
    maps[:, :4] = 0.0
    detector = fit("band_memory", maps, Cells(SHAPE), neighbourhood=1)
    assert detector.score(clips(2, seed=1)).isfinite().all()
    same = fit("band_memory", torch.ones(4, *SHAPE), Cells(SHAPE), neighbourhood=1, neighbours=1, per_band=3)
    assert same.score(torch.ones(1, *SHAPE)).item() == 0


def test_no_more_vectors_are_kept_than_asked_for():
    detector = fit("band_memory", clips(10), per_band=7)
    assert detector.bank_rows.bincount().tolist() == [7] * 8


def test_too_few_windows_are_refused():
    with pytest.raises(
        DataError, match=r"3 nearest neighbour\(s\) of patches in row 0.*\n.*2 normal vectors"
    ):
        fit("band_memory", clips(2), window_s=None, band_rows=0, neighbours=3)


def test_cosine_distance_is_scipys():
    maps, test = clips(2), clips(2, seed=1)
    detector = fit("few_shot_memory", maps, shots=2, band_rows="all")
    plain = fit("patchcore", maps, neighbours=1)
    normal, queries = plain.patches(maps).flatten(0, 2).double(), plain.patches(test).flatten(0, 2).double()
    away = cdist(queries, normal, metric="cosine").min(axis=1)
    np.testing.assert_allclose(detector.cell_scores(test).flatten(), away, atol=1e-6)
    # the mean of the largest hundredth: 1 of 96 cells
    np.testing.assert_allclose(detector.score(test), away.reshape(2, -1).max(axis=1), atol=1e-6)
    loud = detector.cell_scores(maps)
    assert (loud == 0).all()


def test_more_shots_hold_the_fewer_and_derive_from_the_seed():
    maps = clips(9)

    def drawn(shots, seed=0):
        return fit("few_shot_memory", maps, shots=shots, seed=seed).bank

    banks = [drawn(shots) for shots in (1, 2, 4, 8)]
    assert [len(bank) for bank in banks] == [96, 192, 384, 768]
    for fewer, more in pairwise(banks):
        assert cdist(fewer, more).min(axis=1).max() < 1e-5
    assert torch.equal(drawn(1), banks[0])
    assert any(cdist(banks[0], drawn(1, seed)).min(axis=1).max() > 0.01 for seed in range(1, 4))


def test_clips_keep_their_draw_in_another_order():
    maps = clips(9)
    turned = Clips(maps.flip(0))
    turned.frame = turned.frame[::-1].reset_index(drop=True)
    one = fit("few_shot_memory", maps, shots=2)
    other = fit("few_shot_memory", maps, shots=3)
    other.settings = one.settings
    other.fit(turned, TrainingRun(seed=0))
    test = clips(3, seed=1)
    torch.testing.assert_close(other.score(test), one.score(test))


def test_more_shots_than_clips_are_refused():
    with pytest.raises(DataError, match=r"8 normal clips \('shots'\)\n.*3 training clips"):
        fit("few_shot_memory", clips(3), shots=8)


def hums(n, seed):
    maps = noise(n, *SHAPE, seed=seed) * 0.3
    maps[:, 4] += 3
    return maps


@pytest.mark.parametrize("kind", ["band_memory", "few_shot_memory"])
def test_a_hum_in_another_band_is_found(kind):
    test = hums(20, seed=1)
    test[10:, 11, 8:20] += 3
    assert roc_auc_score([0] * 10 + [1] * 10, fit(kind, hums(8, seed=0)).score(test)) > 0.95


def test_and_band_memory_names_the_band():
    test = hums(10, seed=1)
    test[:, 11, 8:20] += 3
    cells = fit("band_memory", hums(8, seed=0), Cells(SHAPE)).anomaly_map(test)
    assert (cells.mean(dim=2).argmax(dim=1) == 11).all()
