"""Describe the keys of a settings model in words, for comments and reference tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

_TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "`true` or `false`",
    "null": "`null`",
    "object": "mapping",
}
_LIMITS = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Key:
    """A key of a settings model.

    Attributes:
        name: Key as written in a file.
        type: Type and limits in words.
        default: Default as written in a file, ``required``, or ``see below``.
        description: What it means.
    """

    name: str
    type: str
    default: str
    description: str


def keys_of(model: type[BaseModel]) -> list[Key]:
    """The keys of a model in the order of their declaration."""
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return [
        Key(name, _type(field), _default(field, name in required), _in_yaml(field.get("description", "")))
        for name, field in schema.get("properties", {}).items()
    ]


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Markdown table."""
    names = list(headings)
    lines = [names, ["---"] * len(names), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def key_table(keys: Iterable[Key]) -> str:
    """Markdown table of keys."""
    rows = [(f"`{key.name}`", key.type, key.default, key.description) for key in keys]
    return table(("key", "type", "default", "meaning"), rows)


def _type(schema: Schema) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "prefixItems" in schema:
        return f"list of {len(schema['prefixItems'])}: {', '.join(map(_type, schema['prefixItems']))}"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    # what is neither is a reference to another section
    words = _TYPES[schema.get("type", "object")]
    limits = [f"{sign} {_number(schema[limit])}" for limit, sign in _LIMITS.items() if limit in schema]
    return f"{words} {' and '.join(limits)}" if limits else words


def _number(value: float) -> str:
    return f"{value:g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _in_yaml(description: str) -> str:
    return description.replace("None:", "`null`:")


def _default(schema: Schema, required: bool) -> str:
    if required:
        return "required"
    return f"`{json.dumps(schema['default'])}`" if "default" in schema else "see below"
