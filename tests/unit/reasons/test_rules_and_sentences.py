"""Rules, sentences, their truth, and what a known shaft says."""

from __future__ import annotations

import re

import pytest

from soundproof.core.errors import ConfigError, DataError
from soundproof.datasets.bench.settings import FAULTS_BY_MACHINE
from soundproof.interfaces.dataset import Physics
from soundproof.reasons.attributes import ATTRIBUTES
from soundproof.reasons.diagnosis import Machine, diagnosis, matches
from soundproof.reasons.reason import Reason
from soundproof.reasons.rules import Condition, likely, read_rules, shipped_rules
from soundproof.reasons.sentence import CANNOT_TELL, NOTHING, sentence, with_fault
from soundproof.reasons.settings import NamingSettings
from soundproof.reasons.truth import scores, statements

IMPACTS = {
    "level_db": 9.2,
    "low_hz": 2700.0,
    "high_hz": 3500.0,
    "width_octaves": 0.37,
    "peak_hz": 3125.0,
    "onset_s": 1.0,
    "offset_s": 2.0,
    "duration_s": 1.0,
    "duty": 0.4,
    "rate_hz": 150.0,
    "rate_prominence_db": 20.0,
    "rate_depth": 1.1,
    "tonality": 0.01,
}
OWN = """
- fault: whistle
  words: a whistle
  source: heard in the workshop
  when:
    tonality: {above: 0.5}
    fundamental_hz: {near: [2000], within: 0.1}
"""


def reason_of(values: dict[str, float], fault: str | None = None) -> Reason:
    said = sentence(values, {})
    return Reason(said.text, said.stated, values, {}, {}, fault)


def test_the_shipped_rules_name_the_faults_of_the_bench_and_state_their_sources():
    assert {rule.fault for rule in shipped_rules()} == {
        fault for faults in FAULTS_BY_MACHINE.values() for fault in faults
    }
    assert all(rule.source for rule in shipped_rules())


def test_the_first_rule_that_holds_names_the_fault_and_none_is_an_answer():
    found = likely(IMPACTS, shipped_rules())
    assert found is not None
    assert found.fault == "bearing"
    missing = likely({**IMPACTS, "level_db": -9.0}, shipped_rules())
    assert missing is not None
    assert missing.fault == "missing_stroke"
    assert likely({}, shipped_rules()) is None


def test_rules_of_one_s_own_come_first():
    own = read_rules(OWN, "own.yaml")
    settings = NamingSettings(rules=own)
    assert settings.all_rules[0].fault == "whistle"
    whistle = likely({"tonality": 0.9, "fundamental_hz": 2100.0, "level_db": 3.0}, settings.all_rules)
    assert whistle is not None
    assert whistle.fault == "whistle"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (OWN.replace("tonality", "tonalty"), "attribute 'tonalty' in the rule for 'whistle'"),
        (OWN.replace("{above: 0.5}", "{over: 0.5}"), "no such key"),
        (OWN.replace("{above: 0.5}", "{}"), "a condition says"),
        ("fault: whistle", "a list of rules in own.yaml"),
        ("- [", "YAML in own.yaml"),
        (OWN.replace("  source: heard in the workshop\n", ""), "source"),
    ],
)
def test_a_rule_that_cannot_be_asked_is_an_error(text: str, message: str):
    with pytest.raises(ConfigError, match=re.escape(message)):
        read_rules(text, "own.yaml")


def test_conditions_by_hand():
    near = Condition(near=(100, 120), within=0.01)
    assert [near.met(value) for value in (99.5, 101.5, 120.0)] == [True, False, True]
    assert Condition(above=1, below=2).met(1.5)
    assert not Condition(above=1, below=2).met(2.0)
    assert not Condition(away_from=(50,)).met(51.0)


def test_every_number_of_a_sentence_is_an_attribute():
    said = sentence(IMPACTS, {"rate_prominence_db": 3.0, "duty": 0.9})
    assert said.text == (
        "Impacts 150 times a second, ringing at 3.1 kHz, from 1.0 to 2.0 s, +9 dB over normal; normal clips "
        "have none."
    )
    assert len(re.findall(r"\d+(?:\.\d+)?", said.text)) == len(said.stated)
    assert set(said.stated) <= set(ATTRIBUTES)


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"width_octaves": 1.8}, "Bursts of noise 150 times a second, between 2.7 kHz and 3.5 kHz"),
        (
            {"tonality": 0.8, "fundamental_hz": 120.0, "line_count": 4.0},
            "4 steady tones on multiples of 120 Hz",
        ),
        ({"rate_prominence_db": 2.0, "duty": 0.08}, "Single knocks, 8 % of the time, ringing at 3.1 kHz"),
        ({"rate_prominence_db": 2.0, "duty": 0.9}, "Steady noise between 2.7 kHz and 3.5 kHz"),
        (
            {"width_octaves": 1.8, "level_db": -0.4},
            "Bursts of noise 150 times a second, between 2.7 kHz and 3.5 kHz, from 1.0 to 2.0 s, +0 dB over normal",
        ),
        (
            {"level_db": -12.0},
            "Sound is missing between 2.7 kHz and 3.5 kHz from 1.0 to 2.0 s: 12 dB below normal",
        ),
    ],
)
def test_sounds_are_told_apart_in_words(changes: dict[str, float], begins: str):
    said = sentence({**IMPACTS, **changes}, {})
    assert said.text.startswith(begins)
    numbers = re.findall(r"\d+(?:\.\d+)?", said.text)
    assert len(numbers) == len(said.stated)


