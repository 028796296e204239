"""A user's own encoder: a class of theirs, and a file of its weights that holds tensors only."""

from __future__ import annotations

import importlib
from pathlib import Path

from soundproof.backbones.digests import tensors_digest
from soundproof.core.errors import DataError
from soundproof.interfaces.backbone import Backbone, Origin
from soundproof.weights.reading import read_tensors


def own_backbone(shape: tuple[int, int], file: str, module: str) -> Backbone:
    """Make the encoder and give it the file's weights.

    Args:
        shape: (n_freq, n_frames) of the maps.
        file: ``.safetensors``, or ``.pt``/``.pth`` that holds tensors only.
        module: ``package.module:Class``; the class derives from
            :class:`soundproof.interfaces.backbone.Backbone` and is made from the shape alone.

    Raises:
        DataError: Class or file cannot be used, or they do not fit one another.
    """
    path, _, name = module.partition(":")
    asked = f"the own encoder '{module}'"
    try:
        made = getattr(importlib.import_module(path), name)(shape)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        remedy = (
            "name 'package.module:Class' that can be imported here and is made from a shape (bands, frames)"
        )
        raise DataError(asked, f"{type(error).__name__}: {error}", remedy) from error
    if not isinstance(made, Backbone):
        raise DataError(
            asked, f"a {type(made).__name__}", "derive it from soundproof.interfaces.backbone.Backbone"
        )
    tensors = made.from_published(read_tensors(Path(file)))
    try:
        made.load_state_dict(tensors)
    except RuntimeError as error:
        remedy = "give the file's tensors the names and shapes of the class's state_dict"
        raise DataError(f"weights of {file} that fit {module}", str(error), remedy) from error
    state = made.state_dict()
    made.origin = Origin(Path(file).name, tensors_digest(state), frozenset(state))
    return made
