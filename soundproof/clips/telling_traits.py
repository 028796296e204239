"""Do rate, channels or format of recordings give the label away? Then a detector hears the recorder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

LEAST_DISTANCE = 0.2
"""Total variation distance of two groups from which on a difference of their recordings is said."""
LARGEST_P = 0.01
"""Probability by chance above which it is not."""


@dataclass(frozen=True)
class Traits:
    """How a recording was made, and what it stands for.

    Attributes:
        split: ``train`` or ``test``.
        label: ``normal`` or ``anomaly``.
        rate_hz: Sampling rate.
        n_channels: Number of channels.
        coding: Container and coding of the samples, such as ``WAV PCM_16``.
    """

    split: str
    label: str
    rate_hz: int
    n_channels: int
    coding: str


_NAMES = {"rate_hz": "sampling rate", "n_channels": "number of channels", "coding": "format"}
_UNITS = {"rate_hz": " Hz"}


def telling_traits(recordings: Sequence[Traits]) -> list[str]:
    """Say by which trait recordings can be told apart that should differ in their sound alone.

    Normal recordings are compared with anomalous ones, and normal ones of the training with those of the test.
    Two groups differ in a trait where the total variation distance of its values is at least
    :data:`LEAST_DISTANCE` and a chi-squared test of their counts has p below :data:`LARGEST_P` (with less than two
    recordings in a group nothing is said).

    Args:
        recordings: All recordings of a data set.

    Returns:
        A sentence for each trait and pair of groups, the same for every order of ``recordings``.
    """
    normal = [one for one in recordings if one.label == "normal"]
    groups = (
        ("normal", normal, "anomalous", [one for one in recordings if one.label == "anomaly"]),
        (
            *("normal training", [one for one in normal if one.split == "train"]),
            *("normal test", [one for one in normal if one.split == "test"]),
        ),
    )
    return [
        sentence
        for name, one, other_name, other in groups
        for sentence in _differences(name, one, other_name, other)
    ]


def traits_of_clips(clips: pd.DataFrame) -> list[Traits]:
    """What the ``clips`` table tells of the recordings that clips were read from: rate and suffix, not channels."""
    files = clips.dropna(subset=["path", "sample_rate_hz"]).drop_duplicates("path")
    columns = (files[name] for name in ("split", "label", "sample_rate_hz", "path"))
    return [
        Traits(split, label, int(rate), 1, Path(path).suffix.lstrip(".").upper())
        for split, label, rate, path in zip(*columns, strict=True)
    ]


def _differences(name: str, one: list[Traits], other_name: str, other: list[Traits]) -> Iterator[str]:
    if min(len(one), len(other)) < 2:
        return
    for trait, words in _NAMES.items():
        values = sorted({getattr(recording, trait) for recording in (*one, *other)})
        if len(values) == 1:
            continue
        counts = np.array(
            [
                [sum(getattr(each, trait) == value for each in group) for value in values]
                for group in (one, other)
            ]
        )
        shares = counts / counts.sum(axis=1, keepdims=True)
        distance = float(np.abs(shares[0] - shares[1]).sum()) / 2
        if distance < LEAST_DISTANCE or float(chi2_contingency(counts).pvalue) >= LARGEST_P:
            continue
        of_one, of_other = (_listed(values, row, _UNITS.get(trait, "")) for row in counts)
        yield (
            f"{words} differs between {name} ({of_one}) and {other_name} recordings ({of_other}): "
            "a detector may hear the recorder instead of the machine; record both alike, or convert all to the "
            "poorer of the two before anything else"
        )


def _listed(values: Sequence[object], counts: np.ndarray, unit: str) -> str:
    return ", ".join(f"{count} x {value}{unit}" for value, count in zip(values, counts, strict=True) if count)
