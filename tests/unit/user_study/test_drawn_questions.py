"""Questions drawn from a study: true to its numbers, balanced, by names alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys.asked import clip, material

from soundproof.core.errors import ConfigError
from soundproof.user_study.drawing import LEAST_DIFFERENCE, LEAST_DISTANCE, draw_questions
from soundproof.user_study.forms import N_FORMS, forms_of
from soundproof.user_study.kit import summary

COUNTS = {"sound": 8, "map": 12, "repair": 12}


def drawn(seed: int = 0, counts=COUNTS, n_checks: int = 3, of=None):
    return draw_questions(of or material(), counts, n_checks, seed)


def kinds(questions, kind: str, *, check: bool = False):
    return [one for one in questions if one.kind == kind and one.check == check]


def test_there_are_as_many_as_asked_for_and_kinds_come_one_after_the_other():
    questions = drawn()
    assert [one.question for one in questions] == [f"q{number:02d}" for number in range(1, 36)]
    assert [one.kind for one in questions] == ["sound"] * 10 + ["map"] * 13 + ["repair"] * 12
    assert Counter(one.kind for one in questions if one.check) == {"sound": 2, "map": 1}
    # a check does not stand at a place that tells it
    places = {tuple(n for n, one in enumerate(drawn(seed)) if one.check) for seed in range(5)}
    assert len(places) > 1


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_truths_are_those_of_the_study(seed):
    study = material()
    clips = {one.clip_id: one for one in (*study.explained, *study.normals)}
    questions = drawn(seed)
    for one in kinds(questions, "sound"):
        bad, good = clips[one.under(one.truth)], clips[one.b if one.truth == "a" else one.a]
        assert bad.anomalous and not good.anomalous
        assert (bad.machine, bad.unit, bad.snr_db) == (good.machine, good.unit, good.snr_db)
    for one in kinds(questions, "map"):
        a, b = (study.quality[one.clip_id, label] for label in (one.a, one.b))
        assert (
            (a, b) == (one.value_a, one.value_b) and one.of in (one.a, one.b) and one.of not in study.controls
        )
        assert (a > b) == (one.truth == "a") and abs(a - b) >= LEAST_DIFFERENCE
        assert clips[one.normal_id].machine == clips[one.clip_id].machine
    for one in kinds(questions, "repair"):
        threshold = study.thresholds[clips[one.clip_id].machine]
        left = study.removals[one.clip_id, one.of][one.share] * study.scores[one.clip_id]
        assert one.after == pytest.approx(left / threshold) and one.score > 1
        assert (left > threshold) == (one.truth == "a") and abs(one.after - 1) >= LEAST_DISTANCE
        assert 0 < one.share < 1


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_letters_explainers_and_clips_are_balanced(seed):
    questions = drawn(seed)
    for kind, n in COUNTS.items():
        of_kind = kinds(questions, kind)
        assert sum(one.truth == "a" for one in of_kind) == n // 2
        assert max(Counter(one.clip_id for one in of_kind).values()) == 1
    assert Counter(Counter(one.of for one in kinds(questions, "map")).values()) == {4: 3}
    # every explainer and both controls; twelve questions of five
    assert sorted(Counter(one.of for one in kinds(questions, "repair")).values()) == [2, 2, 2, 3, 3]
    against_control = sum(
        {one.a, one.b} & {"random_map", "input_map"} != set() for one in kinds(questions, "map")
    )
    assert against_control == 6


def test_the_seed_changes_the_draw_and_nothing_else_does():
    assert drawn(3) == drawn(3) != drawn(4)
    other = material(study="bench/other")
    assert [one.clip_id for one in drawn(3, of=other)] != [one.clip_id for one in drawn(3)]
    # one kind more leaves the others as they are, but for their names
    alone = [one.clip_id for one in drawn(3, {"map": 12}, 0)]
    beside = [one.clip_id for one in kinds(drawn(3, {"map": 12, "repair": 12}, 0), "map")]
    assert alone == beside


def test_unflagged_clips_and_untold_maps_are_not_asked_about():
    study = material(thresholds={"fan": 1.0, "valve": 9.0})
    questions = drawn(counts={"repair": 8}, n_checks=0, of=study)
    assert {one.clip_id for one in questions} <= {
        one.clip_id for one in study.explained if one.machine == "fan"
    }
    equal = dict.fromkeys(study.quality, 0.5) | {("bad_03", "saliency"): 0.61}
    questions = drawn(counts={"map": 1}, n_checks=0, of=material(quality=equal))
    assert (questions[0].clip_id, questions[0].under(questions[0].truth)) == ("bad_03", "saliency")


@pytest.mark.parametrize(
    ("counts", "changes", "found"),
    [
        ({"sound": 17}, {}, "gives 16"),
        ({"sound": 1}, {"normals": []}, "gives 0"),
        ({"map": 2}, {"quality": {}}, "gives 0"),
        ({"map": 2}, {"explained": []}, "gives 0"),
        ({"repair": 2}, {"removals": {}}, "gives 0"),
        ({"repair": 2}, {"thresholds": {}}, "gives 0"),
        ({}, {}, "none of any kind"),
    ],
)
def test_what_a_study_does_not_give_is_refused(counts, changes, found):
    with pytest.raises(ConfigError) as caught:
        drawn(counts=counts, n_checks=0, of=material(**changes))
    assert found in caught.value.found and "--questions" in caught.value.remedy


def test_of_kinds_that_nobody_counted_a_study_may_give_fewer_but_not_nothing_at_all():
    few = material(removals={})
    counts = {"sound": 17, "map": 2, "repair": 2}
    questions = draw_questions(few, counts, 0, 0, at_most=("sound", "repair"))
    assert Counter(one.kind for one in questions) == {"sound": 16, "map": 2}
    told = summary(questions, counts)
    assert told[0].startswith("sound: 16 questions (17 were meant: the study gives no more), 0 checks")
    assert told[1].startswith("map: 2 questions, 0 checks")
    assert told[2] == "repair: no question (2 were meant: the study gives no more)"
    with pytest.raises(ConfigError, match="gives none of any kind"):
        draw_questions(few, {"repair": 2}, 0, 0, at_most=("repair",))


def test_checks_need_something_to_check():
    with pytest.raises(ConfigError, match="checks of attention"):
        drawn(counts={"repair": 2}, n_checks=1)
    unmasked = [clip(number, anomalous=True) for number in range(4)]
    unmasked = [type(one)(**{**vars(one), "masked": False}) for one in unmasked]
    questions = drawn(counts={"sound": 2, "map": 2}, n_checks=2, of=material(4, explained=unmasked))
    assert [one.kind for one in questions if one.check] == ["sound", "sound"]


def test_every_answer_stands_on_either_side_equally_often_and_orders_differ():
    questions = drawn()
    forms = forms_of(questions, "bench/toy", 0)
    assert len(forms) == N_FORMS
    names = [one.question for one in questions]
    for form in forms:
        assert sorted(name for name, _ in form) == names
        kind_of = {one.question: one.kind for one in questions}
        assert [kind_of[name] for name, _ in form] == [one.kind for one in questions]
        assert abs(sum(left == "a" for _, left in form) - len(form) / 2) <= 1.5
    for name in names:
        assert sum(dict(form)[name] == "a" for form in forms) == N_FORMS // 2
    assert len({tuple(form) for form in forms}) == N_FORMS
    places = np.array([[[n for n, _ in form].index(name) for name in names[:10]] for form in forms])
    assert (places.mean(axis=0) == 4.5).all()
    assert forms == forms_of(questions, "bench/toy", 0) != forms_of(questions, "bench/toy", 1)
