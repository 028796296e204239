"""The gallery of families: a row per fault, a column per family."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
from toys.illustrations import illustration
from toys.study import clips, measurements, results_of

from soundproof.figures import family_gallery
from soundproof.figures.style import PAGE_IN
from soundproof.storage.schemas import REASONS
from soundproof.tables import sentences

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


LONG = (
    "Impacts {rate} times a second, ringing at 2.2 kHz, from 1.0 to 2.0 s, between 1.2 and 4.8 kHz, +5 dB over "
    "normal; normal clips have none. The lines stand at multiples of 100.0 Hz. Likely a damaged bearing."
)


def worded(rows):
    table = pd.DataFrame([{"machine": "fan", **row} for row in rows], columns=REASONS.names)
    return results_of(
        measurements([]),
        families=FAMILIES,
        detector_titles=TITLES,
        explainer_kinds={"own": "error_map"},
        clips=clips(2, 3),
        reasons=table,
    )


def own_maps():
    return [replace(one, maps={"own": one.maps["error_map"]}) for one in shown()]


def test_below_a_row_stand_the_sentences_of_the_table_whole_and_on_the_page():
    said = [{"clip_id": "fan_002", "sentence": LONG.format(rate=1)}]
    said += [
        {"clip_id": f"fan_00{row}", "detector": label, "explainer": "own", "sentence": LONG.format(rate=rate)}
        for rate, (row, label) in enumerate([(2, "vae"), (2, "odin"), (3, "odin"), (4, "vae")], start=2)
    ]
    # of another member of a family and of another map nothing is shown, nor of a clip without a picture
    said += [
        {"clip_id": "fan_002", "detector": "ganomaly", "explainer": "own", "sentence": "Not shown."},
        {"clip_id": "fan_002", "detector": "vae", "explainer": "random_map", "sentence": "Not shown."},
        {"clip_id": "fan_001", "detector": "vae", "explainer": "own", "sentence": "Not shown."},
        {"clip_id": "fan_003", "why": "the recording is gone"},
    ]
    results = worded(said)
    finished = family_gallery.draw(results, own_maps())
    texts = [text for text in finished.figure.texts if text.get_text()]
    found = " ".join(" ".join(text.get_text().split()) for text in texts)
    table = sentences.build(results).frame
    wanted = [
        text if pd.isna(whose) else f"{whose}: {text}"
        for whose, text in zip(table["detector_title"], table["said"], strict=True)
        if text != "Not shown."
    ]
    assert len(wanted) == 6 and wanted[0].startswith("True mask: ") and wanted[-1] == "the recording is gone"
    # bearing (fan_003), leak (fan_002), rub (fan_004), in the order of the columns, and nothing else
    assert found == " ".join(wanted[row] for row in (5, 3, 0, 1, 2, 4))
    assert set(finished.frame["sentence"]) - {""} == {text for text in table["said"] if text != "Not shown."}
    of_odin = finished.frame[finished.frame["detector"].eq("odin") & finished.frame["fault"].eq("leak")]
    assert set(of_odin["sentence"]) == {LONG.format(rate=3)}
    assert family_gallery.IN_WORDS in finished.caption
    # measured by the renderer: within the page, above one another, and clear of every picture
    renderer = finished.figure.canvas.get_renderer()
    pixels = finished.figure.dpi
    boxes = [text.get_window_extent(renderer) for text in texts]
    assert all(box.x0 >= 0 and box.x1 <= PAGE_IN * pixels and box.y0 >= 0 for box in boxes)
    assert min(text.get_fontsize() for text in texts) >= 6
    for upper, lower in pairwise(boxes):
        assert lower.y1 <= upper.y0 + 0.5
    for axes in finished.figure.axes:
        around = axes.get_tightbbox(renderer)
        assert not any(around.y0 < box.y1 - 0.5 and box.y0 + 0.5 < around.y1 for box in boxes)


def test_a_study_without_sentences_has_the_pictures_alone():
    finished = family_gallery.draw(study(), shown())
    assert not [text for text in finished.figure.texts if text.get_text()]
    assert "sentence" not in finished.frame and family_gallery.IN_WORDS not in finished.caption
