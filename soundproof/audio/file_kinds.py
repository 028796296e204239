"""Which files hold sound, told by suffix and first bytes (light: importing this loads no numerical library).

The suffixes are those under which the formats of libsndfile (``soundfile.available_formats()``) are known; a test
holds both together.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path, PurePath

FORMATS: dict[str, tuple[str, ...]] = {
    "AIFF": (".aiff", ".aif", ".aifc"),
    "AU": (".au", ".snd"),
    "AVR": (".avr",),
    "CAF": (".caf",),
    "FLAC": (".flac",),
    "HTK": (".htk",),
    "IRCAM": (".ircam", ".sf"),
    "MAT4": (".mat4",),
    "MAT5": (".mat5",),
    "MP3": (".mp3", ".mp2", ".mp1"),
    "MPC2K": (".mpc2k",),
    "NIST": (".nist", ".sph"),
    "OGG": (".ogg", ".oga", ".opus"),
    "PAF": (".paf",),
    "PVF": (".pvf",),
    "RF64": (".rf64",),
    "SDS": (".sds",),
    "SVX": (".svx", ".8svx", ".iff"),
    "VOC": (".voc",),
    "W64": (".w64",),
    "WAV": (".wav", ".wave", ".bwf"),
    "WAVEX": (".wavex",),
    "WVE": (".wve",),
}
"""Format of libsndfile: suffixes of its files."""
NOT_READ = {"RAW": (".raw", ".pcm"), "SD2": (".sd2",), "XI": (".xi",)}
"""Formats of libsndfile without a header (RAW), with one in another file (SD2), or not read in pieces (XI)."""

AUDIO_SUFFIXES = frozenset(suffix for suffixes in FORMATS.values() for suffix in suffixes)
SPECTROGRAM_SUFFIXES = frozenset({".npy", ".pt"})

UNREAD_SUFFIXES = frozenset(
    {
        *(suffix for suffixes in NOT_READ.values() for suffix in suffixes),
        *(".m4a", ".m4b", ".aac", ".mp4a", ".wma", ".asf", ".amr", ".awb", ".3ga", ".ac3", ".eac3", ".dts"),
        *(".ape", ".wv", ".tta", ".tak", ".ofr", ".mpc", ".mka", ".weba", ".spx", ".ra", ".dsf", ".dff"),
        *(".gsm", ".dss", ".ds2", ".vox", ".wac", ".w4v", ".mat"),
    }
)
"""Suffixes of files that hold sound, or may, in a form that is not read."""

_COMMON = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".caf")
_MANY = 6
_HEAD_BYTES = 20
_STARTS = (
    *(b"RF64", b"RIFX", b"fLaC", b"OggS", b"ID3", b".snd", b"caff", b"riff\x2e\x91\xcf\x11", b"NIST_1A"),
    *(
        b"Creative Voice File",
        b"#!AMR",
        b"wvpk",
        b"MAC ",
        b"TTA1",
        b"DSD ",
        b"FRM8",
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    ),
)


def sounds_by_name(name: str) -> bool:
    """Whether any suffix of a name is one of sound, as in ``a.wav.part``."""
    return any(
        suffix.lower().rstrip("~") in AUDIO_SUFFIXES | UNREAD_SUFFIXES for suffix in PurePath(name).suffixes
    )


def sounds_by_content(path: Path) -> bool:
    """Whether a file begins as files of sound do; one that cannot be read does not."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError:
        return False
    kind = head[8:12]
    return (
        head.startswith(_STARTS)
        or (head.startswith(b"RIFF") and kind == b"WAVE")
        or (head.startswith(b"FORM") and kind in (b"AIFF", b"AIFC", b"8SVX", b"16SV"))
        or (head[4:8] == b"ftyp" and kind in (b"M4A ", b"M4B "))
        or _is_mpeg_frame(head)
    )


def _is_mpeg_frame(head: bytes) -> bool:
    """Whether bytes begin with the sync word of MPEG audio: eleven ones, a version and a layer."""
    if len(head) < 4 or head[0] != 0xFF or head[1] in (0xFE, 0xFF):
        # 0xFFFE is the byte order mark of UTF-16
        return False
    return head[1] & 0xE0 == 0xE0 and head[1] & 0x18 != 0x08 and head[1] & 0x06 != 0


def in_words(suffixes: Collection[str]) -> str:
    """List suffixes for a message: of many only the common ones."""
    if len(suffixes) <= _MANY:
        return ", ".join(sorted(suffixes))
    return f"{', '.join(_COMMON)} or another suffix of a format that libsndfile reads"
