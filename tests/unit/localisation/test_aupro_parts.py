import numpy as np
import pytest
from skimage.measure import label

from soundproof.interfaces.metric import Undefined
from soundproof.localisation.aupro_parts import (
    clip_influences,
    false_positive_shares,
    region_counts,
)
from soundproof.localisation.measure import measure_localisation
from soundproof.localisation.region_overlap import aupro
from soundproof.localisation.registry import LOCALISATION
from soundproof.truth.energy_rule import energy_mask
from soundproof.truth.ground_truth import Truth


def toy(n_clips=30, levels=None, seed=0, skill=1.2):
    """Clips with two regions each, found more or less well."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((n_clips, 16, 30), bool)
    for mask in masks:
        low, start = rng.integers(0, 10), rng.integers(0, 20)
        mask[low : low + 4, start : start + 6] = True
        mask[(low + 8) % 14, (start + 12) % 26 :][:5] = True
    maps = rng.normal(size=masks.shape) + skill * rng.random((n_clips, 1, 1)) * masks
    return (maps if levels is None else np.round(maps * levels) / levels), masks


@pytest.mark.parametrize("levels", [None, 2])
def test_influences_are_the_literal_jackknife(levels):
    maps, masks = toy(8, levels)
    value = aupro(maps, masks)
    found = clip_influences(maps, masks, value, 0.3)
    without = [aupro(np.delete(maps, i, axis=0), np.delete(masks, i, axis=0)) for i in range(8)]
    np.testing.assert_allclose(found, value + 7 * (np.mean(without) - np.array(without)), atol=1e-9)
    assert found.mean() == pytest.approx(value, abs=1e-12)


def test_reading_few_thresholds_changes_the_influences_little():
    maps, masks = toy(30)
    value = aupro(maps, masks)
    assert maps.size > 3 * 4096
    found = clip_influences(maps, masks, value, 0.3)
    without = [aupro(np.delete(maps, i, axis=0), np.delete(masks, i, axis=0)) for i in range(30)]
    np.testing.assert_allclose(found, value + 29 * (np.mean(without) - np.array(without)), atol=5e-3)


def test_the_spread_of_influences_is_that_of_sets_drawn_anew():
    values = []
    for seed in range(120):
        maps, masks = toy(20, seed=seed)
        values.append(aupro(maps, masks))
    errors = []
    for seed in range(0, 120, 10):
        maps, masks = toy(20, seed=seed)
        influences = clip_influences(maps, masks, aupro(maps, masks), 0.3)
        errors.append(influences.std(ddof=1) / np.sqrt(20))
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.25)


def test_a_single_clip_has_no_influence_of_its_own():
    maps, masks = toy(1)
    assert isinstance(clip_influences(maps, masks, 0.5, 0.3), Undefined)
    maps, masks = toy(3)
    masks[1:] = False
    assert isinstance(clip_influences(maps, masks, 0.5, 0.3), Undefined)


def test_false_positives_by_hand():
    # the fault holds bands 0-1 of frame 1, and band 1 of frame 2; (0, 2) lies between its cells
    masks = np.zeros((1, 3, 4), bool)
    masks[0, :2, 1] = masks[0, 1, 2] = True
    maps = np.zeros((1, 3, 4))
    maps[0, 2, 1] = 5.0  # in its frames, another band
    maps[0, 0, 3] = 4.0  # in its band, at another time
    # 9 cells outside: the first two are false positives from rates 1/18 and 3/18 on; limit 2/9 = 4/18
    shares = false_positive_shares(maps, masks, 2 / 9)
    assert shares["other_bands"] == (pytest.approx(3 / 4), pytest.approx(2 / 9))
    assert shares["other_frames"] == (pytest.approx(1 / 4), pytest.approx(4 / 9))
    assert shares["between"] == (0.0, pytest.approx(1 / 9))
    assert shares["elsewhere"] == (0.0, pytest.approx(2 / 9))


def test_false_positives_of_a_constant_map_lie_where_cells_lie():
    _, masks = toy(60)
    for share, chance in false_positive_shares(np.zeros(masks.shape), masks, 0.3).values():
        # all cells tie in the middle of the ranking, beyond the limit
        assert share == chance
    shares = false_positive_shares(np.random.default_rng(1).random(masks.shape), masks, 0.3)
    assert sum(share for share, _ in shares.values()) == pytest.approx(1)
    for share, chance in shares.values():
        assert share == pytest.approx(chance, abs=0.03)


@pytest.mark.parametrize(("connectivity", "min_cells"), [(4, 1), (8, 1), (8, 4), (4, 3)])
def test_regions_are_counted_as_scikit_image_counts_them(connectivity, min_cells):
    masks = np.random.default_rng(2).random((4, 9, 11)) < 0.3
    sizes = [
        int((labels == k).sum())
        for labels in (label(mask, connectivity=1 if connectivity == 4 else 2) for mask in masks)
        for k in range(1, labels.max() + 1)
    ]
    kept = sum(size >= min_cells for size in sizes)
    assert region_counts(masks, connectivity, min_cells) == (kept, len(sizes) - kept)


def test_by_the_energy_rule_regions_are_those_of_the_event_alone():
    rng = np.random.default_rng(2)
    levels = np.where(np.arange(12) < 6, rng.uniform(-30, 0, (3, 10, 12)), -100.0)
    masks = levels > -25
    maps = rng.normal(size=levels.shape) + masks
    ids, settings = ["a", "b", "c"], LOCALISATION["aupro"].settings({"limit": 0.3})
    rows = measure_localisation(
        {"map": maps}, ids, Truth(4.0, [[(0.0, 1.5)]] * 3, masks, event_maps=levels), {"aupro": settings}
    )
    values = rows[rows["clip_id"].isna()].set_index(["metric", "protocol"])["value"]
    assert values["aupro", ""] == pytest.approx(aupro(maps, masks, 0.3))
    assert values["aupro", "energy_rule"] == pytest.approx(aupro(maps, energy_mask(levels), 0.3))
    assert values["aupro", ""] != values["aupro", "energy_rule"]
    assert values["aupro", "chance_uniform_energy_rule"] == 0.15
    weights = rows[rows["protocol"].eq("influence_energy_rule")]["value"]
    assert weights.mean() == pytest.approx(values["aupro", "energy_rule"])
    # without maps of the events there is no such row
    bare = measure_localisation(
        {"map": maps}, ids, Truth(4.0, [[(0.0, 1.5)]] * 3, masks), {"aupro": settings}
    )
    assert not bare["protocol"].str.contains("energy").any()
