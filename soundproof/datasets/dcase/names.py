"""What a DCASE Task 2 file name says, and the name that says it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from soundproof.core.errors import DataError

_BY_ID = re.compile(r"(?:(?P<label>normal|anomaly)_)?id_(?P<section>\d\d)_(?P<number>\d+)\.wav")
_BY_SECTION = re.compile(
    r"section_(?P<section>\d\d)(?:_test(?=_\d+\.wav))?"
    r"(?:_(?P<domain>source|target)_(?P<split>train|test)(?:_(?P<label>normal|anomaly))?)?"
    r"_(?P<number>\d+)(?P<tail>_.*)?\.wav"
)
_SCHEMES = {
    2020: "normal_id_01_00000000.wav (unlabelled: id_01_00000000.wav)",
    2021: "section_00_source_train_normal_0000_<attributes>.wav (unlabelled: section_03_source_test_0000.wav)",
    # some machines of 2024 have section_00_test_0000.wav
    2022: "section_00_source_train_normal_0000_<attributes>.wav (unlabelled: section_03_0000.wav)",
}


@dataclass(frozen=True, kw_only=True)
class ClipName:
    """The parts of a file name.

    Attributes:
        section: Two digits: section, or machine id in 2020.
        number: Digits with their leading zeros.
        label: ``normal``, ``anomaly``, or None in evaluation sets.
        domain: ``source``, ``target`` or None.
        split: ``train``, ``test`` or None.
        tail: What follows the number, with its leading underscore: conditions of the recording since 2021.
    """

    section: str
    number: str
    label: str | None = None
    domain: str | None = None
    split: str | None = None
    tail: str = ""

    @classmethod
    def parse(cls, name: str, year: int) -> ClipName:
        """Read a file name.

        Raises:
            DataError: The name is not one of that year; the message shows the scheme.
        """
        match = (_BY_ID if year == 2020 else _BY_SECTION).fullmatch(name)
        parts = {} if match is None else {key: value or None for key, value in match.groupdict().items()}
        if not parts or not _belongs(parts, year):
            scheme = _SCHEMES[min(year, 2022)]
            raise DataError(
                f"the file name '{name}' of DCASE {year}", "not the scheme", f"expected is {scheme}"
            )
        return cls(**{**parts, "tail": parts.get("tail") or ""})  # type: ignore[arg-type]  # as the pattern says

    def file_name(self, year: int) -> str:
        """Write the name of that year's scheme."""
        if year == 2020:
            return "_".join(part for part in (self.label, "id", self.section, self.number) if part) + ".wav"
        middle = (self.domain, self.split, self.label)
        parts = ("section", self.section, *middle, self.number)
        return "_".join(part for part in parts if part) + f"{self.tail}.wav"


def without_split(name: str) -> str:
    """Drop ``test`` from an unlabelled name since 2022: lists of the truth leave it out where files have it."""
    return re.sub(r"^(section_\d\d)_test(_\d+\.wav)$", r"\1\2", name)


def _belongs(parts: dict[str, str | None], year: int) -> bool:
    """Whether these parts occur together in that year."""
    if year == 2020 or parts["label"]:
        return True
    return not parts["tail"] and (parts["domain"] is not None) == (year == 2021)
