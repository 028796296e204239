import math

import numpy as np
import pandas as pd
import pytest
import quantus
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from toys.attribution import HeldNormals
from toys.faithfulness import Constant, Linear, context

from soundproof.faithfulness.deletion import deletion
from soundproof.faithfulness.insertion import insertion

TENTHS = tuple(k / 10 for k in range(11))


def curve(frame: pd.DataFrame, metric: str, explainer: str = "map", clip_id: str = "clip0") -> list[float]:
    rows = frame.query("metric == @metric and explainer == @explainer and clip_id == @clip_id")
    return rows.sort_values("parameter")["value"].tolist()


@given(seed=st.integers(0, 1000), best=st.booleans())
@settings(max_examples=20, deadline=None)
def test_closed_form_on_a_linear_detector(seed: int, best: bool):
    # a linear score falls by what each removed cell adds: curve = 1 - cumulated contributions / their sum
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.uniform(0.5, 2.0, size=(1, 2, 5)))
    detector = Linear(torch.from_numpy(rng.uniform(0.1, 1.0, size=(2, 5)))).freeze()
    contributions = x * detector.weights
    relevance = contributions if best else -contributions
    ask = context("deletion", 1, fractions=TENTHS, replacement="zero")
    deleted = deletion(detector, x, {"map": relevance}, ask)
    inserted = insertion(detector, x, {"map": relevance}, ask)
    ordered = np.sort(contributions.numpy().ravel())[:: -1 if best else 1]
    gone = np.concatenate([[0.0], np.cumsum(ordered)]) / ordered.sum()
    assert curve(deleted, "deletion_curve") == pytest.approx(1 - gone)
    assert curve(inserted, "insertion_curve") == pytest.approx(gone)
    area = np.trapezoid(1 - gone, dx=0.1)
    assert curve(deleted, "deletion_auc") == pytest.approx([area])
    assert curve(inserted, "insertion_auc") == pytest.approx([1 - area])
    assert (area < 0.5) == best


def test_agrees_with_pixel_flipping_of_quantus():
    class OneClass(nn.Module):
        def __init__(self, detector):
            super().__init__()
            self.detector = detector

        def forward(self, x):
            return self.detector.score(x[:, 0])[:, None]

    class Curved(Linear):
        def score(self, x):
            return super().score(torch.tanh(x)) ** 2

    generator = torch.Generator().manual_seed(3)
    x = torch.rand(3, 4, 5, generator=generator)
    relevance = torch.randn(3, 4, 5, generator=generator)
    detector = Curved(torch.rand(4, 5, generator=generator)).freeze()
    flipping = quantus.PixelFlipping(
        features_in_step=2, abs=False, normalise=False, perturb_baseline=0.0, disable_warnings=True
    )
    theirs = flipping(
        model=OneClass(detector).eval(),
        x_batch=x[:, None].numpy(),
        y_batch=np.zeros(3, dtype=int),
        a_batch=relevance[:, None].numpy(),
        channel_first=True,
        softmax=False,
        device="cpu",
    )
    ask = context("deletion", 3, fractions=TENTHS, replacement="zero")
    ours = deletion(detector, x, {"map": relevance}, ask)
    intact = detector.score(x).numpy()
    for i in range(3):
        # Quantus starts after the first step and does not normalise; with every cell at 0 the score is 0
        assert np.array(curve(ours, "deletion_curve", clip_id=f"clip{i}"))[1:] * intact[i] == pytest.approx(
            theirs[i], abs=1e-6
        )


