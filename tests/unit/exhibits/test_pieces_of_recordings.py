"""Three pieces of each recording that all say the same are no more evidence than one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toys.study import full_study

from soundproof.analysis.results import StudyResults
from soundproof.exhibits.registry import ARTEFACTS

PIECES = 3


def cut(results: StudyResults) -> StudyResults:
    """The study with every test clip given as pieces of one recording, each with the clip's own values."""
    clips, rows = results.clips, results.measurements
    pieces = [
        clips.assign(path=clips["clip_id"] + ".wav", clip_id=clips["clip_id"] + f"_{piece}")
        for piece in range(PIECES)
    ]
    of_clips = rows[rows["clip_id"].notna()]
    values = [of_clips.assign(clip_id=of_clips["clip_id"] + f"_{piece}") for piece in range(PIECES)]
    return replace(
        results,
        clips=pd.concat(pieces, ignore_index=True),
        measurements=pd.concat([rows[rows["clip_id"].isna()], *values], ignore_index=True),
    )


def uncertain(frame: pd.DataFrame) -> pd.DataFrame:
    """Values, ends of intervals and p of an exhibit, as numbers; rows by what they are about, for values tie."""
    words = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    frame = frame.sort_values(words, kind="stable", key=lambda column: column.astype(str))
    kept = [
        name
        for name in map(str, frame.columns)
        if name.endswith(("value", "ci_low", "ci_high", "_low", "_high"))
        or name in ("p", "p_holm", "p_machines", "p_machines_holm", "difference", "rank_biserial")
    ]
    return frame[kept].apply(pd.to_numeric, errors="coerce")


@pytest.fixture(scope="module")
def studies() -> tuple[StudyResults, StudyResults]:
    whole = full_study(("fan", "pump"), 6)
    return whole, cut(whole)


@pytest.mark.parametrize(
    "name", [name for name, entry in ARTEFACTS.items() if entry.kind in ("table", "figure")]
)
def test_an_exhibit_is_as_sure_of_three_pieces_as_of_one_recording(studies, name):
    whole, pieces = (ARTEFACTS[name].load()(study).frame for study in studies)
    expected, found = uncertain(whole), uncertain(pieces)
    assert list(found) == list(expected) and len(found) == len(expected)
    for column in expected:
        np.testing.assert_allclose(found[column], expected[column], atol=1e-9, err_msg=column)
