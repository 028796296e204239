"""Notes about the data of a study: what was read, cut and left out, and what to be wary of.

A data set states them (:meth:`soundproof.interfaces.dataset.Dataset.notes`), the rule that lists the clips says them on
the terminal and writes them beside the clips, and the study's page shows them. To add one: return it from there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd
import pyarrow as pa

log = logging.getLogger(__name__)

Kind = Literal["read", "cut", "left out", "caution"]

NOTES = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),  # read | cut | left out | caution
        pa.field("subject", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Note:
    """A fact about the data, in words.

    Attributes:
        kind: ``read``: what there is; ``cut``: what was made of it; ``left out``: what is not used; ``caution``:
            what a reader must not miss. All but ``read`` are said on the terminal.
        subject: What it is about, two or three words.
        text: The fact, with its numbers, and what to do where something can be done.
    """

    kind: Kind
    subject: str
    text: str


def notes_table(notes: Iterable[Note]) -> pd.DataFrame:
    """One row per note, columns as in :data:`NOTES`."""
    return pd.DataFrame([asdict(note) for note in notes], columns=NOTES.names)


def say(notes: Sequence[Note], about: str) -> None:
    """Tell log and terminal what is more than a mere count, in one warning."""
    told = [f"{note.kind}: {note.subject}: {note.text}" for note in notes if note.kind != "read"]
    for note in notes:
        if note.kind == "read":
            log.info("%s: %s: %s", about, note.subject, note.text)
    if told:
        log.warning("%s\n  %s", about, "\n  ".join(told))


def listed(names: Sequence[str], most: int = 5) -> str:
    """Print the first names in quotes and count the others."""
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def count(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def described(clips: pd.DataFrame) -> list[Note]:
    """What any list of clips tells of itself.

    Args:
        clips: The ``clips`` table, at least one row.
    """
    notes = [Note("read", "Clips", _by_split(clips))]
    n_files = clips["path"].nunique()
    if n_files:
        notes.append(Note("read", "Files", f"{n_files}, in {clips['machine'].nunique()} machine(s)"))
    known = clips.dropna(subset=["sample_rate_hz", "n_samples"])
    if len(known):
        seconds = known["n_samples"].astype(float) / known["sample_rate_hz"].astype(float)
        shortest, longest = float(seconds.min()), float(seconds.max())
        length = f"{shortest:.4g}" if shortest == longest else f"{shortest:.4g} to {longest:.4g}"
        notes.append(Note("read", "Sound", f"{seconds.sum():.6g} s in clips of {length} s"))
        rates = known.groupby("sample_rate_hz").size()
        text = ", ".join(f"{rate} Hz ({count(n, 'clip')})" for rate, n in rates.items())
        notes.append(Note("read", "Sampling rates", text))
    for machine, own in clips[clips["split"] == "test"].groupby("machine"):
        if not (own["label"] == "normal").any():
            text = (
                f"'{machine}' has no normal test clip, so how well anomalies are detected cannot be said: add "
                "normal recordings to the test set"
            )
            notes.append(Note("caution", "Normal test clips", text))
    return notes


def _by_split(clips: pd.DataFrame) -> str:
    counts = clips.groupby(["split", "label"]).size().to_dict()
    train, normal, anomalous = (
        counts.get(kind, 0) for kind in (("train", "normal"), ("test", "normal"), ("test", "anomaly"))
    )
    return f"{len(clips)}: {train} normal to train on; {normal} normal and {anomalous} anomalous to test with"
