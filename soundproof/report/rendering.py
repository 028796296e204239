"""From templates to files of HTML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from soundproof.analysis.verdict import ASPECTS, Verdict
from soundproof.report.answer import MEANINGS, SYMBOLS
from soundproof.storage.files import whole_file

CONSTANTS: Mapping[str, Any] = {
    "aspects": ASPECTS,
    "verdicts": list(Verdict),
    "symbols": SYMBOLS,
    "meanings": MEANINGS,
}
"""What templates of this room are filled with whatever the page."""


def rendered(template: str, **facts: Any) -> str:
    """Text of a page: a template of this room, filled with facts; an unknown name in it is an error."""
    folder = Path(__file__).parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(**CONSTANTS, **facts)


def write_page(path: Path, text: str) -> Path:
    """Write a page, whole or not at all, and return its path."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
    return path
