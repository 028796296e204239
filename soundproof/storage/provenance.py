"""What every result file says about where it came from.

No clock time, host name or absolute path goes in: the same inputs give byte-identical files.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

from soundproof.core.redaction import redact

KEY = b"soundproof"
"""Key of the provenance record in a Parquet file's schema metadata."""

_PACKAGES = ("numpy", "pandas", "pyarrow", "torch", "torchaudio", "captum", "scikit-learn", "scipy")


def canonical_json(value: Any) -> str:
    """Serialise plain values so that equal values give equal text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def digest(value: Any) -> str:
    """Return 16 hexadecimal digits that identify a plain value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """Return 16 hexadecimal digits that identify a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def portable(value: Any) -> Any:
    """Plain settings as a record may hold them: of an absolute path only its last name, of addresses no secret."""
    if isinstance(value, Mapping):
        return {key: portable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [portable(item) for item in value]
    if isinstance(value, str) and Path(value).is_absolute():
        return Path(value).name
    # by its form alone: a record must not depend on the variables of the moment
    return redact(value, {}) if isinstance(value, str) else value


@cache
def package_versions() -> dict[str, str]:
    """Versions of the packages that shape numbers (without importing them)."""
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


Files = Path | tuple[Path, ...]
"""Files under one role of a job's inputs; several count as a set."""


def content_digest(files: Files, of: Callable[[Path], str] = file_digest) -> str:
    """Return 16 hexadecimal digits that identify the content of a file, or of a set of files.

    Args:
        files: One path, or several in any order.
        of: Digest of one file.
    """
    return digest(sorted(map(of, files))) if isinstance(files, tuple) else of(files)


def content_digests(inputs: Mapping[str, Files]) -> dict[str, str]:
    """What a record holds of a job's inputs: role, digest of the content."""
    return {role: content_digest(files) for role, files in inputs.items()}


class Stated(TypedDict):
    """What a rule states of its job's files, and their record repeats.

    Attributes:
        stage: Stage that writes the files.
        settings: All settings that shape the content.
        code: Digest of the code that runs.
        seed: Run seed where the stage draws random numbers.
    """

    stage: str
    settings: Mapping[str, Any]
    code: str
    seed: int | None


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The record kept in the schema metadata of a result file.

    Attributes:
        stage: Stage that wrote the file.
        settings: All settings that shaped the content.
        code: Digest of the code that ran.
        inputs: Content digest of each input file by role.
        seed: Run seed where the stage draws random numbers.
        device: Kind of device that computed (``cpu``, ``cuda``).
        versions: Versions of the packages that shape numbers.
    """

    stage: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    device: str = "cpu"
    versions: Mapping[str, str] = field(default_factory=package_versions)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", portable(self.settings))

    @property
    def settings_digest(self) -> str:
        """Digest of the settings, by which a stale file is told from a current one."""
        return digest(self.settings)

    @classmethod
    def of_record(cls, record: Stated, inputs: Mapping[str, str], device: str = "cpu") -> Provenance:
        """The record of a file that a rule states, with what only its job knows.

        Args:
            record: What the rule states.
            inputs: Content digest of each input by role.
            device: Kind of device that computed.
        """
        return cls(**record, inputs=inputs, device=device)

    def encode(self) -> bytes:
        """Return the record as canonical JSON."""
        return canonical_json({**asdict(self), "settings_digest": self.settings_digest}).encode()

    @classmethod
    def decode(cls, record: bytes) -> Provenance:
        """Read a record written by :meth:`encode`."""
        fields = json.loads(record)
        fields.pop("settings_digest", None)
        return cls(**fields)
