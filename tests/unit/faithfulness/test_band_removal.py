from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor
from toy_detectors import Linear, Mixing, context

from soundproof.core.errors import ConfigError, DataError
from soundproof.faithfulness.band_removal import band_removal
from soundproof.faithfulness.band_scores import score_without_bands
from soundproof.faithfulness.band_settings import BandSettings
from soundproof.interfaces.faithfulness import COLUMNS
from soundproof.storage.maps import Axes, MapReader, MapWriter
from soundproof.storage.provenance import Provenance

HERTZ = (100.0, 200.0, 300.0, 400.0, 500.0, 600.0)


def run(detector, x, maps, frequencies=HERTZ, event_bands=(), rows_per_pass=1000, **settings) -> pd.DataFrame:
    settings = {"bands": (3,), "removals": ("zero",)} | settings
    made = context("band_removal", len(x), rows_per_pass=rows_per_pass, **settings)
    made = replace(made, frequencies_hz=frequencies, event_bands=event_bands)
    return band_removal(detector, x, maps, made)


def values(frame: pd.DataFrame, metric: str, protocol: str | None = None, clip: str = "clip0") -> list[float]:
    rows = frame[frame["metric"].eq(metric) & frame["clip_id"].eq(clip)]
    if protocol is not None:
        rows = rows[rows["protocol"].eq(protocol)]
    return rows.sort_values(["explainer", "parameter"])["value"].tolist()


def rows_of(*levels: float) -> Tensor:
    """A map of 6 rows and 2 frames, each row of one level."""
    return torch.tensor(levels, dtype=torch.float32)[:, None].expand(6, 2).clone()


def test_a_linear_score_loses_what_the_band_carried():
    # f(x) = sum of w * x; bands of two rows, two frames: 1 * 2 * 2, -3 * 2 * 2, 2 * 2 * 2
    detector = Linear(rows_of(1, 1, -3, -3, 2, 2))
    x = torch.ones(1, 6, 2)
    frame = run(detector, x, {"a": rows_of(1, 0, 2, 2, 5, 0)[None]})
    assert values(frame, "band_effect", "linear3/zero/signed") == pytest.approx([4, -12, 8], rel=1e-5)
    assert values(frame, "band_effect", "linear3/zero/absolute") == pytest.approx([4, 12, 8], rel=1e-5)
    # the map sums to 20; mean over the 4 cells of each band: 2, 8 and 10 of 20
    assert values(frame, "band_relevance", "linear3") == pytest.approx([0.1 / 4, 0.4 / 4, 0.5 / 4])
    # ranks of R 1 2 3; of |D| 1 3 2: 0.5; of D 2 1 3: 0.5
    assert values(frame, "band_rho", "linear3/zero/absolute") == pytest.approx([0.5])
    assert values(frame, "band_rho", "linear3/zero/signed") == pytest.approx([0.5])
    assert set(frame.loc[frame["metric"].eq("band_rho"), "parameter"]) == {3.0}
    assert frame.loc[frame["metric"].eq("band_effect"), "explainer"].isna().all()
    assert list(frame.columns) == list(COLUMNS)


def test_the_sign_of_the_effect_can_turn_rho_around():
    detector = Linear(rows_of(1, 1, -2, -2, -3, -3))
    frame = run(detector, torch.ones(1, 6, 2), {"a": rows_of(1, 1, 2, 2, 3, 3)[None]})
    assert values(frame, "band_rho", "linear3/zero/absolute") == pytest.approx([1.0])
    assert values(frame, "band_rho", "linear3/zero/signed") == pytest.approx([-1.0])


def test_removals_by_hand():
    # frames of each row: 1, 2, 6: mean 3, lower median 2
    x = torch.tensor([1.0, 2, 6]).expand(1, 6, 3).clone()
    detector = Linear(torch.ones(6, 3))
    frame = run(detector, x, {"a": x}, removals=("zero", "band_mean", "clip_median_spectrum"))
    for removal, effect in (("zero", 18), ("band_mean", 0), ("clip_median_spectrum", 6)):
        found = values(frame, "band_effect", f"linear3/{removal}/signed")
        assert found == pytest.approx([effect] * 3, abs=1e-4)


def test_negative_relevance_counts_by_size_or_not_at_all():
    relevance = {"a": rows_of(1, 1, -3, -3, 2, 2)[None]}
    detector, x = Linear(rows_of(1, 1, 3, 3, 2, 2)), torch.ones(1, 6, 2)
    assert values(run(detector, x, relevance), "band_relevance") == pytest.approx([1 / 24, 3 / 24, 2 / 24])
    positive = run(detector, x, relevance, relevance="positive")
    assert values(positive, "band_relevance") == pytest.approx([1 / 12, 0, 2 / 12])
    assert values(positive, "band_rho", "linear3/zero/absolute") == pytest.approx([-0.5])


