"""Typed views of frames: pandas does not say what a group, a row or a reshaped mean consists of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd


def groups(frame: pd.DataFrame, keys: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Yield each group's key values, in sorted order, and its rows; missing keys are a group of their own."""
    for key, part in frame.groupby(list(keys), sort=True, dropna=False):
        yield (key if isinstance(key, tuple) else (key,)), pd.DataFrame(part)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries of plain values."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def means(frame: pd.DataFrame, keys: Sequence[str], column: str = "value") -> pd.DataFrame:
    """Mean of a column by group: ``keys`` and the column; missing keys are groups of their own."""
    return pd.DataFrame(frame.groupby(list(keys), sort=True, dropna=False)[column].mean()).reset_index()
