"""Metrics of Quantus by name, beside the same numbers computed here."""

from __future__ import annotations

import copy
import inspect
import logging
import sys

import numpy as np
import pandas as pd
import pytest
import quantus as package
import torch
from scipy.stats import pearsonr
from toys.attribution import HeldNormals
from toys.faithfulness import Linear, Toy, context

from soundproof.attribution.re_explanation import re_explainer
from soundproof.config.model import Study
from soundproof.config.stages import Stages
from soundproof.core.errors import ConfigError
from soundproof.detectors.background import background
from soundproof.detectors.registry import DETECTORS
from soundproof.faithfulness.quantus import Decision, quantus
from soundproof.faithfulness.quantus_settings import REFUSED, TAKEN
from soundproof.faithfulness.registry import FAITHFULNESS, check_compatible, needs_of

SHAPE, CELLS, N = (4, 6), 24, 3
NORMAL = HeldNormals(torch.zeros(3, *SHAPE))


class Curved(Toy):
    """score = sum of w x^2, whose gradient is 2 w x."""

    def __init__(self):
        super().__init__(SHAPE)
        self.w = torch.rand(SHAPE, generator=torch.Generator().manual_seed(1)) + 0.1

    def score(self, x):
        self._seen(x)
        return (self.w * x**2).sum(dim=(1, 2))


@pytest.fixture
def x():
    return torch.randn(N, *SHAPE, generator=torch.Generator().manual_seed(2)) + 1


@pytest.fixture
def relevance():
    return torch.randn(N, *SHAPE, generator=torch.Generator().manual_seed(3))


def measured(
    x, maps, metric, *, detector=None, clip_ids=None, seed=0, explain=None, normal=NORMAL, **settings
):
    parameters = settings.pop("parameters", {})
    ask = context(
        "quantus",
        len(x),
        clip_ids=clip_ids,
        seed=seed,
        explain=explain,
        normal=normal,
        metrics={metric: parameters},
        **settings,
    )
    return quantus(detector or Curved(), x, maps, ask)


def values(frame: pd.DataFrame, explainer="map") -> list[float]:
    return frame[frame["explainer"] == explainer].sort_values("clip_id")["value"].tolist()


# the same numbers, computed here


def test_sparseness_is_the_gini_index_of_the_magnitudes(x, relevance):
    expected = []
    for values_of in relevance.abs().flatten(1).double().numpy():
        ascending, rank = np.sort(values_of), np.arange(1, CELLS + 1)
        expected.append(float(((2 * rank - CELLS - 1) * ascending).sum() / (CELLS * ascending.sum())))
    assert values(measured(x, {"map": relevance}, "Sparseness")) == pytest.approx(expected, rel=1e-5)


def test_complexity_is_the_entropy_of_the_magnitudes(x, relevance):
    share = relevance.abs().flatten(1).double()
    share = share / share.sum(dim=1, keepdim=True)
    expected = (-(share * share.log()).sum(dim=1)).tolist()
    assert values(measured(x, {"map": relevance}, "Complexity")) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["band_median", "clip_median", "nearest_normal"])
def test_pixel_flipping_is_the_mean_score_above_the_threshold_while_cells_show_our_replacement(
    x, relevance, kind
):
    normal, detector = HeldNormals(torch.full((1, *SHAPE), 0.5)), Curved()
    threshold = float(detector.score(normal.maps))
    expected = []
    for clip, of_clip in zip(x, relevance, strict=True):
        instead = {
            "band_median": clip.sort(dim=1).values[:, 2:3].expand(SHAPE),
            "clip_median": clip.flatten().sort().values[11].expand(SHAPE),
            "nearest_normal": torch.full(SHAPE, 0.5),
        }[kind].flatten()
        order, changed, found = (-of_clip.flatten()).argsort(), clip.flatten().clone(), []
        for start in range(0, CELLS, 3):
            gone = order[start : start + 3]
            changed[gone] = instead[gone]
            found.append(float(detector.score(changed.view(1, *SHAPE))) - threshold)
        expected.append(np.mean(found))
    parameters = {"features_in_step": 3}
    rows = measured(
        x, {"map": relevance}, "PixelFlipping", parameters=parameters, replacement=kind, normal=normal
    )
    assert values(rows) == pytest.approx(expected, rel=1e-4)


