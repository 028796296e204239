"""Arrays and a model of one's own: numbers by hand, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

import soundproof
from soundproof.core.errors import ArtefactError, ConfigError, DataError

BANDS, FRAMES, N_TRAIN, N_TEST = 4, 10, 4, 12
LABELS = ["normal"] * (N_TRAIN + N_TEST // 2) + ["anomaly"] * (N_TEST // 2)


def table(**columns: Any) -> pd.DataFrame:
    splits = ["train"] * N_TRAIN + ["test"] * N_TEST
    return pd.DataFrame({"split": splits, "label": LABELS, **columns})


def maps() -> np.ndarray:
    """Noise from 0 to 1; anomalous clips have 10 more in band 2, frames 3 to 5."""
    values = np.random.default_rng(0).random((N_TRAIN + N_TEST, BANDS, FRAMES), dtype=np.float32)
    values[-N_TEST // 2 :, 2, 3:6] += 10
    return values


def fault() -> np.ndarray:
    mask = np.zeros((BANDS, FRAMES), dtype=bool)
    mask[2, 3:6] = True
    return mask


def own_clips(values: np.ndarray | None = None, **columns: Any) -> soundproof.Clips:
    return soundproof.from_arrays(
        maps() if values is None else values,
        table(**columns),
        frames_per_second=10.0,
        masks={f"clip_{number:05d}": fault() for number in range(N_TRAIN + N_TEST // 2, N_TRAIN + N_TEST)},
    )


class Squares(nn.Module):
    """The mean of x², cell by cell weighted."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(BANDS, FRAMES))

    def forward(self, x: Tensor) -> Tensor:
        return (self.weight * x.square()).mean(dim=(1, 2))


@pytest.fixture(scope="module")
def clips() -> soundproof.Clips:
    return own_clips(events=[[(0.3, 0.6)] if label == "anomaly" else None for label in LABELS])


@pytest.fixture(scope="module")
def fitted(clips: soundproof.Clips) -> soundproof.Fitted:
    return soundproof.wrap(clips, Squares(), output="score", title="Squares")


def test_arrays_come_back_as_they_are(clips: soundproof.Clips) -> None:
    np.testing.assert_array_equal(clips.maps(), maps())
    np.testing.assert_array_equal(clips.maps(["clip_00009"])[0], maps()[9])
    assert list(clips.table["split"].value_counts()[["train", "test"]]) == [N_TRAIN, N_TEST]
    assert clips.features.axes.frequencies_hz == (0.0, 1.0, 2.0, 3.0)


def test_a_wrapped_model_scores_and_is_left_alone(clips: soundproof.Clips) -> None:
    network = Squares().train()
    fitted = soundproof.wrap(clips, network, output="score")
    scores = fitted.scores.set_index("clip_id")["value"]
    expected = (maps().astype(np.float64) ** 2).mean(axis=(1, 2))
    assert len(scores) == N_TEST
    for number in range(N_TRAIN, N_TRAIN + N_TEST):
        assert scores[f"clip_{number:05d}"] == pytest.approx(expected[number], rel=1e-6)
    assert network.training and network.weight.requires_grad
    assert soundproof.areas(fitted).set_index("metric").loc["auc", "value"] == 1.0


def test_a_function_can_be_wrapped(clips: soundproof.Clips) -> None:
    fitted = soundproof.wrap(clips, lambda x: x.square(), output="cell_map", clip_score="max")
    np.testing.assert_allclose(fitted.scores["value"], (maps()[N_TRAIN:] ** 2).max(axis=(1, 2)), rtol=1e-6)