def test_cells_show_the_nearest_normal_clip_in_their_place():
    normal = HeldNormals(torch.tensor([[[1.0, 1.0]], [[4.0, 4.0]]]))
    x = torch.tensor([[[2.0, 2.0]], [[5.0, 8.0]]])  # nearest to 1, and to 4
    ask = context(
        "deletion", 2, fractions=(0.0, 0.5, 1.0), replacement=("nearest_normal", "zero"), normal=normal
    )
    detector, maps = Linear(torch.tensor([[3.0, 1.0]])).freeze(), {"map": torch.tensor([[[1.0, 0.0]]] * 2)}
    deleted = deletion(detector, x, maps, ask).query("protocol == 'nearest_normal'")
    assert curve(deleted, "deletion_curve") == pytest.approx([1, 5 / 8, 4 / 8])
    assert curve(deleted, "deletion_curve", clip_id="clip1") == pytest.approx([1, 20 / 23, 16 / 23])
    inserted = insertion(detector, x, maps, ask).query("protocol == 'nearest_normal'")
    assert curve(inserted, "insertion_curve") == pytest.approx([4 / 8, 7 / 8, 1])
    chance = deletion(detector, x, maps, ask).query("protocol == 'chance_uniform_nearest_normal'")
    assert set(chance["clip_id"]) == {"clip0", "clip1"}


def step(n_clips: int) -> torch.Tensor:
    """Clips whose energy lies in the lowest of ten bands, where ties by index would begin."""
    x = torch.full((n_clips, 10, 10), 0.01)
    x[:, 0] = 1.0
    return x


@pytest.mark.parametrize("measure", [deletion, insertion])
def test_a_constant_map_is_a_random_one(measure):
    x = step(200)
    maps = {
        "constant": torch.zeros(200, 10, 10),
        "negative_zeros": torch.zeros(200, 10, 10) * -torch.ones(200, 10, 10),
    }
    ask = context(measure.__name__, 200, fractions=TENTHS, replacement="zero")
    frame = measure(Linear(torch.ones(10, 10)).freeze(), x, maps, ask)
    areas = frame[frame["metric"].eq(f"{measure.__name__}_auc")].pivot_table(
        index="clip_id", columns="explainer", values="value"
    )
    noise = areas["random_cells"].std() / math.sqrt(200)
    assert areas["random_cells"].mean() == pytest.approx(0.5, abs=4 * noise)
    assert areas["constant"].mean() == pytest.approx(0.5, abs=4 * noise)
    assert (areas["constant"] == areas["negative_zeros"]).all()


def test_ties_of_sparse_rectified_and_blocky_maps_average_to_the_mean_over_all_orders():
    # tied cells leave in random order: on a linear score the curve is linear over each tie
    x = step(300)
    relevance = torch.zeros(300, 10, 10)
    relevance[:, 0, :5], relevance[:, 3:5] = 2.0, 1.0
    ask = context("deletion", 300, fractions=TENTHS, replacement="zero")
    frame = deletion(Linear(torch.ones(10, 10)).freeze(), x, {"map": relevance}, ask)
    rows = frame[frame["metric"].eq("deletion_curve") & frame["explainer"].eq("map")]
    found = rows.groupby("parameter")["value"].mean().to_numpy()
    total = 10 + 90 * 0.01
    # 5 cells of 1, then 20 of 0.01, then 5 of 1 among 75
    gone = [
        min(k, 5) + 0.01 * min(max(k - 5, 0), 20) + (5 + 0.7) * max(k - 25, 0) / 75 for k in range(0, 101, 10)
    ]
    assert found == pytest.approx(1 - np.array(gone) / total, abs=0.02)


def test_two_backgrounds_are_measured_side_by_side_and_each_as_if_alone():
    x = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(5)) + 1
    detector = Constant((3, 4))
    both = deletion(
        detector, x, {"map": x}, context("deletion", 2, replacement=["reconstruction", "clip_median"])
    )
    alone = [
        deletion(detector, x, {"map": x}, context("deletion", 2, replacement=kind))
        for kind in ("reconstruction", "clip_median")
    ]
    pd.testing.assert_frame_equal(both, pd.concat(alone, ignore_index=True))
    assert set(both["protocol"]) == {
        *("reconstruction", "clip_median"),
        *("chance_uniform_reconstruction", "chance_uniform_clip_median"),
    }


