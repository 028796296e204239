"""A file inside a Python package, fetched with the package client and index that this machine is set up with.

Companies serve packages from mirrors of their own: the checksum says that it is the right file, from wherever.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from soundproof.core.errors import DownloadError
from soundproof.core.redaction import redact
from soundproof.downloads.catalogue.model import Source

TIMEOUT_S = 15
"""Seconds without a byte from the index after which pip gives up; it tries twice."""


def file_in_package(source: Source, name: str) -> bytes:
    """Fetch a package by its checksum and return one file of it.

    Args:
        source: The package, its wheel's checksum and its files.
        name: One of the files, found in the wheel by its last name.

    Raises:
        DownloadError: The client cannot reach an index, the index has no such package, or a file is another one.
    """
    if source.package is None or source.wheel is None:
        raise ValueError("the source names no wheel")
    with tempfile.TemporaryDirectory() as folder:
        wheel = _fetched(source.package, source.wheel.sha256, Path(folder))
        with zipfile.ZipFile(wheel) as archive:
            members = [member for member in archive.namelist() if member.rpartition("/")[2] == name]
            if len(members) != 1:
                found = f"{len(members)} files of that name in {wheel.name}"
                raise DownloadError(
                    f"the file {name} of {source.package}", found, "mend config/datasets.yaml"
                )
            content = archive.read(members[0])
    check(content, source.files[name].sha256 or "", f"{name} of {source.package}")
    return content


def check(content: bytes, sha256: str, name: str) -> None:
    """Refuse a file of another checksum.

    Raises:
        DownloadError: It is another one.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DownloadError(
            f"{name} with SHA-256 {sha256}", f"SHA-256 {found}", "find out who changed it; do not use it"
        )


def _fetched(package: str, sha256: str, folder: Path) -> Path:
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{package} --hash=sha256:{sha256}\n", encoding="utf-8")
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *(
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
            "--timeout",
            str(TIMEOUT_S),
            "--retries",
            "1",
        ),
        *("--dest", str(folder / "wheel"), "--requirement", str(wanted)),
    ]
    asked = f"the Python package {package}"
    remedy = "see that 'pip download' reaches a package index from here (PIP_INDEX_URL, PIP_CERT, proxies)"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DownloadError(asked, redact(_said(done.stderr)), remedy)
    return next((folder / "wheel").glob("*.whl"))


def _said(stderr: str) -> str:
    """The client's errors in one line; its warnings tell of retries."""
    lines = [line.strip() for line in stderr.splitlines() if line.startswith("ERROR:")]
    return (
        " ".join(line.removeprefix("ERROR: ") for line in lines) or stderr.strip() or "pip failed in silence"
    )
