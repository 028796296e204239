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
"""What templates are filled with whatever the page."""
_TEMPLATES = Path(__file__).parent / "templates"


def rendered(template: str, *folders: Path, **facts: Any) -> str:
    """Text of a page: a template filled with facts; an unknown name in it is an error.

    Args:
        template: Name of its file.
        folders: Where it, and what it includes or extends, is looked for before this room's templates, which give
            all pages one look.
        facts: What it is filled with, beside :data:`CONSTANTS`.
    """
    environment = Environment(
        loader=FileSystemLoader([*folders, _TEMPLATES]),
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