def test_the_same_clip_splits_its_ties_alike_in_any_batch():
    x = step(3)
    maps = {"map": torch.zeros(3, 10, 10)}
    detector = Linear(torch.ones(10, 10)).freeze()
    whole = deletion(detector, x, maps, context("deletion", 3, replacement="zero"))
    alone = deletion(
        detector,
        x[2:],
        {"map": maps["map"][2:]},
        context("deletion", 1, clip_ids=["clip2"], replacement="zero"),
    )
    assert curve(whole, "deletion_curve", clip_id="clip2") == curve(alone, "deletion_curve", clip_id="clip2")
    assert curve(whole, "deletion_curve", clip_id="clip1") != curve(alone, "deletion_curve", clip_id="clip2")


def test_rows_common_to_all_explainers_are_scored_once():
    x = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(0)) + 1
    detector = Constant((3, 4))
    ask = context("deletion", 2, fractions=(0, 0.25, 0.5, 1), replacement="zero", rows_per_pass=5)
    deletion(detector, x, {"a": x, "b": -x}, ask)
    n_rows = 2 * (2 + 3 * 2)  # clips x (intact and empty + rankings x inner fractions)
    assert sum(detector.passes) == n_rows
    assert len(detector.passes) == math.ceil(n_rows / 5)


def test_random_cells_fall_along_the_diagonal():
    # equal contributions: any ranking leaves 1 - k / n of the score
    x = torch.ones(2, 4, 10)
    ask = context("deletion", 2, replacement="zero", draws=2, fractions=TENTHS)
    frame = deletion(Linear(torch.ones(4, 10)).freeze(), x, {}, ask)
    assert set(frame["explainer"]) == {"random_cells"}
    assert set(frame["protocol"]) == {"chance_uniform_zero"}
    assert curve(frame, "deletion_curve", "random_cells") == pytest.approx([1 - k for k in TENTHS], abs=1e-6)
    assert curve(frame, "deletion_auc", "random_cells") == pytest.approx([0.5])


def test_batches_and_passes_do_not_change_values():
    x = torch.rand(3, 3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64) + 1
    maps = {"map": x.flip(-1)}
    detector = Constant((3, 4))
    whole = insertion(detector, x, maps, context("insertion", 3, replacement="reconstruction"))
    apart = pd.concat(
        insertion(
            detector,
            x[i : i + 1],
            {"map": maps["map"][i : i + 1]},
            context("insertion", 1, clip_ids=[f"clip{i}"], rows_per_pass=2, replacement="reconstruction"),
        )
        for i in range(3)
    )
    keys = ["metric", "explainer", "parameter", "clip_id"]
    both = whole.merge(apart, on=keys, validate="one_to_one")
    assert len(both) == len(whole) == len(apart)
    np.testing.assert_allclose(both["value_x"], both["value_y"], rtol=0, atol=1e-12)


def test_what_the_background_scores_is_not_forced_to_zero():
    # medians over time are 1 and 0: two cells lie above them, so removing all leaves 3 of 5
    x = torch.tensor([[[1.0, 1.0, 2.0], [0.0, 1.0, 0.0]]])
    ask = context("deletion", 1, fractions=(0, 0.5, 1), replacement="band_median")
    detector = Linear(torch.ones(2, 3)).freeze()
    relevance = {"map": torch.tensor([[[0.0, 0.0, 3.0], [0.0, 2.0, 1.0]]])}
    assert curve(deletion(detector, x, relevance, ask), "deletion_curve") == pytest.approx([1, 3 / 5, 3 / 5])
    ask = context("insertion", 1, fractions=(0, 0.5, 1), replacement="band_median")
    assert curve(insertion(detector, x, relevance, ask), "insertion_curve") == pytest.approx([3 / 5, 1, 1])


def test_a_score_that_is_not_positive_is_left_out_and_counted(caplog):
    x = torch.stack([torch.ones(2, 2), -torch.ones(2, 2)])
    frame = deletion(
        Linear(torch.ones(2, 2)).freeze(), x, {"map": x}, context("deletion", 2, replacement="zero")
    )
    assert set(frame["clip_id"]) == {"clip0"}
    assert "left out 1 clips" in caplog.text
