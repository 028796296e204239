import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toys.faithfulness import Constant, Linear, Mixing, context

from soundproof.core.errors import ConfigError
from soundproof.faithfulness.ff import ff
from soundproof.faithfulness.ff_background import ff_background
from soundproof.faithfulness.frame_marks import frame_masks, segment_masks, shifted_masks
from soundproof.randomness.ties import n_top
from soundproof.storage.measurements import COLUMNS

ANNOTATED_ALL = torch.ones(6, dtype=torch.bool)


def values(frame: pd.DataFrame, metric: str, protocol: str, explainer: str = "map") -> list[float]:
    rows = frame.query("metric == @metric and protocol == @protocol and explainer == @explainer")
    return rows.sort_values(["clip_id", "parameter"])["value"].tolist()


def literal_ff(
    detector: Mixing, x: np.ndarray, r: np.ndarray, p: float, annotated: np.ndarray, segment: int
) -> tuple[float, float]:
    """The formula of P1, cell by cell in float64: frame-based and segment-based FF before clipping."""
    mix = detector.mix.numpy()
    curve = [sum(float(v) for v in r[:, t]) for t in range(x.shape[1])]
    theta = np.quantile(curve, p / 100)
    chosen = [c >= theta for c in curve]
    in_cell = [any(chosen[t - t % segment : t - t % segment + segment]) for t in range(len(curve))]
    out = []
    for mask in (chosen, [cell and mark for cell, mark in zip(in_cell, annotated, strict=True)]):
        m = np.array(mask, dtype=float)[None, :]
        changed = m * (x @ mix) + (1 - m) * x
        error = ((changed @ mix - changed) ** 2).mean()
        out.append(1 - error / ((x @ mix - x) ** 2).mean())
    return out[0], out[1]


def test_by_hand():
    # errors of the frames 1, 4, 9, 16 (two bands each): replacing frame 3 takes 16 of 30, and so on
    x = torch.tensor([[[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]]])
    relevance = torch.tensor([[[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, -2.5]]])  # curve 1, 2, 3, 1.5
    marked = [torch.tensor([False, False, True, False])]
    ask = context("ff", 1, annotated=marked, percentiles=(50, 99))
    frame = ff(Constant((2, 4)), x, {"map": relevance}, ask)
    # p50 = 1.75: frames 1 and 2; p99: frame 2; its segment is frames 2-3, of which 2 is annotated
    assert values(frame, "ff_frame", "unclipped") == pytest.approx([13 / 30, 9 / 30])
    assert values(frame, "ff_segment", "unclipped") == pytest.approx([9 / 30, 9 / 30])
    assert list(frame.columns) == list(COLUMNS)


@given(seed=st.integers(0, 10_000), n_frames=st.integers(6, 13), p=st.sampled_from([0, 33, 50, 90, 98, 99.5]))
@settings(max_examples=25, deadline=None)
def test_equals_the_literal_formula_in_float64(seed: int, n_frames: int, p: float):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, 3, n_frames))
    r = rng.integers(-2, 3, size=x.shape).astype(float)  # ties, negative and zero relevance
    annotated = rng.random((2, n_frames)) < 0.5
    annotated[:, 0] = True
    segment = 3
    n_frames -= n_frames % segment  # whole segments: the remainder rule is tested with the segments
    x, r, annotated = x[..., :n_frames], r[..., :n_frames], annotated[:, :n_frames]
    detector = Mixing((3, n_frames), seed)
    ask = context(
        "ff", 2, annotated=list(torch.from_numpy(annotated)), segment_frames=segment, percentiles=(p,)
    )
    frame = ff(detector, torch.from_numpy(x), {"map": torch.from_numpy(r)}, ask)
    expected = [literal_ff(detector, x[i], r[i], p, annotated[i], segment) for i in range(2)]
    labels = annotated.copy()
    labels[:, -1] = False  # as the published labels of the clip's end
    published = [literal_ff(detector, x[i], r[i], p, labels[i], segment) for i in range(2)]
    for column, metric in enumerate(("ff_frame", "ff_segment")):
        want = [of_clip[column] for of_clip in expected]
        assert values(frame, metric, "unclipped") == pytest.approx(want, abs=1e-12)
        want = [max(0.0, of_clip[column]) for of_clip in published]
        assert values(frame, metric, "as_published") == pytest.approx(want, abs=1e-12)


