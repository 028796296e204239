"""Folders that results and downloads go to."""

from __future__ import annotations

import os


def plain_path(value: str) -> str:
    """Return a path without what changes nothing about it: ``./results//x/`` is ``results/x``.

    Raises:
        ValueError: It is blank, or holds what Snakemake would read as a wildcard or cannot write down.
    """
    if not value.strip():
        raise ValueError("write a path (a shell variable that is not set leaves nothing)")
    if "{" in value or "}" in value:
        raise ValueError("name a folder without braces, which stand for wildcards in the workflow")
    if not value.isprintable():
        raise ValueError("name a folder without line breaks or control characters")
    path = os.path.normpath(value)
    # POSIX gives exactly two leading slashes a meaning of their own, and no system in use does
    return f"/{path.lstrip('/')}" if path.startswith("//") else path
