"""Backbones by name, with their weights, frozen."""

from __future__ import annotations

import torch

from soundproof.backbones.digests import tensors_digest
from soundproof.backbones.registry import BackboneEntry, BackboneSettings
from soundproof.core.errors import ArtefactError, DataError
from soundproof.interfaces.backbone import Backbone, Origin
from soundproof.weights.load import load_weights


def build_backbone(settings: BackboneSettings, shape: tuple[int, int], seed: int) -> Backbone:
    """Make a backbone for maps of one shape, in evaluation mode and without gradients of its weights.

    Args:
        settings: Which one.
        shape: (n_freq, n_frames) of the maps.
        seed: Of the weights that are drawn (``random``); the draw derives from it and from the tensors' names.

    Raises:
        DataError: The maps are too small for it, or a user's own encoder cannot be used.
        ArtefactError: Weights are missing, or not those that the catalogue names.
    """
    entry = settings.built
    _check(settings, shape)
    backbone = _made(settings, entry, shape, seed)
    backbone.eval()
    backbone.requires_grad_(False)
    # convolutions are quicker with the channels of a cell side by side
    backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in the stub
    return backbone


def _check(settings: BackboneSettings, shape: tuple[int, int]) -> None:
    entry = settings.built
    least = settings.least_side
    most = entry.most_bands or shape[0]
    if least <= min(shape) and shape[0] <= most:
        return
    allowed = f"at least {least} bands and frames" + (f", at most {most} bands," if entry.most_bands else "")
    raise DataError(
        f"maps of {allowed} for the backbone '{settings.kind}'",
        f"{shape[0]} bands x {shape[1]} frames",
        f"choose the recipe {' or '.join(entry.recipes) or 'or the length of clips so'}, or another backbone",
    )


def _made(settings: BackboneSettings, entry: BackboneEntry, shape: tuple[int, int], seed: int) -> Backbone:
    implementation = settings.entry.load()
    if settings.kind == "featex":
        made: Backbone = implementation(shape, settings.width, settings.epochs)
    elif settings.kind == "none":
        made = implementation(shape, settings.patch, settings.stride)
    elif settings.kind == "own":
        made = implementation(shape, settings.file, settings.module)
    elif settings.kind == "random":
        wide = (settings.width,) if entry.learns else ()
        made = implementation(entry.load()(shape, *wide), settings.network, seed)
    else:
        made = _trained(entry, shape)
    return made


def _trained(entry: BackboneEntry, shape: tuple[int, int]) -> Backbone:
    backbone: Backbone = entry.load()(shape)
    weights = load_weights(entry.weights or entry.name)
    tensors = backbone.from_published(weights.tensors)
    added = set(backbone.calibrated)
    try:
        missing, unexpected = backbone.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise _unfit(entry, str(error).splitlines()[-1].strip()) from error
    # published weights need not say how many batches they have seen, nor what a fit adds
    lacking = [name for name in missing if not name.endswith("num_batches_tracked") and name not in added]
    if lacking or unexpected:
        raise _unfit(entry, f"without {lacking}, with unknown {sorted(unexpected)}")
    kept = {name: value for name, value in backbone.state_dict().items() if name in tensors}
    backbone.origin = Origin(
        entry.weights or entry.name, tensors_digest(kept), frozenset(kept), weights.credit
    )
    return backbone


def _unfit(entry: BackboneEntry, found: str) -> ArtefactError:
    return ArtefactError(
        f"weights '{entry.weights}' that fit the network '{entry.name}'",
        found,
        "delete the file and let the workflow fetch it again",
    )
