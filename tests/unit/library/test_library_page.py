"""The page of the library, executed as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

PAGE = Path(__file__).parents[3] / "docs" / "library.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page_runs_and_says_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "notebook"}
    assert len(BLOCKS) >= 6
    for number, block in enumerate(BLOCKS):
        exec(compile(block, f"{PAGE.name}, block {number + 1}", "exec"), names)
    said = capsys.readouterr().out
    assert "(1, 40," in said and "(6, 32, 50)" in said
    compared: pd.DataFrame = names["compared"]
    # the fault is twice as loud as anything normal, and the gradient of a square is its root
    found = compared.set_index(["explainer", "axis"])["value"]
    assert found[("saliency", "cell_auroc")] > 0.95 > found[("random_map", "cell_auroc")]
    assert (
        names["ahead"]
        .query("axis == 'cell_auroc' and rival == 'chance' and explainer == 'saliency'")["beaten"]
        .item()
    )
    for picture in ("pump_15.png", "quality.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