def test_a_label_that_ends_with_the_clip_loses_its_last_frame_only_as_published():
    # errors of the frames 1, 4, 9, 16, 25, 36 of 91; the curve picks frame 4, whose segment is frames 3-5
    x = torch.arange(1.0, 7.0).reshape(1, 1, 6)
    peak = {"map": torch.eye(6)[4].reshape(1, 1, 6)}
    label = torch.tensor([False, False, False, False, True, True])
    ask = context("ff", 1, annotated=[label], segment_frames=3, percentiles=(99,))
    frame = ff(Constant((1, 6)), x, peak, ask)
    assert values(frame, "ff_segment", "as_published") == pytest.approx([25 / 91])
    assert values(frame, "ff_segment", "unclipped") == pytest.approx([(25 + 36) / 91])
    assert values(frame, "ff_segment", "corrected") == pytest.approx([(25 + 36) / 91])
    assert values(frame, "ff_frame", "as_published") == pytest.approx([25 / 91])


def test_a_label_that_ends_before_the_clip_is_the_same_under_every_protocol():
    x = torch.arange(1.0, 7.0).reshape(1, 1, 6)
    peak = {"map": torch.eye(6)[4].reshape(1, 1, 6)}
    label = torch.tensor([False, False, False, True, True, False])
    ask = context("ff", 1, annotated=[label], segment_frames=3, percentiles=(99,))
    frame = ff(Constant((1, 6)), x, peak, ask)
    for protocol in ("as_published", "unclipped", "corrected"):
        assert values(frame, "ff_segment", protocol) == pytest.approx([(16 + 25) / 91])


def test_clipped_chance_knows_the_published_labels():
    # only the last frame is annotated, and only it carries error: the published label is empty
    x = torch.zeros(1, 1, 8)
    x[..., -1] = 1
    label = torch.arange(8) == 7
    ask = context("ff", 1, annotated=[label], segment_frames=8, percentiles=(50,), draws=2)
    frame = ff(Constant((1, 8)), x, {"own": torch.arange(8.0).reshape(1, 1, 8)}, ask)
    assert values(frame, "ff_segment", "as_published", "own") == [0.0]
    assert values(frame, "ff_segment", "chance_uniform", "own") == [0.0]
    assert values(frame, "ff_segment", "chance_uniform_unclipped", "uniform_frames") == [1.0]


def test_a_harmful_replacement_shows_only_unclipped():
    # the reconstruction overshoots: putting it in place of a frame quadruples that frame's error
    class Overshoot(Constant):
        def reconstruct(self, x):
            return 3 * x

    x = torch.tensor([[[1.0, 1.0]]])
    ask = context("ff", 1, percentiles=(99,))
    frame = ff(Overshoot((1, 2)), x, {"map": torch.tensor([[[0.0, 1.0]]])}, ask)
    assert values(frame, "ff_frame", "unclipped") == pytest.approx([1 - (4 + 36) / 8])
    assert values(frame, "ff_frame", "as_published") == [0.0]


def test_ties_at_the_minimum_replace_everything_only_as_published():
    x = torch.arange(1.0, 7.0).reshape(1, 1, 6)
    one_hot = torch.tensor([[[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]]])
    maps = {"sparse": one_hot, "constant": torch.zeros(1, 1, 6)}
    frame = ff(Constant((1, 6)), x, maps, context("ff", 1, percentiles=(50,)))
    assert values(frame, "ff_frame", "unclipped", "sparse") == [1.0]
    assert values(frame, "ff_frame", "unclipped", "constant") == [1.0]
    # corrected: three frames each, the tie among the zeros split at random but for both maps alike
    sparse, constant = (
        round(91 * values(frame, "ff_frame", "corrected", name)[0]) for name in ("sparse", "constant")
    )
    squares = [t * t for t in range(1, 7)]
    assert sparse - 36 in {a + b for a, b in combinations(squares[:5], 2)}
    assert constant in {sum(three) for three in combinations(squares, 3)}
    # the chance of what stays as published replaces as many frames as the map does: all
    assert values(frame, "ff_frame", "chance_uniform", "sparse") == [1.0]


