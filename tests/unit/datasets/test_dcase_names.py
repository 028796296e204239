from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from soundproof.core.errors import DataError
from soundproof.datasets.dcase.names import ClipName

two_digits = st.from_regex(r"[0-9]{2}", fullmatch=True)
digits = st.from_regex(r"[0-9]{4,8}", fullmatch=True)
labels = st.sampled_from(["normal", "anomaly"])
domains = st.sampled_from(["source", "target"])
splits = st.sampled_from(["train", "test"])
tails = st.just("") | st.from_regex(r"_[A-Za-z0-9_.-]{0,30}", fullmatch=True)

by_id = st.builds(ClipName, section=two_digits, number=digits, label=st.none() | labels)
labelled = st.builds(
    ClipName, section=two_digits, number=digits, label=labels, domain=domains, split=splits, tail=tails
)
domain_only = st.builds(ClipName, section=two_digits, number=digits, domain=domains, split=splits)
bare = st.builds(ClipName, section=two_digits, number=digits)


@given(name=by_id)
def test_round_trip_2020(name: ClipName) -> None:
    assert ClipName.parse(name.file_name(2020), 2020) == name


@given(name=labelled | domain_only)
def test_round_trip_2021(name: ClipName) -> None:
    assert ClipName.parse(name.file_name(2021), 2021) == name


@given(name=labelled | bare, year=st.integers(2022, 2025))
def test_round_trip_since_2022(name: ClipName, year: int) -> None:
    assert ClipName.parse(name.file_name(year), year) == name


def test_names_as_published() -> None:
    name = ClipName.parse("section_00_source_train_normal_0705_m-n_X.wav", 2022)
    assert name == ClipName(
        section="00", number="0705", label="normal", domain="source", split="train", tail="_m-n_X"
    )
    assert ClipName.parse("anomaly_id_02_00000017.wav", 2020).label == "anomaly"
    assert ClipName.parse("section_03_0199.wav", 2024).label is None


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("normal_id_01_00000000.wav", 2022),
        ("section_00_source_train_normal_0000.wav", 2020),
        ("section_00_source_train_normal_0000.flac", 2022),
        ("section_0_source_train_normal_0000.wav", 2022),
        ("section_00_middle_train_normal_0000.wav", 2022),
        ("section_00_source_train_0000_normal.wav", 2022),
        ("section_03_0000.wav", 2021),
        ("section_03_0000_spd_A.wav", 2022),
        ("section_03_source_test_0000.wav", 2022),
        ("normal_id_01_.wav", 2020),
    ],
)
def test_a_name_outside_the_scheme_is_shown_with_the_scheme(name: str, year: int) -> None:
    with pytest.raises(DataError) as caught:
        ClipName.parse(name, year)
    assert name in caught.value.asked
    assert ".wav" in caught.value.remedy