def test_the_faithfulness_estimate_is_the_correlation_of_relevance_and_fall(x, relevance):
    detector, expected = Curved(), []
    shown = background(detector, x, "band_median", 8)
    for clip, of_clip, instead in zip(x, relevance, shown, strict=True):
        order, falls, sums = (-of_clip.flatten()).argsort(), [], []
        for start in range(0, CELLS, 4):
            gone = order[start : start + 4]
            changed = clip.flatten().clone()
            changed[gone] = instead.flatten()[gone]
            falls.append(float(detector.score(clip[None]) - detector.score(changed.view(1, *SHAPE))))
            sums.append(float(of_clip.flatten()[gone].sum()))
        expected.append(pearsonr(falls, sums).statistic)
    rows = measured(x, {"map": relevance}, "FaithfulnessEstimate", parameters={"features_in_step": 4})
    assert values(rows) == pytest.approx(expected, rel=1e-4)


def test_average_sensitivity_is_the_mean_change_of_the_map_our_explainer_makes(x):
    asked: list[tuple[str, torch.Tensor]] = []

    def explain(label, detector, changed, clip_ids):
        asked.extend(zip(clip_ids, changed, strict=True))
        return 2 * detector.w * changed

    maps = {"map": 2 * Curved().w * x}
    rows = measured(
        x, maps, "AvgSensitivity", explain=explain, parameters={"nr_samples": 5, "lower_bound": 0.1}
    )
    for row, (clip_id, found) in enumerate(zip(("clip0", "clip1", "clip2"), values(rows), strict=True)):
        changes = [
            changed - x[row]
            for name, changed in asked
            if name == clip_id and not torch.equal(changed, x[row])
        ]
        assert len(changes) == 5
        assert max(float(change.abs().max()) for change in changes) <= 0.1 + 1e-6
        weights = 2 * Curved().w
        ratios = [float((weights * change).norm() / (weights * x[row]).norm()) for change in changes]
        assert found == pytest.approx(np.mean(ratios), rel=1e-4)


def test_every_metric_that_is_taken_runs_and_has_a_chance_row_for_each_clip(x):
    again = re_explainer({"map": {"kind": "saliency"}}, 0, torch.device("cpu"), 1 << 28)
    detector = Curved()
    maps = {"map": again("map", detector, x, ["clip0", "clip1", "clip2"])}
    few = {"FaithfulnessCorrelation": {"subset_size": 6}, "Infidelity": {"perturb_patch_sizes": [2]}}
    few |= {name: {"nr_samples": 3} for name, known in TAKEN.items() if "nr_samples" in known.parameters}
    few |= {name: {"patch_size": 2} for name in ("RegionPerturbation", "Selectivity")}
    metrics = {name: few.get(name, {}) for name in TAKEN}
    ask = context("quantus", N, metrics=metrics, normal=NORMAL, explain=again)
    rows = quantus(detector, x, maps, ask)
    assert np.isfinite(rows["value"]).all()
    for name in TAKEN:
        assert len(rows[rows["protocol"] == name]) == N
        chance = rows[rows["protocol"] == f"chance_uniform_{name}"]
        assert set(chance["explainer"]) == {"random_cells"}
        assert len(chance) == N
    # the gradient knows the score, and noise does not
    means = rows.groupby("protocol")["value"].mean()
    for name in ("FaithfulnessCorrelation", "PixelFlipping", "AvgSensitivity", "RegionPerturbation"):
        sign = 1 if TAKEN[name].higher_is_better else -1
        assert sign * (means[name] - means[f"chance_uniform_{name}"]) > 0, name


# what is handed over


def test_the_model_says_the_score_above_the_threshold_and_its_decision(x):
    detector = Curved()
    scores = detector.score(x)
    threshold = float(scores.sort().values[1]) - 1e-3
    columns = Decision(detector, threshold, 2).eval()(x[:, None])
    torch.testing.assert_close(columns, torch.stack([threshold - scores, scores - threshold], dim=1))
    assert columns.argmax(dim=1).tolist() == (scores > threshold).int().tolist()
    assert max(detector.passes[1:]) == 2
    assert [*Decision(detector, 0.0, 1).modules()][1:] == []


def test_no_cell_is_ever_replaced_by_anything_but_ours(x, relevance):
    detector = Curved()
    measured(
        x[:1], {"map": relevance[:1]}, "PixelFlipping", detector=detector, parameters={"features_in_step": 6}
    )
    ours = background(detector, x[:1], "band_median", 8)[0]
    for seen in detector.rows:
        assert ((seen == x[0]) | (seen == ours) | (seen == 0)).all()  # 0: the normal clips
    assert any(torch.equal(seen, ours) for seen in detector.rows)


