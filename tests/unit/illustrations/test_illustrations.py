from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toys.illustrations import illustration
from toys.study import measurements, results_of

from soundproof.core.errors import ArtefactError
from soundproof.exhibits.registry import ARTEFACTS
from soundproof.figures.writing import write_figure
from soundproof.illustrations.table import Illustration, first_of_detectors, split_illustrations
from soundproof.storage.provenance import Provenance
from soundproof.storage.tables import read_table, write_table

NAMES = [name for name, entry in ARTEFACTS.items() if entry.kind == "illustration" and not entry.needs]
NOTHING = results_of(measurements([]))


@pytest.fixture(scope="module")
def both():
    return [illustration("ae"), illustration("mae")]


def draw(name, illustrations):
    return ARTEFACTS[name].load()(NOTHING, illustrations)


def test_round_trip_through_parquet(both, tmp_path):
    bare = replace(both[0], clip_id="bare", maps={}, mask=None, curve=None, replaced_input=None, events=())
    table = pd.concat([one.to_table() for one in (*both, bare)], ignore_index=True)
    write_table(table, tmp_path / "x.parquet", Provenance(stage="test"))
    again = split_illustrations(read_table(tmp_path / "x.parquet"))
    assert [one.detector for one in again] == ["ae", "mae", "ae"]
    for before, after in zip((*both, bare), again, strict=True):
        assert (after.clip_id, after.events) == (before.clip_id, tuple(before.events))
        assert after.axes.shape == before.axes.shape
        assert after.axes.unit == "dB"
        np.testing.assert_allclose(after.axes.frequencies_hz, before.axes.frequencies_hz)
        assert list(after.parts()) == list(before.parts())
        for name, values in before.parts().items():
            np.testing.assert_allclose(after.parts()[name], values, rtol=1e-6)
    assert again[0].mask.dtype == bool
    np.testing.assert_allclose(again[0].curve, both[0].curve, rtol=1e-6)
    assert again[2].curve is None
    assert again[2].mask is None


def test_what_stands_for_a_study_is_each_detectors_first_clip(both):
    of_machine = replace(both[0], clip_id="valve_1", machine="valve")
    assert first_of_detectors([both[0], of_machine, both[1]]) == both


def test_tables_of_several_clips_are_refused(both):
    with pytest.raises(ArtefactError, match="2 of them"):
        Illustration.from_table(pd.concat([one.to_table() for one in both]))


def test_parts_share_a_grid(both):
    with pytest.raises(ArtefactError, match="mask"):
        replace(both[0], mask=np.zeros((2, 2), bool))


@pytest.mark.parametrize("name", NAMES)
def test_pictures_have_scales_captions_and_cells(name, both):
    finished = draw(name, both)
    text = {axes.get_xlabel() for axes in finished.figure.axes} | {
        axes.get_ylabel() for axes in finished.figure.axes
    }
    assert "Time (s)" in text
    assert text & {"Frequency (kHz)", "kHz"}
    assert "fan_bearing_007" in finished.caption
    assert {"part", "frame_index", "value"} <= set(finished.frame.columns)
    if name != "attribution_panels":  # every map there is on its own scale
        assert "dB" in text


@pytest.mark.parametrize("name", NAMES)
def test_without_illustrations_the_picture_says_why(name, tmp_path):
    finished = draw(name, [])
    assert "Not available" in finished.caption
    write_figure(finished, tmp_path, name, Provenance(stage="test"))


@pytest.mark.parametrize("name", ["annotated_sample", "attribution_panels"])
def test_bytes_are_stable(name, both, tmp_path):
    one = replace(both[0], maps={key: both[0].maps[key] for key in ("saliency", "integrated_gradients")})
    for folder in "ab":
        write_figure(draw(name, [one]), tmp_path / folder, name, Provenance(stage="test"))
    for suffix in (".pdf", ".png", ".parquet"):
        assert (tmp_path / "a" / f"{name}{suffix}").read_bytes() == (
            tmp_path / "b" / f"{name}{suffix}"
        ).read_bytes()


def test_panel_has_three_rows_per_detector_and_a_column_for_the_input_and_each_explainer(both):
    finished = draw("attribution_panels", both)
    assert len(finished.figure.axes) == 2 * 3 * (1 + 7)
    frame = finished.frame
    binarised = frame[
        frame["part"].eq("binarised") & frame["detector"].eq("ae") & frame["explainer"].eq("saliency")
    ]
    # 98th percentile: two in a hundred cells
    assert binarised["value"].mean() == pytest.approx(0.02, abs=0.001)
    peaks = frame[frame["part"].eq("peak") & frame["detector"].eq("ae") & frame["explainer"].eq("error_map")]
    assert peaks["value"].sum() == 4  # of 160 frames
    z = frame[frame["part"].eq("z_curve") & frame["detector"].eq("ae") & frame["explainer"].eq("error_map")][
        "value"
    ]
    assert z.mean() == pytest.approx(0, abs=1e-9)
    assert z.std(ddof=0) == pytest.approx(1)


def test_a_constant_map_has_no_peaks_and_no_cells(both):
    flat = replace(both[0], maps={"saliency": np.zeros(both[0].axes.shape)})
    frame = draw("attribution_panels", [flat]).frame
    frame = frame[frame["explainer"].eq("saliency")]
    assert frame.loc[frame["part"].isin(["peak", "binarised"]), "value"].sum() == 0


def test_an_explainer_that_one_detector_lacks_leaves_a_gap(both):
    fewer = replace(both[1], maps={"error_map": both[1].maps["error_map"]})
    figure = draw("attribution_panels", [both[0], fewer]).figure
    assert sum(not axes.axison for axes in figure.axes) == 3 * 6


def test_replacement_shades_what_differs(both):
    finished = draw("replacement", both)
    replaced = finished.frame[finished.frame["part"].eq("replaced")].sort_values("frame_index")["value"]
    assert replaced.sum() == 32
    assert "20.0% of the frames" in finished.caption
    curve = next(axes for axes in finished.figure.axes if axes.get_ylabel() == "Relevance")
    (shade,) = [patch for patch in curve.patches if patch.get_label() == "replaced"]
    assert (shade.get_x(), shade.get_width()) == (1.6, pytest.approx(0.8))


def test_masked_share_is_told(both):
    caption = draw("masked_input", both).caption
    hidden = np.mean(both[1].masked_input != both[1].input)
    assert f"{hidden:.0%} of the cells" in caption
