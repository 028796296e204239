"""One's own recordings: a folder is all that is needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from soundproof.audio.reading import SUFFIXES, AudioInfo, Channel, audio_info, mono_pieces, read_audio
from soundproof.audio.sound import Audio
from soundproof.clips.notes import Note, count
from soundproof.clips.telling_traits import Traits, telling_traits
from soundproof.downloads.remote_file import digest
from soundproof.folders.cutting import Cut, cutting_notes, refuse_lost_events
from soundproof.folders.folder_clips import (
    check_events,
    clip_ids,
    events_within,
    folder_clips,
    refuse_leaks,
    refuse_pairs,
    unknown_clip,
)
from soundproof.folders.layouts import LabelledFile
from soundproof.folders.lengths import Lengths, length_notes, settle
from soundproof.folders.same_sound import FIRST, Sound, same_sounds
from soundproof.folders.segments import RULE
from soundproof.folders.settings import RecordingsParameters
from soundproof.folders.sources import say_unused
from soundproof.interfaces.dataset import AudioDataset
from soundproof.storage.schemas import CLIPS


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

    Files longer than ``segment_seconds`` are cut (:func:`soundproof.folders.segments.segment_starts`); which
    length that is by default says :mod:`soundproof.folders.lengths`, and what becomes of labels and events
    :mod:`soundproof.folders.cutting`.
    """

    settings: RecordingsParameters

    @property
    def folder(self) -> Path:
        """Folder that the paths of :meth:`clips` start from."""
        return Path(self.settings.folder)

    @property
    def channel(self) -> Channel:
        """Channel that is taken."""
        return self.settings.channel

    def clips(self) -> pd.DataFrame:
        """One row per clip; ``attrs`` states the segment length and the rule of cutting.

        Raises:
            DataError: A file, label or split cannot be used, or a test clip is among the training clips.
        """
        # before anything is refused: what is missing may be what is not used
        _ = self._unused
        digests = {
            path: digest(self.folder / path) for path in {s.file.path for s in self._segments.values()}
        }
        rows = [self._row(segment, digests[segment.file.path]) for segment in self._segments.values()]
        clips = pd.DataFrame(rows, columns=CLIPS.names).sort_values("clip_id", ignore_index=True)
        refuse_leaks(clips, self.folder)
        refuse_pairs(self._same_sounds(), self.folder, "sounds")
        clips.attrs = {
            "segment_seconds": self._lengths.seconds,
            "segment_rule": RULE,
            # where others are longer: the recording to blame for clips that are too short
            "length_from": self._lengths.from_path if self._longer else "",
        }
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
        return read_audio(path, self.channel, segment.start, segment.n_samples)

    def notes(self) -> tuple[Note, ...]:
        """What was read, cut and left out."""
        labels: dict[str, list[str]] = {}
        for segment in self._segments.values():
            labels.setdefault(segment.file.path, []).append(self._label(segment))
        clips = {path: len(found) for path, found in labels.items()}
        settled = self._lengths
        channels = Counter(info.n_channels for _, info in self._used)
        found = ", ".join(f"{number} ({count(files, 'file')})" for number, files in sorted(channels.items()))
        return (
            Note("read", "Channels", f"{found}; taken: {self.channel}"),
            *([Note("read", "Not used", self._unused)] if self._unused else []),
            *length_notes(settled, self._durations, clips),
            *cutting_notes(self._cuts, settled.seconds, settled.from_path, labels),
            *(Note("caution", "Recording", sentence) for sentence in telling_traits(self._traits)),
        )

    @property
    def _traits(self) -> list[Traits]:
        return [
            Traits(str(file.split), file.label, info.rate_hz, info.n_channels, info.coding)
            for file, info in self._used
        ]

    @cached_property
    def _unused(self) -> str:
        return say_unused(self.folder, SUFFIXES, self.settings.labels)

    def _same_sounds(self) -> list[tuple[str, str]]:
        """Pairs of (training, test) recordings that sound the same."""
        sounds = [
            Sound(file.path, str(file.split), (info.rate_hz, info.n_samples)) for file, info in self._used
        ]

        def pieces(path: str, n_samples: int | None = None) -> Iterator[bytes]:
            for piece in mono_pieces(self.folder / path, self.channel, n_samples=n_samples):
                # 0 and -0 are one sound
                yield (piece + np.float32(0)).tobytes()

        return same_sounds(sounds, lambda path: b"".join(pieces(path, FIRST)), pieces)

    @cached_property
    def _files(self) -> list[tuple[LabelledFile, AudioInfo]]:
        files = [
            (file, audio_info(self.folder / file.path)) for file in folder_clips(self.settings, SUFFIXES)
        ]
        for file, info in files:
            check_events(file, info.n_samples / info.rate_hz, info.rate_hz / 2, 1 / info.rate_hz)
        return files

    @cached_property
    def _durations(self) -> dict[str, float]:
        return {file.path: info.n_samples / info.rate_hz for file, info in self._files}

    @cached_property
    def _lengths(self) -> Lengths:
        files = [file for file, _ in self._files]
        return settle(self.folder, files, self._durations, self.settings.segment_seconds)

    @property
    def _longer(self) -> bool:
        return max(self._durations.values()) > self._lengths.seconds

    @property
    def _used(self) -> list[tuple[LabelledFile, AudioInfo]]:
        left_out = set(self._lengths.left_out)
        return [(file, info) for file, info in self._files if file.path not in left_out]

    @cached_property
    def _cuts(self) -> list[Cut]:
        settled = self._lengths
        cuts = [Cut.of(file, info.rate_hz, info.n_samples, settled.seconds) for file, info in self._used]
        refuse_lost_events(self.folder, cuts, settled.seconds, settled.from_path)
        return cuts

    @cached_property
    def _segments(self) -> dict[str, _Segment]:
        infos = {file.path: info for file, info in self._files}
        names = clip_ids([file.path for file, _ in self._files])
        segments = [
            _Segment(
                names[cut.file.path] + (f"+{number:04d}" if len(cut.starts) > 1 else ""),
                cut.file,
                infos[cut.file.path],
                start,
                cut.piece,
            )
            for cut in self._cuts
            for number, start in enumerate(cut.starts)
        ]
        return {segment.clip_id: segment for segment in segments}

    def _label(self, segment: _Segment) -> str:
        return "normal" if _events(segment) == [] else segment.file.label

    def _row(self, segment: _Segment, sha256: str) -> dict[str, Any]:
        file, label = segment.file, self._label(segment)
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
            "sample_rate_hz": segment.info.rate_hz,
            "n_samples": segment.n_samples,
            "sha256": sha256,
            "events": _events(segment),
        }


def _events(segment: _Segment) -> list[dict[str, float | None]] | None:
    """Events in a segment, in seconds from its start; None where nobody labelled its recording."""
    rate_hz = segment.info.rate_hz
    start_s, end_s = segment.start / rate_hz, (segment.start + segment.n_samples) / rate_hz
    return None if segment.file.events is None else events_within(segment.file.events, start_s, end_s)
