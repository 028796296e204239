"""Pictures of pages in docs/images are small, pictures, and shown somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PICTURES = sorted((ROOT / "docs" / "images").glob("*"))
TEXT = "".join(
    path.read_text(encoding="utf-8") for path in (*(ROOT / "docs").glob("*.md"), ROOT / "README.md")
)


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_small_and_shown(path: Path) -> None:
    assert path.suffix == ".png" and path.stat().st_size <= 150_000
    assert f"images/{path.name})" in TEXT
    with Image.open(path) as picture:
        assert picture.width == 1280
