"""What MIMII's folders and file names say, and how many clips there must be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from soundproof.audio.zip_members import Files, Source
from soundproof.core.errors import DataError

LABELS = {"normal": "normal", "abnormal": "anomaly"}
_PLACE = re.compile(
    r"(?P<machine>[a-z]+)/id_(?P<individual>\d\d)/(?P<label>normal|abnormal)/(?P<number>\d{8})\.wav"
)

COUNTS: Mapping[tuple[str, str], tuple[int, int]] = {
    ("fan", "00"): (1011, 407),
    ("fan", "02"): (1016, 359),
    ("fan", "04"): (1033, 348),
    ("fan", "06"): (1015, 361),
    ("pump", "04"): (702, 100),
    ("pump", "06"): (1036, 102),
    ("slider", "00"): (1068, 356),
    ("slider", "02"): (1068, 267),
    ("slider", "04"): (534, 178),
    ("slider", "06"): (534, 89),
    ("valve", "00"): (991, 119),
    ("valve", "02"): (708, 120),
    ("valve", "04"): (1000, 120),
    ("valve", "06"): (992, 120),
}
"""Normal and abnormal clips of each machine and individual, at every SNR.

Those of pumps follow from other numbers: 802 clips of id_04 and 1138 of id_06, and P2's 672 and 1006 training
clips beside 30 normal ones that it tests. Of id_00 and id_02 only P2's sizes are known, which leave the abnormal
clips open.
"""


@dataclass(frozen=True)
class Recording:
    """A recording at one SNR; ``label`` as in the clips table."""

    place: str
    source: Source
    individual: str
    label: str
    number: str


def recordings(files: Files, machine: str, where: str) -> list[Recording]:
    """Read the places of an archive's files.

    Args:
        files: Files by place below the archive's folder.
        machine: Machine type it must hold.
        where: Name of the archive, for messages.

    Raises:
        DataError: A WAV file outside the scheme, or none at all.
    """
    found = []
    for place, source in files.items():
        if PurePosixPath(place).suffix.lower() != ".wav":
            continue
        match = _PLACE.fullmatch(place)
        if match is None or match["machine"] != machine:
            raise DataError(
                f"the file '{place}' of MIMII in {where}",
                "not the scheme",
                f"expected is {machine}/id_00/normal/00000000.wav or .../abnormal/...",
            )
        found.append(Recording(place, source, match["individual"], LABELS[match["label"]], match["number"]))
    if not found:
        raise DataError(
            f"the clips of '{machine}' in {where}", "no WAV file", "unpack or fetch the archive again"
        )
    return found


def check_counts(found: Sequence[Recording], machine: str, individual: str, where: str) -> None:
    """Compare the clips of one individual with the published numbers, where there are any.

    Raises:
        DataError: The message names the difference.
    """
    counts = Counter(recording.label for recording in found if recording.individual == individual)
    normal, abnormal = counts["normal"], counts["anomaly"]
    published = COUNTS.get((machine, individual))
    remedy = "fetch the archive again, or set 'expected_counts: any'"
    asked = f"{machine} id_{individual} in {where}"
    if published is not None and (normal, abnormal) != published:
        differs = f"{normal} ({normal - published[0]:+d}) and {abnormal} ({abnormal - published[1]:+d})"
        raise DataError(
            f"{published[0]} normal and {published[1]} abnormal clips of {asked}", differs, remedy
        )
