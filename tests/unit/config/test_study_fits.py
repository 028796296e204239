"""Which trainings a study has."""

from soundproof.config.model import Study
from soundproof.config.stages import Stages


def study(**changes):
    values = {
        "name": "s",
        "dataset": {"kind": "bench", "machines": ["fan", "pump"]},
        "detectors": {
            "ae": {"kind": "cae", "explain": True},
            "svm": {"kind": "one_class_svm", "seeds": [7]},
        },
        "explainers": {"error_map": {}},
        "seeds": [1, 2],
    }
    return Study.model_validate({**values, **changes})


def test_a_detector_may_have_its_own_seeds():
    pooled = study(scope="pooled")
    assert pooled.fits(pooled.detectors) == [("all", "ae", 1), ("all", "ae", 2), ("all", "svm", 7)]


def test_one_training_per_machine():
    assert study().fits(["svm"]) == [("fan", "svm", 7), ("pump", "svm", 7)]


def test_pictures_come_from_the_first_part_and_seed():
    assert study().first_fits() == {"ae": ("fan", 1)}


def test_one_setting_of_bands_holds_for_scores_and_for_the_metric():
    bands = {"bands": [4], "scale": "mel"}
    shared = study(bands=bands, faithfulness={"band_removal": {}})
    assert shared.faithfulness["band_removal"].settings.bands == (4,)
    own = study(bands=bands, faithfulness={"band_removal": {"bands": [6]}})
    assert own.faithfulness["band_removal"].settings.bands == (6,)
    assert own.faithfulness["band_removal"].settings.scale == "mel"


def test_bands_are_shown_where_they_are_measured():
    assert "band_faithfulness" not in Stages(study()).shown()
    shown = Stages(study(faithfulness={"band_removal": {}})).shown()
    assert {"detection", "band_faithfulness", "band_relevance_and_effect"} <= set(shown)
    # nothing was scored without bands
    assert not {"auc_without_bands", "auc_without_bands_overview"} & set(shown)
    assert "auc_without_bands" in Stages(study(bands={})).shown()


def test_detectors_on_one_network_are_explained_together_where_few_clips_are():
    def on(backbone):
        return {"kind": "padim", "explain": True, "backbone": backbone}

    few, narrow = {"per_machine": 4}, {"kind": "random", "network": "featex", "width": 0.25}
    detectors = {
        "a": on("random"),
        "alone": on("none"),
        "other": {"kind": "cae", "explain": True},
        "b": {**on("random"), "kind": "patchcore"},
        "narrow": on(narrow),
        "not": {**on("random"), "explain": False},
    }

    def together(**changes):
        return Stages(study(**{"detectors": detectors, "explain": few, **changes})).explained_together()

    # another width of the same kind is another network
    assert together() == {"random": ["a", "b"]}
    both = {**detectors, "narrow_too": {**on(narrow), "kind": "patchcore"}}
    assert together(detectors=both) == {"random_1": ["a", "b"], "random_2": ["narrow", "narrow_too"]}
    assert together(explain={"per_machine": 5}) == together(explain={"per_machine": None}) == {}
    # a fit on its own is no other network
    assert together(detectors={**detectors, "b": {**detectors["b"], "seeds": [3]}}) == {"random": ["a", "b"]}