def test_segment_rows_only_for_clips_with_an_annotated_frame():
    x = torch.randn(3, 2, 6, generator=torch.Generator().manual_seed(0))
    marked = [None, torch.zeros(6, dtype=torch.bool), ANNOTATED_ALL]
    frame = ff(Constant((2, 6)), x, {"map": x}, context("ff", 3, annotated=marked))
    clips = frame.groupby("metric")["clip_id"].unique()
    assert list(clips["ff_segment"]) == ["clip2"]
    assert list(clips["ff_frame"]) == ["clip0", "clip1", "clip2"]


@given(seed=st.integers(0, 1000), n_frames=st.integers(2, 60))
@settings(max_examples=30, deadline=None)
def test_masks_shrink_as_the_percentile_rises(seed: int, n_frames: int):
    curves = torch.randn(1, 1, n_frames, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    percentiles = tuple(range(90, 100))
    frames = frame_masks(curves, percentiles)
    segments = segment_masks(frames, 4)
    for masks in (frames, segments):
        assert (masks[1:] <= masks[:-1]).all()
    assert (frames <= segments).all()
    # without ties T - ceil(p (T - 1)) frames lie at or above the linear quantile; rounding may cost one
    # where p (T - 1) is whole, as it would in numpy
    for p, count in zip(percentiles, frames.sum(dim=-1).flatten().tolist(), strict=True):
        assert n_frames - math.ceil(p * (n_frames - 1) / 100) - count in (0, 1)
        assert count == int((curves >= np.quantile(curves, p / 100)).sum())


def test_the_remainder_joins_the_last_segment():
    frames = torch.zeros(9, dtype=torch.bool)
    frames[8] = True
    assert segment_masks(frames, 4).tolist() == [False] * 4 + [True] * 5


def test_equal_rows_are_scored_once_in_full_passes():
    x = torch.randn(2, 2, 6, generator=torch.Generator().manual_seed(1))
    maps = {"a": x, "same_order": 3 * x + 1, "other": x.flip(-1)}
    detector = Constant((2, 6))
    ask = context("ff", 2, annotated=[ANNOTATED_ALL] * 2, rows_per_pass=4)
    ff(detector, x, maps, ask)
    rows = torch.stack(detector.rows).flatten(1)
    assert len(torch.unique(rows, dim=0)) == len(rows)
    assert len(detector.passes) == math.ceil(len(rows) / 4)
    assert max(detector.passes) <= 4
    assert len(rows) < 2 * (3 + 2) * 10 * 2  # clips x (maps + draws) x percentiles x kinds


@pytest.mark.parametrize("rows_per_pass", [1, 3, 7])
def test_neither_pass_nor_batch_changes_a_value(rows_per_pass: int):
    x = torch.randn(3, 2, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    maps = {"map": x.flip(-1)}
    marked = [ANNOTATED_ALL] * 3
    whole = ff(Mixing((2, 6)), x, maps, context("ff", 3, annotated=marked))
    apart = pd.concat(
        ff(
            Mixing((2, 6)),
            x[i : i + 1],
            {"map": maps["map"][i : i + 1]},
            context("ff", 1, clip_ids=[f"clip{i}"], annotated=marked[:1], rows_per_pass=rows_per_pass),
        )
        for i in range(3)
    )
    keys = ["metric", "protocol", "explainer", "parameter", "clip_id"]
    both = whole.merge(apart, on=keys, validate="one_to_one")
    assert len(both) == len(whole) == len(apart)
    np.testing.assert_allclose(both["value_x"], both["value_y"], rtol=0, atol=1e-12)


def test_the_chance_line_meets_its_expectation():
    # error spread evenly over frames: k replaced frames of T take k / T of it whichever they are
    x = torch.ones(1, 2, 100)
    ask = context("ff", 1, percentiles=(90.5, 95.5), draws=3)
    frame = ff(Constant((2, 100)), x, {}, ask)
    drawn = values(frame, "ff_frame", "chance_uniform_unclipped", "uniform_frames")
    assert drawn == pytest.approx([0.10, 0.05])
    assert set(frame["explainer"]) == {"uniform_frames"}


def test_chance_frames_are_uniform_and_belong_to_the_clip():
    # only frame 0 carries error: a uniform draw of 10 of 20 frames takes it half of the time
    x = torch.zeros(400, 1, 20)
    x[:, :, 0] = 1
    ask = context("ff", 400, percentiles=(50,), draws=1)
    drawn = values(
        ff(Constant((1, 20)), x, {}, ask),
        "ff_frame",
        "chance_uniform_unclipped",
        "uniform_frames",
    )
    assert set(drawn) == {0.0, 1.0}
    assert np.mean(drawn) == pytest.approx(0.5, abs=4 * 0.5 / 20)
    again = ff(
        Constant((1, 20)), x[7:8], {}, context("ff", 1, clip_ids=["clip7"], percentiles=(50,), draws=1)
    )
    order = sorted(f"clip{i}" for i in range(400))
    anew = values(again, "ff_frame", "chance_uniform_unclipped", "uniform_frames")
    assert anew == [drawn[order.index("clip7")]]


def blocks(n_clips: int, n_frames: int, width: int) -> torch.Tensor:
    """Maps of constant blocks, as an occlusion window leaves them."""
    heights = torch.randn(n_clips, 1, n_frames // width, generator=torch.Generator().manual_seed(9))
    return heights.repeat_interleave(width, dim=-1)


def test_every_map_replaces_equally_many_frames():
    # every frame carries the same error: FF is the share of replaced frames
    x = torch.ones(3, 1, 200)
    maps = {
        "blocks": blocks(3, 200, 20),
        "relu": torch.randn(3, 1, 200, generator=torch.Generator().manual_seed(1)).clamp(min=0),
        "constant": torch.zeros(3, 1, 200),
        "fine": torch.randn(3, 1, 200, generator=torch.Generator().manual_seed(2)),
        "negative_zeros": torch.zeros(3, 1, 200) * torch.randn(3, 1, 200),
    }
    ask = context("ff", 3, percentiles=(90, 98, 99))
    frame = ff(Constant((1, 200)), x, maps, ask)
    for name in maps:
        corrected = values(frame, "ff_frame", "corrected", name)
        assert corrected == pytest.approx([20 / 200, 4 / 200, 2 / 200] * 3)
    # published: the whole block at every percentile, and so does its own chance
    assert values(frame, "ff_frame", "unclipped", "blocks") == pytest.approx([0.1] * 9)
    assert values(frame, "ff_frame", "chance_uniform", "blocks") == pytest.approx([0.1] * 9)
    assert values(frame, "ff_frame", "chance_uniform", "fine") == pytest.approx([0.1, 0.02, 0.01] * 3)


def test_a_constant_map_is_a_random_one():
    # the error lies in one fifth of the frames: a map that knows nothing takes a tenth of it at p90
    x = torch.zeros(300, 1, 100)
    x[:, :, 40:60] = 1
    ask = context("ff", 300, percentiles=(90,), draws=1)
    frame = ff(Constant((1, 100)), x, {"constant": torch.zeros(300, 1, 100)}, ask)
    constant = np.array(values(frame, "ff_frame", "corrected", "constant"))
    chance = np.array(values(frame, "ff_frame", "chance_uniform_unclipped", "uniform_frames"))
    # ten of a hundred without replacement: sd of the hits sqrt(10 x 0.2 x 0.8 x 90 / 99) of 20
    noise = math.sqrt(1.6 * 90 / 99) / 20 / math.sqrt(300)
    assert abs(constant.mean() - 0.1) < 4 * noise
    assert abs(constant.mean() - chance.mean()) < 4 * noise * math.sqrt(2)


def test_the_shifted_curve_is_the_map_itself_at_random_lags():
    # all error in 30 of 60 frames; the map's peak is a run of 6: over all lags it takes half of a tenth
    x = torch.zeros(400, 1, 60)
    x[..., :30] = 1
    relevance = torch.zeros(400, 1, 60)
    relevance[..., 10:16] = torch.arange(6.0) + 1
    annotated = [torch.arange(60) < 30] * 400
    ask = context("ff", 400, percentiles=(90,), shifts=2, segment_frames=10, annotated=annotated)
    frame = ff(Constant((1, 60)), x, {"map": relevance}, ask)
    shifted = np.array(values(frame, "ff_frame", "chance_circular_shift_unclipped"))
    assert set(np.round(shifted * 60)) <= set(range(13))
    assert shifted.mean() == pytest.approx(0.1, abs=4 * 0.1 / math.sqrt(800))
    # a run of 6 touches one or two segments of 10, six random frames scatter over four and more
    segments = np.array(values(frame, "ff_segment", "chance_circular_shift_unclipped"))
    scattered = values(frame, "ff_segment", "chance_uniform_unclipped", "uniform_frames")
    assert segments.mean() < 0.75 * np.mean(scattered)


def test_shifting_rolls_each_clip_and_percentile_by_its_own_lag():
    masks = torch.rand(2, 3, 4, 11, generator=torch.Generator().manual_seed(0)) < 0.3
    draws = torch.rand(5, 4, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    shifted = shifted_masks(masks, draws)
    for s, p, clip in np.ndindex(5, 2, 4):
        lag = int(draws[s, clip, p] * 11)
        assert torch.equal(shifted[p, s, :, clip], masks[p, :, clip].roll(lag, dims=-1))


def test_equal_counts_are_those_of_numpys_quantile():
    rng = np.random.default_rng(4)
    for n_frames in (7, 100, 101, 200, 401):
        curve = rng.normal(size=n_frames)
        for quantile in (0.0, 0.5, 0.9, 0.95, 0.98, 0.99, 1.0):
            at_or_above = sorted(curve)[math.ceil(round(quantile * (n_frames - 1), 9)) :]
            assert n_top(n_frames, quantile) == len(at_or_above)
            assert abs(n_top(n_frames, quantile) - (curve >= np.quantile(curve, quantile)).sum()) <= 1


def test_any_detector_can_replace_by_its_background():
    x = torch.tensor([[[1.0, 1.0, 9.0], [2.0, 8.0, 2.0]]])
    detector = Linear(torch.ones(2, 3))
    peak = {"map": torch.tensor([[[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]])}
    by_kind = {
        kind: values(
            ff_background(
                detector, x, peak, context("ff_background", 1, percentiles=(99,), replacement=kind)
            ),
            "ff_background_frame",
            "unclipped",
        )
        for kind in ("zero", "clip_median", "band_median")
    }
    # frame 2 sums to 11 of 23; the lower median of the clip is 2, those of the bands are 1 and 2
    assert by_kind["zero"] == pytest.approx([11 / 23])
    assert by_kind["clip_median"] == pytest.approx([7 / 23])
    assert by_kind["band_median"] == pytest.approx([8 / 23])


def test_a_score_that_is_not_positive_is_left_out_and_counted(caplog):
    x = torch.tensor([[[1.0, 2.0]], [[-1.0, -2.0]], [[0.0, 0.0]]])
    ask = context("ff_background", 3, percentiles=(50,))
    frame = ff_background(Linear(torch.ones(1, 2)), x, {"map": x}, ask)
    assert set(frame["clip_id"]) == {"clip0"}
    assert "left out 2 clips" in caplog.text


def test_a_detector_without_reconstruction_is_refused():
    x = torch.ones(1, 1, 2)
    with pytest.raises(ConfigError, match="ff_background"):
        ff(Linear(torch.ones(1, 2)), x, {"map": x}, context("ff", 1))