def test_signs_of_relevance_count_beside_signs_of_effects():
    # the second band lowers the score, and the map says so
    weights = rows_of(1, 1, -3, -3, 2, 2)
    frame = run(Linear(weights), torch.ones(1, 6, 2), {"right": weights[None], "size": weights.abs()[None]})
    assert values(frame, "band_rho", "linear3/zero/absolute") == pytest.approx([1.0, 1.0])
    assert values(frame, "band_rho", "linear3/zero/signed") == pytest.approx([1.0, -0.5])


def test_what_has_no_ranks_is_counted_and_gets_no_row(caplog):
    even = rows_of(2, 2, 2, 2, 2, 2)
    maps = {
        "even": torch.stack([even, even]),
        "nothing": torch.zeros(2, 6, 2),
        "rising": torch.stack([rows_of(1, 2, 3, 4, 5, 6)] * 2),
    }
    # the second clip is silent: no band has an effect
    x = torch.stack([torch.ones(6, 2), torch.zeros(6, 2)])
    with caplog.at_level(logging.WARNING):
        frame = run(Linear(rows_of(1, 1, 2, 2, 3, 3)), x, maps)
    rho = frame[frame["metric"].eq("band_rho")]
    assert set(zip(rho["explainer"], rho["clip_id"], strict=True)) == {("rising", "clip0")}
    assert "rho of linear3/zero/absolute: left out 5 of 6 values" in caplog.text
    relevance = frame[frame["metric"].eq("band_relevance")]
    assert set(relevance["explainer"]) == {"even", "rising"}


def test_a_constant_map_stays_constant_whatever_its_rounding():
    x = torch.rand(3, 7, 11, generator=torch.Generator().manual_seed(0))
    even = torch.full_like(x, 0.1)
    frame = run(Linear(torch.rand(7, 11)), x, {"even": even}, tuple(np.arange(7) * 10.0))
    assert frame[frame["metric"].eq("band_rho")].empty


class Noisy(Linear):
    """Adds rounding noise that depends on the row of the pass, as batched kernels do."""

    def score(self, x: Tensor) -> Tensor:
        return 100.0 + 1e-5 * torch.arange(len(x)) + 0 * super().score(x)


def test_rounding_noise_is_no_effect():
    x = torch.rand(2, 6, 2, generator=torch.Generator().manual_seed(0))
    frame = run(Noisy(torch.ones(6, 2)), x, {"a": torch.rand(2, 6, 2)}, rows_per_pass=3)
    assert values(frame, "band_effect", "linear3/zero/signed") == [0.0, 0.0, 0.0]
    assert frame[frame["metric"].eq("band_rho")].empty


def test_rho_is_scipys_for_every_clip_partition_and_replacement():
    generator = torch.Generator().manual_seed(3)
    x, relevance = torch.randn(2, 4, 12, 8, generator=generator)
    detector = Mixing((12, 8))
    hertz = tuple(np.arange(12) * 100.0)
    frame = run(detector, x, {"a": relevance}, hertz, bands=(4, 6), removals=("zero", "band_mean"))
    for clip in range(4):
        for count in (4, 6):
            height = 12 // count
            density = [relevance[clip, k * height : (k + 1) * height].sum() for k in range(count)]
            for removal in ("zero", "band_mean"):
                effect = []
                for k in range(count):
                    without = x[clip : clip + 1].clone()
                    band = without[:, k * height : (k + 1) * height]
                    band[:] = 0 if removal == "zero" else band.mean(dim=-1, keepdim=True)
                    effect.append(float(detector.score(x[clip : clip + 1]) - detector.score(without)))
                expected = spearmanr(density, effect).statistic
                found = values(frame, "band_rho", f"linear{count}/{removal}/signed", f"clip{clip}")
                assert found == pytest.approx([expected])


def test_all_bands_and_clips_share_full_passes_and_no_explainer_adds_any():
    detector = Mixing((6, 8))
    x = torch.randn(4, 6, 8, generator=torch.Generator().manual_seed(0))
    run(
        detector,
        x,
        dict.fromkeys("abc", x),
        bands=(3, 6),
        removals=("zero", "band_mean"),
        rows_per_pass=10,
    )
    # 4 clips intact, and 4 x (3 + 6) bands x 2 replacements
    assert sum(detector.passes) == 4 + 4 * 9 * 2
    assert len(detector.passes) == 8
    assert max(detector.passes) - min(detector.passes) <= 1


