"""What was found of faithfulness on the sound, in words, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from soundproof.tables.sound_findings import agreements_found, predictions_found


def test_pairs_that_agree_oppose_and_are_open_are_counted_and_the_closest_is_named():
    rows = [(0.4, 0.2, 0.6), (0.5, 0.1, 0.9), (-0.3, -0.5, -0.1), (0.1, -0.2, 0.3), (0.9, np.nan, np.nan)]
    frame = pd.DataFrame(rows, columns=["value", "ci_low", "ci_high"])
    frame = frame.assign(detector_title="AE", on_sound=list("abcde"), on_features=list("uvwxy"))
    said = agreements_found(frame)
    assert "of 5 pairs 2 agree, 1 oppose each other, 2 are undecided" in said
    # too few clips for an interval: the number alone
    assert "closest are e and y of AE, 0.90." in said
    assert "closest are b and v of AE, 0.50 [0.10, 0.90]." in agreements_found(frame.iloc[:4])
    assert agreements_found(frame.iloc[:0]) == ""


def predictions(*rows):
    columns = ["detector_title", "criterion", "kind", "value", "ci_low", "ci_high"]
    return predictions_found(pd.DataFrame(rows, columns=columns).assign(place="Cell AUROC"))


def test_a_prediction_is_better_only_where_intervals_do_not_overlap():
    features = ("AE", "Deletion", "the features", 0.48, 0.36, 0.62)
    weaker = ("AE", "Insertion", "the features", 0.20, 0.10, 0.30)
    cases = {
        "nothing says that Sound (0.34 [0.09, 0.56]), the best on the sound, predicts better or worse than "
        "Deletion (0.48 [0.36, 0.62])": (0.34, 0.09, 0.56),
        "Sound (0.80 [0.70, 0.90]), on the sound, predicts better than Deletion": (0.80, 0.70, 0.90),
        "Deletion (0.48 [0.36, 0.62]), on the features, predicts better than Sound": (-0.3, -0.49, -0.11),
    }
    for words, numbers in cases.items():
        said = predictions(weaker, features, ("AE", "Sound", "the sound", *numbers))
        assert words in said and "Found for Cell AUROC: of AE, " in said


def test_without_one_of_the_two_there_is_nothing_to_compare():
    assert predictions(("AE", "Deletion", "the features", 0.48, 0.36, 0.62)) == ""
