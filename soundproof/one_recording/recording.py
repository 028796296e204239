"""A file with sound, brought to the length of a study's clips, or refused with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from soundproof.audio.reading import Channel, audio_info, read_audio
from soundproof.audio.sound import Audio
from soundproof.core.errors import DataError
from soundproof.interfaces.dataset import AudioDataset
from soundproof.one_recording.study import Individual


@dataclass(frozen=True)
class ClipForm:
    """What the clips of a study have in common.

    Attributes:
        seconds: Their length.
        frame_s: Time from one frame of their maps to the next; a file that is longer by less is cut at its end.
        rate_hz: Lowest sampling rate among the study's recordings: its bands reach up to half of it.
        channel: What is taken of several channels.
    """

    seconds: float
    frame_s: float
    rate_hz: int
    channel: Channel


@dataclass(frozen=True)
class Span:
    """The part of a file that is looked at, in seconds from its start."""

    from_s: float
    to_s: float


class OneMore(AudioDataset):
    """The sound of a study, and one recording beside it that takes the place of any clip of its name."""

    def __init__(
        self, dataset: AudioDataset, clips: pd.DataFrame, clip_id: str, audio: Audio, individual: Individual
    ) -> None:
        """Lay it beside.

        Args:
            dataset: Where the clips of the study come from.
            clips: Their rows of the ``clips`` table.
            clip_id: Name of the recording.
            audio: Its sound.
            individual: Whose it is.
        """
        super().__init__(dataset.settings, dataset.data_dir)
        self._dataset, self._clips = dataset, clips
        self._clip_id, self._audio, self._individual = clip_id, audio, individual

    def clips(self) -> pd.DataFrame:
        """Training clips of the individual, and the recording."""
        of = self._individual
        own = self._clips["machine"].eq(of.machine) & self._clips["machine_id"].eq(of.unit)
        beside = self._clips[
            own & self._clips["split"].eq("train") & self._clips["clip_id"].ne(self._clip_id)
        ]
        row = {"clip_id": self._clip_id, "machine": of.machine, "machine_id": of.unit, "split": "test"}
        return pd.concat([beside, pd.DataFrame([row])], ignore_index=True)

    def read(self, clip_id: str) -> Audio:
        """Return the recording, or a clip of the study."""
        return self._audio if clip_id == self._clip_id else self._dataset.read(clip_id)


def read_span(
    path: Path, form: ClipForm, from_s: float | None = None, to_s: float | None = None
) -> tuple[Audio, Span]:
    """Read as much of a file as a clip of the study has, and nothing but that.

    Args:
        path: wav, flac or ogg file.
        form: Form of the study's clips.
        from_s: Where the part begins; None: the file is as long as a clip.
        to_s: Where it ends; None: a clip's length later.

    Returns:
        The sound at the file's own rate, and where in the file it stands.

    Raises:
        DataError: The file cannot be used, is sampled too low, is too short, or is longer and nobody said which
            part is meant; or a part is named that it does not have.
    """
    if not path.is_file():
        raise DataError(f"the recording {path}", "no such file", "name a wav, flac or ogg file")
    info = audio_info(path)
    if info.rate_hz < form.rate_hz:
        raise DataError(
            f"the recording {path} at {form.rate_hz} Hz or more, as those of the study",
            f"{info.rate_hz} Hz: the study listens to bands that this recording cannot hold",
            f"record with at least {form.rate_hz} Hz, or train a study on recordings of {info.rate_hz} Hz",
        )
    wanted, held_s = round(form.seconds * info.rate_hz), info.n_samples / info.rate_hz
    whole = f"the recording {path}, {form.seconds:g} s long as the clips of the study"
    if info.n_samples < wanted:
        raise DataError(whole, f"{held_s:g} s", f"record at least {form.seconds:g} s")
    if from_s is None and to_s is not None:
        from_s = to_s - form.seconds
    if from_s is None:
        if info.n_samples - wanted >= form.frame_s * info.rate_hz:
            remedy = f"say which part: --from SECONDS (up to {held_s - form.seconds:g}), a clip's length from there"
            raise DataError(whole, f"{held_s:g} s", remedy)
        from_s = 0.0
    if to_s is not None and abs(to_s - from_s - form.seconds) >= form.frame_s:
        found = f"{to_s - from_s:g} s, from {from_s:g} s to {to_s:g} s"
        raise DataError(
            f"a part of {form.seconds:g} s, as the clips of the study", found, "leave --to out, or --from"
        )
    start = round(from_s * info.rate_hz)
    if start < 0 or start + wanted > info.n_samples:
        found = f"a part from {from_s:g} s to {from_s + form.seconds:g} s of {held_s:g} s"
        remedy = f"name a start from 0 to {held_s - form.seconds:g}"
        raise DataError(f"a part that the recording {path} has", found, remedy)
    audio = read_audio(path, form.channel, start, wanted)
    return audio, Span(start / info.rate_hz, (start + wanted) / info.rate_hz)
