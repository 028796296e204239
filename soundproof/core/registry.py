"""Registries of facts: what exists, what it needs, where its code is.

A registry holds *declarations*. They are light: the implementation is a dotted path that is imported on first
use, so that validating a configuration (is this detector known? does that explainer need gradients which the
detector lacks?) never imports torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from soundproof.core.errors import ConfigError, nearest
from soundproof.core.validation import first_complaint


class Parameters(BaseModel):
    """Settings of one registered thing; unknown keys are refused, values are immutable."""

    # not finite: such a number has no JSON, hence no digest
    # built when first used: a run uses few of all settings there are
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    def needed_weights(self) -> tuple[str, ...]:
        """Records of the catalogue whose pretrained weights these settings ask for."""
        return tuple(dict.fromkeys(name for part in self.parts() for name in part.needed_weights()))

    def named_modules(self) -> tuple[str, ...]:
        """Modules of registered things that these settings choose, which no import statement names."""
        return tuple(dict.fromkeys(name for part in self.parts() for name in part.named_modules()))

    def own_files(self) -> tuple[Path, ...]:
        """Files of one's own that these settings name, whose content shapes what is made with them."""
        return tuple(dict.fromkeys(path for part in self.parts() for path in part.own_files()))

    def parts(self) -> list[Parameters]:
        """Settings among these that are settings of a part, such as a backbone."""
        return [value for value in vars(self).values() if isinstance(value, Parameters)]

    def all_parts(self) -> list[Parameters]:
        """Settings of parts, and of their parts."""
        return [found for part in self.parts() for found in (part, *part.all_parts())]


def parameters(name: str, **fields: Any) -> type[Parameters]:
    """Declare the settings of a registered thing.

    Args:
        name: Name of the registered thing, used in messages and in the configuration reference.
        fields: ``setting=(type, default)`` or ``setting=(type, pydantic.Field(default, description=...))``.
    """
    return create_model(f"{name}_parameters", __base__=Parameters, **fields)


def loaded(path: str) -> Any:
    """Import and return what ``"package.module:attribute"`` names."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One registered thing.

    Attributes:
        name: Identifier used in configurations, tables and file names.
        title: Name as printed in tables and figures.
        implementation: ``"package.module:attribute"``, imported on first use.
        citation: Where it comes from.
        parameters: Settings it takes, with their defaults.
    """

    name: str
    title: str
    implementation: str
    citation: str
    parameters: type[Parameters] = Parameters

    @property
    def module(self) -> str:
        """Dotted name of the module that holds the implementation."""
        return self.implementation.partition(":")[0]

    def load(self) -> Any:
        """Import and return the implementation."""
        return loaded(self.implementation)

    def settings(self, values: Mapping[str, Any]) -> Parameters:
        """Validate ``values`` and fill in the defaults.

        Raises:
            ConfigError: An unknown key (with the nearest known one) or a value of the wrong type or range.
        """
        known = set(self.parameters.model_fields)
        for key in values:
            if key not in known:
                asked = f"setting '{key}' of '{self.name}'"
                raise ConfigError(asked, "no such setting", nearest(key, known) if known else "remove it")
        try:
            return self.parameters.model_validate(dict(values))
        except ValidationError as error:
            path, kind, found, remedy = first_complaint(error)
            if kind == "missing":
                remedy = f"set it: {self.parameters.model_fields[path[0]].description}"
            asked = f"setting '{'.'.join(path)}' of '{self.name}'" if path else f"settings of '{self.name}'"
            raise ConfigError(asked, found, remedy) from error


E = TypeVar("E", bound=Entry)


class Registry(Mapping[str, E], Generic[E]):
    """Entries of one kind by name; an unknown name is an error that names the nearest known one."""

    def __init__(self, kind: str, entries: list[E]) -> None:
        self.kind = kind
        self._entries = {entry.name: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise ValueError(f"two {kind}s share a name")

    def __getitem__(self, name: str) -> E:
        try:
            return self._entries[name]
        except KeyError:
            raise ConfigError(
                f"{self.kind} '{name}'", f"no {self.kind} of that name", nearest(name, self._entries)
            ) from None

    def choose(self, choice: Mapping[str, Any], default: str | None = None) -> tuple[E, Parameters]:
        """Read ``{kind: ..., setting: ...}``: which entry, and its settings.

        Args:
            choice: Name of the entry under ``kind``, and settings.
            default: The kind where none is named.

        Raises:
            ConfigError: No kind, none of that name, or settings that it does not take.
        """
        values = dict(choice)
        kind = values.pop("kind", default)
        if not isinstance(kind, str):
            raise ConfigError(f"a {self.kind}", f"no 'kind' in {choice!r}", f"use one of: {', '.join(self)}")
        entry = self[kind]
        return entry, entry.settings(values)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
