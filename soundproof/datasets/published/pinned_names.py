"""Machine names that pin an individual or an SNR, so that each gets a model of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from soundproof.core.errors import ConfigError, nearest

_NAME = re.compile(r"(?P<kind>[A-Za-z0-9_]+?)(?:_id_(?P<individual>\d\d))?(?:_(?P<snr>-?\d+)dB)?")


class PinnedName(NamedTuple):
    """A machine as a study names it: ``fan``, ``fan_id_00``, ``fan_-6dB`` or ``fan_id_00_-6dB``.

    Attributes:
        kind: Machine type or class of background.
        individual: Two digits; None: all individuals, together.
        snr_db: SNR in dB; None: all that the study asks for, together.
    """

    kind: str
    individual: str | None = None
    snr_db: int | None = None

    def __str__(self) -> str:
        individual = "" if self.individual is None else f"_id_{self.individual}"
        return f"{self.kind}{individual}{'' if self.snr_db is None else f'_{self.snr_db}dB'}"

    @classmethod
    def parse(cls, name: str, kinds: Sequence[str]) -> PinnedName:
        """Read a name.

        Raises:
            ConfigError: Its kind is none of ``kinds``.
        """
        match = _NAME.fullmatch(name)
        if match is None or match["kind"] not in kinds:
            raise ConfigError(f"machine '{name}'", "no such machine", nearest(name, kinds))
        return cls(match["kind"], match["individual"], None if match["snr"] is None else int(match["snr"]))


def spelled_out(
    names: Iterable[PinnedName], individuals: Sequence[str] = (), snrs_db: Sequence[int] = ()
) -> tuple[PinnedName, ...]:
    """Pin every name that leaves individual or SNR open to each of those given; none given: leave it open."""
    return tuple(
        PinnedName(name.kind, individual, snr_db)
        for name in names
        for individual in ([name.individual] if name.individual or not individuals else individuals)
        for snr_db in ([name.snr_db] if name.snr_db is not None or not snrs_db else snrs_db)
    )


def refuse_overlap(names: Sequence[PinnedName], individuals: Sequence[str], snrs_db: Sequence[int]) -> None:
    """Refuse names that share clips, such as ``fan`` beside ``fan_id_00``.

    Raises:
        ConfigError: The two names.
    """
    owners: dict[PinnedName, PinnedName] = {}
    for name in names:
        for single in spelled_out([name], individuals, snrs_db):
            owner = owners.setdefault(single, name)
            if owner != name or list(names).count(name) > 1:
                raise ConfigError(
                    f"machines '{owner}' and '{name}'", "they share clips", "name each clip's machine once"
                )
