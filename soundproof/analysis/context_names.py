"""The contexts that a detector knows, and what it says of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contexts:
    """The contexts that a detector has a memory of.

    Attributes:
        attribute: Condition in the clips' attributes.
        names: Its values, in the order that measurements count them in.
        step: How many places further the context lies that the detector is told of a clip: 0 its own.
    """

    attribute: str
    names: tuple[str, ...]
    step: int = 0

    def of(self, attributes: str) -> str:
        """The context of a clip."""
        return dict(part.partition("=")[::2] for part in attributes.split(";"))[self.attribute]

    def told(self, own: str) -> str:
        """The context that the detector is told of a clip."""
        return self.names[(self.names.index(own) + self.step) % len(self.names)]

    def sentence(self, named: str, told: str) -> str:
        """Say in which context what is marked would be normal."""
        if named == told:
            return f"Unusual at {self.attribute}={told}, and no less so at any other."
        return f"Normal at {self.attribute}={named}, not at {self.attribute}={told}."
