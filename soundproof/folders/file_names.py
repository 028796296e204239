"""Names of files that the workflow cannot carry; all others are names and nothing else, whatever they look like."""

from __future__ import annotations

import re
from collections.abc import Iterable

from soundproof.core.errors import DataError

_WILDCARD = re.compile(r"\{[^{}]*\w[^{}]*\}")


def refuse_unfit(paths: Iterable[str]) -> None:
    """Refuse names that Snakemake would read as something else, or cannot write down.

    Args:
        paths: Paths of inputs.

    Raises:
        DataError: A name has a line break (lists of files are kept line by line), a word in braces (a wildcard), or
            is no UTF-8.
    """
    for path in paths:
        problem = _problem(path)
        if problem:
            shown = path.encode("unicode_escape").decode("ascii")
            raise DataError(f"the file '{shown}'", f"{problem} in its name", "rename it (and its labels)")


def _problem(path: str) -> str:
    if "\n" in path or "\r" in path:
        return "a line break"
    if _WILDCARD.search(path):
        return "a word in braces"
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return "bytes that are no UTF-8"
    return ""
