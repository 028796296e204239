"""Files that the settings of a data set ask for, told without opening the data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from soundproof.downloads.remote_file import RemoteFile


@dataclass(frozen=True)
class Needed:
    """A file that must be there before clips can be listed.

    Attributes:
        remote: The file.
        folder: Where it goes, below the data folder (an absolute path stays as it is).
        instead: Names beside it (an unpacked folder, say) of which any one makes it unnecessary.
        members: Number of members that are fetched out of it by Range; None: the whole file.
    """

    remote: RemoteFile
    folder: str
    instead: tuple[str, ...] = ()
    members: int | None = None

    def place(self, data_dir: Path) -> Path:
        """Where the file goes."""
        return data_dir / self.folder / self.remote.name

    def is_covered(self, data_dir: Path) -> bool:
        """Whether something stands in for the file."""
        return any((data_dir / self.folder / name).exists() for name in self.instead)
