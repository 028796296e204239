"""A tiny checkpoint inside a real wheel, which pip fetches from a folder."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from pathlib import Path

import torch

from soundproof.downloads.catalogue.model import Record

FILE = "checkpoint.pth"


def checkpoint() -> bytes:
    """A pair of tensors by name and a table of classes, as the published one."""
    net = {"embedding_net.a": torch.arange(6.0).reshape(2, 3), "embedding_net.b.running_mean": torch.ones(3)}
    head = {"fc.0": torch.zeros(2), "embedding_net.b.num_batches_tracked": torch.tensor(7)}
    stream = io.BytesIO()
    torch.save(({**net, **head}, {"drills": torch.tensor(3)}), stream)
    return stream.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def wheel(folder: Path, content: bytes, name: str = "toyweights", version: str = "0.1") -> bytes:
    """Write an installable wheel that carries the checkpoint, and return it."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/models/{FILE}": content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for path, data in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]).encode()
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in files.items():
            archive.writestr(member, data)
    return path.read_bytes()


def record(content: bytes, wheel_sha256: str, **kept: object) -> Record:
    """A record of the catalogue for the checkpoint."""
    files = {FILE: {"bytes": len(content), "sha256": sha256(content)}}
    source = {"package": "toyweights==0.1", "wheel": {"bytes": 1, "sha256": wheel_sha256}, "files": files}
    return Record.model_validate(
        {
            "title": "Toy",
            "role": "weights",
            "licence": {"id": "CC-BY-4.0", "consequence": "attribution"},
            "citation": "Toy 2020",
            "bibtex": "@misc{toy2020,\n}",
            "sources": [source],
            "layout": "one file",
            "kept": {
                "file": FILE,
                "within": [0],
                "prefix": "embedding_net.",
                "n_weights": 6,
                "authors": "Ann Author",
                **kept,
            },
        }
    )
