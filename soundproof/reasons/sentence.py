"""One sentence about a sound, in which every number is an attribute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from soundproof.reasons.rules import Rule

MISSING_DB = -3.0
"""Level below which sound is missing."""
REPEATED_DB = 12.0
"""Prominence from which on a repetition is stated."""
TONAL = 0.25
"""Share of lines from which on the sound is a tone."""
KNOCKS = 0.16
"""Share of the time below which a sound is single knocks."""
STEADY = 0.6
"""Share of the time from which on it is steady."""
NARROW_OCTAVES = 1.0
"""Width below which a burst is said to ring at one frequency."""
NOTHING = "The map marks nothing, so there is nothing to say."
SILENT = "What the map marks is silent."
CANNOT_TELL = "Cannot tell which fault it is."


@dataclass(frozen=True)
class Sentence:
    """What is said.

    Attributes:
        text: The sentence.
        stated: Attributes whose numbers it holds, in their order.
    """

    text: str
    stated: tuple[str, ...]


def sentence(values: Mapping[str, float], normal: Mapping[str, float]) -> Sentence:
    """Say what was measured.

    Args:
        values: Attributes of the marked sound.
        normal: The same of the same cells of normal clips.
    """
    if "level_db" not in values:
        return Sentence(NOTHING, ())
    where, stated_where = _where(values)
    when = f"from {values['onset_s']:.1f} to {values['offset_s']:.1f} s"
    times = ("onset_s", "offset_s")
    level = values["level_db"]
    if level < MISSING_DB:
        text = f"Sound is missing {where} {when}: {-level:.0f} dB below normal."
        return Sentence(text, (*stated_where, *times, "level_db"))
    if "duty" not in values:
        return Sentence(SILENT, ())
    what, stated = _what(values, where, stated_where)
    # whole first: a rounded negative zero would read as a direction
    rest = f"{round(level):+d} dB {'over' if round(level) >= 0 else 'against'} normal"
    none = "; normal clips have none" if _is_new(values, normal) else ""
    return Sentence(f"{what}, {when}, {rest}{none}.", (*stated, *times, "level_db"))


def with_fault(text: str, rule: Rule | None) -> str:
    """The sentence and the fault that it speaks for."""
    return f"{text} {CANNOT_TELL}" if rule is None else f"{text} Likely {rule.words}."


def _what(
    values: Mapping[str, float], where: str, stated_where: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """The kind of sound in words, and the attributes stated."""
    if _tonal(values):
        count = round(values["line_count"])
        tones = f"{count} steady tones" if count > 1 else "A steady tone"
        return f"{tones} on multiples of {_hz(values['fundamental_hz'])}", ("line_count", "fundamental_hz")
    if _repeated(values):
        rate = f"{values['rate_hz']:.0f} times a second"
        if values["width_octaves"] < NARROW_OCTAVES:
            return f"Impacts {rate}, ringing at {_hz(values['peak_hz'])}", ("rate_hz", "peak_hz")
        return f"Bursts of noise {rate}, {where}", ("rate_hz", *stated_where)
    if values["duty"] < KNOCKS:
        share = f"{100 * values['duty']:.0f} % of the time"
        return f"Single knocks, {share}, ringing at {_hz(values['peak_hz'])}", ("duty", "peak_hz")
    kind = "Steady noise" if values["duty"] > STEADY else "Unsteady noise"
    return f"{kind} {where}", stated_where


def _is_new(values: Mapping[str, float], normal: Mapping[str, float]) -> bool:
    """Whether normal clips lack, in the same cells, what the sentence speaks of."""
    if _tonal(values):
        return not _tonal(normal)
    if _repeated(values):
        return not _repeated(normal)
    return values["duty"] < KNOCKS <= normal.get("duty", 0.0)


def _tonal(values: Mapping[str, float]) -> bool:
    return values.get("tonality", 0.0) > TONAL and "fundamental_hz" in values


def _repeated(values: Mapping[str, float]) -> bool:
    return values.get("rate_prominence_db", 0.0) > REPEATED_DB


def _where(values: Mapping[str, float]) -> tuple[str, tuple[str, ...]]:
    return f"between {_hz(values['low_hz'])} and {_hz(values['high_hz'])}", ("low_hz", "high_hz")


def _hz(value: float) -> str:
    return f"{value / 1000:.1f} kHz" if value >= 1000 else f"{value:.0f} Hz"
