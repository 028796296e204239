"""A model of one's own as a detector."""

from __future__ import annotations

import logging

import pandas as pd
from torch import Tensor, nn

from soundproof.core.errors import DataError
from soundproof.detectors.external.checks import check_state
from soundproof.detectors.external.code import OwnCode
from soundproof.detectors.external.model import ModelDetector
from soundproof.detectors.external.network import load_weights, make_network
from soundproof.detectors.external.onnx import OnnxDetector
from soundproof.detectors.external.program import ProgramDetector
from soundproof.detectors.external.settings import ExternalSettings
from soundproof.detectors.reading import no_history
from soundproof.features.sound_layer import SoundForm
from soundproof.interfaces.detector import HeardClips, TrainingClips, TrainingRun
from soundproof.randomness.drawing import seeded
from soundproof.randomness.seeding import seed_from

log = logging.getLogger(__name__)
_BUILT_WITH = 0
"""Seed of the weights of a network that is about to be given others."""


def external_detector(shape: tuple[int, int], settings: ExternalSettings) -> ModelDetector:
    """The detector of a model that is an ONNX file, a program of ``torch.export``, or made by the user's code."""
    if settings.is_onnx:
        return OnnxDetector(shape, settings)
    return ProgramDetector(shape, settings) if settings.is_program else ExternalDetector(shape, settings)


class ExternalDetector(ModelDetector):
    """A network that a file or module of the user's makes.

    Args:
        shape: (n_freq, n_frames) of the maps.
        settings: Where the model is, and what it returns.
    """

    code: OwnCode

    def __init__(self, shape: tuple[int, int], settings: ExternalSettings) -> None:
        super().__init__(shape, settings)
        self.code = OwnCode(settings.model)
        # sounds are not known yet, and a model of them is made by then
        self.network = nn.Identity() if self.hears else self._made(_BUILT_WITH)

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Take the weights over or call the model's own ``fit(clips, run)``; then check what it returns.

        Raises:
            DataError: No clips, weights that do not fit, or a model that explanations and metrics could not be
                trusted with (:meth:`settle`).
        """
        if len(clips) == 0:
            raise DataError("normal training clips", "none", "add training clips")
        self.take_form_of(clips)
        if self.settings.weights is None:
            self.network = self._made(seed_from("weights", run.seed) % 2**31)
        load_weights(self.network, self.settings)
        self.to(run.device)
        history = self._fit_network(clips, run)
        of_clips, tried = self.settle(clips, run.device)
        check_state(of_clips, type(self)(self.shape, self.settings), tried)
        return history

    def take(self, form: SoundForm) -> None:
        """As :meth:`ModelDetector.take`; the model is made for these sounds."""
        super().take(form)
        self.network = self._made(_BUILT_WITH)

    def _made(self, seed: int) -> nn.Module:
        told: dict[str, object] = {"shape": self.shape}
        if self.hears:
            form = self.sound_layer.form
            told = {"n_samples": form.n_samples, "rate_hz": form.recipe.rate_hz}
        return make_network(self.code, self.settings, told, seed)

    def _fit_network(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        fit = getattr(self.network, "fit", None)
        if fit is None:
            if self.settings.weights is None and any(True for _ in self.network.parameters()):
                log.warning(
                    "'%s' has neither 'weights' nor a method fit(clips, run): it keeps the weights that it is made "
                    "with, and files that it reads itself are not tracked",
                    self.settings.model,
                )
            return no_history()
        with self.code.calling("fit(clips, run)"), seeded(seed_from("fit", run.seed) % 2**31):
            history = fit(self._as_the_model_knows(clips), run)
        if history is None:
            return no_history()
        if not isinstance(history, pd.DataFrame):
            raise DataError(
                f"what fit(clips, run) of the model '{self.settings.model}' returns",
                f"a {type(history).__name__}",
                "return None, or the history as a pandas table",
            )
        return history

    def _as_the_model_knows(self, clips: TrainingClips) -> TrainingClips | SoundsOfClips:
        if isinstance(clips, HeardClips) and self.hears:
            return SoundsOfClips(clips, self.sound_layer.form.recipe.rate_hz)
        return clips


class SoundsOfClips:
    """Normal clips as the ``fit`` of a model that takes sound gets them.

    Args:
        clips: The clips.
        rate_hz: Sampling rate of their sounds.
    """

    def __init__(self, clips: HeardClips, rate_hz: int) -> None:
        self._clips = clips
        self.rate_hz = rate_hz

    @property
    def frame(self) -> pd.DataFrame:
        """The clips' rows of the ``clips`` table, in reading order."""
        return self._clips.frame

    def __len__(self) -> int:
        return len(self._clips)

    def read(self, rows: list[int]) -> Tensor:
        """Return sounds float32 [n, n_samples] of the given rows, on the CPU."""
        return self._clips.heard(rows).samples
