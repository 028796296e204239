"""Raters of known skill: the analysis finds it, and says when there is nothing to find."""

from __future__ import annotations

import numpy as np
import pytest
from toys.asked import EXPLAINERS, answered, choices, kit, saved

from soundproof.core.errors import ConfigError, DataError
from soundproof.exhibits.finished import reason_missing
from soundproof.user_study.analysis import analyse
from soundproof.user_study.answers import read_answers
from soundproof.user_study.key import read_key

SKILL = {"error_map": 0.95, "saliency": 0.75, "occlusion": 0.55, "random_map": 0.5, "input_map": 0.5}


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kits") / "kit"
    return read_key(kit(folder, counts={"sound": 12, "map": 15, "repair": 15}).folder)


def skills(key, **of_kind: float) -> np.ndarray:
    """Probability of each right answer: of its kind, or where nothing is said of its explainer."""
    return np.array(
        [
            of_kind.get(kind, SKILL.get(of, 0.8))
            for kind, of in zip(key.questions["kind"], key.questions["of"], strict=True)
        ]
    )


def answers_of(key, folder, n_raters: int, skill: np.ndarray, *names: str):
    rng = np.random.default_rng([14, n_raters, *map(len, names)])
    paths = [
        saved(folder, answered(key, f"R{number:03d}", choices(key, skill, rng))) for number in range(n_raters)
    ]
    return read_answers(paths, key)


def test_skill_is_found_within_its_interval(key, tmp_path):
    skill = skills(key, sound=0.7)
    found = analyse(answers_of(key, tmp_path, 25, skill), key).tables["accuracy"].frame
    asked = key.questions[~key.questions["check"]]
    for row in found.to_dict("records"):
        own = asked["kind"].eq(row["kind"]) & (asked["of"].eq(row["explainer"]) if row["explainer"] else True)
        true = float(skill[own.index[own]].mean())
        assert row["raters_low"] <= true <= row["raters_high"], row["title"]
        assert row["low"] <= true <= row["high"] and row["n_raters"] == 25
        assert row["n_items"] == own.sum() and row["n_answers"] == 25 * own.sum()
        assert row["low"] <= row["exact_low"] and row["exact_high"] <= row["high"]
    by_title = found.set_index(["kind", "title"])["accuracy"]
    assert by_title["map", "Error map"] > by_title["map", "Saliency"] > by_title["map", "Occlusion"]
    assert set(found.loc[found["kind"].eq("repair"), "explainer"]) == {"", *EXPLAINERS}


def test_the_own_map_is_chosen_as_often_as_answers_are_right_where_it_is_the_better_one(key, tmp_path):
    found = analyse(answers_of(key, tmp_path, 6, skills(key)), key).tables["accuracy"].frame
    maps = found[found["kind"].eq("map")].set_index("explainer")
    # the error map is the best of all, wherever it is asked about
    assert maps.loc["error_map", "preferred"] == pytest.approx(maps.loc["error_map", "accuracy"])
    assert maps.loc["occlusion", "preferred"] != pytest.approx(maps.loc["occlusion", "accuracy"])
    assert found.loc[found["kind"].ne("map"), "preferred"].isna().all()


def test_who_guesses_agrees_with_nobody_and_who_knows_with_everybody(key, tmp_path):
    guessed = analyse(answers_of(key, tmp_path / "a", 30, np.full(len(key.questions), 0.5)), key)
    for row in guessed.tables["agreement"].frame.to_dict("records"):
        assert abs(row["alpha"]) < 0.05 and row["low"] <= 0.02 and row["high"] < 0.12
    for row in guessed.tables["accuracy"].frame.query("explainer == ''").to_dict("records"):
        assert row["low"] < 0.5 < row["high"]
    known = analyse(answers_of(key, tmp_path / "b", 5, np.ones(len(key.questions))), key)
    assert (known.tables["agreement"].frame["alpha"] == 1).all()
    assert (known.tables["accuracy"].frame["accuracy"] == 1).all()
    half = analyse(answers_of(key, tmp_path / "c", 30, np.full(len(key.questions), 0.85)), key)
    # two raters agree with 0.85^2 + 0.15^2 = 0.745, by chance with one half: alpha 0.49
    assert half.tables["agreement"].frame["alpha"].to_numpy() == pytest.approx(0.49, abs=0.08)


