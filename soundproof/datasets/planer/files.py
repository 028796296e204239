"""Where the wood planer's files are (light: importing this loads no numerical library)."""

from __future__ import annotations

from dataclasses import replace

from soundproof.downloads.catalogue import catalogue
from soundproof.downloads.needed_files import Needed
from soundproof.downloads.remote_file import RemoteFile
from soundproof.folders.settings import PlanerParameters

FOLDER = "planer"
ARCHIVE = catalogue()["planer"].file("data.zip")
LABELS = catalogue()["planer"].file("v5anomaly_spectrogram_metadata.csv")


def unpacked_name(archive: RemoteFile) -> str:
    """Folder of the unpacked archive: named after its content, so that no new release hides behind an old one."""
    return f"unpacked-{(archive.sha256 or 'unverified')[:12]}"


def needed(
    settings: PlanerParameters, archive: RemoteFile = ARCHIVE, labels: RemoteFile = LABELS
) -> tuple[Needed, ...]:
    """Files that are fetched unless a folder or label table is at hand."""
    files = []
    if settings.folder is None:
        remote = replace(archive, urls=(*settings.mirrors, *archive.urls))
        files.append(Needed(remote, FOLDER, instead=(unpacked_name(archive),)))
    if settings.labels is None:
        files.append(Needed(labels, FOLDER))
    return tuple(files)
