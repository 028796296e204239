"""What is kept of a checkpoint, as a safetensors file that says whose work it is."""

from __future__ import annotations

import torch
from safetensors.torch import save
from torch import Tensor

from soundproof.core.errors import DataError
from soundproof.downloads.catalogue.model import Record
from soundproof.storage.provenance import canonical_json
from soundproof.weights.reading import tensors_of

KEY = "soundproof"
"""Metadata entry of the file; one only, since safetensors does not keep the order of several."""
_STATISTICS = ("running_mean", "running_var")


def converted(record: Record, name: str, content: bytes) -> bytes:
    """The safetensors file of a record's weights; equal checkpoints give equal bytes.

    Args:
        record: Of the catalogue.
        name: Its key there.
        content: The checkpoint.

    Raises:
        DataError: The checkpoint cannot be read safely, or lacks what is kept.
    """
    kept = record.kept
    if kept is None:
        raise ValueError(f"nothing of '{name}' is kept")
    tensors = {
        key.removeprefix(kept.prefix): value.clone(memory_format=torch.contiguous_format)
        for key, value in tensors_of(content, kept.file, kept.within).items()
        if key.startswith(kept.prefix) and value.is_floating_point()
    }
    if kept.starts:
        tensors = {key: value for key, value in tensors.items() if key.startswith(kept.starts)}
    n_weights = count_weights(tensors)
    if not tensors or kept.n_weights not in (None, n_weights):
        wanted = "some" if kept.n_weights is None else f"{kept.n_weights:,}"
        raise DataError(
            f"{wanted} weights in {kept.file}", f"{n_weights:,}", "fetch the file that is catalogued"
        )
    return save(tensors, metadata={KEY: canonical_json(_header(record, name))})


def count_weights(tensors: dict[str, Tensor]) -> int:
    """Numbers in the tensors, running statistics of batch norm left out."""
    return sum(value.numel() for key, value in tensors.items() if not key.endswith(_STATISTICS))


def _header(record: Record, name: str) -> dict[str, str]:
    kept = record.kept
    source = record.source_of("" if kept is None else kept.file)
    return {
        "weights": name,
        "title": record.title,
        "authors": "" if kept is None else kept.authors,
        "citation": record.citation,
        "licence": record.licence.id,
        "source": source.package or f"record {source.record}",
        "file": "" if kept is None else kept.file,
    }
