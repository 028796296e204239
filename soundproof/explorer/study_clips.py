"""The clips of a study as the explorer shows them, read one at a time from its files."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from soundproof.analysis.frames import records
from soundproof.audio.pair import common_gain, quantised
from soundproof.core.errors import DataError
from soundproof.datasets.open_sounds import open_sounds
from soundproof.explorer.numbers import Numbers
from soundproof.explorer.view import FACTS, ClipSound, ClipView, Event
from soundproof.features.sounds import ClipSounds
from soundproof.illustrations.part_files import Explanation, PartFiles
from soundproof.illustrations.roles import CLIP
from soundproof.illustrations.sounds import NO_SOUND
from soundproof.storage.maps import MapReader
from soundproof.truth.truth_of_clips import event_times


class StudyClips:
    """Explained clips of a study.

    Attributes:
        clip_ids: All of them, part by part.
    """

    def __init__(
        self,
        parts: Mapping[str, PartFiles],
        clips: pd.DataFrame,
        numbers: Numbers,
        listening: pd.DataFrame | None,
        reasons: pd.DataFrame | None,
        settings: Mapping[str, Any],
        data_dir: Path,
    ) -> None:
        """Open the files; no map and no sound is read yet.

        Args:
            parts: Files by part.
            clips: The ``clips`` table.
            numbers: What was measured of clips.
            listening: Sounds that the study made of some clips; None: of none.
            reasons: What maps of some clips mark, in words; None: of none.
            settings: Choices ``dataset`` and ``features`` of the study.
            data_dir: Folder of downloads.
        """
        self._rows = {str(row["clip_id"]): row for row in records(clips)}
        self._numbers = numbers
        self._heard = {} if listening is None else dict(list(listening.groupby("clip_id")))
        self._said = {} if reasons is None else dict(list(reasons.groupby("clip_id")))
        self._parts = [_Part(name, files, clips, settings, data_dir) for name, files in parts.items()]
        self._part_of = {clip_id: part for part in self._parts for clip_id in part.clip_ids}
        self.clip_ids = list(self._part_of)

    def views(self, clip_ids: Sequence[str]) -> Iterator[ClipView]:
        """What is shown of clips, one after the other."""
        for clip_id in clip_ids:
            yield self._view(clip_id)

    def _view(self, clip_id: str) -> ClipView:
        row, part = self._rows[clip_id], self._part_of[clip_id]
        spectrogram = part.features.read([clip_id])[0]
        sounds, silent = self._sounds(clip_id, part, spectrogram)
        sentences, truth_says = _sentences(self._said.get(clip_id))
        return ClipView(
            clip_id=clip_id,
            facts={key: str(row[key]) for key in FACTS if pd.notna(row[key])},
            snr_db=float(row["snr_db"]) if pd.notna(row["snr_db"]) else None,
            axes=part.features.axes,
            spectrogram=spectrogram,
            maps={of: maps.read([clip_id])[0] for of, maps in part.maps.items() if clip_id in maps},
            mask=part.masks.read([clip_id])[0].astype(bool) if clip_id in part.masks else None,
            events=_events(row["events"]),
            scores=self._numbers.scores.get(clip_id, {}),
            numbers=self._numbers.explanations.get(clip_id, {}),
            sentences=sentences,
            truth_says=truth_says,
            sounds=sounds,
            silent=silent,
        )

    def _sounds(self, clip_id: str, part: _Part, features: np.ndarray) -> tuple[list[ClipSound], str]:
        """Sounds of a clip; none, and why, where it has none."""
        if clip_id in self._heard:
            return _made(self._heard[clip_id])
        try:
            sounds = part.sounds()
            if sounds is None:
                return [], NO_SOUND
            samples = sounds.confirmed(clip_id, features).numpy()
        except DataError as error:
            return [], f"{error.asked}: {error.found}"
        return [ClipSound(CLIP, quantised(samples, common_gain(samples)), sounds.rate_hz)], ""


class _Part:
    """A part whose clips are shown."""

    def __init__(
        self, name: str, files: PartFiles, clips: pd.DataFrame, settings: Mapping[str, Any], data_dir: Path
    ) -> None:
        self.features, self.masks = MapReader(files.features), MapReader(files.masks)
        self.maps = {of: MapReader(path) for of, path in files.maps.items()}
        self.clip_ids = list(
            dict.fromkeys(clip_id for maps in self.maps.values() for clip_id in maps.clip_ids)
        )
        self._opening = (settings, data_dir, clips, name, self.features.scaling)
        self._sounds: list[ClipSounds | None] = []

    def sounds(self) -> ClipSounds | None:
        """Sound of the part's clips; None: the data set has none.

        Raises:
            DataError: It is out of reach.
        """
        if not self._sounds:
            self._sounds.append(open_sounds(*self._opening))
        return self._sounds[0]


def _made(rows: pd.DataFrame) -> tuple[list[ClipSound], str]:
    """Sounds of a clip that the study has made, the clip itself first."""
    sounds = []
    for row in records(rows.dropna(subset="flac")):
        samples, rate_hz = soundfile.read(io.BytesIO(row["flac"]), dtype="int16")
        of = None if pd.isna(row["detector"]) else (row["detector"], row["explainer"])
        sounds.append(ClipSound(row["role"], samples, rate_hz, of))
    of_clip = rows.loc[rows["role"].eq(CLIP), "why"].dropna()
    return sounds, "" if of_clip.empty else str(of_clip.iloc[0])


def _sentences(rows: pd.DataFrame | None) -> tuple[dict[Explanation, str], str]:
    """What the maps of a clip mark in words, and what the true mask marks; empty where nobody said."""
    said = [] if rows is None else records(rows.dropna(subset="sentence"))
    of_maps = {
        (row["detector"], row["explainer"]): row["sentence"] for row in said if pd.notna(row["detector"])
    }
    return of_maps, next((row["sentence"] for row in said if pd.isna(row["detector"])), "")


def _events(cell: Any) -> list[Event] | None:
    """Events of a row of the ``clips`` table; None where nobody labelled it."""
    if event_times(cell) is None:
        return None
    return [
        Event(
            float(event["onset_s"]),
            float(event["offset_s"]),
            *(None if pd.isna(edge := event.get(key)) else float(edge) for key in ("low_hz", "high_hz")),
        )
        for event in cell
    ]
