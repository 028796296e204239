from __future__ import annotations

import numpy as np
import pytest
from toys.study import clips, measurements, results_of

from soundproof.analysis.against_input import WORDS, against_input
from soundproof.figures.quality_overview import draw
from soundproof.tables import quality

N = 12
BASE = np.random.default_rng(0).normal(scale=0.1, size=N)


def study(n=N, metric="cell_auroc", paths=None, protocol="", **means):
    """Explainers whose values are shared noise per clip, a mean of their own, and a little noise of their own."""
    rng = np.random.default_rng(1)
    table = clips(1, n)
    anomalies = table.loc[table["label"] == "anomaly", "clip_id"].tolist()
    if paths is not None:
        table = table.assign(path=[None, *paths])
    rows = [
        {"detector": "ae", "explainer": name, "metric": metric, "protocol": protocol}
        | {"clip_id": clip_id, "value": value}
        for name, mean in means.items()
        for clip_id, value in zip(anomalies, mean + BASE[:n] + rng.normal(scale=0.02, size=n), strict=True)
    ]
    return results_of(measurements(rows), clips=table)


def lost(results):
    return {pair.explainer for pair in against_input(results) if not pair.beats}


def test_an_explainer_must_beat_the_better_input_control_on_the_same_clips():
    results = study(
        saliency=0.8, grad_cam=0.5, occlusion=0.7, input_map=0.7, input_magnitude=0.6, random_map=0.5
    )
    # paired: the clips' own spread of 0.1 does not hide an advantage of 0.1
    assert lost(results) == {"grad_cam", "occlusion"}
    compared = {pair.explainer: pair for pair in against_input(results)}
    assert set(compared) == {"saliency", "grad_cam", "occlusion"}
    assert {pair.control for pair in compared.values()} == {"input_map"}
    assert compared["saliency"].low < compared["saliency"].difference < compared["saliency"].high


def test_where_lower_is_better_the_smaller_one_wins():
    results = study(
        metric="deletion_auc",
        protocol="reconstruction",
        saliency=0.3,
        occlusion=0.6,
        input_map=0.5,
        input_magnitude=0.4,
    )
    assert lost(results) == {"occlusion"}
    assert {pair.control for pair in against_input(results)} == {"input_magnitude"}


def test_without_the_input_or_with_few_clips_nothing_is_said():
    assert against_input(study(saliency=0.8, random_map=0.5)) == []
    assert against_input(study(n=4, saliency=0.8, input_map=0.5)) == []
    three_recordings = [f"{index % 3}.wav" for index in range(N)]
    assert against_input(study(paths=three_recordings, saliency=0.8, input_map=0.5)) == []


def test_the_quality_table_and_figure_say_it_in_words():
    results = study(saliency=0.8, grad_cam=0.5, input_map=0.7)
    table = quality.build(results)
    said = table.frame.set_index("explainer")["no_better_than_input"]
    assert said.to_dict() == {"saliency": "", "grad_cam": "Cell AUROC", "input_map": ""}
    (warning,) = table.warnings
    assert WORDS in warning and "Grad-CAM of AE" in warning and "Saliency" not in warning
    figure = draw(results)
    assert WORDS in figure.caption
    hollow = [line for line in figure.figure.axes[0].lines if line.get_markerfacecolor() == "white"]
    assert len(hollow) == 1 and hollow[0].get_xdata()[0] == pytest.approx(
        table.frame.set_index("explainer").loc["grad_cam", "cell_auroc"]
    )
