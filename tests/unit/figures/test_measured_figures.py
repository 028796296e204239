from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from matplotlib.figure import Figure
from toys.study import clips, measurements, results_of, without

from soundproof.exhibits.registry import ARTEFACTS
from soundproof.figures.finished import FinishedFigure
from soundproof.figures.writing import SUFFIXES, read_caption, write_figure
from soundproof.storage.provenance import Provenance

FIGURES = [name for name, entry in ARTEFACTS.items() if entry.kind == "figure"]
# the toy study has no detector on a backbone; test_by_backbone.py has one
MEASURED = [name for name in FIGURES if name != "backbones_overview"]
CURVES = [
    "temporal_localisation_curves",
    "faithfulness_curves",
    "faithfulness_frame_curves",
    "deletion_curves",
]


def draw(name, results) -> FinishedFigure:
    return ARTEFACTS[name].load()(results)


@pytest.fixture(scope="module")
def drawn(full):
    """Every figure of the full study, each drawn once."""
    return cache(lambda name: draw(name, full))


def labels(axes):
    return [line.get_label() for line in axes.get_lines()]


@pytest.mark.parametrize("name", MEASURED)
def test_units_captions_and_frames(name, drawn):
    finished = drawn(name)
    drawn = [axes for axes in finished.figure.axes if axes.axison]
    assert drawn
    assert len(finished.caption) > 150
    assert "Not available" not in finished.caption
    assert not finished.frame.empty
    if name != "quality_overview":  # its axes have the titles of their panels
        for axes in drawn:
            assert any(other.get_xlabel() for other in drawn if other.get_gridspec() is axes.get_gridspec())
        assert any(axes.get_ylabel() for axes in drawn)


@pytest.mark.parametrize("name", CURVES)
def test_every_panel_has_its_chance_line(name, drawn):
    for axes in drawn(name).figure.axes:
        assert any(label.startswith("Chance") for label in labels(axes)), axes.get_title()


@pytest.mark.parametrize("name", [*CURVES, "roc_curves", "quality_overview"])
def test_the_legend_names_chance(name, drawn):
    (legend,) = drawn(name).figure.legends
    assert any("chance" in text.get_text().lower() for text in legend.get_texts())


def test_the_chance_line_is_where_chance_is(drawn):
    axes = drawn("temporal_localisation_curves").figure.axes[0]
    (line,) = [line for line in axes.get_lines() if line.get_label() == "Chance: random frames"]
    x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
    np.testing.assert_allclose(y, 0.45 - 0.012 * (x - 90))


def test_curves_draw_the_frame(drawn):
    finished = drawn("temporal_localisation_curves")
    axes = finished.figure.axes[0]
    (line,) = [line for line in axes.get_lines() if line.get_label() == "Saliency"]
    rows = finished.frame[finished.frame["detector"].eq("ae") & finished.frame["explainer"].eq("saliency")]
    np.testing.assert_allclose(np.asarray(line.get_ydata(), float), rows.sort_values("parameter")["value"])


def test_one_explainer_looks_the_same_everywhere(drawn):
    colours = {
        line.get_color()
        for name in CURVES
        for axes in drawn(name).figure.axes
        for line in axes.get_lines()
        if line.get_label() == "Grad-CAM"
    }
    assert len(colours) == 1


def test_roc_by_hand():
    rows = [
        {"detector": "ae", "metric": "anomaly_score", "clip_id": f"fan_{index:03d}", "value": value}
        for index, value in enumerate([1, 3, 2, 4])  # normal 1 and 3, anomalous 2 and 4
    ]
    finished = draw("roc_curves", results_of(measurements(rows), clips=clips(2, 2)))
    curve = finished.frame.set_index("false_positive_rate")["true_positive_rate"]
    assert curve.loc[0.25] == 0.5
    assert curve.loc[0.5] == 1.0
    assert curve.iloc[0] == 0.0
    diagonal = finished.figure.axes[0].get_lines()[-1]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 1]
    (legend,) = finished.figure.legends
    assert legend.get_texts()[0].get_text().startswith("AE (Skip-CAE-Transformer): 0.75 [")


@pytest.mark.parametrize("name", FIGURES)
def test_without_measurements_the_figure_says_why(name, tmp_path):
    finished = draw(name, results_of(measurements([])))
    (axes,) = finished.figure.axes
    assert len(axes.texts[0].get_text()) > 20
    assert "Not available" in finished.caption
    write_figure(finished, tmp_path, name, Provenance(stage="test"))


def test_ff_without_labels_has_frames_only(full):
    finished = draw("faithfulness_curves", without(full, "ff_segment"))
    assert set(finished.frame["metric"]) == {"ff_frame"}
    assert "segment level is missing" in finished.caption


# rankings of a set belong to no clip; test_levels.py draws a single run of one
@pytest.mark.parametrize("name", [name for name in MEASURED if name != "levels_by_snr"])
def test_one_seed_and_one_clip_can_be_drawn(name, full):
    rows = full.measurements
    of_all_clips = rows["metric"].isin(["anomaly_score", "band_removed_score"])
    few = rows[rows["seed"].eq(0) & (rows["clip_id"].eq("fan_012") | of_all_clips)]
    finished = draw(name, replace(full, measurements=few))
    finished.figure.canvas.draw()
    assert not finished.frame.empty


def test_caption_round_trip(full, tmp_path):
    finished = replace(draw("history", full), warnings=("Mind the gap.",))
    write_figure(finished, tmp_path, "x", Provenance(stage="test"))
    assert read_caption(tmp_path / "x.md") == (finished.caption, ("Mind the gap.",))


def test_bytes_are_the_same_in_every_process(tmp_path):
    code = (
        "import sys; from pathlib import Path; import pandas as pd;"
        "from soundproof.figures import finished, style, writing;"
        "from soundproof.storage.provenance import Provenance;"
        "figure = style.empty('Dashes – and Greek: σ, τ');"
        "done = finished.FinishedFigure(figure, pd.DataFrame({'a': [1.0]}), 'Caption.');"
        "writing.write_figure(done, Path(sys.argv[1]), 'x', Provenance(stage='test'))"
    )
    for seed in "12":
        # the subset of a font's glyphs is a set of strings, whose order depends on the hash seed
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code, str(tmp_path / seed)], env=environment, check=True)
    for suffix in SUFFIXES:
        first, second = ((tmp_path / seed / f"x{suffix}").read_bytes() for seed in "12")
        assert first == second, suffix


def test_a_users_matplotlibrc_changes_nothing(full, tmp_path):
    import matplotlib as mpl

    write_figure(draw("history", full), tmp_path / "a", "x", Provenance(stage="test"))
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.dpi": 30}):
        write_figure(draw("history", full), tmp_path / "b", "x", Provenance(stage="test"))
        assert mpl.rcParams["font.size"] == 20
    assert (tmp_path / "a" / "x.png").read_bytes() == (tmp_path / "b" / "x.png").read_bytes()


def test_a_figure_is_placed_once_and_drawn_once_for_each_file(full, tmp_path, monkeypatch):
    counted, draw_it = [], Figure.draw
    monkeypatch.setattr(
        Figure, "draw", lambda self, renderer: (counted.append(type(renderer)), draw_it(self, renderer))
    )
    finished = draw("roc_curves", full)
    write_figure(finished, tmp_path, "x", Provenance(stage="test"))
    assert [renderer.__name__ for renderer in counted] == ["MixedModeRenderer", "RendererAgg"]
    # nothing sticks out of the page
    page = finished.figure.bbox
    for axes in finished.figure.axes:
        box = axes.get_tightbbox(finished.figure.canvas.get_renderer())
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
