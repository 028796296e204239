"""Rules: which attributes speak for which fault. Light: importing this loads no numerical library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml
from pydantic import Field, PositiveFloat, ValidationError, model_validator

from soundproof.core.errors import ConfigError, nearest
from soundproof.core.registry import Parameters
from soundproof.core.validation import first_complaint
from soundproof.core.yaml_loader import read_yaml
from soundproof.reasons.attributes import ATTRIBUTES

SHIPPED = Path(__file__).with_name("rules.yaml")


class Condition(Parameters):
    """What a rule asks of one attribute; an attribute that is absent meets no condition."""

    above: float | None = Field(None, description="it exceeds this")
    below: float | None = Field(None, description="it falls short of this")
    near: tuple[PositiveFloat, ...] = Field((), description="it lies near one of these")
    away_from: tuple[PositiveFloat, ...] = Field((), description="it lies near none of these")
    within: PositiveFloat = Field(0.05, lt=1, description="how near, as a part of the value")

    @model_validator(mode="after")
    def _asks_something(self) -> Condition:
        if self.above is None and self.below is None and not self.near and not self.away_from:
            raise ValueError("a condition says 'above', 'below', 'near' or 'away_from'")
        return self

    def met(self, value: float) -> bool:
        """Whether a value meets it."""

        def close(targets: tuple[float, ...]) -> bool:
            return any(abs(value / target - 1) <= self.within for target in targets)

        return (
            (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
            and (not self.near or close(self.near))
            and not close(self.away_from)
        )


class Rule(Parameters):
    """A fault, and the attributes that speak for it.

    Raises:
        ConfigError: An attribute that nobody measures.
    """

    fault: str = Field(min_length=1, description="name of the fault")
    words: str = Field(min_length=1, description="the fault in plain words, as the sentence ends with it")
    source: str = Field(min_length=1, description="where the rule comes from")
    when: dict[str, Condition] = Field(
        min_length=1, description="what is asked of attributes, all of which must hold"
    )

    @model_validator(mode="after")
    def _known_attributes(self) -> Rule:
        for name in self.when:
            if name not in ATTRIBUTES:
                raise ConfigError(
                    f"attribute '{name}' in the rule for '{self.fault}'",
                    "no such attribute is measured",
                    nearest(name, ATTRIBUTES),
                )
        return self

    def holds(self, values: Mapping[str, float]) -> bool:
        """Whether all conditions are met."""
        return all(name in values and condition.met(values[name]) for name, condition in self.when.items())


def read_rules(text: str, where: str) -> tuple[Rule, ...]:
    """Rules of a YAML list.

    Args:
        text: The YAML.
        where: What to call it in errors.

    Raises:
        ConfigError: It is no list of rules, or a rule names an attribute that nobody measures.
    """
    try:
        listed = read_yaml(text)
        if not isinstance(listed, list):
            raise ConfigError(
                f"a list of rules in {where}", type(listed).__name__, "begin each rule with '- fault:'"
            )
        return tuple(Rule.model_validate(item) for item in listed)
    except yaml.YAMLError as error:
        raise ConfigError(f"YAML in {where}", str(error).partition("\n")[0], "correct the file") from None
    except ValidationError as error:
        path, _, found, remedy = first_complaint(error)
        raise ConfigError(f"'{'.'.join(path)}' of a rule in {where}", found, remedy) from None


@cache
def shipped_rules() -> tuple[Rule, ...]:
    """The rules in ``rules.yaml``, beside this file."""
    return read_rules(SHIPPED.read_text(encoding="utf-8"), SHIPPED.name)


def likely(values: Mapping[str, float], rules: Sequence[Rule]) -> Rule | None:
    """The first rule that holds; None: one cannot tell.

    Args:
        values: Attributes by name.
        rules: In the order in which they are asked.
    """
    return next((rule for rule in rules if rule.holds(values)), None)
