"""Numbers that papers report, as ``config/reported/*.csv`` holds them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from soundproof.analysis.our_numbers import KEYS
from soundproof.core.errors import ConfigError

MARKS = {
    "C": "authors' code or its stored output",
    "V": "decoded from the vector coordinates of a figure in the authors' repository",
    "A": "title or abstract",
    "S": "second-hand, a summary by others",
    "O": "computed from first-hand data for this comparison",
    "T": "a third party's rerun, not the paper's number",
}
"""Where a reported number was found."""

COLUMNS = (
    *("quantity", "paper", "artefact", "dataset"),
    *KEYS,
    *("value", "spread", "mark", "note"),
)


def read_reported(path: Path) -> pd.DataFrame:
    """Read a file of reported numbers.

    Raises:
        ConfigError: Columns are missing or unknown, a mark is unknown, a value is no number, or a quantity
            stands twice.
    """
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    remedy = f"columns: {', '.join(COLUMNS)}; marks: {', '.join(MARKS)}"
    if list(frame.columns) != list(COLUMNS):
        raise ConfigError(f"reported numbers in {path.name}", f"columns {', '.join(frame.columns)}", remedy)
    unknown = frame.loc[~frame["mark"].isin(MARKS), "quantity"]
    twice = frame.loc[frame["quantity"].duplicated(), "quantity"]
    for problem, quantities in (("an unknown mark", unknown), ("a quantity that stands twice", twice)):
        if len(quantities):
            raise ConfigError(f"reported numbers in {path.name}", f"{problem}: {quantities.iloc[0]}", remedy)
    try:
        return frame.assign(**{name: _numbers(frame[name]) for name in ("parameter", "value", "spread")})
    except ValueError as error:
        raise ConfigError(f"reported numbers in {path.name}", str(error), "write numbers") from error


def _numbers(texts: pd.Series) -> pd.Series:
    return pd.to_numeric(texts.where(texts.ne(""), None)).astype("float64")
