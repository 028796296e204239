"""Weights that were fetched, for the networks that need them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from soundproof.core.errors import ArtefactError
from soundproof.weights.place import weights_file
from soundproof.weights.records import recorded


@dataclass(frozen=True)
class Weights:
    """Tensors by name, and whose work they are.

    Attributes:
        tensors: As the checkpoint names them.
        credit: Title, authors, citation and licence.
    """

    tensors: dict[str, Tensor]
    credit: str


def load_weights(name: str) -> Weights:
    """Read the weights of a record of the catalogue.

    Raises:
        ConfigError: The catalogue has no such weights.
        ArtefactError: They are not there, or not those that the catalogue names.
    """
    record = recorded(name)
    path = weights_file(name)
    fetching = f"run 'snakemake {path}', or 'snakemake' for the whole run: both fetch them"
    if not path.is_file():
        raise ArtefactError(f"weights {path}", "no such file", fetching)
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    wanted = None if record.kept is None else record.kept.sha256
    if wanted not in (None, found):
        raise ArtefactError(
            f"weights {path} with SHA-256 {wanted}", f"SHA-256 {found}", f"delete the file, then {fetching}"
        )
    try:
        return Weights(load(content), record.credit)
    except SafetensorError as error:
        raise ArtefactError(
            f"weights {path}", f"no whole safetensors file: {error}", f"delete it, then {fetching}"
        ) from error
