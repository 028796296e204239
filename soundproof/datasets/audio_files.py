"""The one place where recordings are decoded: libsndfile, which needs no codec beyond its wheel."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import soundfile

from soundproof.datasets.base import Audio
from soundproof.datasets.file_kinds import AUDIO_SUFFIXES
from soundproof.datasets.packed import PackedFile, Source, refuse_cut_off
from soundproof.errors import DataError

SUFFIXES = AUDIO_SUFFIXES

Channel = int | Literal["mix"]
"""Index of the channel to take, or ``"mix"`` for the mean of all."""


@dataclass(frozen=True)
class AudioInfo:
    """What a recording's header says."""

    rate_hz: int
    n_samples: int
    n_channels: int


def audio_info(path: Source) -> AudioInfo:
    """Read a recording's header.

    Raises:
        DataError: The file cannot be decoded, is cut off or holds no samples.
    """
    try:
        info = soundfile.info(_header(path))
    except (soundfile.LibsndfileError, OSError) as error:
        raise _undecodable(path, error) from error
    refuse_cut_off(path)
    if info.frames <= 0:
        raise DataError(
            f"the recording {path}", "no samples in it", "remove it from the folder or the labels"
        )
    return AudioInfo(info.samplerate, info.frames, info.channels)


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
    try:
        with soundfile.SoundFile(_whole(path)) as sound:
            sound.seek(start)
            frames = sound.read(wanted, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise _undecodable(path, error) from error
    if len(frames) != wanted:
        found = f"{len(frames)} of {wanted} samples from sample {start}"
        raise DataError(f"the recording {path}", found, "the file is cut off: fetch or record it again")
    return Audio(_checked(path, _to_mono(path, frames, channel)), info.rate_hz)


def _whole(path: Source) -> str | io.BytesIO:
    """What libsndfile decodes; archives are read first, as errors in its callbacks would be lost."""
    return io.BytesIO(path.content()) if isinstance(path, PackedFile) else str(path)


def _header(path: Source) -> str | io.BytesIO:
    """What libsndfile reads a header from; other formats than WAV note the length elsewhere."""
    is_packed_wav = isinstance(path, PackedFile) and path.suffix.lower() == ".wav"
    return path.head() if isinstance(path, PackedFile) and is_packed_wav else _whole(path)


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
