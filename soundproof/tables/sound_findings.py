"""What the tables of faithfulness on the sound found, in words, by stated rules."""

from __future__ import annotations

from typing import Any

import pandas as pd

from soundproof.analysis.frames import records

SOUND = "the sound"
AGREEMENT_RULE = (
    "Two criteria agree where the interval lies above zero, oppose each other where it lies below."
)
PREDICTION_RULE = "One predicts better than another where their intervals do not overlap."


def agreements_found(ranked: pd.DataFrame) -> str:
    """Count the pairs of criteria that rank the explainers of a clip alike, and name the closest.

    Args:
        ranked: Columns detector_title, on_sound, on_features, value, ci_low, ci_high; a row per pair of criteria.
    """
    if ranked.empty:
        return ""
    agree, oppose = ranked[ranked["ci_low"] > 0], ranked[ranked["ci_high"] < 0]
    n_open = len(ranked) - len(agree) - len(oppose)
    counts = (
        f"of {len(ranked)} pairs {len(agree)} agree, {len(oppose)} oppose each other, {n_open} are undecided"
    )
    best = max(records(ranked), key=lambda row: row["value"])
    names = f"{best['on_sound']} and {best['on_features']} of {best['detector_title']}"
    return f"{AGREEMENT_RULE} Found: {counts}; closest are {names}, {_number(best)}."


def predictions_found(frame: pd.DataFrame) -> str:
    """Say for each detector whether the best criterion on the sound predicts better than the best on the features.

    Args:
        frame: Columns detector_title, criterion, kind, place, value, ci_low, ci_high.
    """
    said = []
    for title, rows in frame.groupby("detector_title", sort=False):
        on_sound = [row for row in records(rows) if row["kind"] == SOUND]
        on_features = [row for row in records(rows) if row["kind"] != SOUND]
        if on_sound and on_features:
            said.append(
                f"of {title}, {_compared(*(max(part, key=_value) for part in (on_sound, on_features)))}"
            )
    place = frame["place"].iloc[0]
    return f"{PREDICTION_RULE} Found for {place}: {'; '.join(said)}." if said else ""


def _compared(sound: dict[str, Any], features: dict[str, Any]) -> str:
    names = [f"{row['criterion']} ({_number(row)})" for row in (sound, features)]
    if sound["ci_low"] > features["ci_high"]:
        return f"{names[0]}, on the sound, predicts better than {names[1]}, the best on the features"
    if features["ci_low"] > sound["ci_high"]:
        return f"{names[1]}, on the features, predicts better than {names[0]}, the best on the sound"
    pair = f"{names[0]}, the best on the sound, predicts better or worse than {names[1]}, the best on the features"
    return f"nothing says that {pair}"


def _value(row: dict[str, Any]) -> float:
    return float(row["value"])


def _number(row: dict[str, Any]) -> str:
    interval = "" if pd.isna(row["ci_low"]) else f" [{row['ci_low']:.2f}, {row['ci_high']:.2f}]"
    return f"{row['value']:.2f}{interval}"
