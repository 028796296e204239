"""Tables of what is heard: agreement and forecasts by hand, and reasons where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest
from toys.study import measurements, results_of, without

from soundproof.tables import audible_fault, sound_agreement

EXPLAINERS = ("error_map", "saliency", "grad_cam", "smooth_grad")
N_CLIPS = 6


def rows(metric: str, by_clip: list[list[float]], protocol: str = "") -> list[dict[str, object]]:
    """Values of the explainers, clip by clip."""
    common = {"detector": "ae", "metric": metric, "protocol": protocol, "machine": "fan"}
    return [
        common | {"clip_id": f"fan_{30 + clip:03d}", "explainer": name, "value": value}
        for clip, values in enumerate(by_clip)
        for name, value in zip(EXPLAINERS, values, strict=False)
    ]


UP, DOWN = [1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]
# two of six pairs turned: tau 1/3
MIXED = [2.0, 1.0, 4.0, 3.0]


def test_agreement_within_clips_by_hand() -> None:
    features = rows("deletion_auc", [UP] * N_CLIPS, "clip_median")
    sound = rows("sound_deletion", [UP] * 3 + [MIXED] * 3, "silence")
    chance = rows("sound_deletion", [UP] * N_CLIPS, "chance_energy_silence")
    frame = sound_agreement.build(results_of(measurements(features + sound + chance))).frame
    whole = frame[frame["statistic"] == "tau-b"]
    assert whole["value"].item() == pytest.approx((3 * 1 + 3 / 3) / 6)
    assert whole["n_clips"].item() == N_CLIPS
    assert "silence" in whole["on_sound"].item() and "clip median" in whole["on_features"].item()


def test_agreement_over_the_clips_of_an_explainer_by_hand() -> None:
    levels = np.arange(N_CLIPS, dtype=float)
    features = rows("insertion_auc", [[x, x, 0, x] for x in levels], "clip_median")
    sound = rows("sound_insertion", [[x, -x, x, 2 * x] for x in levels], "surroundings")
    frame = sound_agreement.build(results_of(measurements(features + sound))).frame
    each = frame[frame["statistic"] == "rho"].set_index("ranked")["value"]
    assert each["clips, Error map"] == pytest.approx(1)
    assert each["clips, Saliency"] == pytest.approx(-1)
    # equal on the features for every clip: there is nothing to rank
    assert "clips, Grad-CAM" not in each.index


def test_two_explainers_are_too_few_to_rank_and_their_clips_are_not() -> None:
    levels = np.arange(N_CLIPS, dtype=float)
    features = rows("deletion_auc", [[x, -x] for x in levels], "clip_median")
    sound = rows("sound_deletion", [[x, x] for x in levels], "silence")
    frame = sound_agreement.build(results_of(measurements(features + sound))).frame
    each = frame.set_index("ranked")[["statistic", "value"]]
    assert set(each["statistic"]) == {"rho"}
    assert each["value"].to_dict() == {
        "clips, Error map": pytest.approx(1),
        "clips, Saliency": pytest.approx(-1),
    }


def test_the_better_forecast_stands_first_and_directions_count() -> None:
    frame = measurements(
        rows("cell_auroc", [UP] * N_CLIPS)
        # less is left where the map is better: a perfect forecast
        + rows("sound_deletion", [DOWN] * N_CLIPS, "silence")
        + rows("sound_insertion", [MIXED] * N_CLIPS, "silence")
        + rows("deletion_auc", [UP] * N_CLIPS, "clip_median")
    )
    found = sound_agreement.build_predictions(results_of(frame)).frame
    assert list(found["value"]) == pytest.approx([1, 1 / 3, -1])
    assert list(found["kind"]) == ["the sound", "the sound", "the features"]
    assert set(found["place"]) == {"Cell AUROC"}


def test_random_controls_have_no_say() -> None:
    features = rows("deletion_auc", [UP] * N_CLIPS, "clip_median")
    sound = rows("sound_deletion", [UP] * N_CLIPS, "silence")
    for row in features + sound:
        row["explainer"] = {"grad_cam": "random_map"}.get(str(row["explainer"]), row["explainer"])
    kinds = {"random_map": "random_map"}
    frame = sound_agreement.build(results_of(measurements(features + sound), explainer_kinds=kinds)).frame
    assert not frame["ranked"].str.contains("Random").any()


def test_si_sdr_stands_beside_its_rivals() -> None:
    frame = measurements(
        [
            row
            for protocol, level in (
                ("", 5.0),
                ("chance_uniform", -8.0),
                ("chance_circular_shift", -7.0),
                ("flag_all", -2.0),
                ("oracle", 11.0),
            )
            for row in rows("si_sdr", [[level + shift] * 4 for shift in (-1, 0, 1)], protocol)
        ]
    )
    row = audible_fault.build(results_of(frame)).frame.iloc[0]
    names = ("value", "chance_uniform", "chance_shift", "flag_all", "oracle")
    assert [row[name] for name in names] == pytest.approx([5, -8, -7, -2, 11])


def test_what_was_not_measured_is_said(full) -> None:
    silent = without(full, "sound_deletion", "sound_insertion", "si_sdr")
    for build in (sound_agreement.build, sound_agreement.build_predictions, audible_fault.build):
        assert "reason" in build(silent).frame
    places = without(full, "cell_auroc", "frame_auroc")
    assert "reason" in sound_agreement.build_predictions(places).frame
    assert "reason" not in sound_agreement.build(places).frame
