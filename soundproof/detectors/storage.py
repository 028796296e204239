"""Fitted detectors on disk: safetensors with everything needed to rebuild them, nothing pickled.

Weights that a backbone was given, and that the fit left as they were, are not repeated in each file: it names them
and their checksum.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from soundproof.backbones.digests import tensors_digest
from soundproof.core.errors import ArtefactError, ConfigError
from soundproof.detectors.registry import DETECTORS
from soundproof.interfaces.backbone import Backbone, Origin
from soundproof.interfaces.detector import Detector
from soundproof.storage.files import whole_file
from soundproof.storage.provenance import Provenance, canonical_json

_KEY = "soundproof"
"""One metadata entry holds all: safetensors does not keep the order of several, and bytes must not vary."""


@dataclass(frozen=True)
class StoredDetector:
    """What a detector file says about itself.

    Attributes:
        kind: Name in the registry of detectors.
        settings: Settings as given to the registry entry.
        shape: (n_freq, n_frames) of the maps it takes.
        provenance: Where it came from.
        weights: By the backbone's place in the detector: ``name`` and ``sha256`` of weights that stand elsewhere,
            and ``credit`` where others made them.
    """

    kind: str
    settings: dict[str, Any]
    shape: tuple[int, int]
    provenance: Provenance
    weights: dict[str, dict[str, str]] = field(default_factory=dict)


def save_detector(path: Path, detector: Detector, kind: str, provenance: Provenance) -> None:
    """Write a fitted detector; equal content gives equal bytes.

    Args:
        path: Where (``.safetensors``); it appears whole or not at all.
        detector: Fitted detector, on any device.
        kind: Its name in the registry of detectors.
        provenance: Where it came from.

    Raises:
        ArtefactError: A weight is not finite.
    """
    origins = dict(_untouched(detector))
    elsewhere = {f"{place}.{name}" for place, origin in origins.items() for name in origin.names}
    tensors = {
        # a copy of its own for each: safetensors refuses views and shared memory
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in detector.state_dict().items()
        if name not in elsewhere
    }
    for name, value in tensors.items():
        if not value.isfinite().all():
            asked = f"finite weights of detector '{kind}'"
            raise ArtefactError(asked, f"NaN or infinity in '{name}'", "train it again")
    header = {
        "kind": kind,
        "settings": detector.settings.model_dump(mode="json"),
        "shape": list(detector.shape),
        "provenance": json.loads(provenance.encode()),
    }
    if origins:
        header["weights"] = {place: _stated(origin) for place, origin in origins.items()}
    with whole_file(path) as partial:
        save_file(tensors, partial, metadata={_KEY: canonical_json(header)})


def read_header(path: Path) -> StoredDetector:
    """Read what a detector file says about itself, without its weights.

    Raises:
        ArtefactError: The file is missing, cut off or not a detector.
    """
    return _read(path, with_tensors=False)[0]


def load_detector(path: Path, device: torch.device) -> Detector:
    """Rebuild a detector, frozen, on a device.

    Raises:
        ArtefactError: The file is missing, cut off, not a detector, or does not fit today's code; or weights that
            it names are missing or others.
    """
    stored, tensors = _read(path, with_tensors=True)
    try:
        entry = DETECTORS[stored.kind]
        detector: Detector = entry.load()(stored.shape, entry.settings(stored.settings))
        resize_buffers(detector, tensors)
        detector.load_state_dict({**_elsewhere(path, stored, detector), **tensors})
    except (ConfigError, RuntimeError) as error:
        raise _unusable(path, f"a detector of another version ({error})") from error
    return detector.to(device).freeze()


def _read(path: Path, *, with_tensors: bool) -> tuple[StoredDetector, dict[str, Tensor]]:
    if not path.exists():
        raise ArtefactError(f"detector {path}", "no such file", "run the workflow that trains it")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()} if with_tensors else {}  # noqa: SIM118
        stored = StoredDetector(
            kind=header["kind"],
            settings=header["settings"],
            shape=(header["shape"][0], header["shape"][1]),
            provenance=Provenance.decode(canonical_json(header["provenance"]).encode()),
            weights=header.get("weights", {}),
        )
    except (SafetensorError, OSError, KeyError, TypeError, IndexError, ValueError) as error:
        raise _unusable(path, f"not a whole detector file ({type(error).__name__}: {error})") from error
    return stored, tensors


def _untouched(detector: Detector) -> Iterator[tuple[str, Origin]]:
    """Places of backbones whose given weights are still what they were, with their origins."""
    for place, module in detector.named_modules():
        if isinstance(module, Backbone) and module.origin is not None:
            state = module.state_dict()
            given = {name: state[name] for name in module.origin.names}
            if tensors_digest(given) == module.origin.sha256:
                yield place, module.origin


def _stated(origin: Origin) -> dict[str, str]:
    stated = {"name": origin.name, "sha256": origin.sha256}
    return {**stated, "credit": origin.credit} if origin.credit else stated


def _elsewhere(path: Path, stored: StoredDetector, detector: Detector) -> dict[str, Tensor]:
    """Tensors that the file leaves to the weights it names, as the rebuilt detector has found them.

    Raises:
        ArtefactError: It was fitted with others.
    """
    found: dict[str, Tensor] = {}
    for place, named in stored.weights.items():
        backbone = dict(detector.named_modules()).get(place)
        origin = backbone.origin if isinstance(backbone, Backbone) else None
        if backbone is None or origin is None or origin.sha256 != named["sha256"]:
            other = "none" if origin is None else f"'{origin.name}', SHA-256 {origin.sha256}"
            raise ArtefactError(
                f"detector {path}, fitted on the weights '{named['name']}', SHA-256 {named['sha256']}",
                other,
                "bring the weights it was fitted on, or delete it and train again",
            )
        state = backbone.state_dict()
        found |= {f"{place}.{name}": state[name] for name in origin.names}
    return found


def _unusable(path: Path, found: str) -> ArtefactError:
    return ArtefactError(f"detector {path}", found, "delete it and train again")


def resize_buffers(detector: Detector, tensors: Mapping[str, Tensor]) -> None:
    """Give buffers whose size the training decides (support vectors, trees) the stored size."""
    for name, buffer in list(detector.named_buffers()):
        stored = tensors.get(name)
        if stored is not None and stored.shape != buffer.shape:
            owner, _, attribute = name.rpartition(".")
            setattr(detector.get_submodule(owner), attribute, torch.empty(stored.shape, dtype=buffer.dtype))
