"""Which archives hold what is asked for (light: importing this loads no numerical library)."""

from __future__ import annotations

from soundproof.datasets.catalogue import catalogue
from soundproof.datasets.mimii.parameters import MimiiParameters
from soundproof.datasets.needed import Needed

KIND = "mimii"


def archive_stem(machine: str, snr_db: int) -> str:
    """Return the name of the archive of a machine and SNR, without ``.zip``."""
    return f"{snr_db}_dB_{machine}"


def archives(settings: MimiiParameters) -> list[tuple[str, int]]:
    """Return (machine type, SNR) of each archive that is needed."""
    return sorted({(name.kind, snr_db) for name in settings.wanted for snr_db in settings.snrs_of(name)})


def needed(settings: MimiiParameters) -> tuple[Needed, ...]:
    """Archives of the machines and SNRs."""
    if settings.is_at_hand:
        return ()
    stems = [archive_stem(machine, snr_db) for machine, snr_db in archives(settings)]
    return tuple(
        Needed(catalogue()[KIND].file(f"{stem}.zip"), settings.place(KIND), instead=(stem,)) for stem in stems
    )
