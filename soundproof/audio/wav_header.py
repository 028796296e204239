"""Where the sound of a WAV file lies, whatever its header says of its length.

Headers are wrong where a writer could not go back to complete them (a pipe, a power loss) or where the size did not
fit its 32 bits (over 4 GB). Decoders take such headers at their word and hand out a part, or nothing.
Layout: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (1991); RF64: EBU Tech 3306.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

from soundproof.core.errors import DataError

UNKNOWN_LENGTHS = ((0x7FFF_0000, 0x8000_FFFF), (0xFFFF_0000, 0xFFFF_FFFF))
"""Writers that cannot seek put lengths of these ranges into a header: the largest number, or almost."""

_WRAP = 1 << 32
_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_SUBTYPES = {
    **{(_PCM, bits): f"PCM_{'U8' if bits == 8 else bits}" for bits in (8, 16, 24, 32)},
    (_FLOAT, 32): "FLOAT",
    (_FLOAT, 64): "DOUBLE",
    (_ALAW, 8): "ALAW",
    (_ULAW, 8): "ULAW",
}
_STRAY_BYTES = 256
_STRAY_SHARE = 0.01
"""What may follow the sound without being a chunk: tags that some programs append. More is sound not stated."""


def states_no_length(size: int) -> bool:
    """Whether a size in a header stands for a length that was not known."""
    return any(low <= size <= high for low, high in UNKNOWN_LENGTHS)


@dataclass(frozen=True)
class RawSound:
    """Sound that is to be read past its header.

    Attributes:
        start: First byte.
        n_bytes: Its bytes, whole frames only.
        rate_hz: Sampling rate.
        n_channels: Number of channels.
        subtype: Coding of the samples, as libsndfile names it.
        n_samples: Samples of each channel.
    """

    start: int
    n_bytes: int
    rate_hz: int
    n_channels: int
    subtype: str
    n_samples: int


@dataclass(frozen=True)
class _Format:
    tag: int
    n_channels: int
    rate_hz: int
    bytes_per_frame: int
    bits: int


def unstated_sound(name: str, stream: IO[bytes], held: int, see_end: bool = True) -> RawSound | None:
    """Find the sound of a WAV file whose header does not state its true length.

    Args:
        name: What messages call the file.
        stream: The file, or its beginning.
        held: Bytes of the whole file.
        see_end: Whether the stream reaches to the end, so that what follows the sound can be looked at.

    Returns:
        Where the sound lies, or None where decoders may trust the header (or the file is no WAV).

    Raises:
        DataError: The file is cut off, or holds more than its header states and nothing tells what.
    """
    stream.seek(0)
    start = stream.read(12)
    if start[:4] not in (b"RIFF", b"RF64", b"BW64") or start[8:] != b"WAVE":
        return None
    found = _sound_of(stream, held)
    if found is None:
        return None
    layout, begin, stated = found
    there = held - begin
    if there <= 0:
        return None
    if states_no_length(stated):
        return _raw(name, layout, begin, there)
    if stated > there + 1:
        raise DataError(
            f"the recording {name}",
            f"{there} of the {stated} bytes of sound that its header states",
            "it is cut off: fetch, unpack or record it again",
        )
    if not see_end:
        return _raw(name, layout, begin, there) if stated == 0 else None
    if _chunks_follow(stream, begin + stated, held):
        return None
    if stated == 0:
        # the writer was stopped before it could note the length
        return _raw(name, layout, begin, there)
    wrapped = range(stated + _WRAP, there + 1, _WRAP)
    whole = next((size for size in wrapped if _chunks_follow(stream, begin + size, held)), None)
    if whole is not None:
        return _raw(name, layout, begin, whole)
    if there - stated > max(_STRAY_BYTES, _STRAY_SHARE * stated):
        raise DataError(
            f"the recording {name}",
            f"{there} bytes after a header that states {stated} bytes of sound, and no chunks that are the rest",
            "its header is wrong: write it anew (ffmpeg -ignore_length 1 -i IN.wav OUT.wav, or "
            "sox --ignore-length IN.wav OUT.wav)",
        )
    return None


def _sound_of(stream: IO[bytes], held: int) -> tuple[_Format, int, int] | None:
    """Format, first byte and stated bytes of the sound; None where a decoder must judge."""
    layout: _Format | None = None
    size_64: int | None = None
    place = 12
    while place + 8 <= held:
        stream.seek(place)
        head = stream.read(8)
        if len(head) < 8:
            return None
        kind, size = head[:4], int.from_bytes(head[4:], "little")
        if kind == b"ds64":
            size_64 = int.from_bytes(stream.read(24)[8:16], "little")
        elif kind == b"fmt ":
            layout = _format(stream.read(min(size, 40)))
        elif kind == b"data":
            if layout is None:
                return None
            stated = size_64 if size_64 is not None and size == _WRAP - 1 else size
            # RF64 writers that cannot seek leave all 64 bits set, or none
            unknown = size_64 is not None and stated >= 1 << 63
            return layout, place + 8, _WRAP - 1 if unknown else stated
        place += 8 + size + size % 2
    return None


def _format(content: bytes) -> _Format | None:
    if len(content) < 16:
        return None
    tag, n_channels, rate_hz, _, bytes_per_frame, bits = struct.unpack("<HHIIHH", content[:16])
    if tag == _EXTENSIBLE and len(content) >= 26:
        tag = int.from_bytes(content[24:26], "little")
    return _Format(tag, n_channels, rate_hz, bytes_per_frame, bits)


def _chunks_follow(stream: IO[bytes], place: int, held: int) -> bool:
    """Whether what lies between ``place`` and the end are whole chunks (with or without a pad byte before)."""
    return any(_walk(stream, begin, held) for begin in {place, place + place % 2})


def _walk(stream: IO[bytes], place: int, held: int) -> bool:
    while held - place >= 8:
        stream.seek(place)
        head = stream.read(8)
        size = int.from_bytes(head[4:], "little")
        if not all(32 <= byte < 127 for byte in head[:4]) or place + 8 + size > held:
            return False
        place += 8 + size + size % 2
    return True


def _raw(name: str, layout: _Format, start: int, n_bytes: int) -> RawSound:
    subtype = _SUBTYPES.get((layout.tag, layout.bits))
    sound_bytes = layout.n_channels * layout.bits // 8
    if subtype is None or layout.bytes_per_frame != sound_bytes or not sound_bytes or not layout.rate_hz:
        raise DataError(
            f"the recording {name}",
            f"no length in its header, and a coding (tag {layout.tag}, {layout.bits} bits) that does not tell it",
            "convert it to PCM with the program that wrote it",
        )
    n_samples = n_bytes // sound_bytes
    return RawSound(start, n_samples * sound_bytes, layout.rate_hz, layout.n_channels, subtype, n_samples)
