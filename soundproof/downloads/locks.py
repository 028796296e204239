"""Locks between the processes of one user on one machine.

The system releases a lock when its process ends, however that ends: a killed job leaves nothing to clean up.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from filelock import FileLock


def user_lock(name: str) -> FileLock:
    """Lock of that name; each call returns an object of its own, so that threads exclude each other as well."""
    # one folder per user: another user's files could not be locked
    folder = Path(tempfile.gettempdir()) / f"soundproof-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return FileLock(folder / re.sub(r"[^\w.-]", "_", name))


def path_lock(path: Path) -> FileLock:
    """Lock of whoever makes ``path``."""
    digest = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]
    return user_lock(f"{path.name[:60]}-{digest}")
