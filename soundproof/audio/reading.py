"""The one place where recordings are decoded: libsndfile, which needs no codec beyond its wheel."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any, Literal

import numpy as np
import soundfile

from soundproof.audio.byte_window import Window
from soundproof.audio.file_kinds import AUDIO_SUFFIXES
from soundproof.audio.flac_header import completed_header
from soundproof.audio.wav_header import unstated_sound
from soundproof.audio.zip_members import PackedFile, Source, refuse_cut_off
from soundproof.core.errors import DataError
from soundproof.interfaces.dataset import Audio

SUFFIXES = AUDIO_SUFFIXES

PIECE = 1 << 20
"""Samples that are decoded at a time."""

MOST_SAMPLES = 1 << 40
"""More is no recording but a wrong header: two months at 192 kHz."""

Channel = int | Literal["mix"]
"""Index of the channel to take, or ``"mix"`` for the mean of all."""


@dataclass(frozen=True)
class AudioInfo:
    """What a recording's header says."""

    rate_hz: int
    n_samples: int
    n_channels: int
    coding: str = ""
    """Suffix and coding of the samples, such as ``WAV PCM_16``."""


def audio_info(path: Source) -> AudioInfo:
    """Read a recording's header; of one that does not state the length, find it (bounded in time and memory).

    Raises:
        DataError: The file cannot be decoded, is cut off, holds no samples, or its length cannot be told.
    """
    with _opened(path, header_only=True) as sound:
        n_samples, rate_hz, n_channels = sound.frames, sound.samplerate, sound.channels
        coding = f"{path.suffix.lstrip('.').upper()} {sound.subtype}"
    if n_samples <= 0:
        raise DataError(
            f"the recording {path}", "no samples in it", "remove it from the folder or the labels"
        )
    if n_samples > MOST_SAMPLES:
        found = f"a header that states {n_samples} samples"
        raise DataError(f"the recording {path}", found, "its header is wrong: convert the recording anew")
    return AudioInfo(rate_hz, n_samples, n_channels, coding)


def read_audio(path: Source, channel: Channel = "mix", start: int = 0, n_samples: int | None = None) -> Audio:
    """Decode a recording, or a piece of it, to mono.

    Args:
        path: wav, flac or ogg file, in a folder or in a zip archive.
        channel: Channel to take, from 0, or ``"mix"`` for the mean of all.
        start: First sample.
        n_samples: Number of samples; by default, up to the end.

    Returns:
        float32 samples, full scale = 1, at the file's own rate.

    Raises:
        DataError: The file is corrupt, too short, lacks the channel, or holds values that are not finite or
            all the same (a dead microphone: its normalised features are undefined).
    """
    info = audio_info(path)
    wanted = info.n_samples - start if n_samples is None else n_samples
    # as it is decoded: what a header promises is not what there is, and must not be allocated
    pieces = list(mono_pieces(path, channel, start, wanted))
    samples = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)
    if len(samples) != wanted:
        found = f"{len(samples)} of {wanted} samples from sample {start}"
        raise DataError(f"the recording {path}", found, "the file is cut off: fetch or record it again")
    return Audio(_checked(path, samples), info.rate_hz)


def mono_pieces(
    path: Source, channel: Channel = "mix", start: int = 0, n_samples: int | None = None
) -> Iterator[np.ndarray]:
    """Decode a recording piece by piece, each float32 [at most :data:`PIECE`]; nothing about it is checked.

    Raises:
        DataError: The file cannot be decoded, or lacks the channel.
    """
    left = MOST_SAMPLES if n_samples is None else n_samples
    with _opened(path) as sound:
        try:
            sound.seek(start)
            while left > 0:
                frames = sound.read(min(PIECE, left), dtype="float32", always_2d=True)
                if len(frames) == 0:
                    return
                left -= len(frames)
                yield _to_mono(path, frames, channel)
        except (soundfile.LibsndfileError, OSError) as error:
            found = f"decoding fails behind sample {start + (n_samples or MOST_SAMPLES) - left} ({error})"
            remedy = "the file is cut off or damaged: fetch or record it again"
            raise DataError(f"the recording {path}", found, remedy) from error


@contextmanager
def _opened(path: Source, header_only: bool = False) -> Iterator[soundfile.SoundFile]:
    """Open a recording for decoding, past its header where that does not state the length."""
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(_bytes_of(path, header_only))
            refuse_cut_off(path, stream)
            odd = _unstated(path, stream, header_only)
            if odd is not None:
                sound = soundfile.SoundFile(odd[0], **odd[1])
            elif isinstance(path, PackedFile):
                stream.seek(0)
                sound = soundfile.SoundFile(stream)
            else:
                # read by libsndfile itself, as errors in its callbacks would be lost
                sound = soundfile.SoundFile(str(path))
            stack.enter_context(sound)
        except (soundfile.LibsndfileError, OSError) as error:
            raise _undecodable(path, error) from error
        yield sound


def _unstated(path: Source, stream: IO[bytes], header_only: bool) -> tuple[Window, dict[str, Any]] | None:
    """The sound of a file whose header does not state its length, and how to read it; None for all others."""
    held = stream.seek(0, os.SEEK_END)
    is_head = header_only and isinstance(path, PackedFile)
    raw = unstated_sound(str(path), stream, held, see_end=not is_head)
    if raw is not None:
        coding = {"samplerate": raw.rate_hz, "channels": raw.n_channels, "subtype": raw.subtype}
        window = Window(stream, raw.start, raw.n_bytes)
        return window, {**coding, "format": "RAW", "endian": "LITTLE"}
    head = completed_header(str(path), stream)
    return None if head is None else (Window(stream, 0, held, head), {})


def _bytes_of(path: Source, header_only: bool) -> IO[bytes]:
    """Open a file, or inflate it from its archive: of a WAV whose header is wanted no more than the beginning."""
    if not isinstance(path, PackedFile):
        return path.open("rb")
    return path.head() if header_only and path.suffix.lower() == ".wav" else io.BytesIO(path.content())


def _to_mono(path: Source, frames: np.ndarray, channel: Channel) -> np.ndarray:
    """Reduce [n_samples, n_channels] to [n_samples]."""
    n_channels = frames.shape[1]
    if channel == "mix":
        return np.asarray(frames.mean(axis=1, dtype=np.float64), dtype=np.float32)
    if not 0 <= channel < n_channels:
        remedy = f"set 'channel' to 'mix' or to at most {n_channels - 1}"
        raise DataError(f"channel {channel} of {path}", f"{n_channels} channels, counted from 0", remedy)
    return np.ascontiguousarray(frames[:, channel])


def _checked(path: Source, samples: np.ndarray) -> np.ndarray:
    n_bad = int(np.count_nonzero(~np.isfinite(samples)))
    if n_bad:
        raise DataError(
            f"the recording {path}", f"{n_bad} samples are NaN or infinite", "record or convert it again"
        )
    if samples.min() == samples.max():
        found = f"all {len(samples)} samples read are {samples[0]:g}"
        raise DataError(f"the recording {path}", found, "a dead channel: choose another, or remove the clip")
    return samples


def _undecodable(path: Source, error: Exception) -> DataError:
    return DataError(f"the recording {path}", str(error), "give wav, flac or ogg that libsndfile can decode")
