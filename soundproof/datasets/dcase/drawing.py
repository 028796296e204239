"""A part of a section's clips, for runs that shall stay small."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from soundproof.datasets.dcase.tree import TaskClip
from soundproof.randomness.seeding import seed_from


def drawn(clips: Sequence[TaskClip], max_train: int | None, max_test: int | None) -> list[TaskClip]:
    """Draw from each section at most so many training and test clips.

    Which clips are drawn depends on their names alone: a larger number keeps those of a smaller one. Training clips
    keep the shares of their domains, the first of each domain coming first; test clips come evenly from all domains
    and labels.

    Args:
        clips: Clips of one machine.
        max_train: Training clips per section at most; None: all.
        max_test: Test clips per section at most; None: all.
    """
    groups: dict[tuple[str, str], list[TaskClip]] = defaultdict(list)
    for clip in clips:
        groups[clip.section, clip.split].append(clip)
    out = []
    for (_, split), group in groups.items():
        is_train = split == "train"
        limit = max_train if is_train else max_test
        out += group if limit is None else _in_turn(group, by_share=is_train)[:limit]
    return sorted(out, key=lambda clip: clip.place)


def _in_turn(clips: Sequence[TaskClip], *, by_share: bool) -> list[TaskClip]:
    kinds: dict[tuple[str | None, str], list[TaskClip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda clip: seed_from("dcase", clip.machine, clip.file.name)):
        kinds[clip.domain, clip.label].append(clip)
    turns = [
        (rank / len(kind) if by_share else float(rank), clip)
        for kind in kinds.values()
        for rank, clip in enumerate(kind)
    ]
    return [clip for _, clip in sorted(turns, key=lambda turn: turn[0])]
