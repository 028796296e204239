from __future__ import annotations

import pandas as pd
import pytest

from soundproof.clips.selection import clips_to_explain, part_of, recording_of
from soundproof.core.errors import DataError

EVENT = [{"onset_s": 0.0, "offset_s": 1.0, "low_hz": None, "high_hz": None}]


def clip(clip_id: str, label: str = "anomaly", **columns: object) -> dict[str, object]:
    row = {"clip_id": clip_id, "machine": "fan", "split": "test", "label": label, "snr_db": None}
    return row | {"anomaly_type": None, "events": None} | columns


CLIPS = pd.DataFrame(
    [
        clip("z_train", "normal", split="train"),
        clip("e_normal", "normal", events=[]),
        clip("d_unlabelled"),
        clip("c_nothing_there", events=[]),
        clip("b_labelled", events=EVENT),
        clip("a_valve", machine="valve", events=EVENT),
    ]
)


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("annotated", ["a_valve", "b_labelled"]),
        ("anomalies", ["a_valve", "b_labelled", "c_nothing_there", "d_unlabelled"]),
        ("test", ["a_valve", "b_labelled", "c_nothing_there", "d_unlabelled", "e_normal"]),
    ],
)
def test_what_is_explained(which: str, expected: list[str]) -> None:
    assert clips_to_explain(CLIPS, which, None)["clip_id"].tolist() == expected


def test_a_limit_takes_one_of_each_kind_before_a_second_of_any() -> None:
    kinds = [("hum", 0.0), ("hum", 0.0), ("hum", 0.0), ("rub", 0.0), ("rub", 6.0), ("rub", 6.0)]
    rows = [clip(f"fan_{n}", anomaly_type=kind, snr_db=snr) for n, (kind, snr) in enumerate(kinds)]
    rows += [clip("valve_0", machine="valve", anomaly_type="hum", snr_db=0.0)]

    def chosen(limit: int) -> list[str]:
        return clips_to_explain(pd.DataFrame(rows), "anomalies", limit)["clip_id"].tolist()

    assert chosen(1) == ["fan_0", "valve_0"]
    assert chosen(3) == ["fan_0", "fan_3", "fan_4", "valve_0"]
    assert chosen(4) == ["fan_0", "fan_1", "fan_3", "fan_4", "valve_0"]
    assert len(chosen(99)) == 7


def test_clips_whose_kind_is_unknown_are_chosen_too() -> None:
    rows = [clip(f"fan_{n}") for n in range(3)]
    assert clips_to_explain(pd.DataFrame(rows), "anomalies", 2)["clip_id"].tolist() == ["fan_0", "fan_1"]


def test_the_choice_does_not_depend_on_the_order_of_the_table() -> None:
    rows = [clip(f"fan_{n}", anomaly_type=str(n % 3)) for n in range(9)]
    forwards = clips_to_explain(pd.DataFrame(rows), "anomalies", 4)
    backwards = clips_to_explain(pd.DataFrame(rows[::-1]), "anomalies", 4)
    assert forwards["clip_id"].tolist() == backwards["clip_id"].tolist()


def test_nothing_to_explain_is_an_error_that_offers_other_choices() -> None:
    with pytest.raises(DataError, match=r"none among 2 clips\n.*anomalies"):
        clips_to_explain(CLIPS.iloc[1:3], "annotated", None)


def test_a_part_is_a_machine_or_all_of_them() -> None:
    assert part_of(CLIPS, "all").equals(CLIPS)
    valve = part_of(CLIPS, "valve")
    assert valve["clip_id"].tolist() == ["a_valve"] and valve.index.tolist() == [0]


def segments(prefix: str, n_recordings: int, n_segments: int, **columns: object) -> list[dict[str, object]]:
    return [
        clip(f"{prefix}_{r:03d}+{s:04d}", path=f"{prefix}_{r:03d}.wav", **columns)
        for r in range(n_recordings)
        for s in range(n_segments)
    ]


def chosen_of(rows: list[dict[str, object]], limit: int) -> pd.DataFrame:
    return clips_to_explain(pd.DataFrame(rows), "anomalies", limit)


def test_no_recording_gives_a_second_segment_while_another_gave_none() -> None:
    chosen = chosen_of(segments("fault", 20, 6), 20)
    assert chosen["path"].nunique() == 20
    again = chosen_of(segments("fault", 5, 6), 12)
    assert sorted(again["path"].value_counts()) == [2, 2, 2, 3, 3]


def test_recordings_are_spread_where_types_are_known_too() -> None:
    rows = [
        row for kind in ("hum", "rub", "leak", "knock") for row in segments(kind, 3, 8, anomaly_type=kind)
    ]
    chosen = chosen_of(rows, 12)
    assert chosen["anomaly_type"].value_counts().to_dict() == dict.fromkeys(
        ("hum", "rub", "leak", "knock"), 3
    )
    assert chosen["path"].nunique() == 12


def test_a_recording_at_several_snrs_is_one_recording() -> None:
    rows = [
        clip(f"{snr}_{n}", path=f"{n}.wav", anomaly_type="hum", snr_db=snr)
        for snr in (-6.0, 0.0)
        for n in range(4)
    ]
    chosen = chosen_of(rows, 4)
    assert chosen["snr_db"].value_counts().to_dict() == {-6.0: 2, 0.0: 2}
    assert chosen["path"].nunique() == 4


@pytest.mark.parametrize("column", ["machine_id", "attributes"])
def test_individuals_and_their_conditions_are_spread(column: str) -> None:
    rows = [row for name in "abc" for row in segments(f"unit_{name}", 9, 2, **{column: name})]
    assert chosen_of(rows, 9)[column].value_counts().to_dict() == {"a": 3, "b": 3, "c": 3}


def test_conditions_that_only_file_names_tell_are_drawn_and_not_taken_in_order() -> None:
    rows = [row for name in "abcd" for row in segments(f"speed_{name}", 50, 1)]
    chosen = chosen_of(rows, 20)["path"].str.slice(0, 7)
    assert chosen.nunique() == 4 and chosen.value_counts().max() <= 10


def test_a_clip_without_a_file_is_its_own_recording() -> None:
    table = pd.DataFrame([clip("a", path="x.wav"), clip("b", path="x.wav"), clip("c", path=None)])
    assert recording_of(table).to_dict() == {"a": "fan/x.wav", "b": "fan/x.wav", "c": "c"}
    assert recording_of(table.drop(columns="path")).to_dict() == {"a": "a", "b": "b", "c": "c"}
