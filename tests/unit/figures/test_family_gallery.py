"""The gallery of families: a row per fault, a column per family."""

from dataclasses import replace

import numpy as np
from toys.illustrations import illustration
from toys.study import clips, measurements, results_of

from soundproof.figures import family_gallery

FAMILIES = {"vae": "generative", "ganomaly": "generative", "odin": "input perturbation"}
TITLES = {"vae": "VAE", "ganomaly": "Adversarial auto-encoder", "odin": "ODIN"}


def study():
    return results_of(measurements([]), families=FAMILIES, detector_titles=TITLES, clips=clips(2, 3))


def shown():
    """A clip of each of the three faults of the toy study, as each detector sees it."""
    return [illustration(label, clip_id=f"fan_{row:03d}") for label in FAMILIES for row in (2, 3, 4)]


def test_one_member_of_each_family_on_each_fault():
    figure = family_gallery.draw(study(), shown())
    titles = [" ".join(axes.get_title().split()) for axes in figure.figure.axes if axes.get_title()]
    assert titles == ["Input", "generative: VAE", "input perturbation: ODIN"]
    rows = [axes.get_ylabel().splitlines() for axes in figure.figure.axes if axes.get_ylabel()]
    assert rows == [["bearing", "kHz"], ["leak", "kHz"], ["rub", "kHz"]]
    assert {axes.get_xlabel() for axes in figure.figure.axes} == {"", "Time (s)"}
    frame = figure.frame
    assert set(frame["detector"]) == {"", "vae", "odin"}
    own = frame[frame["detector"].eq("odin") & frame["fault"].eq("rub")]
    np.testing.assert_allclose(own["value"], shown()[0].maps["error_map"].ravel())
    assert "VAE" in figure.caption and "(dB)" in figure.caption


def test_an_event_that_outlasts_the_last_frame_does_not_widen_the_picture():
    late = replace(illustration("vae", clip_id="fan_002"), events=((3.5, 4.5),))
    figure = family_gallery.draw(study(), [late]).figure
    assert {axes.get_xlim() for axes in figure.axes} == {(0.0, 4.0)}


def test_the_first_clip_of_a_fault_stands_for_it():
    again = replace(illustration("vae", clip_id="fan_002"), clip_id="fan_005")
    table = clips(2, 4)
    table.loc[table["clip_id"].eq("fan_005"), "anomaly_type"] = "leak"
    study_with = results_of(measurements([]), families=FAMILIES, detector_titles=TITLES, clips=table)
    frame = family_gallery.draw(study_with, [illustration("vae", clip_id="fan_002"), again]).frame
    assert set(frame["clip_id"]) == {"fan_002"}


def test_without_a_clip_of_a_known_fault_it_says_so():
    nameless = clips(2, 3).assign(anomaly_type=None)
    study_with = results_of(measurements([]), families=FAMILIES, detector_titles=TITLES, clips=nameless)
    assert family_gallery.MISSING in family_gallery.draw(study_with, shown()).caption
