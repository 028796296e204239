"""A model of one's own as a detector."""

from __future__ import annotations

import logging

import pandas as pd

from soundproof.core.errors import DataError
from soundproof.detectors.external.checks import check_state
from soundproof.detectors.external.code import OwnCode
from soundproof.detectors.external.model import ModelDetector
from soundproof.detectors.external.network import load_weights, make_network
from soundproof.detectors.external.onnx import OnnxDetector
from soundproof.detectors.external.program import ProgramDetector
from soundproof.detectors.external.settings import ExternalSettings
from soundproof.detectors.reading import no_history
from soundproof.interfaces.detector import TrainingClips, TrainingRun
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
        self.network = make_network(self.code, settings, shape, _BUILT_WITH)

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Take the weights over or call the model's own ``fit(clips, run)``; then check what it returns.

        Raises:
            DataError: No clips, weights that do not fit, or a model that explanations and metrics could not be
                trusted with (:meth:`settle`).
        """
        if len(clips) == 0:
            raise DataError("normal training clips", "none", "add training clips")
        if self.settings.weights is None:
            self.network = make_network(
                self.code, self.settings, self.shape, seed_from("weights", run.seed) % 2**31
            )
        load_weights(self.network, self.settings)
        self.to(run.device)
        history = self._fit_network(clips, run)
        tried = self.settle(clips, run.device)
        check_state(self, type(self)(self.shape, self.settings), tried)
        return history

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
            history = fit(clips, run)
        if history is None:
            return no_history()
        if not isinstance(history, pd.DataFrame):
            raise DataError(
                f"what fit(clips, run) of the model '{self.settings.model}' returns",
                f"a {type(history).__name__}",
                "return None, or the history as a pandas table",
            )
        return history
