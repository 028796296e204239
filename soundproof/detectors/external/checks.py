"""What must hold of a model of one's own, tried on training clips before anything is scored or explained."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager
from typing import Protocol

import torch
from torch import Tensor, nn

from soundproof.core.errors import DataError
from soundproof.detectors.external.settings import ExternalSettings
from soundproof.detectors.storage import resize_buffers
from soundproof.interfaces.detector import Detector, Heard, TrainingClips

_PROBES = 5
"""Training clips that a model is tried on, spread evenly over all."""
_ROUNDING = 1e-4
"""Part of a score that the order of float sums may move: passes of other sizes sum in another order."""


class Called(Protocol):
    """Code of the user's, whose errors are told in its own words."""

    def calling(self, what: str) -> AbstractContextManager[None]:
        """Run code of the model; ``what`` is done, for messages."""


class OwnDetector(Detector):
    """A detector of which more is known than its score."""

    settings: ExternalSettings
    code: Called
    network: nn.Module
    heard: Heard | None

    @abstractmethod
    def output(self, x: Tensor) -> Tensor:
        """What the model returns for maps [B, n_freq, n_frames]."""

    @abstractmethod
    def given(self, x: Tensor) -> Tensor:
        """What the model is given for maps [B, n_freq, n_frames]."""

    @abstractmethod
    def returned(self, x: Tensor) -> Tensor:
        """What the model returns for what it is given."""

    @abstractmethod
    def hearing(self, heard: Heard) -> OwnDetector:
        """The detector as it scores maps of these clips."""

    @abstractmethod
    def alone(self, row: int) -> OwnDetector:
        """The detector as it scores one of the clips that it was told."""


