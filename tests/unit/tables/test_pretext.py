"""What a pretext task teaches, by hand."""

import pandas as pd
import pytest
from toys.study import clips, measurements, results_of

from soundproof.tables import pretext

TITLES = {"featex_0": "FeatEx, 0 epochs", "featex_5": "FeatEx, 5 epochs"}
SCORES = {"featex_0": (1.0, 4.0, 2.0, 3.0), "featex_5": (1.0, 2.0, 3.0, 4.0)}
NAMED = {"featex_0": (0.0, 1.0, 1.0, 1.0), "featex_5": (1.0, 1.0, 0.0, 0.0)}


def listed():
    """Two normal and two anomalous test clips, and training clips of four individuals."""
    test = clips(2, 2)
    train = clips(4, 0).assign(split="train", machine_id=["00", "01", "02", "03"])
    train["clip_id"] = "train_" + train["clip_id"]
    return pd.concat([test, train], ignore_index=True)


def study():
    table = clips(2, 2)
    rows = []
    for detector in TITLES:
        for row, clip_id in enumerate(table["clip_id"]):
            of_clip = {"detector": detector, "machine": "fan", "clip_id": clip_id}
            rows += [
                of_clip | {"metric": "anomaly_score", "value": SCORES[detector][row]},
                of_clip | {"metric": "individual_named", "value": NAMED[detector][row]},
            ]
            if row < 2:
                continue
            for explainer, value in (("saliency", 0.5 + row / 10), ("input_map", 0.9), ("random_map", 0.1)):
                measured = of_clip | {"explainer": explainer, "metric": "cell_auroc"}
                rows += [measured | {"value": value}, measured | {"protocol": "chance_uniform", "value": 0.5}]
    best = pd.DataFrame({"epoch": [1, 2, 3, 4, 5], "best": [False, False, True, False, False]})
    return results_of(
        measurements(rows), clips=listed(), detector_titles=TITLES, histories={("featex_5", 0): best}
    )


def test_epochs_the_task_detection_and_maps_stand_side_by_side():
    table = pretext.build(study())
    frame = table.frame.set_index("detector")
    assert frame.index.tolist() == ["featex_0", "featex_5"]
    assert frame["explainer"].unique().tolist() == ["saliency"]
    assert frame[["epochs", "weights_of"]].to_numpy().tolist() == [[0, 0], [5, 3]]
    # of normal clips alone; four individuals were trained on
    assert frame["individual_named"].tolist() == [0.5, 1.0]
    assert (frame["individual_named_chance"] == 0.25).all()
    # anomalies score 2 and 3 against 1 and 4: two pairs of four
    assert frame["auc"].tolist() == [0.5, 1.0]
    assert frame["cell_auroc"].tolist() == pytest.approx([0.75, 0.75])
    assert frame["cell_auroc_input"].tolist() == pytest.approx([0.9, 0.9])
    assert frame["cell_auroc_chance"].tolist() == [0.5, 0.5]


def test_a_study_whose_detectors_name_nobody_says_so():
    assert "says which individual it hears" in pretext.build(results_of(measurements([]))).caption
