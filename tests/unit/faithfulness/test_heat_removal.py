"""FF1 and FF2 of P2, by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from toys.faithfulness import Linear, context

from soundproof.core.errors import ConfigError
from soundproof.faithfulness.clean_background import clean_background
from soundproof.faithfulness.heat_removal import heat_of
from soundproof.faithfulness.measure import finished, measure_faithfulness
from soundproof.faithfulness.registry import FAITHFULNESS
from soundproof.faithfulness.soft_removal import soft_removal
from soundproof.storage.maps import Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance

# two clips of one band: the second is normal; the score is the sum of the cells
X = torch.tensor([[[6.0, 1.0, 1.0, 2.0]], [[1.0, 2.0, 1.0, 1.0]]])
CLEAN = torch.tensor([[[1.0, 1.0, 1.0, 2.0]], [[1.0, 2.0, 1.0, 1.0]]])
HEAT = torch.tensor([[[4.0, 2.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 8.0]]])
DETECTOR = Linear(torch.ones(1, 4)).freeze()


class Loudness(Linear):
    """Sum of levels in dB, above 0 also where they are below."""

    def score(self, x):
        return super().score(x) + 1000


def measured(metric, maps, x=X, detector=DETECTOR, backgrounds=CLEAN, anomalous=(True, False), **settings):
    snr_db = settings.pop("snr_db", ())
    given = replace(
        context(metric, len(x), **settings), anomalous=anomalous, snr_db=snr_db, backgrounds=backgrounds
    )
    measure = {"soft_removal": soft_removal, "clean_background": clean_background}[metric]
    rows = finished(FAITHFULNESS[metric], measure(detector, x, maps, given))
    return rows.set_index(["protocol", "explainer", "clip_id"])["value"]


def test_heat_is_a_map_between_its_own_extremes():
    np.testing.assert_allclose(heat_of(HEAT)[0, 0], [1, 0.5, 0, 0])
    np.testing.assert_allclose(heat_of(torch.full((1, 2, 2), 3.0)), 0)


def test_soft_removal_by_hand():
    values = measured("soft_removal", {"map": HEAT})
    # scores 10 and 5. Published: (0, 0.5, 1, 2) = 3.5, and (1, 2, 1, 0) = 4; range 10 - 3.5
    assert values["as_published", "map", "clip0"] == pytest.approx((10 - 3.5) / 6.5)
    assert values["as_published", "map", "clip1"] == pytest.approx((5 - 4) / 6.5)
    # towards the band's lower median 1: (1, 1, 1, 2) = 5, of the anomalous clip alone
    assert values["corrected", "map", "clip0"] == pytest.approx(1 - 5 / 10)
    assert ("corrected", "map", "clip1") not in values.index
    # heat everywhere leaves nothing, or four times the median
    assert values["flag_all_as_published", "map", "clip0"] == pytest.approx(10 / 6.5)
    assert values["flag_all_corrected", "map", "clip0"] == pytest.approx(1 - 4 / 10)


@pytest.mark.parametrize(
    ("snr", "share"),
    [
        ("ignore", 1.0),
        ("background_over_event", 1 / (1 + 10**0.3)),
        ("event_over_background", 1 / (1 + 10**-0.3)),
    ],
)
def test_the_published_heat_counts_by_the_event_s_share(snr, share):
    x, heat = X[:1], HEAT[:1]
    values = measured("soft_removal", {"map": heat}, x, anomalous=(True,), snr=snr, snr_db=(6.0,))
    # one clip: the range is the difference itself; the corrected number knows no SNR
    assert values["as_published", "map", "clip0"] == pytest.approx(1)
    assert values["corrected", "map", "clip0"] == pytest.approx(0.5)
    everywhere = values["flag_all_as_published", "map", "clip0"]
    assert everywhere == pytest.approx(10 * share / ((6 + 0.5) * share))
    two = measured("soft_removal", {"map": HEAT}, snr=snr, snr_db=(6.0, None))
    # an unknown SNR counts in full: 10 - 6.5 share, 5, 4
    lowest = min(10 - 6.5 * share, 4)
    assert two["as_published", "map", "clip1"] == pytest.approx(1 / (10 - lowest))


def test_published_removal_makes_quiet_cells_loud_and_the_correction_does_not():
    # in dB: the event is 20 dB above a band at -60; 0 dB is louder than both
    quiet = torch.tensor([[[-40.0, -60.0, -60.0, -60.0]]])
    loudness = Loudness(torch.ones(1, 4)).freeze()
    values = measured("soft_removal", {"map": HEAT[:1]}, quiet, loudness, backgrounds=None, anomalous=(True,))
    assert values["as_published", "map", "clip0"] < 0 < values["corrected", "map", "clip0"]


def test_a_clean_background_by_hand():
    values = measured("clean_background", {"map": HEAT})
    # hot is what exceeds 1/2: the first cell alone; (1, 1, 1, 2) = 5. The normal clip is its own background
    assert values["as_published", "map", "clip0"] == pytest.approx((10 - 5) / (10 - 5))
    assert values["as_published", "map", "clip1"] == pytest.approx(0)
    assert values["corrected", "map", "clip0"] == pytest.approx(1 - 5 / 10)
    assert values["flag_all_corrected", "map", "clip0"] == pytest.approx(1 - 5 / 10)
    assert ("corrected", "map", "clip1") not in values.index


def test_rivals_remove_as_much_heat_as_the_map():
    # score 0.25 per cell of heat removed: the mean over all places of a cell's heat is what random heat removes
    x = torch.ones(1, 1, 4) + 1
    settings = {"draws": 400, "shifts": 400}
    values = measured("soft_removal", {"map": HEAT[:1]}, x, anomalous=(True,), **settings)
    whole = 1.5 * 2 / (1.5 * 2)
    for line in ("chance_uniform_as_published", "chance_circular_shift_as_published"):
        # every cell is as high: wherever the heat falls it takes the same
        assert values[line, "map", "clip0"] == pytest.approx(whole)
    first = Linear(torch.tensor([[1.0, 0.0, 0.0, 0.0]])).freeze()
    values = measured("soft_removal", {"map": HEAT[:1]}, x, first, anomalous=(True,), **settings)
    for line in ("chance_uniform_as_published", "chance_circular_shift_as_published"):
        # the first cell's heat is 1, 1/2, 0 or 0 with equal chance: 4 standard errors
        assert values[line, "map", "clip0"] == pytest.approx(1.5 / 4, abs=4 * 0.42 / 20)


def test_one_extreme_clip_moves_published_numbers_alone():
    x = torch.cat([X, 100 * X[:1]])
    maps, clean = torch.cat([HEAT, HEAT[:1]]), torch.cat([CLEAN, CLEAN[:1]])
    for metric in ("soft_removal", "clean_background"):
        before = measured(metric, {"map": HEAT})
        after = measured(metric, {"map": maps}, x, backgrounds=clean, anomalous=(True, False, True))
        own = after[after.index.get_level_values("clip_id") != "clip2"]
        pd.testing.assert_series_equal(
            own[own.index.get_level_values("protocol").str.endswith("corrected")].sort_index(),
            before[before.index.get_level_values("protocol").str.endswith("corrected")].sort_index(),
        )
        assert abs(own["as_published", "map", "clip0"]) < abs(before["as_published", "map", "clip0"]) / 5


def test_a_score_that_is_not_positive_has_no_share_and_equal_scores_no_range(caplog):
    negative = Linear(-torch.ones(1, 4)).freeze()
    values = measured("soft_removal", {"map": HEAT}, detector=negative)
    assert not [key for key in values.index if key[0] == "corrected"]
    assert "left out 1 clips whose score is not positive" in caplog.text
    constant = Linear(torch.zeros(1, 4)).freeze()
    assert measured("soft_removal", {"map": HEAT}, detector=constant).empty
    assert "all scores are equal" in caplog.text


def test_numbers_do_not_depend_on_batches_and_backgrounds_are_needed(tmp_path, caplog):
    axes, ids = Axes((100.0,), 4.0, 4, "dB"), ["clip0", "clip1"]

    def file(name, values, clip_ids=ids):
        with MapWriter(tmp_path / name, axes, Provenance(stage="features")) as writer:
            writer.append(clip_ids, np.asarray(values))
        return MapReader(tmp_path / name)

    features, maps = file("x", X.numpy()), {"map": file("map", HEAT.numpy())}
    families = {name: FAITHFULNESS[name].settings({}) for name in ("soft_removal", "clean_background")}

    def run(budget, backgrounds):
        return measure_faithfulness(
            DETECTOR,
            features,
            maps,
            ids,
            families,
            annotated={},
            segment_frames=2,
            device=torch.device("cpu"),
            memory_budget_bytes=budget,
            anomalous={"clip0": True, "clip1": False},
            backgrounds=backgrounds,
        )

    known = file("clean", CLEAN.numpy()[:1], ids[:1])
    together, apart = run(1 << 20, known), run(1, known)
    pd.testing.assert_frame_equal(together, apart)
    for metric in families:
        by_hand = measured(metric, {"map": HEAT})
        rows = together[together["metric"].eq(metric)].set_index(["protocol", "explainer", "clip_id"])[
            "value"
        ]
        pd.testing.assert_series_equal(rows.sort_index(), by_hand.sort_index())
    unknown = run(1 << 20, file("empty", CLEAN.numpy()[:0], []))
    assert set(unknown["metric"]) == {"soft_removal"}
    assert "nobody knows the clean background of the clips: clean_background" in caplog.text


def test_settings_are_checked():
    with pytest.raises(ConfigError, match="setting 'snr'"):
        FAITHFULNESS["soft_removal"].settings({"snr": "loud"})
