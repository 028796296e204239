"""A network of one's own as a detector: what its output means, whoever made it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from soundproof.core.errors import DataError
from soundproof.detectors.embedding.neighbours import distances, search
from soundproof.detectors.external.checks import OwnDetector, check_model, probe_rows
from soundproof.detectors.external.settings import ExternalSettings
from soundproof.detectors.reading import rows_in_chunks
from soundproof.detectors.storage import resize_buffers
from soundproof.features.sound_layer import SoundForm, SoundLayer
from soundproof.interfaces.detector import Heard, HeardClips, TrainingClips
from soundproof.randomness.seeding import seed_from


class ModelDetector(OwnDetector):
    """Any :class:`torch.nn.Module` of which the settings say what its output is.

    A reconstruction is scored by its mean squared error, a map of cells by its mean or maximum, an embedding by its
    mean distance to the nearest ones of the normal training clips. A subclass makes the network.

    A model that takes sound is asked about maps of clips whose sounds it was told (:meth:`hearing`): a layer in
    front of it brings a map back to the sound that it is of (:mod:`soundproof.features.sound_layer`), so that
    explainers and metrics work on the cells of the study's maps as with any other detector. A reconstructed sound
    is scored by its mean squared error over samples; its map is the power of the error in each cell.

    Args:
        shape: (n_freq, n_frames) of the maps.
        settings: What the model returns.

    Attributes:
        network: The user's module.
        references: Embeddings of the training clips [n_clips, n_dimensions]; nothing for other outputs.
        form: Of a model that takes sound: what its maps and sounds are, encoded, uint8 [n_bytes].
        heard: Clips whose maps it is asked about; None: it was told none.
    """

    settings: ExternalSettings
    references: Tensor
    form: Tensor

    def __init__(self, shape: tuple[int, int], settings: ExternalSettings) -> None:
        super().__init__(shape, settings)
        self.register_buffer("references", torch.zeros(0, 0))
        self.heard: Heard | None = None
        self.layer: SoundLayer | None = None
        self._before: tuple[ModelDetector, ...] = ()
        if self.hears:
            self.register_buffer("form", torch.zeros(0, dtype=torch.uint8))

    @property
    def hears(self) -> bool:
        """Whether the model takes sound."""
        return self.settings.hears

    def hearing(self, heard: Heard) -> ModelDetector:
        """A view that shares all weights, and brings maps of these clips back to sound."""
        if not self.hears:
            return self
        view = copy.copy(self)
        view.heard = Heard(*(values.to(self.form.device) for values in heard))
        view._before = (self.of_no_clip(),)
        return view

    def of_no_clip(self) -> ModelDetector:
        """The detector that this is a view of."""
        return self._before[0] if self._before else self

    def for_a_trial(self) -> ModelDetector:
        """A view that is told a clip of silence."""
        if not self.hears or self.heard is not None:
            return self
        silence = torch.zeros(1, self.sound_layer.form.n_samples, device=self.form.device)
        return self.hearing(Heard(silence, self.sound_layer.maps(silence)))

    def take(self, form: SoundForm) -> None:
        """Learn what sounds the model will be given.

        Raises:
            DataError: The model was made for another sampling rate.
        """
        wanted = self.settings.rate_hz
        if wanted is not None and wanted != form.recipe.rate_hz:
            raise DataError(
                f"sound at {wanted} Hz, for which the model '{self.settings.model}' was made ('rate_hz')",
                f"{form.recipe.rate_hz} Hz: the rate of recipe '{form.recipe.recipe}'",
                f"set 'features: {{sample_rate_hz: {wanted}}}', or correct 'rate_hz'",
            )
        encoded = torch.frombuffer(bytearray(form.encode().encode()), dtype=torch.uint8)
        self.form = encoded.to(self.form.device)
        self.layer = SoundLayer(form).to(self.form.device)

    def take_form_of(self, clips: TrainingClips) -> None:
        """Learn from training clips what sounds the model will be given, where it takes sound.

        Raises:
            DataError: Their sounds are not kept, or have another rate.
        """
        if not self.hears:
            return
        sound = clips.sound if isinstance(clips, HeardClips) else None
        if sound is None:
            raise DataError(
                f"sound for the model '{self.settings.model}' ('input: audio')",
                "maps alone: the recipe keeps no sound beside them",
                "set 'features: {recipe: audio}', or 'keep_sound: true' in another recipe",
            )
        self.take(SoundForm.decode(sound))

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Take what was stored; a model that takes sound is made anew first, for sounds of the stored kind."""
        if self.hears and self.layer is None:
            self.take(SoundForm.decode(bytes(state_dict["form"].cpu().tolist()).decode()))
            resize_buffers(self, state_dict)
        return super().load_state_dict(state_dict, strict, assign)

    def asked(
        self, clips: TrainingClips, rows: list[int], device: torch.device
    ) -> tuple[ModelDetector, Tensor]:
        """Training clips: the detector as it scores them, and their maps [n, n_freq, n_frames]."""
        maps = clips.read(rows).to(device)
        if self.hears and isinstance(clips, HeardClips):
            return self.hearing(clips.heard(rows)), maps
        return self, maps

    def in_chunks(self, clips: TrainingClips, device: torch.device) -> Iterator[tuple[ModelDetector, Tensor]]:
        """All training clips in order, as :meth:`asked`, about a row group at a time."""
        return (self.asked(clips, rows, device) for rows in rows_in_chunks(clips))

    def settle(self, clips: TrainingClips, device: torch.device) -> tuple[ModelDetector, Tensor]:
        """Freeze the network, keep what is compared with, and check what the network returns.

        Args:
            clips: Normal training clips.
            device: Where to compute.

        Returns:
            What it was tried on, as :meth:`asked`.

        Raises:
            DataError: A model that explanations and metrics could not be trusted with
                (:func:`soundproof.detectors.external.checks.check_model`).
        """
        self.to(device).freeze()
        if self.settings.output == "embedding":
            self.references = self._embedded(clips, device)
        rows = probe_rows(clips)
        of_clips, tried = self.asked(clips, rows, device)
        check_model(of_clips, tried, list(clips.frame["clip_id"].iloc[rows].astype(str)))
        return of_clips, tried

    def score(self, x: Tensor) -> Tensor:
        """Anomaly score of each clip [B]."""
        settings = self.settings
        # a model without gradients may return something that only looks as if it had them
        with nullcontext() if settings.gradients else torch.no_grad():
            if settings.output == "reconstruction":
                return self._errors(x).square().flatten(1).mean(dim=1)
            out = self.output(x)
            if settings.output == "score":
                return out
            if settings.output == "cell_map":
                return out.mean(dim=(1, 2)) if settings.clip_score == "mean" else out.amax(dim=(1, 2))
            nearest = search(out, self.references, settings.neighbours)
            return distances(out[:, None], self.references[nearest]).mean(dim=1)

    def reconstruct(self, x: Tensor) -> Tensor | None:
        """Reconstruction [B, n_freq, n_frames], where that is what the model returns."""
        if self.settings.output != "reconstruction":
            return None
        out = self.output(x)
        return self.sound_layer.maps(out) if self.hears else out

    def anomaly_map(self, x: Tensor) -> Tensor | None:
        """The model's own map, or errors of its reconstruction, squared or as power, [B, n_freq, n_frames]."""
        if self.settings.output == "reconstruction":
            errors = self._errors(x)
            return self.sound_layer.power(errors) if self.hears else errors.square()
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

    def alone(self, row: int) -> ModelDetector:
        """The detector as it scores one of the clips that it was told."""
        if self.heard is None:
            return self
        return self.hearing(Heard(*(values[row : row + 1] for values in self.heard)))

    def output(self, x: Tensor) -> Tensor:
        """What the model returns for maps [B, n_freq, n_frames], in the shape that its kind of output has.

        Raises:
            DataError: It fails, or returns something of another shape, on another device, or no real numbers; or it
                takes sound, and was told of no clip.
        """
        return self.returned(self.given(x))

    def given(self, x: Tensor) -> Tensor:
        """What the model is given for maps [B, n_freq, n_frames]: these, or sounds [B, n_samples].

        Raises:
            DataError: It takes sound, and was told of no clip, or of another number of clips.
        """
        if not self.hears:
            return x
        heard = self.heard
        if heard is None or len(heard.maps) not in (1, len(x)):
            known = "no clip" if heard is None else f"{len(heard.maps)} clips"
            raise DataError(
                f"sound for {len(x)} maps, which the model '{self.settings.model}' takes",
                f"{known} known: a map alone has no phase",
                "ask what 'hearing' returns for one clip, or for as many as there are maps",
            )
        return self.sound_layer.sounds(x, heard.samples, heard.maps)

    def returned(self, x: Tensor) -> Tensor:
        """What the model returns for what :meth:`given` gives it."""
        weight = next((weight for weight in self.network.parameters() if weight.is_floating_point()), x)
        given = x.to(weight.dtype)
        given = given[:, None] if self.settings.input == "images" else given
        rows = torch.split(given, 1) if self.settings.one_by_one else (given,)
        with self.code.calling("a pass"):
            parts = [self._in_shape(self.network(part), part) for part in rows]
        return torch.cat(parts).to(x.dtype)

    def _errors(self, x: Tensor) -> Tensor:
        """What a reconstruction lacks, in the shape that it has."""
        given = self.given(x)
        return self.returned(given) - given

    @property
    def sound_layer(self) -> SoundLayer:
        """What brings maps back to sound, where the model takes sound and was fitted."""
        layer = self.layer
        if not isinstance(layer, SoundLayer):
            raise TypeError(f"'{self.settings.model}' was not fitted, or takes no sound")
        return layer

    def _in_shape(self, out: Any, given: Tensor) -> Tensor:
        kind, n = self.settings.output, len(given)
        one = tuple(given.shape[-1:] if self.hears else given.shape[-2:])
        allowed: dict[str, list[tuple[int, ...]]] = {
            "score": [(n,), (n, 1)],
            "reconstruction": [(n, *one), (n, 1, *one)],
            "cell_map": [(n, *one), (n, 1, *one)],
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
            raise DataError(f"{asked}: {wanted} for {n} clips of {one}", f"shape {shape}", remedy)
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
            return torch.cat([one.output(maps) for one, maps in self.in_chunks(clips, device)])
