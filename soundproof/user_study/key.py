"""The key of a kit: its questions with their right answers, and what the study measured of its explainers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from soundproof.core.errors import ArtefactError
from soundproof.storage.tables import read_provenance, read_table

FORMAT = "soundproof-answers-1"
"""Stands in every file of answers; another number: other fields."""
KEY, METRICS = "key.parquet", "metrics.parquet"
KEY_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in ("question", "kind")),
        pa.field("check", pa.bool_(), nullable=False),
        *(
            pa.field(name, pa.string(), nullable=False)
            for name in ("truth", "clip_id", "normal_id", "of", "a", "b")
        ),
        *(pa.field(name, pa.float64()) for name in ("value_a", "value_b", "share", "score", "after")),
    ]
)
"""As :class:`soundproof.user_study.questions.Question`."""
METRICS_SCHEMA = pa.schema(
    [
        pa.field("explainer", pa.string(), nullable=False),
        pa.field("criterion", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),  # mean over the explained clips
        pa.field("n_clips", pa.int64(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("judges", pa.string(), nullable=False),  # what it judges, interfaces.metric.Judged
        pa.field("higher_is_better", pa.bool_(), nullable=False),
    ]
)


@dataclass(frozen=True)
class KitKey:
    """What who made a kit knows of it.

    Attributes:
        study: ``run/study``.
        digest: What tells the kit from others.
        seed: Its seed.
        explainers: Printed name of each explainer by label.
        questions: Rows of :data:`KEY_SCHEMA`.
        metrics: Rows of :data:`METRICS_SCHEMA`.
    """

    study: str
    digest: str
    seed: int
    explainers: dict[str, str]
    questions: pd.DataFrame
    metrics: pd.DataFrame


def read_key(folder: Path) -> KitKey:
    """Read a kit's key.

    Raises:
        ArtefactError: There is no kit, or one of its files is damaged.
    """
    if not (folder / KEY).is_file():
        raise ArtefactError(
            f"the kit in {folder}",
            f"no {KEY} there",
            "name the folder that 'study-kit make' wrote: --kit FOLDER",
        )
    record = read_provenance(folder / KEY)
    return KitKey(
        study=record.settings["study"],
        digest=record.settings["digest"],
        seed=int(record.seed or 0),
        explainers=dict(record.settings["explainers"]),
        questions=read_table(folder / KEY),
        metrics=read_table(folder / METRICS),
    )


def kit_of(answers: Path) -> Path:
    """The kit that a file of answers lies in: its folder, or the one above it.

    Raises:
        ArtefactError: There is none.
    """
    folder = answers.absolute().parent
    for place in (folder, folder.parent):
        if (place / KEY).is_file():
            return place
    raise ArtefactError(
        f"the kit that {answers} answers",
        f"no {KEY} in its folder or the one above",
        "put the answers into a folder within the kit, or name it: --kit FOLDER",
    )
