"""A choice from a registry: which thing, and its validated settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    StrictBool,
    StrictStr,
    ValidationError,
)

from soundproof.core.errors import ConfigError
from soundproof.core.messages import mapping, within
from soundproof.core.registry import Parameters, Registry
from soundproof.core.validation import first_complaint

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
"""Names that become parts of file names."""

Seed = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
C = TypeVar("C")
T = TypeVar("T")


def distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    """Return the values.

    Raises:
        ValueError: One of them stands there twice.
    """
    repeated = [value for value in values if values.count(value) > 1]
    if repeated:
        raise ValueError(f"name {repeated[0]} only once")
    return values


Seeds = Annotated[tuple[Seed, ...], Field(min_length=1), AfterValidator(distinct)]


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


class Labelled(Chosen):
    """A choice under the label that tables and file names use for it."""

    title: StrictStr

    @classmethod
    def from_plain(cls, registry: Registry[Any], label: str, value: Any) -> Self:
        """Read ``{kind, title, settings...}``; the title defaults to the registered one.

        Raises:
            ConfigError: No such kind, or settings it does not take.
        """
        rest = mapping(f"settings of '{label}'", value)
        own = {key: rest.pop(key) for key in set(cls.model_fields) - {"kind", "settings"} if key in rest}
        chosen = choose(registry, rest, label)
        fields = {"title": registry[chosen.kind].title, **own}
        try:
            return cls(kind=chosen.kind, settings=chosen.settings, **fields)
        except ValidationError as error:
            path, _, found, remedy = first_complaint(error)
            raise ConfigError(f"key '{'.'.join(path)}'", found, remedy) from error


class DetectorChoice(Labelled):
    """A detector, whether its scores are explained, and its seeds where they are not the study's."""

    explain: StrictBool = False
    seeds: Seeds | None = None


class ExplainerChoice(Labelled):
    """An explainer."""


def choose(registry: Registry[Any], value: Any, label: str | None = None) -> Chosen:
    """Read ``{kind: ..., setting: ...}``; the kind defaults to the label.

    Raises:
        ConfigError: No such kind, or settings it does not take.
    """
    rest = mapping(f"settings of '{label or registry.kind}'", value)
    # here, where a configuration is read, and not in every job: a name must not stand for two things
    registry.plugins()
    entry, settings = registry.choose(rest, label)
    return Chosen(kind=entry.name, settings=settings)


def entries(what: str, value: Any, read: Callable[[str, Any], C]) -> dict[str, C]:
    """Read a mapping of labels with ``read(label, settings)``.

    Raises:
        ConfigError: No mapping, a label unfit for a file name, or anything that ``read`` refuses.
    """
    out: dict[str, C] = {}
    for label, item in mapping(f"key '{what}'", value).items():
        if not re.fullmatch(NAME, label):
            remedy = "use letters, digits, _ and - only, the first a letter or digit"
            raise ConfigError(f"label '{label}' in '{what}'", "it would become a file name", remedy)
        with within(f"at '{what}.{label}'"):
            out[label] = read(label, item)
    return out
