"""Which archives the environmental sounds come in (light: importing this loads no numerical library)."""

from __future__ import annotations

from soundproof.datasets.published.settings import PublishedParameters
from soundproof.downloads.catalogue import catalogue
from soundproof.downloads.needed_files import Needed

ESC50 = "esc50"
URBAN = "urbansound8k"
ENVMIX = "envmix"
ENVMIX_ESC10 = "envmix_esc10"
URBAN_UNPACKED = "UrbanSound8K"
"""The folder in the archive; compressed tar archives have no random access and are unpacked."""


def esc50_needed(settings: PublishedParameters) -> tuple[Needed, ...]:
    """The repository's archive."""
    return () if settings.is_at_hand else _esc50()


def urban_needed(settings: PublishedParameters) -> tuple[Needed, ...]:
    """The archive."""
    return () if settings.is_at_hand else _urban()


def envmix_needed(settings: PublishedParameters) -> tuple[Needed, ...]:
    """Both archives, in the folders that the two data sets have of their own."""
    return () if settings.is_at_hand else (*_esc50(), *_urban())


def _esc50() -> tuple[Needed, ...]:
    return tuple(Needed(remote, ESC50) for remote in catalogue()[ESC50].files)


def _urban() -> tuple[Needed, ...]:
    (archive,) = catalogue()[URBAN].files
    return (Needed(archive, URBAN, instead=(archive.stem, URBAN_UNPACKED)),)