def test_draws_follow_clip_metric_and_seed_and_leave_the_world_as_it_was(x, relevance):
    options = {"parameters": {"subset_size": 6, "nr_runs": 10}}
    maps = {"map": relevance, "same": relevance.clone()}
    np.random.seed(5)  # noqa: NPY002
    before = copy.deepcopy(np.random.get_state()[1])  # noqa: NPY002
    together = measured(x, maps, "FaithfulnessCorrelation", **options)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert values(together) == values(together, "same")
    picked = measured(
        x[[2, 0]],
        {"map": relevance[[2, 0]]},
        "FaithfulnessCorrelation",
        clip_ids=["clip2", "clip0"],
        **options,
    )
    assert values(picked) == pytest.approx([values(together)[0], values(together)[2]])
    assert values(picked, "random_cells") == pytest.approx(
        [values(together, "random_cells")[k] for k in (0, 2)]
    )
    other = measured(x, maps, "FaithfulnessCorrelation", seed=1, **options)
    assert values(other) != values(together)


# what is left out


def test_maps_that_nobody_can_make_again_have_no_row_where_a_metric_asks_for_them(x, relevance, caplog):
    def explain(label, detector, changed, clip_ids):
        return None if label == "foreign" else changed

    with caplog.at_level(logging.WARNING):
        rows = measured(
            x,
            {"map": x, "foreign": relevance},
            "MaxSensitivity",
            explain=explain,
            parameters={"nr_samples": 2},
        )
    assert set(rows["explainer"]) == {"map", "random_cells"}
    assert "left out 3 of 9 values" in caplog.text


def test_a_constant_map_has_no_row(x, relevance):
    relevance[1] = 0.5
    rows = measured(x, {"map": relevance}, "Sparseness")
    assert rows[rows["explainer"] == "map"]["clip_id"].tolist() == ["clip0", "clip2"]
    assert len(values(rows, "random_cells")) == 3


# what is refused


def test_every_metric_of_quantus_is_taken_or_refused_with_a_reason():
    known = {cls.__name__ for of in package.AVAILABLE_METRICS.values() for cls in of.values()}
    assert set(TAKEN) | set(REFUSED) == known | {"BatchSufficiency"}
    assert not set(TAKEN) & set(REFUSED)


