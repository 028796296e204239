"""What cutting recordings to clips of one length does to labels and events, and what of it must be said.

* A labelled event of which no clip would hold anything is refused: its recording would count as normal there.
* A piece of a faulty recording is faulty where a labelled event reaches into it and normal elsewhere.
* Without labelled events every piece of a faulty recording is faulty, though the fault may be in only some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from soundproof.clips.notes import Note, count, listed
from soundproof.core.errors import SettingError
from soundproof.folders.layouts import Event, LabelledFile
from soundproof.folders.lengths import rounded_down
from soundproof.folders.segments import RULE, segment_starts

_SHOWN = 5
_TRIED = 64


@dataclass(frozen=True)
class Cut:
    """A recording and what is kept of it.

    Attributes:
        file: The recording.
        rate_hz: Its sampling rate.
        n_samples: Its length.
        starts: First sample of each piece.
        piece: Length of a piece, samples.
    """

    file: LabelledFile
    rate_hz: int
    n_samples: int
    starts: tuple[int, ...]
    piece: int

    @classmethod
    def of(cls, file: LabelledFile, rate_hz: int, n_samples: int, seconds: float) -> Cut:
        """Cut a recording to pieces of ``seconds``, at most its own length."""
        piece = min(n_samples, max(1, round(seconds * rate_hz)))
        return cls(file, rate_hz, n_samples, tuple(segment_starts(n_samples, piece)), piece)

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return self.n_samples / self.rate_hz

    @property
    def kept_s(self) -> float:
        """Where the last piece ends; pieces leave no gap before."""
        return (self.starts[-1] + self.piece) / self.rate_hz

    @property
    def dropped_s(self) -> float:
        """What is dropped at the end."""
        return (self.n_samples - self.starts[-1] - self.piece) / self.rate_hz

    def lost(self) -> list[Event]:
        """Events of which less than half a sample is kept."""
        end = self.kept_s - 0.5 / self.rate_hz
        return [event for event in self.file.events or () if event.onset_s > end]

    def shortened(self) -> list[Event]:
        """Events that go on for a sample or more in what is dropped, and begin before."""
        lost = self.lost()
        past = self.kept_s + 1 / self.rate_hz
        return [event for event in self.file.events or () if event.offset_s > past and event not in lost]


def refuse_lost_events(folder: Path, cuts: Sequence[Cut], seconds: float, from_path: str) -> None:
    """Refuse to cut a labelled event away.

    Args:
        folder: Folder of the recordings, for the message.
        cuts: All recordings.
        seconds: Length of the clips.
        from_path: Recording whose length that is; empty where it was set.

    Raises:
        SettingError: The events that would be lost.
    """
    lost = [(cut, event) for cut in cuts for event in cut.lost()]
    if not lost:
        return
    shown = "; ".join(
        f"'{cut.file.path}' {event.onset_s:g}-{event.offset_s:g} s (of {cut.seconds:g} s, kept to {cut.kept_s:g} s)"
        for cut, event in lost[:_SHOWN]
    )
    more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
    n_files = len({cut.file.path for cut, _ in lost})
    found = (
        f"{count(len(lost), 'event')} of {count(n_files, 'recording')} in what cutting drops: {shown}{more}"
    )
    fitting = _fitting(cuts, seconds)
    choices = [f"set 'segment_seconds' to {fitting:g}"] if fitting else []
    if from_path:
        choices.append(f"remove '{from_path}', the shortest recording, whose length all clips have")
    remedy = "; or ".join(choices) or "cut the recordings by hand so that their events are inside"
    asked = f"all labelled events in the clips of {seconds:g} s that the recordings in {folder} are cut to"
    raise SettingError(asked, found, remedy, {"segment_seconds": fitting} if fitting else {})


def _fitting(cuts: Sequence[Cut], seconds: float) -> float | None:
    """The longest part 1/2, 1/3, ... of the clips' length that keeps all events, if any."""
    for parts in range(2, _TRIED):
        shorter = rounded_down(seconds / parts)
        again = (Cut.of(cut.file, cut.rate_hz, cut.n_samples, shorter) for cut in cuts)
        if shorter > 0 and not any(cut.lost() for cut in again):
            return shorter
    return None


def cutting_notes(
    cuts: Sequence[Cut], seconds: float, from_path: str, labels: Mapping[str, Sequence[str]]
) -> list[Note]:
    """State what cutting does.

    Args:
        cuts: All recordings.
        seconds: Length of the clips.
        from_path: Recording whose length that is; empty where it was set.
        labels: Labels of the clips of each recording, by path.
    """
    cut = [one for one in cuts if one.dropped_s > 0 or len(one.starts) > 1]
    if not cut:
        return []
    why = f"the length of the shortest, '{from_path}'" if from_path else "as 'segment_seconds' says"
    n_pieces = sum(len(one.starts) for one in cut)
    dropped, total = sum(one.dropped_s for one in cuts), sum(one.seconds for one in cuts)
    text = (
        f"{count(len(cut), 'recording')} of {len(cuts)} to {n_pieces} clips of {seconds:g} s ({why}), {RULE}; "
        f"{dropped:.4g} of {total:.6g} s are dropped"
    )
    notes = [Note("cut", "Recordings", text)]
    faulty = [one for one in cut if one.file.label == "anomaly"]
    normal_pieces = {one.file.path: list(labels[one.file.path]).count("normal") for one in faulty}
    named = [path for path, number in normal_pieces.items() if number]
    if named:
        text = (
            f"{sum(normal_pieces.values())} clips of {count(len(named), 'faulty recording')} ({listed(named)}) "
            "count as normal, since no labelled event reaches into them"
        )
        notes.append(Note("cut", "Normal pieces of faulty recordings", text))
    shortened = [one for one in cuts if one.shortened()]
    if shortened:
        text = f"events of {_paths(shortened)} go on in what is dropped: {_shortened(shortened)}"
        notes.append(Note("caution", "Events cut short", text))
    return notes + _unlabelled_notes([one for one in faulty if one.file.events is None])


def _unlabelled_notes(cuts: Sequence[Cut]) -> list[Note]:
    """State what is not known of faulty recordings that were cut and whose events nobody labelled."""
    notes = []
    several = [one for one in cuts if len(one.starts) > 1]
    if several:
        text = (
            f"all {sum(len(one.starts) for one in several)} clips of {_paths(several)} count as faulty, though the "
            "fault may be in only some: label the events (onset_s, offset_s), or cut out the faulty parts"
        )
        notes.append(Note("caution", "Faulty recordings without events", text))
    missed = [one for one in cuts if one.dropped_s > 0]
    if missed:
        text = (
            f"up to {max(one.dropped_s for one in missed):.4g} s are dropped at the end of {_paths(missed)}: a "
            "fault that is only there is lost, and its clips still count as faulty; set 'segment_seconds' to a "
            "length that fits into the recordings a whole number of times"
        )
        notes.append(Note("caution", "Ends of faulty recordings", text))
    return notes


def _paths(cuts: Sequence[Cut]) -> str:
    return f"{count(len(cuts), 'recording')} ({listed([one.file.path for one in cuts])})"


def _shortened(cuts: Sequence[Cut]) -> str:
    shown = [
        f"'{one.file.path}' {event.onset_s:g}-{event.offset_s:g} s (kept to {one.kept_s:g} s)"
        for one in cuts
        for event in one.shortened()
    ]
    return "; ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")
