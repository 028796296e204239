"""The length of a FLAC file whose header does not state it: read off its last frame.

A FLAC that went through a pipe says 0 samples, for "unknown". Every frame carries its number (or that of its first
sample) and checksums, so the last frame tells the length; nothing is decoded. Layout: RFC 9639, sections 8.2 and 9.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import IO

from soundproof.core.errors import DataError

_STREAMINFO = 8
"""First byte of the block STREAMINFO, behind ``fLaC`` and the block's own header."""
_TOTAL = _STREAMINFO + 13
"""Byte whose lower half begins the 36 bits of the total."""
_USUAL, _SEARCHED = 65_536, 2_100_000
"""Bytes in which the last frame is looked for, at first and at most (65 535 samples, 8 channels, 32 bits)."""
_TAG_BYTES = 128
"""Length of an ID3v1 tag, which some programs append."""
_SIZES = {1: 192, **{code: 576 << (code - 2) for code in range(2, 6)}} | {
    code: 256 << (code - 8) for code in range(8, 16)
}


@dataclass(frozen=True)
class _Frame:
    number: int
    n_samples: int
    counts_samples: bool


def completed_header(name: str, stream: IO[bytes]) -> bytes | None:
    """Return a FLAC's first bytes with the length put in, or None where it is there (or the file is no FLAC).

    Raises:
        DataError: The length is not there and no whole last frame tells it, or the last frame tells another one.
    """
    stream.seek(0)
    head = stream.read(_STREAMINFO + 34)
    if head[:4] != b"fLaC" or len(head) < _STREAMINFO + 34 or head[4] & 0x7F:
        return None
    stated = int.from_bytes(head[_TOTAL : _TOTAL + 5], "big") & 0xF_FFFF_FFFF
    n_samples = _counted(stream, int.from_bytes(head[_STREAMINFO : _STREAMINFO + 2], "big"))
    if stated and n_samples in (None, stated):
        # without a whole frame at the end, the decoder will say what is wrong with it
        return None
    if n_samples is None:
        raise DataError(
            f"the recording {name}",
            "no length in its header, and no whole frame at its end that would tell it",
            "it is cut off: fetch or record it again, or write it anew (flac -d, then flac)",
        )
    if stated:
        raise DataError(
            f"the recording {name}",
            f"a header that states {stated} samples, and a last frame that ends with sample {n_samples}",
            "its header is wrong or it is cut off: fetch it again, or write it anew (flac -d -F, then flac)",
        )
    kept = head[_TOTAL] & 0xF0
    total = bytes([kept | n_samples >> 32]) + (n_samples & 0xFFFF_FFFF).to_bytes(4, "big")
    return head[:_TOTAL] + total + head[_TOTAL + 5 :]


def _counted(stream: IO[bytes], block: int) -> int | None:
    """Number of samples according to the last whole frame; None without one."""
    found = (_counted_within(stream, block, n_bytes) for n_bytes in (_USUAL, _SEARCHED))
    return next((n_samples for n_samples in found if n_samples is not None), None)


def _counted_within(stream: IO[bytes], block: int, n_bytes: int) -> int | None:
    held = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, held - n_bytes - _TAG_BYTES))
    end = stream.read()
    if end[-_TAG_BYTES:][:3] == b"TAG":
        end = end[:-_TAG_BYTES]
    place = len(end)
    while (place := end.rfind(b"\xff", 0, place)) >= 0:
        frame = _frame_at(end, place)
        if frame and _crc(end[place:], 0x8005, 16) == 0:
            first = frame.number if frame.counts_samples else frame.number * block
            return first + frame.n_samples
    return None


def _frame_at(data: bytes, place: int) -> _Frame | None:
    """Read a frame's header, whose checksum must fit."""
    head = data[place : place + 16]
    if len(head) < 6 or head[1] & 0xFE != 0xF8:
        return None
    size_code, number_bytes = head[2] >> 4, _number_bytes(head[4])
    if not number_bytes or not size_code or len(head) < 4 + number_bytes + 5:
        return None
    number = head[4] & (0x7F if number_bytes == 1 else 0xFF >> (number_bytes + 1))
    for byte in head[5 : 4 + number_bytes]:
        if byte & 0xC0 != 0x80:
            return None
        number = number << 6 | byte & 0x3F
    at = 4 + number_bytes
    size_bytes = {6: 1, 7: 2}.get(size_code, 0)
    n_samples = _SIZES.get(size_code) or int.from_bytes(head[at : at + size_bytes], "big") + 1
    at += size_bytes + {12: 1, 13: 2, 14: 2}.get(head[2] & 0x0F, 0)
    if at >= len(head) or _crc(head[:at], 0x07, 8) != head[at]:
        return None
    return _Frame(number, n_samples, bool(head[1] & 1))


def _number_bytes(first: int) -> int:
    """Length of a number coded as UTF-8 extends it (up to 36 bits); 0: no such number."""
    ones = 8 - (first ^ 0xFF).bit_length()
    return 1 if ones == 0 else ones if 2 <= ones <= 7 else 0


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    """Cyclic redundancy check, most significant bit first, beginning at 0."""
    table = _table(polynomial, bits)
    mask, crc = (1 << bits) - 1, 0
    for byte in data:
        crc = (crc << 8 & mask) ^ table[(crc >> (bits - 8)) ^ byte]
    return crc


@cache
def _table(polynomial: int, bits: int) -> list[int]:
    top, mask, table = 1 << (bits - 1), (1 << bits) - 1, []
    for byte in range(256):
        crc = byte << (bits - 8)
        for _ in range(8):
            crc = (crc << 1 ^ polynomial if crc & top else crc << 1) & mask
        table.append(crc)
    return table
