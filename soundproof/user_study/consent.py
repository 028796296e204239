"""What raters agree to before the first question."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from soundproof.core.errors import ConfigError

CONSENT = (
    "You will be asked {n_questions} questions about sounds of machines and pictures of them. This takes about "
    "{minutes} minutes. Use headphones if you can, in a quiet place, and set a comfortable volume first: some "
    "sounds are sudden.",
    "Taking part is voluntary. You may stop at any time without giving a reason, by closing this page; then "
    "nothing is kept.",
    "Kept are the code that you enter, your answers, when you began, how long each answer took and how often "
    "sounds were played. Nothing else is recorded, and nothing is sent: at the end you save a file and hand "
    "it over yourself. Until then you can decide not to. Some questions check whether sound works and "
    "questions are read.",
    "The answers tell how well explanations of a program help people. They say nothing about you.",
)
"""Paragraphs of the page, unless others are given; both braces are filled in."""
SECONDS = 25
"""What a question is taken to last."""


def filled_in(paragraphs: Iterable[str], n_questions: int) -> list[str]:
    """Paragraphs with the number of questions, and of minutes that they take."""
    minutes = math.ceil(SECONDS * n_questions / 60)
    return [paragraph.format(n_questions=n_questions, minutes=minutes) for paragraph in paragraphs]


def read_consent(path: Path) -> tuple[str, ...]:
    """Read paragraphs of one's own, parted by empty lines.

    Raises:
        ConfigError: The file cannot be read, is empty, or holds braces that stand for nothing.
    """
    asked = f"the text that raters agree to: {path}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(asked, str(error), "give a text file in UTF-8 with --consent") from error
    paragraphs = tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())
    if not paragraphs:
        raise ConfigError(asked, "an empty file", "write what raters agree to, or leave --consent out")
    try:
        filled_in(paragraphs, 0)
    except (KeyError, IndexError, ValueError) as error:
        remedy = "write {n_questions} or {minutes} for these numbers, and no other braces"
        raise ConfigError(asked, f"braces that stand for nothing ({error})", remedy) from error
    return paragraphs
