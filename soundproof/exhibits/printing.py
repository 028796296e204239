"""How a finished table reads as Markdown and LaTeX; nothing is rounded before this point."""

from __future__ import annotations

from typing import Any

import pandas as pd

from soundproof.exhibits.finished import Column, FinishedTable

MISSING = "–"
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "–": "--",
        "−": "$-$",
        "×": r"$\times$",
        "±": r"$\pm$",
        "τ": r"$\tau$",
        "≥": r"$\geq$",
        "≤": r"$\leq$",
    }
)


def number(value: Any, digits: int) -> str:
    """Print one value: floating-point values with ``digits`` decimals, a missing value as a dash."""
    if pd.isna(value):
        return MISSING
    if isinstance(value, float):
        # a rounded negative zero would read as a direction
        return f"{round(value, digits) + 0.0:.{digits}f}"
    return str(value)


def printed(table: FinishedTable) -> pd.DataFrame:
    """Return the table as text, one column per :class:`Column`, value and interval joined."""
    return pd.DataFrame(
        {column.header: _printed(table.frame, column) for column in table.formats}, dtype=object
    )


def _value(value: Any, digits: int) -> str:
    smallest = 10.0**-digits
    if isinstance(value, float) and 0 < value < smallest / 2:
        return f"< {smallest:.{digits}f}"
    return number(value, digits)


def _printed(frame: pd.DataFrame, column: Column) -> list[str]:
    values = [_value(value, column.digits) for value in frame[column.value]]
    if column.low is None or column.high is None:
        return values
    ends = zip(frame[column.low], frame[column.high], strict=True)
    return [
        f"{value}{_without(why, value)}"
        if pd.isna(low) or pd.isna(high)
        else f"{value} [{number(low, column.digits)}, {number(high, column.digits)}]"
        for value, (low, high), why in zip(values, ends, _reasons(frame, column.low), strict=True)
    ]


def _reasons(frame: pd.DataFrame, low: str) -> list[str]:
    """Why an interval is missing: the column ``interval`` beside ``ci_low``, where the frame has it."""
    name = f"{low.removesuffix('ci_low')}interval"
    return list(frame[name].astype("object").fillna("")) if name in frame else [""] * len(frame)


def _without(why: str, value: str) -> str:
    return f" ({why})" if why and value != MISSING else ""


def latex_text(text: str) -> str:
    """Escape plain text for LaTeX."""
    return text.translate(_LATEX)


def to_markdown(table: FinishedTable, title: str) -> str:
    """Return heading, pipe table, caption and cautions."""
    cells = printed(table).map(lambda text: text.replace("|", r"\|").replace("\n", " "))
    body = cells.to_markdown(index=False, tablefmt="pipe", disable_numparse=True)
    cautions = "".join(f"\n> **Caution.** {sentence}\n" for sentence in table.warnings)
    return f"# {title}\n\n{body}\n\n{table.caption}\n{cautions}"


def to_latex(table: FinishedTable, name: str) -> str:
    """Return a ``table`` environment with the rules of the booktabs package."""
    cells = printed(table).map(latex_text)
    cells.columns = pd.Index([latex_text(header) for header in cells.columns])
    words = " ".join([table.caption, *(f"Caution: {sentence}" for sentence in table.warnings)])
    left = "".join("r" if numeric else "l" for numeric in numeric_columns(table))
    return cells.to_latex(
        index=False,
        escape=False,
        caption=latex_text(words),
        label=f"tab:{name.lower().replace('_', '-')}",
        column_format=left,
        position="tbp",
    )


def numeric_columns(table: FinishedTable) -> list[bool]:
    """Tell which printed columns hold numbers, which are aligned to the right."""
    return [pd.api.types.is_numeric_dtype(table.frame[column.value]) for column in table.formats]
