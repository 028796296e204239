"""Settings of frequency-band removal, and the names under which its numbers are stored."""

from __future__ import annotations

import re
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import AfterValidator, Field

from soundproof.core.registry import Parameters
from soundproof.faithfulness.settings import FaithfulnessSettings

Scale = Literal["linear", "mel", "octave"]
Removal = Literal["zero", "band_mean", "clip_median_spectrum"]
Variant = Literal["absolute", "signed"]
RelevancePolicy = Literal["absolute", "positive"]

REMOVAL_TITLES: dict[str, str] = {
    "zero": "zero",
    "band_mean": "mean over time",
    "clip_median_spectrum": "median over time",
}
"""What stands in a removed band, in print."""


def _distinct(values: tuple[object, ...]) -> tuple[object, ...]:
    if len(set(values)) != len(values):
        raise ValueError("a value stands twice")
    return values


class BandSettings(Parameters):
    """Which bands are removed, and what stands in their place."""

    scale: Scale = Field(
        "linear",
        description="linear: bands of equal width in Hz (as P3); mel: in mel; octave: one octave each, counted "
        "down from the highest frequency, the lowest band takes the rest",
    )
    bands: Annotated[tuple[Annotated[int, Field(ge=3)], ...], AfterValidator(_distinct)] = Field(
        (5, 10), min_length=1, description="numbers of bands K, each a partition of the whole axis"
    )
    removals: Annotated[tuple[Removal, ...], AfterValidator(_distinct)] = Field(
        ("zero", "clip_median_spectrum"),
        min_length=1,
        description="zero: the value 0 (as P3; the training mean of each row where features are standardised, "
        "loud on a dB scale); band_mean, clip_median_spectrum: mean or median over time of each row of the clip",
    )


class BandRemovalSettings(BandSettings, FaithfulnessSettings):
    """How relevance and effect of bands are compared."""

    relevance: RelevancePolicy = Field(
        "absolute",
        description="how relevance becomes non-negative, except beside effects that keep their sign: absolute "
        "values, or negative values set to 0",
    )


class BandProtocol(NamedTuple):
    """What the ``protocol`` column of band rows says, as ``<scale><K>[/<removal>[/<variant>]]``.

    ``linear10/zero/absolute``: ten bands of equal width in Hz, set to zero, size of the effect.

    Attributes:
        scale: Scale of the partition.
        n_bands: Number of bands K.
        removal: What stood in the removed band; empty where nothing was removed.
        variant: Whether relevance and effect keep their signs; empty where it does not matter.
    """

    scale: str
    n_bands: int
    removal: str = ""
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (f"{self.scale}{self.n_bands}", self.removal, self.variant) if part)

    @classmethod
    def parse(cls, text: str) -> BandProtocol:
        """Read what ``str`` wrote.

        Raises:
            ValueError: The text is no such name.
        """
        match = _PROTOCOL.fullmatch(text)
        if match is None:
            raise ValueError(f"'{text}' is not <scale><K>[/<removal>[/<variant>]]")
        scale, n_bands, removal, variant = match.groups(default="")
        return cls(scale, int(n_bands), removal, variant)


_PROTOCOL = re.compile(
    f"({'|'.join(get_args(Scale))})([0-9]+)"
    f"(?:/({'|'.join(get_args(Removal))})(?:/({'|'.join(get_args(Variant))}))?)?"
)