def test_criteria_that_rank_as_people_do_are_told_from_those_that_do_not(key, tmp_path):
    found = analyse(answers_of(key, tmp_path, 40, skills(key)), key).tables["correlation"].frame
    tau = found.set_index(["kind", "criterion"])["tau"]
    assert tau["map", "cell_auroc"] == pytest.approx(1)
    # less deletion is better, and the toy's runs against quality: turned, both say the same
    assert tau["map", "deletion_auc"] == pytest.approx(1)
    of_three = found[found["kind"].eq("map")]
    assert (of_three["n_explainers"] == 3).all() and of_three["p"].to_numpy() == pytest.approx(2 / 6)
    assert (found["p_holm"] >= found["p"]).all()


def test_raters_who_miss_a_check_are_not_counted_unless_asked_for(key, tmp_path):
    answers = answers_of(key, tmp_path, 6, skills(key))
    check = answers["check"] & answers["rater"].eq("R002")
    answers.loc[check.idxmax(), "correct"] = False
    found = analyse(answers, key)
    raters = found.tables["raters"]
    assert list(raters.frame.loc[~raters.frame["counted"], "rater"]) == ["R002"]
    assert "1 of 6 raters are not counted" in raters.warnings[0]
    assert (found.tables["accuracy"].frame["n_raters"] == 5).all()
    kept = analyse(answers, key, keep_inattentive=True)
    assert (kept.tables["accuracy"].frame["n_raters"] == 6).all() and kept.tables["raters"].warnings == ()
    answers.loc[answers["check"], "correct"] = False
    with pytest.raises(DataError, match="all 6 missed a check"):
        analyse(answers, key)


def test_checks_are_no_part_of_the_numbers(key, tmp_path):
    answers = answers_of(key, tmp_path, 4, np.zeros(len(key.questions)))
    found = analyse(answers, key).tables
    assert (found["accuracy"].frame["accuracy"] == 0).all()
    assert (found["raters"].frame["accuracy"] == 0).all() and found["raters"].frame["counted"].all()


def test_one_rater_gives_shares_and_says_what_is_missing(key, tmp_path):
    found = analyse(answers_of(key, tmp_path, 1, skills(key)), key).tables
    assert found["accuracy"].frame[["low", "high", "raters_low"]].isna().all(axis=None)
    assert found["accuracy"].frame[["exact_low", "exact_high"]].notna().all(axis=None)
    assert found["agreement"].frame["alpha"].isna().all()
    assert "two raters" in reason_missing(found["raters_needed"].caption)


def test_missing_answers_are_counted_as_missing(key, tmp_path):
    answers = answers_of(key, tmp_path, 8, skills(key))
    lost = answers["rater"].eq("R003") & answers["kind"].eq("sound") & ~answers["check"]
    whole, partly = (analyse(part, key).tables for part in (answers, answers[~lost]))
    row = partly["accuracy"].frame.iloc[0]
    assert (row["kind"], row["n_raters"]) == ("sound", 7)
    own = answers[~lost & answers["kind"].eq("sound") & ~answers["check"]]
    assert row["accuracy"] == pytest.approx(own["correct"].mean())
    assert partly["accuracy"].frame.iloc[1:].equals(whole["accuracy"].frame.iloc[1:])


def test_raters_are_planned_for_the_effects_that_are_named(key, tmp_path):
    answers = answers_of(key, tmp_path, 8, skills(key))
    frame = analyse(answers, key, effects=[0.62, 0.9]).tables["raters_needed"].frame
    assert list(frame["effect"]) == [0.62, 0.9] * 3 and list(frame["n_items"][::2]) == [12, 15, 15]
    same, new = frame["raters_same_items"], frame["raters_new_items"]
    assert same.notna().all() and ((new >= same) | new.isna()).all()
    for effect in (0.5, 1.0, float("nan")):
        with pytest.raises(ConfigError, match="share of right answers to plan for"):
            analyse(answers, key, effects=[effect])


def test_a_kind_that_was_not_asked_is_left_out(tmp_path):
    key = read_key(kit(tmp_path / "kit", counts={"map": 6}, checks=0).folder)
    found = analyse(answers_of(key, tmp_path / "answers", 3, np.ones(6)), key).tables
    assert set(found["accuracy"].frame["kind"]) == {"map"}
    assert "no check of attention" in found["raters"].warnings[0]


def test_the_better_constant_answer_is_told(key, tmp_path):
    frame = analyse(answers_of(key, tmp_path, 2, skills(key)), key).tables["accuracy"].frame
    asked = key.questions[~key.questions["check"] & key.questions["kind"].eq("repair")]
    expected = max((asked["truth"] == "a").mean(), (asked["truth"] == "b").mean())
    row = frame[frame["kind"].eq("repair") & frame["explainer"].eq("")].iloc[0]
    assert row["constant"] == pytest.approx(expected)
    assert frame.loc[frame["kind"].ne("repair"), "constant"].isna().all()
