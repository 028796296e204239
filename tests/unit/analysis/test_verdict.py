"""The verdict's rule by hand: each verdict is reached, and each turns when its rival wins."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from toys.study import clips, measurements, results_of

from soundproof.analysis.contests import TRAINING_WORDS, contests
from soundproof.analysis.criteria import criteria_named
from soundproof.analysis.frames import records
from soundproof.analysis.verdict import (
    ASPECTS,
    BESIDE,
    CONTROLS,
    DETECTOR_CONTROLS,
    MORE_CLIPS,
    MORE_SEEDS,
    Answer,
    Verdict,
    judge_detectors,
    judge_explanations,
    verdict_of,
)
from soundproof.report.answer import answer_of
from soundproof.tables import verdict as table

N = 8
GOOD = {
    "cell_auroc": {"saliency": 0.9, "input_map": 0.6, "random_map": 0.5},
    "deletion_auc": {"saliency": 0.2, "input_map": 0.4, "random_map": 0.5},
    "randomisation_similarity": {"saliency": 0.1, "input_map": 1.0, "random_map": 1.0},
    "training_similarity": {"saliency": 0.6, "input_map": 1.0, "random_map": 0.0},
    "anomaly_score": {"ae": 3.0, "gaussian": 0.0, "clip_level": 0.0},
}
"""Everything in order: mean by metric and explainer (of scores: shift of the anomalies by detector)."""
PROTOCOLS = {
    "cell_auroc": "",
    "deletion_auc": "clip_median",
    "sparseness": "",
    "robustness": "louder",
    "normal_range": "zero",
}
CHANCE = {"cell_auroc": ("saliency", 0.5), "deletion_auc": ("random_cells", 0.5)}
KINDS = {"ae": "skip_cae_transformer", "gaussian": "gaussian", "clip_level": "clip_level"}
MEASURES = frozenset({"cell_auroc", "deletion_auc", "randomisation_similarity", "training_similarity"})


def study(means=GOOD, *, seeds=(0, 1), n=N, turned=(), masks=True):
    """One explained detector; ``turned``: metrics of which the second training loses less than the first wins."""
    rng = np.random.default_rng(4)
    of_clips = clips(n, n)
    anomalies = of_clips.loc[of_clips["label"].eq("anomaly"), "clip_id"]
    rows = []
    for metric, by_name in means.items():
        for seed, (name, mean) in product(seeds, by_name.items()):
            if metric == "anomaly_score":
                drawn = [rng.normal(scale=0.8) for _ in of_clips.index]
                for clip, noise in zip(of_clips.itertuples(), drawn, strict=True):
                    value = noise + mean * (clip.label == "anomaly")
                    rows.append({"detector": name, "metric": metric, "seed": seed, "machine": "fan"})
                    rows[-1] |= {"clip_id": clip.clip_id, "value": value}
                continue
            flipped = metric in turned and seed == 1 and name == "saliency"
            centre = min(by_name.values()) - 0.02 if flipped else mean
            for clip_id in anomalies:
                row = {"detector": "ae", "seed": seed, "metric": metric, "clip_id": clip_id, "machine": "fan"}
                row |= {"explainer": name, "protocol": PROTOCOLS.get(metric, "absolute")}
                rows.append(row | {"value": centre + rng.normal(scale=0.01)})
        for seed, clip_id in product(seeds, anomalies if metric in CHANCE else ()):
            name, level = CHANCE[metric]
            protocol = "_".join(filter(None, ["chance_uniform", PROTOCOLS[metric]]))
            row = {"detector": "ae", "seed": seed, "metric": metric, "clip_id": clip_id, "machine": "fan"}
            rows.append(row | {"explainer": name, "protocol": protocol, "value": level})
    return results_of(
        measurements(rows),
        clips=of_clips if masks else of_clips.assign(events=None),
        detector_kinds=KINDS,
        detector_titles={"ae": "AE", "gaussian": "Gaussian", "clip_level": "Level"},
        explainer_titles={"saliency": "Saliency", "input_map": "Input", "random_map": "Random"},
        measures=MEASURES,
    )


def changed(metric, **means):
    return GOOD | {metric: GOOD[metric] | means}


def without(*metrics):
    return {metric: means for metric, means in GOOD.items() if metric not in metrics}


def judged(*arguments, **options):
    (judgement,) = judge_explanations(study(*arguments, **options))
    return judgement


def answers(judgement):
    return {name: str(aspect.answer) for name, aspect in judgement.aspects.items()}


def test_trust_takes_all_four_and_a_detector_that_beats_the_controls():
    judgement = judged()
    assert judgement.verdict is Verdict.YES
    assert set(answers(judgement).values()) == {"yes"} and set(judgement.aspects) == set(ASPECTS)
    # deletion, cells, sanity: each held in both trainings
    assert len(judgement.aspects["stability"].held) == 3
    (worth,) = judge_detectors(study())
    assert worth.answer is Answer.YES and "Level is the strongest" in worth.words


@pytest.mark.parametrize(
    ("metric", "rival", "aspect"),
    [
        ("cell_auroc", {"input_map": 0.95}, "localisation"),
        ("cell_auroc", {"random_map": 0.95}, "localisation"),
        ("deletion_auc", {"input_map": 0.1}, "faithfulness"),
        ("deletion_auc", {"random_map": 0.1}, "faithfulness"),
    ],
)
def test_a_control_that_wins_takes_an_aspect_away(metric, rival, aspect):
    judgement = judged(changed(metric, **rival))
    assert judgement.verdict is Verdict.PARTLY
    assert answers(judgement)[aspect] == "no"
    (failed,) = judgement.aspects[aspect].failed
    assert ("Input" if "input_map" in rival else "Random") in failed


def test_chance_alone_takes_an_aspect_away():
    below = {"saliency": 0.45, "input_map": 0.3, "random_map": 0.3}
    judgement = judged(GOOD | {"cell_auroc": below})
    assert answers(judgement)["localisation"] == "no"
    assert judgement.aspects["localisation"].failed == ("Cell AUROC (against chance)",)


def test_neither_localised_nor_faithful_is_not_to_be_trusted():
    means = changed("cell_auroc", input_map=0.95) | {"deletion_auc": {"saliency": 0.5, "input_map": 0.4}}
    assert judged(means).verdict is Verdict.NO


def test_a_map_that_does_not_change_with_the_weights_is_not_to_be_trusted():
    like_controls = judged(changed("randomisation_similarity", saliency=1.0))
    assert like_controls.verdict is Verdict.NO and answers(like_controls)["sanity"] == "no"
    # it changes, but as much from one training to the next
    like_training = judged(changed("training_similarity", saliency=0.1))
    assert like_training.verdict is Verdict.NO
    assert TRAINING_WORDS in like_training.aspects["sanity"].failed[0]


def test_what_a_second_training_denies_is_unstable():
    judgement = judged(turned=("cell_auroc",))
    assert answers(judgement)["localisation"] == "yes"
    assert answers(judgement)["stability"] == "partly"
    assert judgement.aspects["stability"].failed == ("Cell AUROC",)
    assert judgement.verdict is Verdict.PARTLY


def test_a_detector_that_a_rival_beats_has_no_explanation_that_deserves_trust():
    for rival, said in (({"gaussian": 9.0, "ae": 0.8}, "beaten by Gaussian"), ({"ae": 0.0}, "not shown")):
        means = changed("anomaly_score", **rival)
        assert judged(means).verdict is Verdict.PARTLY
        (worth,) = judge_detectors(study(means))
        assert worth.answer is Answer.NO and said in worth.words


def test_a_detector_that_is_level_with_a_simple_one_says_so_in_the_same_sentence():
    for gaussian, answer in ((3.0, Answer.PARTLY), (1.5, Answer.YES), (9.0, Answer.NO)):
        means = changed("anomaly_score", ae=2.6 if gaussian == 9.0 else 3.0, gaussian=gaussian)
        (worth,) = judge_detectors(study(means, n=24))
        assert worth.answer is answer
        assert ("but is level with Gaussian" in worth.words) is (answer is Answer.PARTLY)
        # the controls are named beside it, not instead of it
        assert ("Level is the strongest" in worth.words) is (answer is not Answer.NO)
    assert judged(changed("anomaly_score", gaussian=3.0), n=24).verdict is Verdict.YES
    uncontrolled = {"anomaly_score": {"ae": 3.0, "gaussian": 3.0}}
    (worth,) = judge_detectors(study(GOOD | uncontrolled, n=24))
    assert worth.answer is Answer.UNDECIDED and "but is level with Gaussian" in worth.words


def test_what_cannot_be_said_names_what_is_missing():
    once = judged(seeds=(0,))
    assert once.verdict is Verdict.PARTLY and answers(once)["stability"] == "not measured"
    assert MORE_SEEDS in once.aspects["stability"].needed
    few = judged(n=4)
    assert few.verdict is Verdict.OPEN
    assert MORE_CLIPS in few.aspects["localisation"].needed
    alone = {metric: {"saliency": by["saliency"]} for metric, by in GOOD.items() if "saliency" in by}
    uncontrolled = judged(alone)
    assert uncontrolled.verdict is Verdict.OPEN and CONTROLS in uncontrolled.aspects["faithfulness"].needed
    no_ceiling = judged(without("training_similarity"))
    assert answers(no_ceiling)["sanity"] == "undecided" and MORE_SEEDS in no_ceiling.aspects["sanity"].needed


def test_a_missing_aspect_says_why():
    unasked = judge_explanations(
        replace(
            study(without("cell_auroc")), measures=frozenset({"deletion_auc", "randomisation_similarity"})
        )
    )[0]
    assert answers(unasked)["localisation"] == "not measured"
    assert "a measure of localisation" in unasked.aspects["localisation"].needed[0]
    unlabelled = judged(without("cell_auroc"), masks=False)
    assert "mask of its fault" in unlabelled.aspects["localisation"].needed[0]
    assert unlabelled.verdict is Verdict.PARTLY


def test_detectors_without_labels_clips_or_controls():
    (unscored,) = judge_detectors(study(without("anomaly_score")))
    assert unscored.answer is Answer.UNMEASURED and unscored.needed
    (few,) = judge_detectors(study(n=4))
    assert few.answer is Answer.UNDECIDED
    (uncontrolled,) = judge_detectors(study(GOOD | {"anomaly_score": {"ae": 3.0}}))
    assert uncontrolled.answer is Answer.UNDECIDED and uncontrolled.needed == DETECTOR_CONTROLS


def test_what_stands_beside_the_aspects_is_told_and_decides_nothing():
    poor = {"saliency": 0.1, "input_map": 0.9, "random_map": 0.4}
    beside = {"robustness": poor, "sparseness": poor, "normal_range": poor}
    judgement = judged(GOOD | beside)
    told = ("robustness", "sparseness", "normal_range_zero")
    assert {judgement.findings[name].answer for name in told} == {Answer.NO}
    assert judgement.verdict is Verdict.YES and judgement.aspects == judged().aspects
    (*_, robust, sparse, removal) = answer_of(records(table.build(study(GOOD | beside)).frame)).headings
    assert [title for title, _ in (robust, sparse, removal)] == list(BESIDE.values())
    assert not any(heading.decides for _, headings in (robust, sparse, removal) for heading in headings)
    # a map that stays where it is need not be what the score hangs on
    alone = judged(without("deletion_auc") | beside)
    assert alone.aspects["faithfulness"].answer is Answer.UNMEASURED


def test_the_rule_says_the_same_of_every_combination_as_its_description():
    names = list(ASPECTS)
    for combination in product(Answer, repeat=len(names)):
        of = dict(zip(names, combination, strict=True))
        said = verdict_of(of, Answer.YES)
        fails = Answer.NO in (of["sanity"], of["stability"])
        shown = Answer.YES in (of["localisation"], of["faithfulness"])
        if set(combination) == {Answer.YES}:
            assert said is Verdict.YES
            # a detector that is level with a simple one holds
            assert verdict_of(of, Answer.PARTLY) is Verdict.YES
            assert verdict_of(of, Answer.NO) is verdict_of(of, Answer.UNDECIDED) is Verdict.PARTLY
        elif fails:
            assert said is Verdict.NO
        elif shown:
            assert said is Verdict.PARTLY
        else:
            tried = {Answer.NO, Answer.PARTLY} & {of["localisation"], of["faithfulness"]}
            assert said is (Verdict.NO if tried else Verdict.OPEN)


def test_advantages_are_paired_and_turned_by_direction():
    """By hand: clips 0.5, 0.6 ... against the same less 0.1; where lower is better the sign turns."""
    values = 0.5 + 0.1 * np.arange(6)
    of_clips = clips(0, 6)
    for metric, criterion, sign in (
        ("cell_auroc", "cell_auroc", 1),
        ("deletion_auc", "deletion_auc_zero", -1),
    ):
        rows = [
            {"detector": "ae", "metric": metric, "explainer": name, "clip_id": clip_id, "value": value - less}
            | {"protocol": "" if sign > 0 else "zero"}
            for name, less in (("saliency", 0.0), ("input_map", 0.1))
            for clip_id, value in zip(of_clips["clip_id"], values, strict=True)
        ]
        found = contests(results_of(measurements(rows), clips=of_clips), criteria_named([criterion])[0], "ae")
        (pair,) = [one for one in found if one.kind == "control"]
        expected = pytest.approx(sign * 0.1)
        assert (pair.advantage, pair.low, pair.high) == (expected, expected, expected)
        assert pair.of_seeds == (expected,) and pair.won is (sign > 0)
        chance = [one for one in found if one.kind == "chance"]
        # the area has a constant level; of deletion no chance was measured
        assert [one.advantage for one in chance] == ([pytest.approx(0.25)] if sign > 0 else [])


def test_the_table_says_verdict_evidence_and_needs():
    made = table.build(study(changed("cell_auroc", input_map=0.95), seeds=(0,)))
    (row,) = made.frame.to_dict("records")
    assert row["verdict"] == "deserves trust in part"
    assert row["localisation_counts"] == "no (0 of 1)"
    assert (row["cell_auroc"], row["cell_auroc_rival"]) == ("no", "Input")
    assert row["cell_auroc_ci_high"] < 0
    assert row["segment_f1"] == "not measured" and pd.isna(row["segment_f1_advantage"])
    assert "Cell AUROC (against Input)" in row["failed"] and "two trainings" in row["needed"]
    assert row["detector_answer"] == "yes"
    assert "of localisation Cell AUROC" in made.caption


def test_the_same_study_gives_the_same_table():
    pd.testing.assert_frame_equal(table.build(study()).frame, table.build(study()).frame)


def test_a_study_that_measured_no_explanation_says_so():
    made = table.build(results_of(measurements([])))
    assert "no explanation" in made.frame["reason"][0]
