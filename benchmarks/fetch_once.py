"""One verified download in a process of its own, which then tells its peak memory in MiB.

Usage: ``python -m benchmarks.fetch_once URL N_BYTES MD5``
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.resident import peak_resident_bytes
from soundproof.downloads.download import fetch
from soundproof.downloads.remote_file import RemoteFile


def main(url: str, n_bytes: int, md5: str) -> None:
    """Fetch, and write the peak to standard output."""
    with tempfile.TemporaryDirectory() as folder:
        fetch(RemoteFile("file", (url,), n_bytes, md5), Path(folder))
    sys.stdout.write(f"{peak_resident_bytes() / (1 << 20):.1f}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
