"""Which normal clips stand beside a clip."""

import pandas as pd
import pytest

from soundproof.clips.normals import FEWEST, normals_of


def clips(*groups):
    """Groups of (how many, machine, id, attributes, split, label), numbered."""
    rows = [group[1:] for group in groups for _ in range(group[0])]
    frame = pd.DataFrame(rows, columns=["machine", "machine_id", "attributes", "split", "label"])
    return frame.assign(clip_id=[f"c{row:02d}" for row in range(len(frame))])


SUSPECT = (1, "fan", "0", "slow", "test", "anomaly")
TRAINING = (6, "fan", "0", "slow", "train", "normal")
OTHER_MACHINE = (9, "pump", "0", "slow", "test", "normal")


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        # the same condition
        ([(5, "fan", "0", "slow", "test", "normal"), (5, "fan", "0", "fast", "test", "normal")], range(1, 6)),
        # too few of it: the individual
        ([(4, "fan", "0", "slow", "test", "normal"), (1, "fan", "0", "fast", "test", "normal")], range(1, 6)),
        # too few of the individual: the machine
        ([(4, "fan", "0", "slow", "test", "normal"), (1, "fan", "1", "slow", "test", "normal")], range(1, 6)),
        # too few tested: all of the machine
        ([(4, "fan", "0", "slow", "test", "normal")], range(1, 11)),
    ],
)
def test_the_nearest_circle_with_enough_clips_is_taken(groups, expected):
    assert FEWEST == 5
    frame = clips(SUSPECT, *groups, TRAINING, OTHER_MACHINE)
    shuffled = frame.sample(frac=1, random_state=0)
    assert normals_of(shuffled, ["c00"]) == {"c00": [f"c{row:02d}" for row in expected]}


def test_what_nobody_noted_is_no_other_condition_and_a_clip_is_never_beside_itself():
    frame = clips((7, "fan", None, None, "test", "normal"), SUSPECT)
    assert normals_of(frame, ["c00"]) == {"c00": [f"c{row:02d}" for row in range(1, 7)]}


def test_a_machine_without_any_has_none():
    assert normals_of(clips(SUSPECT, OTHER_MACHINE), ["c00"]) == {"c00": []}
