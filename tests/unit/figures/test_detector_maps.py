"""The picture of one clip as several detectors see it."""

from dataclasses import replace

import numpy as np
from toys.illustrations import illustration
from toys.study import measurements, results_of

from soundproof.figures import detector_maps

NOTHING = results_of(measurements([]))


def test_each_detector_has_its_map_and_the_truth_stands_in_front():
    shown = [illustration(label) for label in ("ae", "mae", "one_class_svm")]
    elsewhere = replace(illustration("clip_level"), clip_id="another")
    figure = detector_maps.draw(NOTHING, [*shown, elsewhere])
    # long names are wrapped
    titles = ["".join(axes.get_title().split()) for axes in figure.figure.axes if axes.get_title()]
    names = ["Input", "Event (exact mask)", *(NOTHING.detector_titles[one.detector] for one in shown)]
    assert titles == ["".join(name.split()) for name in names]
    frame = figure.frame
    assert set(frame["part"]) == {"input", "event", "own_map"}
    own = frame[frame["part"].eq("own_map") & frame["detector"].eq("ae")]
    np.testing.assert_allclose(own["value"], shown[0].maps["error_map"].ravel())
    assert "mean of its five largest cells" in figure.caption and "dB" in figure.caption


def test_without_an_own_map_it_says_so():
    bare = replace(illustration("ae"), maps={"saliency": illustration("ae").maps["saliency"]})
    assert (
        "no clip is illustrated with the own map of a detector" in detector_maps.draw(NOTHING, [bare]).caption
    )
