"""What pydantic complains about, in the words of someone who writes a YAML file."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from soundproof.core.redaction import redact

_REMEDIES = {
    "missing": "give it a value",
    "extra_forbidden": "remove it",
    "tuple_type": "write a list, such as [a, b]",
    "list_type": "write a list, such as [a, b]",
    "dict_type": "write a mapping, such as {{key: value}}",
    "mapping_type": "write a mapping, such as {{key: value}}",
    "model_type": "write a mapping, such as {{key: value}}",
    "model_attributes_type": "write a mapping, such as {{key: value}}",
    "string_type": "write text, in quotes if it looks like a number or a date",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "finite_number": "write a finite number",
    "greater_than": "it must be above {gt}",
    "greater_than_equal": "it must be at least {ge}",
    "less_than": "it must be below {lt}",
    "less_than_equal": "it must be at most {le}",
    "literal_error": "use one of: {expected}",
    "too_short": "name at least {min_length}",
    "string_too_short": "write at least {min_length} character",
    "string_pattern_mismatch": "use letters, digits, _ and - only, the first a letter or digit",
    "value_error": "{error}",
}
_EMPTY = {"missing": "nothing", "extra_forbidden": "no such key"}


def first_complaint(error: ValidationError) -> tuple[list[str], str, str, str]:
    """Put the first complaint of a validation in words.

    Returns:
        The path of keys, the kind of complaint (pydantic's ``type``), what was found and what to do.
    """
    first = error.errors()[0]
    kind = first["type"]
    found = _EMPTY.get(kind) or _shown(first["input"])
    remedy = _REMEDIES.get(kind, first["msg"]).format(**first.get("ctx", {}))
    if first["input"] is None and kind not in _EMPTY:
        remedy += ", or remove the key to have its default"
    return [str(part) for part in first["loc"]], kind, found, remedy


def _shown(value: Any) -> str:
    return "no value (null)" if value is None else redact(repr(value))
