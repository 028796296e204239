"""A network of one's own as a detector: what its output means, whoever made it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from soundproof.core.errors import DataError
from soundproof.detectors.embedding.neighbours import distances, search
from soundproof.detectors.external.checks import OwnDetector, check_model, probes_of
from soundproof.detectors.external.settings import ExternalSettings
from soundproof.detectors.reading import in_chunks
from soundproof.interfaces.detector import TrainingClips
from soundproof.randomness.seeding import seed_from


class ModelDetector(OwnDetector):
    """Any :class:`torch.nn.Module` of which the settings say what its output is.

    A reconstruction is scored by its mean squared error, a map of cells by its mean or maximum, an embedding by its
    mean distance to the nearest ones of the normal training clips. A subclass makes the network.

    Args:
        shape: (n_freq, n_frames) of the maps.
        settings: What the model returns.

    Attributes:
        network: The user's module.
        references: Embeddings of the training clips [n_clips, n_dimensions]; nothing for other outputs.
    """

    settings: ExternalSettings
    references: Tensor

    def __init__(self, shape: tuple[int, int], settings: ExternalSettings) -> None:
        super().__init__(shape, settings)
        self.register_buffer("references", torch.zeros(0, 0))

    def settle(self, clips: TrainingClips, device: torch.device) -> Tensor:
        """Freeze the network, keep what is compared with, and check what the network returns.

        Args:
            clips: Normal training clips.
            device: Where to compute.

        Returns:
            The clips that it was tried on [n, n_freq, n_frames].

        Raises:
            DataError: A model that explanations and metrics could not be trusted with
                (:func:`soundproof.detectors.external.checks.check_model`).
        """
        self.to(device).freeze()
        if self.settings.output == "embedding":
            self.references = self._embedded(clips, device)
        probes, names = probes_of(clips)
        tried = probes.to(device)
        check_model(self, tried, names)
        return tried

    def score(self, x: Tensor) -> Tensor:
        """Anomaly score of each clip [B]."""
        settings = self.settings
        # a model without gradients may return something that only looks as if it had them
        with nullcontext() if settings.gradients else torch.no_grad():
            out = self.output(x)
            if settings.output == "score":
                return out
            if settings.output == "reconstruction":
                return (out - x).square().mean(dim=(1, 2))
            if settings.output == "cell_map":
                return out.mean(dim=(1, 2)) if settings.clip_score == "mean" else out.amax(dim=(1, 2))
            nearest = search(out, self.references, settings.neighbours)
            return distances(out[:, None], self.references[nearest]).mean(dim=1)

    def reconstruct(self, x: Tensor) -> Tensor | None:
        """Reconstruction [B, n_freq, n_frames], where that is what the model returns."""
        return self.output(x) if self.settings.output == "reconstruction" else None

    def anomaly_map(self, x: Tensor) -> Tensor | None:
        """The model's own map, or squared errors of its reconstruction [B, n_freq, n_frames]."""
        if self.settings.output == "reconstruction":
            return (self.output(x) - x).square()
        return self.output(x) if self.settings.output == "cell_map" else None

    def embed(self, x: Tensor) -> Tensor | None:
        """Embedding [B, n_dimensions], where that is what the model returns."""
        return self.output(x) if self.settings.output == "embedding" else None

    @property
    def cam_layer(self) -> nn.Module | None:
        """The layer that the settings name.

        Raises:
            DataError: The model has none of that name.
        """
        name = self.settings.cam_layer
        if name is None:
            return None
        layers: dict[str, nn.Module] = dict(self.network.named_modules())
        if name not in layers:
            raise DataError(
                f"layer '{name}' of the model '{self.settings.model}' ('cam_layer')",
                "no layer of that name",
                f"use one of: {', '.join(sorted(filter(None, layers)))}",
            )
        return layers[name]

    def randomise(self, seed: int) -> None:
        """Redraw all weights, and what is kept of normal clips.

        Layers reset themselves as far as they can; a weight that no layer resets is drawn from a normal
        distribution with its own mean and deviation.
        """
        before = {name: weight.detach().clone() for name, weight in self.named_parameters()}
        super().randomise(seed)
        generator = torch.Generator().manual_seed(seed_from("own weights", seed))
        own = [weight for name, weight in self.named_parameters() if torch.equal(weight, before[name])]
        with torch.no_grad():
            for values in (*own, *([self.references] if self.references.numel() else [])):
                drawn = torch.randn(values.shape, generator=generator).to(values)
                values.copy_(values.mean() + drawn * values.std(correction=0))

    def output(self, x: Tensor) -> Tensor:
        """What the model returns for maps [B, n_freq, n_frames], in the shape that its kind of output has.

        Raises:
            DataError: It fails, or returns something of another shape, on another device, or no real numbers.
        """
        weight = next((weight for weight in self.network.parameters() if weight.is_floating_point()), x)
        given = x.to(weight.dtype)
        given = given[:, None] if self.settings.input == "images" else given
        rows = torch.split(given, 1) if self.settings.one_by_one else (given,)
        with self.code.calling("a pass"):
            parts = [self._in_shape(self.network(part), part) for part in rows]
        return torch.cat(parts).to(x.dtype)

    def _in_shape(self, out: Any, given: Tensor) -> Tensor:
        kind, n = self.settings.output, len(given)
        maps = (n, given.shape[-2], given.shape[-1])
        allowed: dict[str, list[tuple[int, ...]]] = {
            "score": [(n,), (n, 1)],
            "reconstruction": [maps, (n, 1, *maps[1:])],
            "cell_map": [maps, (n, 1, *maps[1:])],
        }
        asked = f"output '{kind}' of the model '{self.settings.model}'"
        if not isinstance(out, Tensor) or not out.is_floating_point():
            found = f"a tensor of {out.dtype}" if isinstance(out, Tensor) else f"a {type(out).__name__}"
            raise DataError(f"{asked}: a tensor of real numbers", found, "return one tensor")
        shape = tuple(out.shape)
        fits = shape in allowed[kind] if kind in allowed else len(shape) == 2 and len(out) == n
        if not fits:
            wanted = f"shape {allowed[kind][0]}" if kind in allowed else f"shape ({n}, dimensions)"
            remedy = "correct 'output' or 'input' of the detector, or what the model returns"
            raise DataError(f"{asked}: {wanted} for {n} clips of {maps[1:]}", f"shape {shape}", remedy)
        if out.device != given.device:
            raise DataError(
                f"{asked} on the device of its input, {given.device}",
                f"on {out.device}",
                "keep tensors as buffers (register_buffer), or make them with device=x.device",
            )
        return out if kind == "embedding" else out.reshape(allowed[kind][0])

    def _embedded(self, clips: TrainingClips, device: torch.device) -> Tensor:
        if len(clips) < self.settings.neighbours:
            raise DataError(
                f"{self.settings.neighbours} nearest normal clips",
                f"{len(clips)} training clips",
                "lower 'neighbours'",
            )
        with torch.no_grad():
            return torch.cat([self.output(part.to(device)) for part in in_chunks(clips)])
