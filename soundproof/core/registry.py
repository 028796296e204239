"""Registries of facts: what exists, what it needs, where its code is.

A registry holds *declarations*. They are light: the implementation is a dotted path that is imported on first
use, so that validating a configuration (is this detector known? does that explainer need gradients which the
detector lacks?) never imports torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from soundproof.core.errors import ConfigError, nearest
from soundproof.core.plugins import GROUPS, load, package_of, registered
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

    def trained_on(self) -> tuple[str, ...]:
        """Feature recipes that give what a trained network was trained on; none: any recipe will do."""
        return ()

    def lacking(self) -> str:
        """Why this cannot be had here, as it needs what nobody can fetch for its user; empty: it can."""
        return " ".join(filter(None, (part.lacking() for part in self.parts())))

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
    def claims(self) -> frozenset[str]:
        """Names that must not stand for anything else: its own, and those that a metric measures under."""
        return frozenset({self.name, *getattr(self, "measures", ())})

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
    """Entries of one kind by name; an unknown name is an error that names the nearest known one.

    Other packages may register more. What one of them registers belongs to the registry of a process from the
    moment that it is asked for by name: that a package is installed changes nothing of a study that does not name
    it, nor the files that are generated from registries.

    Args:
        kind: What they are, in words; :data:`soundproof.core.plugins.GROUPS` says how others register such.
        entries: The entries of this package.
    """

    def __init__(self, kind: str, entries: list[E]) -> None:
        self.kind = kind
        self._entries = {entry.name: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise ValueError(f"two {kind}s share a name")
        self._own = frozenset(self._entries)
        self._group = GROUPS.get(kind, "")

    def __getitem__(self, name: str) -> E:
        if name not in self._entries:
            self._entries[name] = self._plugged(name)
        return self._entries[name]

    def installed(self) -> list[E]:
        """Entries of this package, then those of all others that are installed, whether asked for or not.

        Raises:
            ConfigError: A name that stands for two things, or what a package registers cannot be used.
        """
        points = self.plugins()
        own = [entry for name, entry in self._entries.items() if name not in points]
        plugged = map(self._loaded, points.values())
        return [*own, *(entry for entry in plugged if self._fits(entry))]

    def plugins(self) -> Mapping[str, EntryPoint]:
        """What other packages register, by name.

        Raises:
            ConfigError: A name that stands for two things.
        """
        found = registered(self._group) if self._group else {}
        for name in sorted(self._own & found.keys()):
            self._refuse(name, found[name])
        return found

    def _plugged(self, name: str) -> E:
        points = self.plugins()
        entry = self._loaded(points[name]) if name in points else None
        if entry is None or not self._fits(entry):
            known = {*self._entries, *points} - {name}
            raise ConfigError(f"{self.kind} '{name}'", f"no {self.kind} of that name", nearest(name, known))
        taken = {claimed for own in self._own for claimed in self._entries[own].claims}
        for claimed in sorted(entry.claims & taken):
            self._refuse(claimed, points[name])
        return entry

    def _loaded(self, point: EntryPoint) -> E:
        entry = load(point)
        wanted = next(type(self._entries[name]) for name in self._own)
        if not isinstance(entry, wanted) or entry.name != point.name:
            found = f"'{entry.name}'" if isinstance(entry, wanted) else f"a {type(entry).__name__}"
            raise ConfigError(
                f"'{point.name}' of the package {package_of(point)}: a {wanted.__name__} of that name",
                found,
                f"let the entry point lead to a {wanted.__name__} that is named like it",
            )
        return entry

    def _fits(self, entry: E) -> bool:
        # metrics of all categories share a group
        return self.kind.startswith(getattr(entry, "category", ""))

    def _refuse(self, name: str, point: EntryPoint) -> NoReturn:
        raise ConfigError(
            f"the name '{name}' among '{self._group}'",
            f"the package {package_of(point)} registers it, and soundproof has one of that name",
            "have the package use another name, or uninstall it",
        )

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
        return name in self._entries or name in self.plugins()

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
