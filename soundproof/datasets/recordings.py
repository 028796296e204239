"""One's own recordings: a folder is all that is needed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from soundproof.datasets.audio_files import SUFFIXES, AudioInfo, audio_info, read_audio
from soundproof.datasets.base import Audio, AudioDataset
from soundproof.datasets.folder_clips import (
    check_events,
    clip_ids,
    events_within,
    folder_clips,
    refuse_leaks,
    unknown_clip,
)
from soundproof.datasets.layouts import LabelledFile
from soundproof.datasets.recordings_parameters import RecordingsParameters
from soundproof.datasets.remote_file import digest
from soundproof.datasets.segments import RULE, segment_starts
from soundproof.datasets.sources import say_unused
from soundproof.errors import DataError
from soundproof.schemas import CLIPS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Segment:
    """A clip: a piece of a file, in samples."""

    clip_id: str
    file: LabelledFile
    info: AudioInfo
    start: int
    n_samples: int


class RecordingsDataset(AudioDataset):
    """Recordings of wav, flac or ogg files, of any rate, channel count and length.

    Files longer than ``segment_seconds`` are cut (:func:`soundproof.datasets.segments.segment_starts`). A
    segment of a clip whose events are labelled is anomalous where an event reaches into it, and normal
    elsewhere; without event labels every segment keeps its clip's label.
    """

    settings: RecordingsParameters

    @property
    def folder(self) -> Path:
        """Folder that the paths of :meth:`clips` start from."""
        return Path(self.settings.folder)

    def clips(self) -> pd.DataFrame:
        """One row per clip; ``attrs`` states the segment length and the rule of cutting.

        Raises:
            DataError: A file, label or split cannot be used, or a test clip is among the training clips.
        """
        # before anything is refused: what is missing may be what is not used
        say_unused(self.folder, SUFFIXES, self.settings.labels)
        digests = {
            path: digest(self.folder / path) for path in {s.file.path for s in self._segments.values()}
        }
        rows = [self._row(segment, digests[segment.file.path]) for segment in self._segments.values()]
        clips = pd.DataFrame(rows, columns=CLIPS.names).sort_values("clip_id", ignore_index=True)
        refuse_leaks(clips, self.folder)
        clips.attrs = {"segment_seconds": self._segment_seconds, "segment_rule": RULE}
        return clips

    def read(self, clip_id: str) -> Audio:
        """Decode one clip, and nothing but it.

        Raises:
            DataError: No clip of that id, or a file that cannot be used (:func:`read_audio`).
        """
        segment = self._segments.get(clip_id)
        if segment is None:
            raise unknown_clip("recordings", clip_id, self._segments)
        path = self.folder / segment.file.path
        return read_audio(path, self.settings.channel, segment.start, segment.n_samples)

    @cached_property
    def _files(self) -> list[tuple[LabelledFile, AudioInfo]]:
        files = [
            (file, audio_info(self.folder / file.path)) for file in folder_clips(self.settings, SUFFIXES)
        ]
        for file, info in files:
            check_events(file, info.n_samples / info.rate_hz, info.rate_hz / 2, 1 / info.rate_hz)
        for what, counts in (
            ("sampling rates in Hz", Counter(info.rate_hz for _, info in files)),
            ("channel counts", Counter(info.n_channels for _, info in files)),
        ):
            listed = ", ".join(f"{value} ({count} files)" for value, count in sorted(counts.items()))
            log.info("%s: %s %s; channel taken: %s", self.folder, what, listed, self.settings.channel)
        return files

    @cached_property
    def _segment_seconds(self) -> float:
        lengths = {file.path: info.n_samples / info.rate_hz for file, info in self._files}
        shortest = min(lengths.values())
        seconds = self.settings.segment_seconds
        if seconds is None:
            if shortest < max(lengths.values()):
                log.info("%s: clips are cut to the shortest one's %g s: %s", self.folder, shortest, RULE)
            return shortest
        short = [path for path, length in lengths.items() if length < seconds]
        if short:
            found = (
                f"{len(short)} of {len(lengths)} are shorter, first '{short[0]}' of {lengths[short[0]]:g} s"
            )
            remedy = f"set 'segment_seconds' to {shortest:g} or less, or remove the short recordings"
            raise DataError(f"segments of {seconds:g} s from the recordings in {self.folder}", found, remedy)
        return seconds

    @cached_property
    def _segments(self) -> dict[str, _Segment]:
        names = clip_ids([file.path for file, _ in self._files])
        segments = [
            segment for file, info in self._files for segment in self._cut(file, info, names[file.path])
        ]
        return {segment.clip_id: segment for segment in segments}

    def _cut(self, file: LabelledFile, info: AudioInfo, name: str) -> Iterator[_Segment]:
        n_samples = min(info.n_samples, max(1, round(self._segment_seconds * info.rate_hz)))
        starts = segment_starts(info.n_samples, n_samples)
        for number, start in enumerate(starts):
            clip_id = name if len(starts) == 1 else f"{name}+{number:04d}"
            yield _Segment(clip_id, file, info, start, n_samples)

    def _row(self, segment: _Segment, sha256: str) -> dict[str, Any]:
        file, rate_hz = segment.file, segment.info.rate_hz
        start_s, end_s = segment.start / rate_hz, (segment.start + segment.n_samples) / rate_hz
        events = None if file.events is None else events_within(file.events, start_s, end_s)
        label = "normal" if events == [] else file.label
        return {
            "clip_id": segment.clip_id,
            "dataset": "recordings",
            "machine": file.machine,
            "machine_id": file.machine_id,
            "split": file.split,
            "label": label,
            "domain": file.domain,
            "snr_db": None,
            "anomaly_type": file.anomaly_type if label == "anomaly" else None,
            "path": file.path,
            "sample_rate_hz": rate_hz,
            "n_samples": segment.n_samples,
            "sha256": sha256,
            "events": events,
        }
