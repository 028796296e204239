"""Where a user writes a setting that a message asks for."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any


def where_to_set(changes: Mapping[str, Any], study: str, studies: list[str], recordings: str | None) -> str:
    """Say where keys of the data set are written, so that the same command with this addition has them.

    Args:
        changes: Keys and values.
        study: Study whose data set it is.
        studies: Studies of the run.
        recordings: What `--config recordings=` named, if anything.
    """
    if recordings is None:
        return (
            f"write under 'dataset' of study '{study}' ({', '.join(changes)}), or add to the command:\n"
            f"      --config {_overrides(changes, [study])}"
        )
    return (
        "that is, add to the command:\n"
        f"      --config {shlex.quote(f'recordings={recordings}')} {_overrides(changes, studies)}"
    )


def _overrides(changes: Mapping[str, Any], studies: list[str]) -> str:
    keys = ", ".join(f"{key}: {_flow(value)}" for key, value in changes.items())
    inner = ", ".join(f"{name}: {{dataset: {{{keys}}}}}" for name in studies)
    return shlex.quote(f"overrides={{{inner}}}")


def _flow(value: Any) -> str:
    """Print a value as YAML within braces."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*|[0-9.e+-]+", text)
    return text if plain else json.dumps(text, ensure_ascii=False)
