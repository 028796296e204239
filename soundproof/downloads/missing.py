"""What a data folder lacks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from soundproof.downloads.remote_file import RemoteFile


@dataclass(frozen=True)
class Missing:
    """A file that is not there, or not as it should be.

    Attributes:
        remote: The file, completed from its pin.
        folder: Where it belongs.
        found: What was found instead.
    """

    remote: RemoteFile
    folder: Path
    found: str
