from __future__ import annotations

from pathlib import Path

import pytest

from soundproof.exhibits.registry import ARTEFACTS
from soundproof.exhibits.unasked import remove_unasked


@pytest.mark.parametrize("tables", [True, False])
def test_what_a_study_no_longer_asks_for_goes_and_all_else_stays(tables: bool, tmp_path: Path) -> None:
    mine = tmp_path / "tables" / "mine.csv"
    files = [tmp_path / file for entry in ARTEFACTS.values() for file in entry.files]
    for path in [*files, mine]:
        path.parent.mkdir(exist_ok=True)
        path.write_text("1")
    remove_unasked(tmp_path, ["verdict", "history"], tables=tables)
    kept = set(tmp_path.rglob("*.*"))
    asked = {
        tmp_path / file
        for entry in ARTEFACTS.values()
        if entry.name in ("verdict", "history") or (entry.kind == "table") != tables
        for file in entry.files
    }
    assert kept == asked | {mine}
    # nothing is left to do
    remove_unasked(tmp_path, ["verdict", "history"], tables=tables)
