"""The same sound in training and test, though the files differ: a wav and its flac, another header, another depth.

Compared is the sound as it is taken (channel or mix), sample by sample, in the 32-bit floats that detectors get.
Only recordings of one rate and length can be the same, and only those whose first samples agree are decoded to the
end, so that the cost stays that of opening the files. Copies at another gain, offset, rate or length are not found.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

FIRST = 4_096
"""Samples by which recordings are told apart before any is decoded to the end."""


@dataclass(frozen=True)
class Sound:
    """A recording that may have a copy.

    Attributes:
        path: Its path.
        split: ``train`` or ``test``.
        alike: Rate and length: what two copies share.
    """

    path: str
    split: str
    alike: Hashable


def same_sounds(
    sounds: Iterable[Sound], first: Callable[[str], bytes], whole: Callable[[str], Iterable[bytes]]
) -> list[tuple[str, str]]:
    """Return pairs of (training, test) paths whose sound is the same.

    Args:
        sounds: All recordings.
        first: Gives the first :data:`FIRST` samples of a path.
        whole: Gives all its samples, piece by piece.
    """
    pairs = []
    for length in _mixed(sounds, lambda sound: sound.alike):
        for beginning in _mixed(length, lambda sound: hashlib.sha256(first(sound.path)).digest()):
            for same in _mixed(beginning, lambda sound: _digest(whole(sound.path))):
                train = next(sound.path for sound in same if sound.split == "train")
                pairs += [(train, sound.path) for sound in same if sound.split == "test"]
    return sorted(pairs)


def _mixed(sounds: Iterable[Sound], key: Callable[[Sound], Hashable]) -> Iterator[Sequence[Sound]]:
    """Groups of one key that hold training and test recordings both."""
    groups: Mapping[Hashable, list[Sound]] = defaultdict(list)
    for sound in sounds:
        groups[key(sound)].append(sound)
    return (group for group in groups.values() if len({sound.split for sound in group}) > 1)


def _digest(pieces: Iterable[bytes]) -> bytes:
    running = hashlib.sha256()
    for piece in pieces:
        running.update(piece)
    return running.digest()
