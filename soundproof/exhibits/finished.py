"""What a table function hands over: numbers, words and how they print."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

MISSING = " Not available: "
"""Stands in captions before the reason why a table or figure has no numbers."""


@dataclass(frozen=True)
class Column:
    """A printed column; several columns of the frame may share one.

    Attributes:
        header: Heading in print.
        value: Column of the frame that holds the value.
        low: Column with the lower end of its interval; printed as ``0.63 [0.58, 0.68]``.
        high: Column with the upper end.
        digits: Decimals of floating-point values.
    """

    header: str
    value: str
    low: str | None = None
    high: str | None = None
    digits: int = 2


@dataclass(frozen=True)
class FinishedTable:
    """A table ready to be written.

    Attributes:
        frame: All numbers at full precision, one row per printed row.
        caption: Sentences that make the table understandable without the page around it.
        formats: Printed columns in order; a column of the frame that is not among them is in the Parquet and
            CSV files only.
        warnings: Sentences that a reader must not miss.
    """

    frame: pd.DataFrame
    caption: str
    formats: tuple[Column, ...]
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        named = {name for column in self.formats for name in (column.value, column.low, column.high) if name}
        missing = sorted(named - set(self.frame.columns))
        if missing:
            raise ValueError(f"printed columns that the frame does not have: {', '.join(missing)}")


def absent(reason: str, formats: tuple[Column, ...], caption: str) -> FinishedTable:
    """A table without a number: one row that says why.

    Args:
        reason: What is missing.
        formats: The columns that the table would have had.
        caption: The caption that it would have had.
    """
    names = [name for column in formats for name in (column.value, column.low, column.high) if name]
    frame = pd.DataFrame({name: pd.Series([None], dtype=object) for name in names if name != "reason"})
    frame["reason"] = reason
    return FinishedTable(frame, f"{caption}{MISSING}{reason}.", (Column("Reason", "reason"),))


def reason_missing(caption: str) -> str:
    """Why a table or figure has no numbers, from its caption; empty: it has some."""
    reason = caption.partition(MISSING)[2].partition(" Regenerates ")[0]
    return reason.strip().removesuffix(".")
