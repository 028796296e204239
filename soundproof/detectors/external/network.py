"""The network of a model of one's own: made by the user's code, with weights that run nothing."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.external.code import OwnCode
from soundproof.detectors.external.settings import ExternalSettings
from soundproof.randomness.drawing import seeded
from soundproof.weights.reading import read_tensors

_LISTED = 3


def make_network(
    code: OwnCode, settings: ExternalSettings, told: Mapping[str, object], seed: int
) -> nn.Module:
    """Call ``build(shape, **arguments)``, or ``build(n_samples, rate_hz, **arguments)`` of a model of sound.

    Args:
        code: The user's code.
        settings: Hold the arguments.
        told: What it is told of its input, by the names used in messages.
        seed: What its weights are drawn from.

    Raises:
        ConfigError: The import fails, or the function does not take these arguments.
        DataError: It fails, or makes something else.
    """
    build = code.maker()
    called = f"{code.parts.attribute}({', '.join(told)})"
    words = "the number of samples, the rate in Hz" if settings.hears else "(bands, frames)"
    try:
        inspect.signature(build).bind(*told.values(), **settings.arguments)
    except TypeError as error:
        raise ConfigError(
            f"{called[:-1]}{''.join(f', {name}=...' for name in settings.arguments)}) of the model "
            f"'{code.name}'",
            f"it cannot be called so: {error}",
            f"let it take {words} and the 'arguments' of the study",
        ) from error
    with code.calling(called), seeded(seed):
        made: Any = build(*told.values(), **settings.arguments)
    if not isinstance(made, nn.Module):
        raise DataError(
            f"the model '{code.name}'",
            f"{called} returned a {type(made).__name__}",
            "return a torch.nn.Module",
        )
    return made


def load_weights(network: nn.Module, settings: ExternalSettings) -> None:
    """Give a network the weights that the settings name; nothing in the file is executed.

    Raises:
        DataError: The file cannot be read, has another checksum, or does not fit the network.
    """
    path = settings.weights
    if path is None:
        return
    if settings.sha256 is not None:
        read_checked(settings)
    tensors, wanted = read_tensors(path), network.state_dict()
    other_shape = [
        f"{name} {tuple(tensors[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in tensors.keys() & wanted.keys()
        if tensors[name].shape != wanted[name].shape
    ]
    complaints = {
        "of another shape": sorted(other_shape),
        "missing": sorted(wanted.keys() - tensors.keys()),
        "not in the model": sorted(tensors.keys() - wanted.keys()),
    }
    said = [f"{kind}: {_some(names)}" for kind, names in complaints.items() if names]
    if said:
        raise DataError(
            f"weights {path} for the model '{settings.model}'",
            "; ".join(said),
            "save the state_dict of the very model that the function makes for these maps",
        )
    network.load_state_dict(tensors)


def read_checked(settings: ExternalSettings) -> bytes:
    """Content of the file that holds the weights.

    Raises:
        DataError: It cannot be read, or has another checksum than the settings say.
    """
    (path,) = settings.own_files()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"weights {path}", str(error.strerror), "name a file that exists") from error
    found = hashlib.sha256(content).hexdigest()
    if settings.sha256 not in (None, found):
        raise DataError(
            f"weights {path} with SHA-256 {settings.sha256}",
            f"SHA-256 {found}",
            "bring the file that was meant, or correct 'sha256'",
        )
    return content


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