def test_passes_and_batches_change_nothing():
    generator = torch.Generator().manual_seed(1)
    x, relevance = torch.randn(2, 5, 6, 8, generator=generator)
    whole = run(Mixing((6, 8)), x, {"a": relevance}, bands=(3, 6))
    apart = run(Mixing((6, 8)), x, {"a": relevance}, bands=(3, 6), rows_per_pass=1)
    pd.testing.assert_frame_equal(whole, apart, check_exact=False, rtol=1e-5, atol=1e-6)
    alone = run(Mixing((6, 8)), x[:1], {"a": relevance[:1]}, bands=(3, 6))
    first = whole[whole["clip_id"].eq("clip0")].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, alone, check_exact=False, rtol=1e-5, atol=1e-6)


def test_share_inside_the_true_band(caplog):
    # rows at 100 .. 600 Hz hold 1 1 -2 4 1 1 of 10
    relevance = rows_of(1, 1, -2, 4, 1, 1)
    x = torch.ones(4, 6, 2)
    bands = [[(250.0, 400.0)], [(90.0, 110.0), (590.0, 610.0)], None, [(410.0, 490.0)]]
    with caplog.at_level(logging.WARNING):
        frame = run(Linear(torch.ones(6, 2)), x, {"a": relevance.expand(4, 6, 2)}, event_bands=bands)
    share = frame[frame["metric"].eq("band_share_true")].set_index(["explainer", "clip_id"])
    assert share.loc[("a", "clip0"), "value"] == pytest.approx(0.6)
    assert share.loc[("a", "clip1"), "value"] == pytest.approx(0.2)
    assert share.loc[("random_cells", "clip0"), "value"] == pytest.approx(2 / 6)
    assert set(share.loc["random_cells", "protocol"]) == {"chance_uniform"}
    assert set(share.loc["a"].index) == {"clip0", "clip1"}
    assert "band_share_true: left out 1 of 4 values, whose event's band holds no bin" in caplog.text


def test_without_known_bands_there_is_no_share():
    frame = run(Linear(torch.ones(6, 2)), torch.ones(1, 6, 2), {"a": torch.rand(1, 6, 2)})
    assert "band_share_true" not in set(frame["metric"])


def test_more_bands_than_bins_are_refused():
    with pytest.raises(ConfigError, match="at most 6 bands"):
        run(Linear(torch.ones(6, 2)), torch.ones(1, 6, 2), {}, bands=(10,))


@pytest.mark.parametrize("frequencies", [None, HERTZ[:5]])
def test_rows_of_unknown_frequency_are_refused(frequencies):
    with pytest.raises(DataError, match="frequencies of the 6 rows"):
        run(Linear(torch.ones(6, 2)), torch.ones(1, 6, 2), {}, frequencies)


CLIPS = [f"clip{i}" for i in range(5)]


@pytest.fixture
def features(tmp_path) -> MapReader:
    path = tmp_path / "features.parquet"
    with MapWriter(path, Axes(HERTZ, 10.0, 8, "dB"), Provenance(stage="features")) as writer:
        writer.append(CLIPS, np.random.default_rng(0).normal(size=(5, 6, 8)).astype(np.float32))
    return MapReader(path)


def test_scores_without_bands_are_those_of_clips_without_them(features):
    detector = Mixing((6, 8))
    settings = BandSettings(bands=(3,), removals=("zero", "band_mean"))
    frame = score_without_bands(detector, features, CLIPS, settings, torch.device("cpu"), 1 << 26)
    assert set(frame["metric"]) == {"band_removed_score"}
    assert frame["explainer"].isna().all()
    assert len(frame) == 2 * 3 * 5
    x = torch.from_numpy(features.read())
    x[:, 2:4] = 0
    middle = frame[frame["protocol"].eq("linear3/zero") & frame["parameter"].eq(2)]
    np.testing.assert_allclose(middle["value"], detector.score(x), rtol=1e-5)


def test_scores_do_not_depend_on_batches_or_order(features):
    settings = BandSettings(bands=(3, 6))
    arguments = (settings, torch.device("cpu"))
    whole = score_without_bands(Mixing((6, 8)), features, CLIPS, *arguments, 1 << 26)
    apart = score_without_bands(Mixing((6, 8)), features, CLIPS[::-1], *arguments, 6 * 8 * 16 * 2)
    pd.testing.assert_frame_equal(whole, apart, check_exact=False, rtol=1e-5)
