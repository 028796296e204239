"""From the folders of a machine to its labelled clips."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from soundproof.core.errors import DataError
from soundproof.datasets.dcase.attributes import NONE_TOLD, attribute_file, read_attributes
from soundproof.datasets.dcase.editions import Edition
from soundproof.datasets.dcase.names import ClipName, without_split
from soundproof.datasets.dcase.truth import Truth

log = logging.getLogger(__name__)

FOLDERS: Mapping[str, tuple[str, str | None]] = {
    "train": ("train", None),
    "test": ("test", None),
    "source_test": ("test", "source"),
    "target_test": ("test", "target"),
}
"""Split and domain that a folder stands for; the last two occur in 2021. ``supplemental`` (2025) is left out."""


@dataclass(frozen=True, kw_only=True)
class TaskClip:
    """A clip's file and what is known about it.

    Attributes:
        file: Where it lies.
        place: ``<machine>/<folder>/<name>``, the same wherever the tree lies.
        machine: Machine type.
        section: Section, or machine id in 2020.
        split: ``train`` or ``test``.
        label: ``normal`` or ``anomaly``.
        domain: ``source``, ``target``, or None in 2020.
        attributes: Conditions of the recording, where told.
        told: Whether the file name tells conditions.
    """

    file: Path
    place: str
    machine: str
    section: str
    split: str
    label: str
    domain: str | None
    attributes: str | None = None
    told: bool = False


def machine_clips(
    edition: Edition, machine: str, roots: Sequence[Path], truth: Truth | None
) -> list[TaskClip]:
    """Return the clips of one machine in the order of their names.

    Args:
        edition: Year of the challenge.
        machine: Machine type.
        roots: Its folders: one, or one each for training and test.
        truth: Labels and domains of unlabelled clips; None where file names label all.

    Raises:
        DataError: A name outside the scheme, a clip in the wrong folder or without label, no normal training clip,
            or no test clip.
    """
    clips = [clip for root in roots for clip in _scan(edition, machine, root, truth or {})]
    places = Counter(clip.place for clip in clips)
    twice = [place for place, count in places.items() if count > 1]
    if twice:
        raise DataError(
            f"one file per clip of '{machine}'",
            f"{len(twice)} clips lie in two folders, first '{twice[0]}'",
            f"keep one of {', '.join(str(root) for root in roots)}",
        )
    unheard = sorted(set(truth or {}) - {without_split(clip.file.name) for clip in clips})
    if unheard:
        found = f"{len(unheard)} clips that the truth labels are not there, first '{unheard[0]}'"
        raise DataError(f"the test clips of '{machine}'", found, "unpack the evaluation archive again")
    for split, label in (("train", "normal"), ("test", "normal"), ("test", "anomaly")):
        if not any(clip.split == split and clip.label == label for clip in clips):
            found = f"none among {len(clips)} clips in {', '.join(str(root) for root in roots)}"
            kind = "training" if split == "train" else split
            raise DataError(
                f"{label} {kind} clips of '{machine}'", found, "unpack the machine's archives again"
            )
    return sorted(clips, key=lambda clip: clip.place)


def _scan(edition: Edition, machine: str, root: Path, truth: Truth) -> Iterator[TaskClip]:
    known = [name for name in FOLDERS if (root / name).is_dir()]
    others = sorted(path.name for path in root.iterdir() if path.is_dir() and path.name not in FOLDERS)
    if others:
        log.info("%s: not read: %s", root, ", ".join(others))
    for folder in known:
        for file in sorted((root / folder).iterdir()):
            if file.suffix.lower() == ".wav" and not file.name.startswith("."):
                yield _labelled(edition, machine, file, truth)


def _labelled(edition: Edition, machine: str, file: Path, truth: Truth) -> TaskClip:
    name = ClipName.parse(file.name, edition.year)
    split, domain = FOLDERS[file.parent.name]
    label, true_domain = (
        truth.get(without_split(file.name), (None, None)) if name.label is None else (name.label, None)
    )
    domains = {value for value in (domain, name.domain, true_domain) if value}
    if name.split not in (None, split) or len(domains) > 1:
        raise DataError(
            f"the clip {file}", f"its name does not fit the folder '{file.parent.name}'", "move it back"
        )
    if label is None:
        raise DataError(
            f"the label of {file}", "neither name nor truth tells it", "use names and truth of one year"
        )
    if split == "train" and label != "normal":
        raise DataError(
            f"the training clip {file}", f"label '{label}'", "train on normal clips: move it to test/"
        )
    if edition.has_domains and not domains:
        raise DataError(
            f"the domain of {file}", "neither name nor truth tells it", "use names and truth of one year"
        )
    return TaskClip(
        file=file,
        place=f"{machine}/{file.parent.name}/{file.name}",
        machine=machine,
        section=name.section,
        split=split,
        label=label,
        domain=domains.pop() if domains else None,
        told=name.tail not in ("", "_", f"_{NONE_TOLD}"),
    )


def with_attributes(clips: list[TaskClip], roots: Sequence[Path], *, complete: bool) -> list[TaskClip]:
    """Add the conditions that the attributes files of a machine list.

    Clips whose names are bare (evaluation tests), and machines whose conditions are concealed, have none.

    Args:
        clips: Clips of one machine.
        roots: Its folders.
        complete: Whether every listed clip must be there.

    Raises:
        DataError: A clip whose name tells conditions has no row, or its section no file; or a listed clip is not
            there.
    """
    out = []
    for section in sorted({clip.section for clip in clips}):
        paths = [path for root in roots if (path := attribute_file(root, section)).is_file()]
        listed = {name: text for path in paths for name, text in read_attributes(path).items()}
        mine = [clip for clip in clips if clip.section == section]
        shown = ", ".join(map(str, paths)) or str(attribute_file(roots[0], section))
        unlisted = [clip.file.name for clip in mine if clip.told and clip.file.name not in listed]
        if unlisted:
            what = f"{len(unlisted)} clips without row, first '{unlisted[0]}'" if paths else "no such file"
            raise DataError(f"the attributes {shown}", what, "use clips and attributes of one release")
        _refuse_missing(set(listed) - {clip.file.name for clip in mine}, shown, complete)
        out += [replace(clip, attributes=listed.get(clip.file.name)) for clip in mine]
    return sorted(out, key=lambda clip: clip.place)


def _refuse_missing(names: set[str], shown: str, complete: bool) -> None:
    missing = sorted(name for name in names if "_supplemental_" not in name)
    if complete and missing:
        found = f"{len(missing)} listed clips are not there, first '{missing[0]}'"
        raise DataError(f"the clips of {shown}", found, "unpack again, or set 'expected_counts: any'")


def check_counts(clips: list[TaskClip], edition: Edition, machine: str) -> None:
    """Compare each section of a development set with the numbers of the task description, where it has exact ones.

    Raises:
        DataError: Another number; the message names section, split, domain and label.
    """
    published = edition.published_counts
    for section in sorted({clip.section for clip in clips}) if published else []:
        own = [clip for clip in clips if clip.section == section]
        _compare(own, published or {}, f"section {section} of '{machine}'")


def check_totals(clips: list[TaskClip], edition: Edition, machine: str) -> None:
    """Compare a machine's development set, all sections together, with the published numbers, if they are such.

    Raises:
        DataError: Another number; the message names split, domain and label.
    """
    _compare(clips, edition.published_totals(machine) or {}, f"'{machine}'")


def _compare(clips: list[TaskClip], published: Mapping[tuple[str, str, str], int], where: str) -> None:
    found = Counter((clip.split, str(clip.domain), clip.label) for clip in clips)
    for kind, count in published.items():
        if found[kind] != count:
            raise DataError(
                f"{count} clips of kind {'/'.join(kind)} in {where}",
                f"{found[kind]} ({found[kind] - count:+d})",
                "unpack the archive again, or set 'expected_counts: any'",
            )
