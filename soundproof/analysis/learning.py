"""Detectors that learnt nothing: read off their training histories, said where their figures stand."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from soundproof.analysis.results import StudyResults

LEAST_GAIN = 0.05
"""A training that lowers the validation loss by a smaller part of the trivial answer's has learnt nothing."""


def gain(history: pd.DataFrame) -> float:
    """Part of the trivial answer's validation loss that training took away; NaN where there is no such answer.

    The trivial answer is the same for every clip: the mean of each band.

    Args:
        history: Columns of :data:`soundproof.storage.schemas.HISTORY`, at least one row.
    """
    if "trivial_loss" not in history.columns:
        return float("nan")
    best = history[history["best"]]
    trivial = float(best["trivial_loss"].iloc[-1])
    return 1 - float(best["validation_loss"].iloc[-1]) / trivial if trivial > 0 else float("nan")


def stopped_at_once(history: pd.DataFrame) -> bool:
    """Whether no later epoch was better on the validation clips than the first."""
    return len(history) > 1 and bool(history["best"].iloc[0])


def learning_warnings(results: StudyResults) -> tuple[str, ...]:
    """Warn of detectors that learnt nothing about single clips, or nothing after the first epoch."""
    by_label: dict[str, list[pd.DataFrame]] = {}
    for (label, _), history in sorted(results.histories.items(), key=lambda item: item[0]):
        by_label.setdefault(label, []).append(history)
    found = (
        _warning(results.detector_title(label), by_label[label]) for label in results.detectors(by_label)
    )
    return tuple(sentence for sentence in found if sentence)


def _warning(title: str, histories: Sequence[pd.DataFrame]) -> str:
    without = [history for history in histories if gain(history) < LEAST_GAIN]
    if without:
        worst = min(without, key=gain)
        loss = worst.loc[worst["best"], "validation_loss"].iloc[-1]
        trivial = worst["trivial_loss"].iloc[-1]
        return (
            f"{title} learnt nothing about single clips ({_share(without, histories)}): of clips that it was not "
            f"trained on, it tells no more than the mean of each band does (loss {loss:.3g}, of the means "
            f"{trivial:.3g}). Its score is little else than the power of the clip's map, and it is no baseline to "
            "beat."
        )
    at_once = [history for history in histories if stopped_at_once(history)]
    if at_once:
        return (
            f"The weights of {title} are those of the first epoch ({_share(at_once, histories)}): later ones were "
            "no better on the clips kept for validation."
        )
    return ""


def _share(part: Sequence[object], whole: Sequence[object]) -> str:
    return f"{len(part)} of {len(whole)} training{'s' if len(whole) > 1 else ''}"
