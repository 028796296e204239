"""What is shown of a single clip."""

import numpy as np
import pandas as pd
import pytest
import torch

from soundproof.detectors.registry import DETECTORS
from soundproof.illustrations.make import (
    clip_to_illustrate,
    clips_of_faults,
    clips_of_gallery,
    clips_to_illustrate,
    illustrate,
)
from soundproof.storage.maps import Axes

SHAPE = (16, 80)
AXES = Axes(tuple(float(hz) for hz in range(100, 1700, 100)), 40.0, 80, "dB")


def detector(**settings):
    entry = DETECTORS["cae"]
    made = entry.load()(SHAPE, entry.settings(settings))
    made.randomise(0)
    return made.freeze()


def clip(events=((0.5, 1.0),)):
    cells = None
    if events is not None:
        cells = np.array(
            [{"onset_s": on, "offset_s": off, "low_hz": None, "high_hz": None} for on, off in events]
        )
    return pd.Series({"clip_id": "c", "events": cells})


def shown(events=((0.5, 1.0),), peak=30, **settings):
    rng = np.random.default_rng(0)
    features = rng.normal(size=SHAPE).astype(np.float32)
    error = np.zeros(SHAPE, np.float32)
    error[:, peak : peak + 2] = 1
    return illustrate(
        detector(**settings),
        "ae",
        clip(events),
        AXES,
        features,
        {"own": error},
        None,
        40,
        {"own": "error_map"},
    )


def test_the_clip_of_median_score_is_shown():
    scores = pd.DataFrame({"clip_id": list("abcd"), "value": [4.0, 1.0, 3.0, 2.0]})
    assert clip_to_illustrate(scores, list("abcd")) == "d"
    assert clip_to_illustrate(scores, ["a", "c", "b"]) == "c"


def test_every_other_machine_shows_its_clip_of_median_score():
    scores = pd.DataFrame({"clip_id": list("abcdef"), "value": [4.0, 1.0, 3.0, 2.0, 9.0, 8.0]})
    clips = pd.DataFrame({"clip_id": list("abcdef"), "machine": [*["fan"] * 4, *["valve"] * 2]})
    # median of all: c (fan); of the valve's two: the lower one
    assert clips_to_illustrate(scores, clips, list("abcdef")) == ["c", "f"]
    assert clips_to_illustrate(scores, clips, list("abc")) == ["c"]


def test_of_each_fault_not_shown_yet_the_clip_of_median_score_is_shown():
    scores = pd.DataFrame({"clip_id": list("abcdef"), "value": [4.0, 1.0, 3.0, 2.0, 9.0, 8.0]})
    faults = ["rub", "hum", "hum", "hum", "bearing", None]
    clips = pd.DataFrame({"clip_id": list("abcdef"), "anomaly_type": faults})
    # hum: the median of b, c, d is d; a clip of no known fault stands for none
    assert clips_of_faults(scores, clips, list("abcdef"), []) == ["e", "d", "a"]
    assert clips_of_faults(scores, clips, list("abcdef"), ["a", "b"]) == ["e"]
    assert clips_of_faults(scores, clips, list("af"), ["a"]) == []


def test_in_a_gallery_the_first_illustrated_clip_of_a_fault_stands_for_it():
    scores = pd.DataFrame({"clip_id": list("abcdefg"), "value": [4.0, 1.0, 3.0, 2.0, 9.0, 8.0, 7.0]})
    faults = ["rub", "hum", "rub", "hum", "rub", "bearing", None]
    machines = ["fan", "fan", "fan", "fan", "valve", "valve", "valve"]
    clips = pd.DataFrame({"clip_id": list("abcdefg"), "anomaly_type": faults, "machine": machines})
    # median of all: a (rub, fan); of the valve's three: f (bearing); of what is left: hum, the lower of b and d
    assert clips_to_illustrate(scores, clips, list("abcdefg")) == ["a", "f"]
    assert clips_of_gallery(scores, clips, list("abcdefg")) == ["a", "f", "b"]
    # two machines that show the same fault: the study's clip comes first
    assert clips_to_illustrate(scores, clips, list("abce")) == ["c", "e"]
    assert clips_of_gallery(scores, clips, list("abce")) == ["c", "b"]
    # a clip of no known fault stands for none
    assert clips_of_gallery(scores, clips, list("bg")) == ["b"]


def test_segments_are_replaced_inside_the_annotated_time_only():
    one = shown(peak=30)
    changed = (one.replaced_input != one.input).any(axis=0)
    # the peak lies in the first cell (frames 0..39), annotated from frame 20 on
    assert np.flatnonzero(changed).tolist() == list(range(20, 40))
    inside = np.s_[:, 20:40]
    assert np.array_equal(one.replaced_input[inside], one.reconstruction[inside])


def test_without_labels_the_peaks_themselves_are_replaced():
    changed = (lambda one: (one.replaced_input != one.input).any(axis=0))(shown(events=None, peak=30))
    assert np.flatnonzero(changed).tolist() == [30, 31]


@pytest.mark.parametrize("ratio", [0.0, 0.3])
def test_masked_input_is_shown_for_masked_training_only(ratio):
    one = shown(mask_ratio=ratio)
    if not ratio:
        assert one.masked_input is None
        return
    hidden = one.masked_input == 0
    assert hidden.mean() == pytest.approx(ratio, abs=0.01)
    assert np.array_equal(one.masked_input[~hidden], one.input[~hidden])


def test_a_detector_without_reconstruction_has_none_to_show():
    entry = DETECTORS["clip_level"]
    level = entry.load()(SHAPE, entry.settings({})).freeze()
    features = torch.randn(SHAPE).numpy()
    one = illustrate(level, "level", clip(), AXES, features, {}, None, 40, {})
    assert one.reconstruction is None
    assert one.replaced_input is None