def probe_rows(clips: TrainingClips) -> list[int]:
    """Rows of some training clips."""
    return list(range(0, len(clips), -(-len(clips) // _PROBES)))


def check_state(detector: OwnDetector, fresh: OwnDetector, x: Tensor) -> None:
    """Refuse a model that is another one after it was stored: what it learnt must stand in its ``state_dict``.

    Args:
        detector: The fitted detector.
        fresh: One that is newly made.
        x: Some clips.

    Raises:
        DataError: It cannot be rebuilt, or scores otherwise then.
    """
    asked = f"a model '{detector.settings.model}' that is the same after it was stored"
    remedy = "make all that it learns parameters or buffers (register_buffer) when it is built"
    state = detector.state_dict()
    try:
        resize_buffers(fresh, state)
        fresh.load_state_dict(state)
    except (RuntimeError, AttributeError) as error:
        raise DataError(asked, " ".join(str(error).split()), remedy) from error
    fresh.to(x.device).freeze()
    if detector.heard is not None:
        fresh = fresh.hearing(detector.heard)
    with torch.no_grad():
        one, other = detector.output(x), fresh.output(x)
    if not _close(one, other):
        raise DataError(asked, f"what it returns differs by {_apart(one, other):.3g}", remedy)


def check_model(detector: OwnDetector, x: Tensor, names: list[str]) -> None:
    """Refuse a model that explanations and metrics could not be trusted with.

    Args:
        detector: The fitted detector, frozen.
        x: Some clips [n, n_freq, n_frames].
        names: Their ids.

    Raises:
        DataError: It trains on, returns NaN, other scores for the same clip, or a score that hangs on a clip's
            neighbours or not on the clip; it changes its input, its map is negative, its gradient is missing or not
            finite, or its layer for Grad-CAM is not on the way to the score.
    """
    model = detector.settings.model
    training = [name or "the model" for name, part in detector.network.named_modules() if part.training]
    if training:
        raise DataError(
            f"a model '{model}' in evaluation",
            f"still in training after eval(): {', '.join(training[:3])}",
            "let train(mode) reach all layers",
        )
    with torch.no_grad():
        before, sound = x.clone(), detector.given(x) if detector.hears else x
        sound_before = sound.clone()
        scores = detector.score(x)
        if detector.hears:
            detector.returned(sound)
        if not (torch.equal(before, x) and torch.equal(sound_before, sound)):
            remedy = "copy the input before it is changed"
            raise DataError(f"a model '{model}' that leaves its input alone", "it changes it", remedy)
        _check_finite(f"scores of the model '{model}'", scores, names)
        # outputs: distances of clips to themselves are 0, whatever rounding does
        out, again = detector.output(x), detector.output(x)
        if not _close(out, again):
            raise DataError(
                f"a model '{model}' that returns the same for a clip twice, as metrics need it",
                f"it differs by {_apart(out, again):.3g}",
                "switch off what it draws in evaluation (dropout by function: give it training=self.training)",
            )
        alone = torch.cat([detector.alone(row).output(clip[None]) for row, clip in enumerate(x)])
        if not _close(out, alone):
            raise DataError(
                f"a model '{model}' that looks at a clip by itself",
                f"with other clips in the batch what it returns changes by {_apart(out, alone):.3g}",
                "use no statistics of the batch in evaluation; or set 'one_by_one: true'",
            )
        other = detector.score(x + torch.linspace(-1, 1, x[0].numel()).view(x.shape[1:]).to(x))
        if bool((scores == scores[0]).all()) and torch.equal(scores, other):
            raise DataError(
                f"a score of the model '{model}' that depends on its input",
                f"{float(scores[0]):.6g} for each of {len(x)} training clips, changed or not",
                "look whether its last layer is saturated, or its weights are missing",
            )
        own = detector.anomaly_map(x)
        if own is not None:
            _check_finite(f"the map of the model '{model}'", own, names)
            if bool((own < 0).any()):
                remedy = "return how unusual each cell is, 0 or more"
                raise DataError(
                    f"a map of the model '{model}' that is not negative", f"{float(own.min()):.3g}", remedy
                )
    if detector.settings.gradients:
        _check_gradients(detector.alone(0), x[:1])


def _check_gradients(detector: OwnDetector, x: Tensor) -> None:
    model, layer = detector.settings.model, detector.cam_layer
    seen: list[Tensor] = []
    handle = None
    if layer is not None:
        handle = layer.register_forward_hook(lambda module, inputs, output: seen.append(output))
    leaf = x.clone().requires_grad_()
    remedy = "set 'gradients: false', and choose explainers that ask for scores alone"
    asked = f"gradients of the score of the model '{model}'"
    try:
        score = detector.score(leaf)
        if not score.requires_grad:
            raise DataError(
                asked, "its output does not follow from its input by differentiable steps", remedy
            )
        with detector.code.calling("a pass back"):
            (gradient,) = torch.autograd.grad(score.sum(), leaf, allow_unused=True, retain_graph=True)
        if gradient is None or not gradient.isfinite().all():
            found = "none" if gradient is None else "NaN or infinity"
            raise DataError(asked, found, remedy)
        if layer is not None:
            _check_layer(detector, score, seen)
    finally:
        if handle is not None:
            handle.remove()


def _check_layer(detector: OwnDetector, score: Tensor, seen: list[Tensor]) -> None:
    asked = f"layer '{detector.settings.cam_layer}' of the model '{detector.settings.model}' for Grad-CAM"
    remedy = "name a layer that returns [B, channels, bands, frames] on the way to the score"
    if len(seen) != 1 or not isinstance(seen[0], Tensor) or seen[0].ndim != 4:
        found = (
            f"{len(seen)} outputs in a pass" if len(seen) != 1 else "an output that is no [B, channels, ...]"
        )
        raise DataError(asked, found, remedy)
    (gradient,) = torch.autograd.grad(score.sum(), seen, allow_unused=True)
    if gradient is None:
        raise DataError(asked, "the score does not depend on it", remedy)


def _check_finite(what: str, values: Tensor, names: list[str]) -> None:
    finite = values.isfinite().flatten(1).all(dim=1) if values.ndim > 1 else values.isfinite()
    if not finite.all():
        clip_id = names[int(finite.int().argmin())]
        raise DataError(
            f"finite {what}", f"NaN or infinity for the training clip '{clip_id}'", "mend the model"
        )


def _apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


def _close(one: Tensor, other: Tensor) -> bool:
    scale = float(one.abs().max())
    return torch.allclose(one, other, rtol=_ROUNDING, atol=_ROUNDING * 1e-2 * scale)
