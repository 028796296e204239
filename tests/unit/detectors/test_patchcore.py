import logging
import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from toys.detectors import noise
from toys.embedding import SHAPE, Cells, Clips, Columns, clips, columns, fit, new

from soundproof.core.errors import DataError, MemoryShortage
from soundproof.interfaces.detector import TrainingRun

# all patches are kept, and each is one column of the clip
PLAIN = {"neighbourhood": 1, "band_rows": "all", "coreset_fraction": 1.0, "smoothing": "none"}
BANK = columns((0, 0), (3, 0), (0, 4))


def by_hand(maps, **settings):
    return fit("patchcore", maps, Columns(maps.shape[1]), **{**PLAIN, **settings})


def test_re_weighting_by_hand():
    query = columns((0, 1))
    # the nearest is (0, 0), and from it (3, 0) and (0, 4): distances 1, sqrt 10 and 3 from the query
    weight = 1 - math.e / (math.e + math.exp(10**0.5) + math.exp(3))
    assert weight == pytest.approx(0.9415, abs=5e-5)
    score = by_hand(BANK, neighbours=3).score(query).item()
    assert score == pytest.approx(weight, rel=1e-6)
    # two neighbours: (0, 0) itself and (3, 0), not the two that are nearest to the query
    two = 1 - math.e / (math.e + math.exp(10**0.5))
    assert by_hand(BANK, neighbours=2).score(query).item() == pytest.approx(two, rel=1e-6)
    assert by_hand(BANK, neighbours=1).score(query).item() == pytest.approx(1)


def test_equal_distances_leave_one_minus_one_over_b():
    corners = columns((2, 0), (0, 2), (-2, 0), (0, -2))
    assert by_hand(corners, neighbours=4).score(columns((0, 0))).item() == pytest.approx(2 * (1 - 1 / 4))


def test_the_most_distant_patch_of_each_clip_counts_and_a_batch_is_its_clips():
    detector = by_hand(columns((0, 0), (3, 0), (0, 4), (9, 9)), neighbours=3)
    batch = torch.cat([columns((0, 1), (0, 0)), columns((3, 0), (-4, 3))])
    one_by_one = torch.cat([detector.score(batch[:1]), detector.score(batch[1:])])
    assert torch.equal(detector.score(batch), one_by_one)
    assert one_by_one[1] > one_by_one[0]


def test_a_copy_in_the_bank_is_as_good_as_the_nearest_itself():
    copies = columns(*[(0, 0)] * 12, (3, 0), (0, 4))
    # the neighbours of (0, 0) are copies of it, at distance 1 as well
    assert by_hand(copies, neighbours=3).score(columns((0, 1))).item() == pytest.approx(1 - 1 / 3)
    # a coreset keeps copies once
    few = by_hand(copies, neighbours=3, coreset="exact", projection=0)
    assert len(few.bank) == 3
    assert few.score(columns((0, 1))).item() == pytest.approx(0.9415, abs=5e-5)


def test_a_patch_of_the_bank_has_distance_zero():
    maps = clips(3)
    detector = fit("patchcore", maps, coreset_fraction=1.0)
    assert (detector.cell_scores(maps) == 0).all()
    assert (detector.score(maps) == 0).all()


def test_all_patches_kept_and_no_bands_is_a_brute_force_search():
    maps, test = clips(4), clips(3, seed=1)
    detector = fit("patchcore", maps, neighbours=1, coreset_fraction=1.0, band_rows="all")
    normal = detector.patches(maps).flatten(0, 2).numpy()
    queries = detector.patches(test).flatten(0, 2).numpy()
    away = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(normal).kneighbors(queries)[0]
    scores = detector.cell_scores(test)
    np.testing.assert_allclose(scores.flatten(), away[:, 0], rtol=1e-4)
    np.testing.assert_allclose(detector.score(test), away.reshape(3, -1).max(axis=1), rtol=1e-4)


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_a_band_is_compared_with_its_own_and_its_neighbours(rows):
    maps, test = clips(4), clips(2, seed=1)
    detector = fit("patchcore", maps, neighbours=1, coreset_fraction=1.0, band_rows=rows)
    normal, queries = detector.patches(maps), detector.patches(test)
    for row in range(queries.shape[1]):
        around = normal[:, max(0, row - rows) : row + rows + 1].flatten(0, 2)
        away = torch.cdist(queries[:, row].double(), around.double()[None]).amin(dim=2)
        np.testing.assert_allclose(detector.cell_scores(test)[:, row], away, rtol=1e-4)