@pytest.mark.parametrize("name", TAKEN)
def test_parameters_are_those_of_the_signature_and_of_the_type_of_their_values(name):
    signature = inspect.signature(getattr(package, name).__init__).parameters
    for parameter, kind in TAKEN[name].settable.items():
        default = signature[parameter].default
        assert default is None or kind is tuple or type(default) in (kind, int), parameter
    patches = TAKEN[name].patches
    if patches is not None and signature[patches[0]].default is not None:
        assert signature[patches[0]].default == patches[1]
    assert TAKEN[name].removes == ("perturb_func" in signature and not TAKEN[name].re_explains)
    states = getattr(package, name).score_direction.value
    assert (states == "higher") == TAKEN[name].higher_is_better or name == "RegionPerturbation"


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ({"IROF": {}}, "numpy 2.4"),
        ({"RandomLogit": {}}, "several classes"),
        ({"PointingGame": {}}, "asks for the truth"),
        ({"AvgSensitvity": {}}, "no metric 'AvgSensitvity'"),
        ({"PixelFlipping": {"perturb_baseline": 0}}, "raises an anomaly score"),
        ({"PixelFlipping": {"return_auc_per_sample": True}}, "mean of a curve"),
        ({"PixelFlipping": {"steps": 3}}, "no parameter 'steps'"),
        ({"PixelFlipping": {"features_in_step": 1.5}}, "is a int"),
        ({"PixelFlipping": {"features_in_step": 0}}, "above 0"),
        ({"PixelFlipping": {"abs": 1}}, "is a bool"),
        ({"Infidelity": {"perturb_patch_sizes": 4}}, "list of whole numbers"),
        ({}, "metrics"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name_with_the_reason(metrics, said):
    with pytest.raises(ConfigError, match=said):
        FAITHFULNESS["quantus"].settings({"metrics": metrics})


def test_names_alone_are_enough():
    settings = FAITHFULNESS["quantus"].settings({"metrics": ["Sparseness", "Complexity"]})
    assert settings.metrics == {"Sparseness": {}, "Complexity": {}}


def test_quantus_own_replacement_raises_an_anomaly_score_and_ours_does_not():
    # all is usual but a cell that is far too quiet, which is what Quantus takes for black
    clip = torch.ones(1, *SHAPE)
    clip[0, 0, 0] = -5.0

    class AroundOne(Toy):
        def score(self, x):
            return ((x - 1) ** 2).sum(dim=(1, 2))

    detector = AroundOne(SHAPE)
    harmless_first = torch.arange(float(CELLS)).view(1, *SHAPE)
    theirs = package.PixelFlipping(features_in_step=4, perturb_baseline="black", disable_warnings=True)(
        model=Decision(detector, 0.0, 8).eval(),
        x_batch=clip[:, None].numpy(),
        y_batch=np.ones(1, dtype=int),
        a_batch=harmless_first[:, None].numpy(),
        channel_first=True,
        softmax=False,
        device="cpu",
    )
    intact = float(detector.score(clip))
    assert np.asarray(theirs[0]).tolist() == [intact * (1 + 4 * step) for step in range(1, 6)] + [
        intact * CELLS
    ]
    normal = HeldNormals(torch.ones(1, *SHAPE))
    (ours,) = values(
        measured(
            clip,
            {"map": harmless_first},
            "PixelFlipping",
            detector=detector,
            normal=normal,
            parameters={"features_in_step": 4},
        )
    )
    # the quiet cell goes in the last of six steps
    assert ours == pytest.approx(intact * 5 / 6)


def test_patches_that_do_not_divide_the_maps_are_refused_with_those_that_do(x, relevance):
    with pytest.raises(ConfigError, match=r"choose one that divides both: 1, 2"):
        measured(x, {"map": relevance}, "Selectivity")
    with pytest.raises(ConfigError, match="perturb_patch_sizes' of Quantus' Infidelity: 4"):
        measured(x, {"map": relevance}, "Infidelity")


def test_an_error_of_quantus_names_metric_and_clip(x, relevance):
    # 224 cells, which is Quantus' own value, are more than there are
    with pytest.raises(ConfigError, match="'FaithfulnessCorrelation' of Quantus for clip 'clip0'"):
        measured(x, {"map": relevance}, "FaithfulnessCorrelation")


def test_who_cannot_explain_again_or_has_no_normal_clips_is_told(x, relevance):
    with pytest.raises(ConfigError, match="nothing that makes new maps"):
        measured(x, {"map": relevance}, "AvgSensitivity")
    with pytest.raises(ConfigError, match="no normal clips"):
        measured(x, {"map": relevance}, "Sparseness", normal=None)


def test_without_the_package_the_study_is_refused_with_how_to_install_it(monkeypatch, x, relevance):
    monkeypatch.setitem(sys.modules, "quantus", None)
    entry, metric = DETECTORS["cae"], FAITHFULNESS["quantus"]
    settings = metric.settings({"metrics": ["Sparseness"]})
    with pytest.raises(ConfigError, match=r"pip install quantus .*soundproof\[quantus\]"):
        check_compatible(entry, entry.settings({}), metric, settings)
    with pytest.raises(ConfigError, match="not installed"):
        measured(x, {"map": relevance}, "Sparseness")


# what the study makes of it


def study(metrics):
    return Study.model_validate(
        {
            "name": "toy",
            "dataset": {"kind": "bench"},
            "detectors": {"ae": {"kind": "cae", "explain": True}},
            "explainers": {"mine": {"kind": "saliency"}},
            "faithfulness": {"quantus": {"metrics": metrics}},
        }
    )


def test_the_code_of_explainers_counts_where_they_are_run_again():
    module = "soundproof.attribution.saliency"
    assert module in Stages(study(["AvgSensitivity"])).faithfulness_code("ae")
    assert module not in Stages(study(["Sparseness"])).faithfulness_code("ae")


def test_a_reconstruction_is_needed_where_cells_show_it():
    metric = FAITHFULNESS["quantus"]
    settings = metric.settings({"metrics": ["PixelFlipping"], "replacement": "reconstruction"})
    assert needs_of(metric, settings) == {"reconstruction"}
    gaussian = DETECTORS["gaussian"]
    with pytest.raises(ConfigError, match="a reconstruction"):
        check_compatible(gaussian, gaussian.settings({}), metric, settings)


def test_criteria_have_the_direction_of_their_metric():
    directions = {
        criterion.protocols[0]: criterion.higher_is_better for criterion in FAITHFULNESS["quantus"].criteria
    }
    assert directions == {name: known.higher_is_better for name, known in TAKEN.items()}
    assert not directions["PixelFlipping"]
    assert directions["Sparseness"]


def test_a_linear_score_is_followed_perfectly_by_its_own_parts(x):
    detector = Linear(torch.rand(SHAPE, generator=torch.Generator().manual_seed(4)) + 0.1)
    parts = (detector.weights * (x - background(detector, x, "band_median", 8))).detach()
    rows = measured(
        x,
        {"map": parts},
        "FaithfulnessCorrelation",
        detector=detector.freeze(),
        parameters={"subset_size": 6},
    )
    assert values(rows) == pytest.approx([1, 1, 1], abs=1e-5)
