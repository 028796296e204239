"""Figures of many detectors put each beside the controls of its backbone, or leave controls to another figure."""

from __future__ import annotations

from toys.illustrations import illustration
from toys.study import clips, measurements, results_of

from soundproof.figures import attribution_panels, roc_curves

LABELS = ("padim", "padim_random", "padim_none", "gaussian", "patchcore")
CONTROLS = {"padim": ["padim_random", "padim_none"]}
# share of the two anomalous clips that lie above both normal ones
FOUND = {"padim": 2, "padim_random": 0, "padim_none": 1, "gaussian": 1, "patchcore": 2}


def study(controls):
    table = clips(2, 2)
    rows = [
        {
            "detector": label,
            "metric": "anomaly_score",
            "clip_id": clip.clip_id,
            "value": 0.0 if index < 2 else (1.0 if index - 2 < FOUND[label] else -1.0),
        }
        for label in LABELS
        for index, clip in enumerate(table.itertuples())
    ]
    return results_of(
        measurements(rows),
        clips=table,
        detector_titles={label: label.upper() for label in LABELS},
        detector_kinds={"padim_random": "padim", "padim_none": "padim"},
        backbones={"padim": "cnn9", "padim_random": "random", "padim_none": "none", "patchcore": "cnn9"},
        controls=controls,
    )


def test_a_detector_has_a_panel_with_its_controls_and_the_others_share_one():
    finished = roc_curves.draw(study(CONTROLS))
    shown = {
        axes.get_title(): [text.get_text().split(":")[0] for text in axes.get_legend().get_texts()]
        for axes in finished.figure.axes
        if axes.get_legend() is not None
    }
    assert list(shown) == ["PADIM", ""]
    own = {"CNN9 (sound effects)", "Random weights (control)", "No network (control)", "Chance"}
    assert set(shown["PADIM"]) == own
    assert set(shown[""]) == {"GAUSSIAN", "PATCHCORE", "Chance"}
    # every curve is drawn where its legend says, with its own area
    first = finished.figure.axes[0].get_legend().get_texts()
    areas = {text.get_text().split(":")[0]: float(text.get_text().split()[-3]) for text in first[:-1]}
    assert areas == {
        "CNN9 (sound effects)": 1.0,
        "Random weights (control)": 0.0,
        "No network (control)": 0.5,
    }
    assert set(finished.frame["detector"]) == set(LABELS)
    assert "last panel holds" in finished.caption


def test_without_controls_there_is_one_panel():
    finished = roc_curves.draw(study({}))
    assert len(finished.figure.axes) == 1
    assert "panel per detector" not in finished.caption


def headings(figure):
    return [text.get_text() for text in figure.texts if text.get_fontweight() == "bold"]


def test_maps_of_controls_are_left_to_other_figures_and_the_caption_says_so():
    shown = [illustration(label) for label in LABELS]
    finished = attribution_panels.draw(study(CONTROLS), shown)
    assert headings(finished.figure) == ["PADIM", "GAUSSIAN", "PATCHCORE"]
    assert set(finished.frame["detector"]) == {"padim", "gaussian", "patchcore"}
    assert "are left to the explorer" in finished.caption


def test_a_control_whose_detector_is_not_illustrated_is_shown():
    finished = attribution_panels.draw(study(CONTROLS), [illustration("padim_random")])
    assert headings(finished.figure) == ["PADIM_RANDOM"]
    assert "are left to the explorer" not in finished.caption
