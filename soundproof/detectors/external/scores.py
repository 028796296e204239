"""Scores of a detector that nobody here can ask: a table by clip."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import pandas as pd
import torch
from torch import Tensor

from soundproof.core.errors import DataError
from soundproof.detectors.external.settings import ScoresSettings
from soundproof.detectors.reading import no_history
from soundproof.folders.table_file import TextTable, read_text_table
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun
from soundproof.randomness.seeding import seed_from

_COLUMNS = ("clip_id", "score")
_NAMED = 5


class Scores(Detector):
    """Scores by clip, read from a table and kept as they are.

    Attributes:
        keys: What each clip's id is kept as, int64 [n].
        scores: Score of each, float64 [n].
    """

    settings: ScoresSettings
    keys: Tensor
    scores: Tensor
    scored_elsewhere: ClassVar[bool] = True

    def __init__(self, shape: tuple[int, int], settings: ScoresSettings) -> None:
        super().__init__(shape, settings)
        self.register_buffer("keys", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("scores", torch.zeros(0, dtype=torch.float64))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Read the table; the clips say nothing.

        Raises:
            DataError: No such columns, a clip twice, or a score that is no finite number.
        """
        path = self.settings.path
        table = read_text_table(path, _COLUMNS)
        missing = [name for name in _COLUMNS if name not in table.columns]
        if missing:
            raise DataError(
                f"scores {path} with the columns clip_id and score",
                f"no column '{missing[0]}' among {', '.join(table.columns)}",
                "name the columns in the first row",
            )
        scores: dict[int, float] = {}
        for row in table.rows:
            key = _key(row["clip_id"])
            if key in scores:
                found = f"row {row.number}: '{row['clip_id']}' once more"
                raise DataError(f"scores {path} with each clip once", found, "keep one of its rows")
            scores[key] = _number(table, row["score"], f"row {row.number} of the scores {path}")
        self.keys = torch.tensor(list(scores), dtype=torch.int64)
        self.scores = torch.tensor(list(scores.values()), dtype=torch.float64)
        self.to(run.device)
        return no_history()

    def score(self, x: Tensor) -> Tensor:
        """Refuse: there is no model.

        Raises:
            DataError: Always.
        """
        raise DataError(
            "a score of a map",
            f"scores by clip alone ({self.settings.path}), and no model to ask",
            "ask for what needs no model: tables of detection, localisation of maps brought along",
        )

    def scores_of(self, clip_ids: Sequence[str]) -> Tensor:
        """Scores of clips [n], float64.

        Raises:
            DataError: The table has none of some clip.
        """
        known = dict(zip(self.keys.tolist(), self.scores.tolist(), strict=True))
        missing = [clip_id for clip_id in clip_ids if _key(clip_id) not in known]
        if missing:
            more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
            raise DataError(
                f"scores {self.settings.path} of all {len(clip_ids)} test clips",
                f"none of {', '.join(missing[:_NAMED])}{more}",
                "add them; ids stand in the study's clips.parquet",
            )
        return torch.tensor([known[_key(clip_id)] for clip_id in clip_ids], dtype=torch.float64)


def _key(clip_id: str) -> int:
    return seed_from("scored clip", clip_id)


def _number(table: TextTable, text: str, where: str) -> float:
    try:
        value = float(text.replace(",", ".") if table.decimal_comma else text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"a finite number as score in {where}", f"'{text}'", "correct it, or drop the row")
    return value
