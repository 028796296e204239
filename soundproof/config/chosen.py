"""A choice from a registry: which thing, and its validated settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, SerializeAsAny

from soundproof.errors import ConfigError
from soundproof.registry import Entry, Parameters, Registry


class Chosen(BaseModel):
    """A registered thing with its settings.

    In a file it is one mapping: ``{kind: integrated_gradients, steps: 50}``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    settings: SerializeAsAny[Parameters]

    def plain(self) -> dict[str, Any]:
        """Plain values that identify the choice (for digests and provenance)."""
        return {"kind": self.kind, **self.settings.model_dump(mode="json")}


class DetectorChoice(Chosen):
    """A detector under the label that tables use for it."""

    title: str
    explain: bool = False

    @classmethod
    def from_plain(cls, registry: Registry[Any], label: str, value: Any) -> Self:
        """Read ``{kind, title, explain, settings...}``."""
        rest = _mapping(label, value)
        title, explain = rest.pop("title", None), rest.pop("explain", False)
        chosen = choose(registry, rest, label)
        return cls(
            kind=chosen.kind,
            settings=chosen.settings,
            title=title or registry[chosen.kind].title,
            explain=explain,
        )


class ExplainerChoice(Chosen):
    """An explainer under the label that tables use for it."""

    title: str

    @classmethod
    def from_plain(cls, registry: Registry[Any], label: str, value: Any) -> Self:
        """Read ``{kind, title, settings...}``."""
        rest = _mapping(label, value)
        title = rest.pop("title", None)
        chosen = choose(registry, rest, label)
        return cls(kind=chosen.kind, settings=chosen.settings, title=title or registry[chosen.kind].title)


def choose(registry: Registry[Any], value: Any, label: str | None = None) -> Chosen:
    """Read ``{kind: ..., setting: ...}``; the kind defaults to the label.

    Raises:
        ConfigError: No such kind, or settings it does not take.
    """
    rest = _mapping(label or registry.kind, value)
    kind = rest.pop("kind", label)
    if not isinstance(kind, str):
        raise ConfigError(
            f"a {registry.kind}", f"no 'kind' in {value!r}", f"use one of: {', '.join(registry)}"
        )
    entry: Entry = registry[kind]
    return Chosen(kind=kind, settings=entry.settings(rest))


def _mapping(label: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"settings of '{label}'", f"{value!r}", "write a mapping, such as {kind: ...}")
    return dict(value)
