"""Which archives hold a machine (light: importing this loads no numerical library)."""

from __future__ import annotations

from soundproof.datasets.dcase.editions import Edition, Part
from soundproof.datasets.dcase.settings import DcaseParameters
from soundproof.downloads.catalogue import catalogue
from soundproof.downloads.needed_files import Needed
from soundproof.downloads.remote_file import RemoteFile

UNPACKED_LIMIT_BYTES = 8_000_000_000
"""More than three times the largest machine: uncompressed sound hardly shrinks in a zip."""

_SECOND_RELEASE = frozenset({(2024, "3DPrinter"), (2024, "RoboticArm")})


def archives(edition: Edition, part: Part, machine: str) -> tuple[RemoteFile, ...]:
    """Return the archives of a machine: one of the development set, or training and test of the evaluation."""
    if edition.name == "mimii_dg":
        names = [machine]
    elif part == "dev":
        names = [f"dev_data_{machine}" if edition.year <= 2021 else f"dev_{machine}"]
    elif edition.year == 2020:
        names = [f"eval_data_train_{machine}", f"eval_data_test_{machine}"]
    else:
        second = "_r2" if (edition.year, machine) in _SECOND_RELEASE else ""
        names = [f"eval_data_{machine}_train{second}", f"eval_data_{machine}_test"]
    homes = [edition.name] * len(names)
    if edition.name == "mimii_due" and part == "eval":
        # its evaluation test clips were published with the challenge
        homes[1] = "dcase2021"
    return tuple(catalogue()[home].file(f"{name}.zip") for home, name in zip(homes, names, strict=True))


def truth_archive(edition: Edition) -> RemoteFile:
    """Return the evaluator's repository; nobody published a checksum, so the first download is pinned."""
    home = f"dcase{edition.year}"
    return next(file for file in catalogue()[home].files if file.stem.endswith("_evaluator"))


def folder(settings: DcaseParameters) -> str:
    """Folder of the clips below the data folder (one placed by hand stays as it is)."""
    if settings.folder is not None:
        return settings.folder
    suffix = "-eval" if settings.part == "eval" else ""
    return f"{settings.edition.name}{suffix}{'-miniature' if settings.miniature else ''}"


def truth_is_remote(settings: DcaseParameters) -> bool:
    """Whether labels of evaluation clips are fetched."""
    return settings.part == "eval" and settings.truth is None and not settings.miniature


def needed(settings: DcaseParameters) -> tuple[Needed, ...]:
    """Archives of the machines, and the truth of an evaluation set."""
    place, files = folder(settings), []
    if settings.folder is None and not settings.miniature:
        files += [
            Needed(archive, place, instead=(archive.stem, machine))
            for machine in settings.machines
            for archive in archives(settings.edition, settings.part, machine)
        ]
    if truth_is_remote(settings):
        archive = truth_archive(settings.edition)
        files.append(Needed(archive, place, instead=(archive.stem,)))
    return tuple(files)
