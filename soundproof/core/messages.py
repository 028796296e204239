"""Errors of a configuration that name the key, what stands there and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from soundproof.core.errors import ConfigError, nearest
from soundproof.core.validation import first_complaint

M = TypeVar("M", bound=BaseModel)


@contextmanager
def within(place: str) -> Iterator[None]:
    """Say in configuration errors of the block where they belong."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{error.asked}, {place}", error.found, error.remedy) from error


def validate(model: type[M], values: Mapping[str, Any], where: str) -> M:
    """Validate ``values``.

    Raises:
        ConfigError: An unknown key (with the nearest known one) or a value that cannot be used.
    """
    with within(where):
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise _readable(model, error) from error


def mapping(what: str, value: Any) -> dict[str, Any]:
    """Return a mapping's items; nothing at all is an empty one.

    Raises:
        ConfigError: Something other than a mapping.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(what, repr(value), "write a mapping, such as {key: value}")
    return {str(key): item for key, item in value.items()}


def _readable(model: type[BaseModel], error: ValidationError) -> ConfigError:
    path, kind, found, remedy = first_complaint(error)
    if not path:
        return ConfigError(f"settings of a {model.__name__.lower()}", found, remedy)
    if kind == "extra_forbidden":
        remedy = nearest(path[-1], _keys_at(model, path[:-1]))
    return ConfigError(f"key '{'.'.join(path)}'", found, remedy)


def _keys_at(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        field = model.model_fields.get(part)
        inner = next(_models(field.annotation), None) if field else None
        if inner is None:
            break
        model = inner
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
