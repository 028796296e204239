"""Detectors to explain: one that is known by name, fitted to clips; or a model that is there already."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import pandas as pd
from torch import Tensor, nn

from soundproof.backbones.registry import check_input
from soundproof.core.choice import DetectorChoice
from soundproof.core.errors import DataError
from soundproof.datasets.registry import DATASETS
from soundproof.detectors.external.model import ModelDetector
from soundproof.detectors.external.settings import ExternalSettings, Input, Output
from soundproof.detectors.individuals import individuals_of
from soundproof.detectors.reading import no_history
from soundproof.detectors.registry import DETECTORS
from soundproof.detectors.scoring import score_maps
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun
from soundproof.library.clips import Clips
from soundproof.storage.measurements import complete
from soundproof.training.clips import MapClips

_WRAPPED = "external"


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """A detector that knows what is normal.

    Attributes:
        label: Its name in tables.
        choice: Its kind, settings and title.
        seed: Seed of its training, and of what follows from it.
        clips: What it was fitted to.
        model: The detector itself: ``model.score`` takes maps [B, n_freq, n_frames].
        history: Losses by epoch; no rows where there are no epochs.
    """

    label: str
    choice: DetectorChoice
    seed: int
    clips: Clips
    model: Detector
    history: pd.DataFrame

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Anomaly score of each test clip, higher = more anomalous.

        Columns as in :data:`soundproof.storage.schemas.MEASUREMENTS`, with ``metric`` ``anomaly_score``.
        """
        clips = self.clips
        runtime = clips.runtime
        test = list(clips.table.loc[clips.table["split"] == "test", "clip_id"])
        individuals = individuals_of(clips.table)
        device, budget = runtime.device(), runtime.memory_budget_bytes
        rows = score_maps(self.model, clips.features, test, device, budget, individuals)
        return complete(rows, clips.table, study=clips.name, detector=self.label, seed=self.seed)


class WrappedModel(ModelDetector):
    """A model of the caller's, as it is.

    Args:
        shape: (n_freq, n_frames) of the maps.
        settings: What it returns.
        network: The model, which is copied.
    """

    def __init__(self, shape: tuple[int, int], settings: ExternalSettings, network: nn.Module) -> None:
        super().__init__(shape, settings)
        self.code = _Notebook()
        self.network = copy.deepcopy(network)

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Check what the model returns, and keep embeddings of normal clips where it is compared with them.

        Raises:
            DataError: A model that explanations and metrics could not be trusted with.
        """
        self.take_form_of(clips)
        self.settle(clips, run.device)
        return no_history()


class _Notebook:
    """Code whose author is there: an error keeps its own traceback."""

    def calling(self, what: str) -> AbstractContextManager[None]:
        """Run it."""
        return nullcontext()


class _Function(nn.Module):
    """A function of a tensor as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """What the function returns."""
        return self.function(x)


def fit(
    clips: Clips, detector: str | Mapping[str, Any], *, label: str | None = None, seed: int = 0
) -> Fitted:
    """Fit a detector to the normal training clips.

    Args:
        clips: The clips.
        detector: Its name; or ``kind`` and settings, as under ``detectors`` in a study.
        label: Its name in tables; None: its kind.
        seed: Seed of its training.

    Raises:
        ConfigError: No such detector, or settings that it does not take.
        DataError: Clips that it cannot be fitted to.
    """
    values = {"kind": detector} if isinstance(detector, str) else dict(detector)
    name = label or str(values.get("kind", ""))
    choice = DetectorChoice.from_plain(DETECTORS, name, values)
    entry = DETECTORS[choice.kind]
    entry.check_backbone(choice.settings)
    if clips.source is not None:
        check_input(choice.settings, clips.source.features)
        ready_made = DATASETS[clips.source.dataset.kind].ready_made
        entry.check_sound(choice.settings, clips.source.features, ready_made=ready_made)
    clips.runtime.device()
    return _fitted(clips, name, choice, entry.load()(clips.features.axes.shape, choice.settings), seed)


def wrap(
    clips: Clips,
    model: nn.Module | Callable[[Tensor], Tensor],
    *,
    output: Output,
    label: str = "mine",
    title: str | None = None,
    input: Input = "maps",
    rate_hz: int | None = None,
    gradients: bool = True,
    cam_layer: str | None = None,
    clip_score: Literal["mean", "max"] = "mean",
    neighbours: int = 1,
    one_by_one: bool = False,
    seed: int = 0,
) -> Fitted:
    """Take a model that is trained already.

    It is tried on a few training clips, and refused where explanations of it could not be trusted: NaN, a score
    that hangs on the other clips of a batch, two scores for one clip and more (``docs/own-model.md``).

    Args:
        clips: The clips; an output ``embedding`` is compared with the normal training clips.
        model: A module, which is copied; or a function of a tensor.
        output: What it returns, as in ``docs/own-model.md``: ``score`` [B], ``reconstruction`` or ``cell_map``
            [B, n_freq, n_frames], or ``embedding`` [B, n_dimensions]; of sound, a ``reconstruction`` is
            [B, n_samples], and there is no ``cell_map``.
        label: Its name in tables.
        title: Its name in print; None: the label.
        input: What it takes: ``maps`` [B, n_freq, n_frames], ``images`` [B, 1, n_freq, n_frames] or ``audio``
            [B, n_samples], for which the clips keep their sound (``features={"recipe": "audio"}``).
        rate_hz: Of ``audio``: the sampling rate that it was made for; None: any.
        gradients: Whether what it returns can be differentiated by what it takes.
        cam_layer: Name of the layer for Grad-CAM; None: none.
        clip_score: Of a ``cell_map``: the score is the mean or the maximum of its cells.
        neighbours: Of an ``embedding``: nearest normal clips whose mean distance is the score.
        one_by_one: The model takes a single clip at a time.
        seed: Seed of what is drawn to explain and to measure it.

    Raises:
        ConfigError: A setting that cannot be used.
        DataError: What is wrong with the model.
    """
    settings = {
        "model": getattr(model, "__name__", type(model).__name__),
        "output": output,
        "input": input,
        "rate_hz": rate_hz,
        "gradients": gradients,
        "cam_layer": cam_layer,
        "clip_score": clip_score,
        "neighbours": neighbours,
        "one_by_one": one_by_one,
    }
    choice = DetectorChoice.from_plain(
        DETECTORS, label, {"kind": _WRAPPED, "title": title or label, **settings}
    )
    network = model if isinstance(model, nn.Module) else _Function(model)
    clips.runtime.device()
    known = ExternalSettings.model_validate(choice.settings.model_dump())
    return _fitted(clips, label, choice, WrappedModel(clips.features.axes.shape, known, network), seed)


def _fitted(clips: Clips, label: str, choice: DetectorChoice, model: Detector, seed: int) -> Fitted:
    table, runtime = clips.table, clips.runtime
    train = table[(table["split"] == "train") & (table["label"] == "normal")]
    if train.empty:
        raise DataError(
            "normal training clips", "none", "give rows of the split 'train' and the label 'normal'"
        )
    device = runtime.device()
    run = TrainingRun(seed=seed, device=device, memory_budget_bytes=runtime.memory_budget_bytes)
    history = model.to(device).fit(MapClips(clips.features, train), run)
    return Fitted(label=label, choice=choice, seed=seed, clips=clips, model=model.freeze(), history=history)