def test_a_sound_in_another_band_is_news_to_a_bank_per_band_alone():
    """A hum in band 4 of 16 is normal; shifted by 8 bands, its patches are the same as those of band 4."""
    normal = noise(6, 16, 24) * 0.1
    normal[:, 4] += 5
    shifted = noise(4, 16, 24, seed=1) * 0.1
    plain = shifted.clone()
    plain[:, 4] += 5
    shifted[:, 12] += 5
    settings = {"neighbourhood": 3, "neighbours": 1, "coreset_fraction": 1.0, "smoothing": "none"}
    published = fit("patchcore", normal, Cells(SHAPE), band_rows="all", **settings)
    banded = fit("patchcore", normal, Cells(SHAPE), band_rows=1, **settings)
    assert (published.score(shifted) - published.score(plain)).abs().max() < 0.2
    assert (banded.score(shifted) > banded.score(plain) + 1).all()
    assert banded.anomaly_map(shifted)[0].amax(dim=1).argmax() in (11, 12, 13)


def test_the_coreset_has_its_size_and_states_its_radius(caplog):
    maps = clips(6)
    with caplog.at_level(logging.INFO):
        one = fit("patchcore", maps, band_rows="all", coreset="exact", projection=0, coreset_size=40)
    assert len(one.bank) == 40 and "40 of 576 patches, covering radius" in caplog.text
    away = one.cell_scores(maps).max().item()
    assert one.covering_radius.item() == pytest.approx(away, rel=1e-5)
    two = fit("patchcore", maps, band_rows="all", coreset="two_level", coreset_size=40, pool=120)
    assert len(two.bank) == 40
    assert two.cell_scores(maps).max().item() <= two.covering_radius.item() * (1 + 1e-6)
    per_band = fit("patchcore", maps, coreset_size=40)
    # 8 rows of the grid, 5 patches each
    assert per_band.bank_rows.bincount().tolist() == [5] * 8
    projected = fit("patchcore", maps, protocol="as_published", coreset_size=40, projection=4)
    assert len(projected.bank) == 40


def test_as_published_and_corrected_stand_for_their_settings():
    published, corrected = (new("patchcore", protocol=name) for name in ("as_published", "corrected"))
    assert (published.chosen.border, published.chosen.grid, published.band_rows) == (
        "zeros",
        "stretched",
        "all",
    )
    assert (corrected.chosen.border, corrected.chosen.grid, corrected.band_rows) == ("inside", "measured", 1)
    # one setting alone can be taken out
    mixed = new("patchcore", protocol="as_published", border="inside")
    assert (mixed.chosen.border, mixed.chosen.grid) == ("inside", "stretched")


def test_scaling_a_channel_moves_distances_unless_channels_are_scaled():
    maps, test = clips(4), clips(2, seed=1)

    class Louder(Cells):
        layers = (*Cells.layers, *Cells.layers)

        def forward(self, x):
            return [x[:, None], 1000 * x.roll(1, dims=2)[:, None]]

    class Plain(Louder):
        def forward(self, x):
            return [x[:, None], x.roll(1, dims=2)[:, None]]

    def scores(backbone, scale):
        fitted = fit(
            "patchcore", maps, backbone(SHAPE), channel_scale=scale, neighbours=1, coreset_fraction=1.0
        )
        return fitted.score(test)

    torch.testing.assert_close(scores(Louder, "channel"), scores(Plain, "channel"), rtol=1e-3, atol=1e-4)
    assert (scores(Louder, "none") > 50 * scores(Plain, "none")).all()


def test_bad_input_is_refused():
    maps = clips(2)
    with pytest.raises(DataError, match=r"coreset of 193 patches.*\n.*192 patches of 2 training clips"):
        fit("patchcore", maps, band_rows="all", coreset_size=193)
    with pytest.raises(DataError, match="9 nearest neighbour"):
        fit("patchcore", maps, coreset_size=16, neighbours=9)
    with pytest.raises(DataError, match="at least 7 x 7 cells"):
        fit("patchcore", maps, neighbourhood=7)
    with pytest.raises(MemoryShortage, match="two_level"):
        fit("patchcore", maps, band_rows="all", coreset="exact", projection=0, budget=1000)


def test_patches_that_do_not_fit_go_in_smaller_chunks(monkeypatch, caplog):
    maps = clips(12)
    whole = fit("patchcore", maps, coreset_fraction=0.5)
    detector = new("patchcore", coreset_fraction=0.5)
    patches = detector.patches

    def short_of_memory(x):
        if len(x) > 3:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
        return patches(x)

    monkeypatch.setattr(detector, "patches", short_of_memory)
    with caplog.at_level(logging.WARNING):
        detector.fit(Clips(maps), TrainingRun(seed=0))
    assert "going on with chunks of 4" in caplog.text and "chunks of 2" in caplog.text
    torch.testing.assert_close(detector.bank, whole.bank)
    monkeypatch.setattr(detector, "patches", lambda x: (_ for _ in ()).throw(RuntimeError("something else")))
    with pytest.raises(RuntimeError, match="something else"):
        list(detector.training_patches(Clips(maps), TrainingRun(seed=0)))