def test_explanations_are_measured_and_compared(fitted: soundproof.Fitted) -> None:
    explained = soundproof.explain(fitted, ["saliency", "random_map"])
    assert len(explained.clip_ids) == N_TEST // 2
    # the derivative of the mean of x² is 2 x / n
    found = explained.relevance("saliency", explained.clip_ids[:2])
    np.testing.assert_allclose(found, 2 * maps()[10:12] / (BANDS * FRAMES), rtol=1e-6)
    rows = explained.localisation({"cell_ranking": {}, "frame_auroc": {}})
    auroc = rows.query("metric == 'cell_auroc' and explainer == 'saliency' and protocol == ''").dropna(
        subset="clip_id"
    )
    assert list(auroc["value"]) == [1.0] * (N_TEST // 2)
    explained.faithfulness({"deletion": {"replacement": ["clip_median"]}})
    compared = soundproof.compare(explained).set_index(["axis", "explainer"])
    best = compared.loc[("cell_auroc", "saliency")]
    assert (best["value"], best["ci_low"], best["chance_uniform"]) == (1.0, 1.0, 0.5)
    assert best["higher_is_better"] and best["n_clips"] == N_TEST // 2
    noise = compared.loc[("cell_auroc", "random_map")]
    assert noise["ci_low"] < 0.7 and not np.isnan(noise["ci_high"])
    deletion = compared.loc[("deletion_auc_clip_median", "saliency")]
    assert deletion["value"] < deletion["chance_uniform"] and not deletion["higher_is_better"]
    beaten = soundproof.rivals(explained).set_index(["axis", "rival"])["beaten"]
    assert beaten[("cell_auroc", "chance")] and beaten[("cell_auroc", "Random (control)")]


def test_what_is_measured_again_is_kept_once(fitted: soundproof.Fitted) -> None:
    explained = soundproof.explain(fitted, ["saliency"])
    explained.localisation(["cell_ranking"])
    once = explained.rows
    explained.localisation(["cell_ranking"])
    pd.testing.assert_frame_equal(explained.rows, once)
    explained.localisation(["frame_auroc"])
    assert {"cell_auroc", "frame_auroc"} <= set(explained.rows["metric"])


def test_trainings_of_one_detector_are_averaged(clips: soundproof.Clips) -> None:
    several = []
    for seed in (0, 1):
        forest = soundproof.fit(clips, "isolation_forest", seed=seed)
        explained = soundproof.explain(forest, {"occlusion": {"window": [1, 2], "stride": [1, 2]}})
        explained.localisation(["cell_ranking"])
        several.append(explained)
    both = soundproof.compare(*several).set_index("axis").loc["cell_auroc"]
    alone = [soundproof.compare(one).set_index("axis").loc["cell_auroc", "value"] for one in several]
    assert both["n_seeds"] == 2
    assert both["value"] == pytest.approx(np.mean(alone))
    with pytest.raises(DataError, match="seed 0, once"):
        soundproof.compare(several[0], several[0])


@pytest.mark.parametrize(
    ("values", "columns", "said"),
    [
        (maps()[:-1], {}, "15, 4, 10"),
        (maps(), {"clip_id": ["a"] * (N_TRAIN + N_TEST)}, "'a' twice"),
        (maps(), {"split": ["training"] * (N_TRAIN + N_TEST)}, "say train or test"),
        (maps(), {"colour": "red"}, "no such column"),
        (maps(), {"events": [[(0.3,)]] * (N_TRAIN + N_TEST)}, "events of clip 'clip_00000'"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused(
    values: np.ndarray, columns: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        own_clips(values, **columns)


def test_maps_and_masks_that_cannot_be_used_are_refused() -> None:
    broken = maps()
    broken[3, 1, 1] = np.nan
    with pytest.raises(ArtefactError, match="NaN or infinity in clip 'clip_00003'"):
        own_clips(broken)
    for masks, said in (
        ({"clip_00000": fault()}, "no anomalous clip"),
        ({"clip_00011": fault()[:2]}, r"shape \(2, 10\)"),
    ):
        with pytest.raises(DataError, match=said):
            soundproof.from_arrays(maps(), table(), frames_per_second=10.0, masks=masks)
    with pytest.raises(DataError, match="2 for 4 rows"):
        soundproof.from_arrays(maps(), table(), frames_per_second=10.0, frequencies_hz=[1.0, 2.0])


def test_models_explainers_and_metrics_that_do_not_fit_are_refused(
    clips: soundproof.Clips, fitted: soundproof.Fitted
) -> None:
    with pytest.raises(DataError, match="looks at a clip by itself"):
        soundproof.wrap(clips, lambda x: (x - x.mean(0)).square().mean((1, 2)), output="score")
    with pytest.raises(DataError, match="output 'reconstruction'"):
        soundproof.wrap(clips, Squares(), output="reconstruction")
    with pytest.raises(ConfigError, match="error_map"):
        soundproof.explain(fitted, ["error_map"])
    with pytest.raises(ConfigError, match="did you mean 'saliency'"):
        soundproof.explain(fitted, ["salience"])
    explained = soundproof.explain(fitted, ["saliency"])
    with pytest.raises(ConfigError, match="'ff'"):
        explained.faithfulness(["ff"])
    with pytest.raises(DataError, match="not among these"):
        explained.relevance("occlusion")
    with pytest.raises(DataError, match="of several"):
        soundproof.compare(
            explained, soundproof.explain(soundproof.fit(own_clips(), "gaussian"), ["saliency"])
        )
    with pytest.raises(ConfigError, match="no such figure"):
        soundproof.draw("quality", explained)
    with pytest.raises(DataError, match="not explained"):
        soundproof.show(explained, clip_id="clip_00000")


def test_a_machine_that_the_data_set_lacks_is_named() -> None:
    few = {"kind": "bench", "machines": ["fan"], "train_clips": 8, "test_normal": 2, "test_anomaly": 2}
    with pytest.raises(DataError, match="machine 'fun'"):
        soundproof.load_dataset({**few, "seconds": 2.0}, machine="fun")
