"""One vocabulary, one check: what the error of a detector without an ability says."""

from typing import get_args

import pytest

from soundproof.core.errors import ConfigError
from soundproof.interfaces.abilities import WORDS, Ability, check, lacks

OFFERS = {"plain": frozenset(), "smooth": frozenset({"gradients"}), "both": frozenset({"gradients", "map"})}
NEEDS = {"blank": frozenset(), "slope": frozenset({"gradients"}), "show": frozenset({"map"})}


def test_each_ability_has_words() -> None:
    assert set(WORDS) == set(get_args(Ability))
    assert len(set(WORDS.values())) == len(WORDS)


@pytest.mark.parametrize("detector", OFFERS)
@pytest.mark.parametrize("asker", NEEDS)
def test_what_is_offered_passes_and_the_rest_is_refused(asker: str, detector: str) -> None:
    needs, offers = NEEDS[asker], OFFERS[detector]
    if needs <= offers:
        check(asker, needs, detector, offers, rivals=NEEDS, detectors=OFFERS)
        return
    with pytest.raises(ConfigError) as refused:
        check(asker, needs, detector, offers, rivals=NEEDS, detectors=OFFERS)
    instead, fitting = refused.value.remedy.split("; or take a detector that offers it: ")
    named = "blank, slope" if detector == "smooth" else "blank"
    assert instead == f"with this detector use one of (by default settings): {named}"
    assert fitting == ("both" if asker == "show" else "both, smooth")


def test_a_need_that_no_detector_answers_names_no_detector() -> None:
    with pytest.raises(ConfigError) as refused:
        check("cloud", frozenset({"embedding"}), "plain", frozenset(), rivals=NEEDS, detectors=OFFERS)
    assert refused.value.remedy == "with this detector use one of (by default settings): blank"


def test_the_error_names_asker_detector_and_what_is_missing_in_a_fixed_order() -> None:
    said = lacks("explainer 'x'", "y", ["map", "gradients"], "do z")
    assert said.asked == "explainer 'x' for detector 'y'"
    assert (
        said.found
        == "the detector lacks what is needed: a differentiable score and an anomaly map of its own"
    )
    assert said.remedy == "do z"