def test_nothing_is_said_of_nothing_and_cannot_tell_is_an_answer():
    assert sentence({}, {}).text == NOTHING
    assert with_fault("x.", None) == f"x. {CANNOT_TELL}"


def test_statements_against_drawn_physics_by_hand():
    bearing = Physics("bearing", {"rate_hz": (154.0,), "peak_hz": (3000.0,)}, (0.9, 2.1), (2500.0, 3600.0))
    assert statements(reason_of(IMPACTS), bearing) == {
        "rate_hz": True,
        "peak_hz": True,
        "time": True,
        "level_db": True,
    }
    leak = Physics("air_leak", {"low_hz": (3500.0,)}, (2.5, 3.0), (3400.0, 7000.0))
    judged = scores(reason_of(IMPACTS, "bearing"), leak)
    # rate and ringing that a leak has not, another time, but sound was added
    assert (judged.n_true, judged.n_false) == (1, 3)
    assert (judged.right, judged.abstained) == (False, False)
    # 2700 is off by 23 %
    assert judged.within == 1
    gone = Physics("missing_stroke", {"duration_s": (0.5,)}, (0.9, 2.1), (2500.0, 3600.0), takes_away=True)
    assert statements(reason_of(IMPACTS), gone)["level_db"] is False
    assert scores(reason_of(IMPACTS), gone).within == 0
    assert scores(reason_of(IMPACTS), gone).abstained


def test_characteristic_frequencies_by_hand():
    # 8 balls, d / D = 0.25, no contact angle, 30 turns a second
    found = Machine(shaft_hz=30.0, balls=8, diameter_ratio=0.25, teeth=20, blades=7).frequencies_hz()
    assert found == pytest.approx(
        {
            "shaft": 30.0,
            "twice_per_turn": 60.0,
            "bpfo": 90.0,
            "bpfi": 150.0,
            "bsf": 112.5,
            "ftf": 11.25,
            "gear_mesh": 600.0,
            "blade_pass": 210.0,
        }
    )
    # both passes together make all balls
    assert found["bpfo"] + found["bpfi"] == pytest.approx(8 * 30)
    tilted = Machine(shaft_hz=30.0, balls=8, diameter_ratio=0.25, contact_deg=60).frequencies_hz()
    assert tilted["bpfo"] == pytest.approx(4 * 30 * (1 - 0.125))


def test_a_rate_agrees_with_the_nearest_frequency_or_with_none():
    machine = Machine(shaft_hz=30.0, balls=8, diameter_ratio=0.25)
    found = matches({"rate_hz": 151.5}, machine)
    assert [match.name for match in found] == ["bpfi"]
    assert found[0].off == pytest.approx(0.01)
    assert "inner race (BPFI): 150.0 expected, +1.0 %" in diagnosis({"rate_hz": 151.5}, machine)
    assert (
        diagnosis({"rate_hz": 137.0}, machine)
        == "No rate agrees with a shaft that turns 30.0 times a second."
    )
    assert diagnosis({}, machine).startswith("No rate agrees")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shaft_hz": 0.0}, "a shaft speed above 0"),
        ({"shaft_hz": -3.0}, "a shaft speed above 0"),
        ({"shaft_hz": float("nan")}, "a shaft speed above 0"),
        ({"shaft_hz": 30.0, "balls": 8}, "the geometry of a bearing"),
        ({"shaft_hz": 30.0, "balls": 8, "diameter_ratio": 1.2}, "between 0 and 1"),
        ({"shaft_hz": 30.0, "teeth": 0}, "a number of teeth above 0"),
        ({"shaft_hz": 30.0, "balls": 8, "diameter_ratio": 0.2, "contact_deg": 95}, "a contact angle"),
    ],
)
def test_a_machine_that_cannot_be_is_refused(wrong: dict[str, float], message: str):
    with pytest.raises(DataError, match=message):
        Machine(**wrong)
    with pytest.raises(DataError, match="tolerance"):
        matches({}, Machine(shaft_hz=30.0), tolerance=0)
