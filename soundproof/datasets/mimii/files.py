"""Which archives hold what is asked for (light: importing this loads no numerical library)."""

from __future__ import annotations

from soundproof.datasets.mimii.settings import MimiiParameters
from soundproof.datasets.published.pinned_names import PinnedName
from soundproof.downloads.catalogue import catalogue
from soundproof.downloads.needed_files import Needed

KIND = "mimii"


def archive_stem(machine: str, snr_db: int) -> str:
    """Return the name of the archive of a machine and SNR, without ``.zip``."""
    return f"{snr_db}_dB_{machine}"


def archives(settings: MimiiParameters) -> list[tuple[str, int]]:
    """Return (machine type, SNR) of each archive that is needed."""
    return sorted({(name.kind, snr_db) for name in settings.wanted for snr_db in settings.snrs_of(name)})


def members_folder(machine: str, snr_db: int) -> str:
    """Return the folder that single clips of an archive are fetched to."""
    return f"{archive_stem(machine, snr_db)}-members"


def individuals(settings: MimiiParameters) -> list[tuple[PinnedName, str, int]]:
    """Return (machine, individual, SNR) of all that is asked for."""
    return [
        (name, individual, snr_db)
        for name in settings.wanted
        for snr_db in settings.snrs_of(name)
        for individual in settings.ids_of(name)
    ]


def needed(settings: MimiiParameters) -> tuple[Needed, ...]:
    """Archives of the machines and SNRs, or the number of clips that are fetched out of each."""
    if settings.is_at_hand:
        return ()
    files = []
    for machine, snr_db in archives(settings):
        stem = archive_stem(machine, snr_db)
        count = sum((name.kind, snr) == (machine, snr_db) for name, _, snr in individuals(settings))
        members = None if settings.subset is None else count * settings.subset
        archive = catalogue()[KIND].file(f"{stem}.zip")
        files.append(Needed(archive, settings.place(KIND), instead=(stem,), members=members))
    return tuple(files)
