"""The files of a kit: nothing in the page tells the answers, and the same seed gives the same bytes."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import soundfile
import torch
from toys.asked import EXPLAINERS, RATE_HZ, ToyMedia, kit, material

from soundproof.core.errors import ConfigError, DataError
from soundproof.faithfulness.replaced_cells import _ranks
from soundproof.randomness.ties import tie_breakers
from soundproof.storage.provenance import file_digest
from soundproof.user_study.consent import CONSENT, filled_in, read_consent
from soundproof.user_study.key import read_key
from soundproof.user_study.kit import summary
from soundproof.user_study.question_files import strongest, with_beeps


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return kit(tmp_path_factory.mktemp("kits") / "kit")


def told(made) -> dict[str, object]:
    text = (made.page.parent / "study.js").read_text(encoding="utf-8")
    return dict(json.loads(re.fullmatch(r"explorer\.study\((.*)\);\n", text, re.DOTALL)[1]))


def test_what_is_given_out_holds_no_answer(made):
    names = {path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*") if path.is_file()}
    assert {name for name in names if not name.startswith("page/")} == {"key.parquet", "metrics.parquet"}
    scripts = [made.page.parent / "study.js", *(made.page.parent / "clips").glob("*.js")]
    assert len(scripts) == 1 + sum(one.kind != "sound" for one in made.questions)
    told_by = [*EXPLAINERS, *EXPLAINERS.values(), "bad_", "good_", "truth", "chance", "control"]
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        assert [word for word in told_by if word in text] == []
    for one in told(made)["questions"].values():
        assert set(one) <= {"kind", "prompt", "note", "sounds", "maps", "options"}


def test_the_key_is_that_of_the_questions(made):
    key = read_key(made.folder)
    assert (key.study, key.digest, key.explainers) == ("bench/toy", made.digest, EXPLAINERS)
    assert (
        list(key.questions["question"])
        == [one.question for one in made.questions]
        == list(told(made)["questions"])
    )
    assert list(key.questions["truth"]) == [one.truth for one in made.questions]
    assert set(key.metrics["criterion"]) == {"cell_auroc", "deletion_auc"}


def test_sounds_of_a_question_keep_their_levels(made):
    for one in made.questions:
        if one.kind != "sound":
            continue
        heard = {}
        for option in "ab":
            path = made.page.parent / "clips" / f"{one.question}.{option}.wav"
            samples, rate_hz = soundfile.read(path)
            assert rate_hz == RATE_HZ
            heard[option] = np.sqrt(np.mean(samples**2))
        other = "b" if one.truth == "a" else "a"
        # the toy's faults are twice as loud; beeps are louder than all
        assert heard[one.truth] / heard[other] == pytest.approx(2, rel=0.01) or one.check
        assert heard[one.truth] > heard[other]


def test_other_kinds_bring_the_clip_and_a_normal_one(made):
    for one in made.questions:
        sounds = {sound["file"] for sound in told(made)["questions"][one.question]["sounds"]}
        if one.kind == "map":
            assert sounds == {f"{one.question}.clip.wav", f"{one.question}.normal.wav"}
        if one.kind == "repair":
            assert sounds == {f"{one.question}.clip.wav"}


def test_a_repair_says_how_much_is_replaced_by_what_and_where_the_score_stands(made):
    one = next(one for one in made.questions if one.kind == "repair")
    shown = told(made)["questions"][one.question]
    assert f"{100 * one.share:g} %" in shown["note"] and f"{one.score:.2f} times" in shown["note"]
    assert material().replacement in shown["note"]
    assert f"{one.after:.2f}" not in shown["note"]


def test_what_is_shown_of_a_map_is_what_deletion_replaces():
    rng = np.random.default_rng(2)
    # ties, negative values, and a zero of either sign
    relevance = np.round(rng.normal(size=(12, 40)), 1)
    relevance[3, :5] = -0.0
    shuffled = torch.from_numpy(tie_breakers(["bad_03"], 480)).argsort(dim=1, stable=True)
    rank = _ranks(torch.from_numpy(relevance)[None], shuffled)[0].numpy()
    for share in (0.05, 0.1, 0.5, 0.75):
        found = strongest(relevance, share, "bad_03")
        assert ((found > 0) == (rank < round(share * 480))).all()
        assert found.max() == 1 and found[found > 0].min() > 0.5
        assert (np.argsort(-found.ravel(), kind="stable")[:20] == np.argsort(rank.ravel())[:20]).all()
    assert (strongest(relevance, 1e-6, "bad_03") > 0).sum() == 1


def test_the_same_seed_gives_the_same_bytes_and_another_another_kit(made, tmp_path):
    again, other = kit(tmp_path / "again"), kit(tmp_path / "other", seed=1)
    files = {
        path.relative_to(made.folder): file_digest(path) for path in made.folder.rglob("*") if path.is_file()
    }
    assert files == {
        path.relative_to(again.folder): file_digest(path)
        for path in again.folder.rglob("*")
        if path.is_file()
    }
    assert again.digest == made.digest != other.digest


def test_beeps_are_heard_over_anything_and_stay_within_the_clip():
    for samples in (np.zeros(8000), 0.9 * np.sin(np.arange(8000))):
        found = with_beeps(samples, 8000)
        assert found.shape == samples.shape
        added = np.abs(found - samples)
        assert added.max() >= 0.49 and (added > 0.1).mean() > 0.2
        # three of them, apart
        loud = np.flatnonzero(added > 0.1)
        assert (np.diff(loud) > 400).sum() == 2
    assert with_beeps(np.zeros(100), 8000).shape == (100,)


def test_a_study_without_sound_is_asked_about_maps_alone(tmp_path):
    with pytest.raises(DataError) as caught:
        kit(tmp_path / "kit", silent=True)
    assert "without sound" in caught.value.found and "sound=0" in caught.value.remedy
    made = kit(tmp_path / "kit", silent=True, counts={"sound": 0, "map": 6, "repair": 6}, checks=1)
    assert not list(made.folder.rglob("*.wav")) and len(made.questions) == 13
    assert ToyMedia(silent=True).silent


def test_answers_are_never_written_over(tmp_path):
    made = kit(tmp_path / "kit", counts={"map": 2}, checks=0)
    with pytest.raises(ConfigError, match="maybe answers"):
        kit(tmp_path / "kit", counts={"map": 2}, checks=0)
    assert made.page.is_file()
    (tmp_path / "empty").mkdir()
    assert kit(tmp_path / "empty", counts={"map": 2}, checks=0).page.is_file()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match="something is there"):
        kit(tmp_path / "file")


@pytest.mark.parametrize("settings", [{"counts": {"map": -1}}, {"checks": -1}])
def test_less_than_none_is_refused(tmp_path, settings):
    with pytest.raises(ConfigError, match="-1 of them"):
        kit(tmp_path / "kit", **settings)
    assert not (tmp_path / "kit").exists()


def test_a_sound_that_cannot_be_had_leaves_no_half_kit(tmp_path, monkeypatch):
    def lost(self, clip_id):
        raise DataError(f"the sound of {clip_id}", "no such file", "put it back")

    monkeypatch.setattr(ToyMedia, "sound", lost)
    with pytest.raises(DataError, match="put it back"):
        kit(tmp_path / "kit")
    assert list(tmp_path.iterdir()) == []


def test_consent_may_be_ones_own(tmp_path):
    path = tmp_path / "consent.txt"
    path.write_text("We ask {n_questions}\nquestions <b>.\n\nAbout {minutes} minutes.\n", encoding="utf-8")
    made = kit(tmp_path / "kit", consent=read_consent(path), counts={"map": 4}, checks=0)
    page = made.page.read_text(encoding="utf-8")
    assert "<p>We ask 4 questions &lt;b&gt;.</p>" in page and "<p>About 2 minutes.</p>" in page
    # 35 questions of 25 seconds
    assert "35 questions" in filled_in(CONSENT, 35)[0] and "15 minutes" in filled_in(CONSENT, 35)[0]
    for text, words in (("", "an empty file"), ("{name}", "braces"), ("{", "braces")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=words):
            read_consent(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_consent(path)
    with pytest.raises(ConfigError, match="No such file"):
        read_consent(tmp_path / "none.txt")


def test_what_is_asked_is_said_and_whether_it_is_enough(made, tmp_path):
    sounds, maps, repairs = summary(made.questions)
    assert sounds == "sound: 8 questions, 2 checks"
    assert maps.startswith("map: 12 questions, 1 checks; 4 to 4 of each explainer; too few")
    still = sum(one.truth == "a" for one in made.questions if one.kind == "repair")
    assert f"{still} clips stay above the alarm; 2 to 3 of each explainer; too few" in repairs
    enough = kit(tmp_path / "kit", counts={"map": 15}, checks=0)
    assert summary(enough.questions) == ["map: 15 questions, 0 checks; 5 to 5 of each explainer"]
