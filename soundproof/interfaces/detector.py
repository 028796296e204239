"""What a detector offers to the rest of the pipeline, and the facts its registry entry states."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import pandas as pd
import torch
from torch import Tensor, nn

from soundproof.core.registry import Parameters
from soundproof.storage.maps import Axes


class TrainingClips(Protocol):
    """Normal clips to fit a detector on, read in bounded memory."""

    @property
    def frame(self) -> pd.DataFrame:
        """The clips' rows of the ``clips`` table (machine, section, attributes ...), in reading order."""

    @property
    def axes(self) -> Axes:
        """The time-frequency grid of the features."""

    def __len__(self) -> int: ...

    def read(self, rows: list[int]) -> Tensor:
        """Return the features of some clips, float32 [n, n_freq, n_frames], on the CPU."""


class Heard(NamedTuple):
    """Clips as a detector that hears must know them.

    Attributes:
        samples: Their sounds, at the level and rate of the recipe [n, n_samples].
        maps: Their maps, unchanged [n, n_freq, n_frames].
    """

    samples: Tensor
    maps: Tensor


@runtime_checkable
class HeardClips(TrainingClips, Protocol):
    """Normal clips with their sounds."""

    @property
    def sound(self) -> str | None:
        """How the maps follow from the sounds (:mod:`soundproof.features.sound_layer`); None: no sounds."""

    def heard(self, rows: list[int]) -> Heard:
        """Return sounds and maps of some clips, on the CPU.

        Raises:
            ArtefactError: No sounds are kept.
        """


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """Where and how a detector is fitted.

    Attributes:
        seed: Run seed; every random draw derives from it and from names.
        device: Device to compute on.
        checkpoint: File that keeps the state of an interrupted training; None to keep none.
        checkpoint_interval_s: Seconds of training between two checkpoints at least; 0: after every epoch.
        memory_budget_bytes: Clips are held in memory up to this size, else streamed.
        on_epoch: Called after each epoch with (epoch, epochs at most, validation loss), for progress.
        goes_on: Training begins with the weights that the detector has, instead of new ones.
    """

    seed: int
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    checkpoint: Path | None = None
    checkpoint_interval_s: float = 10.0
    memory_budget_bytes: int = 1 << 30
    on_epoch: Callable[[int, int, float], None] | None = None
    goes_on: bool = False


class Detector(nn.Module, ABC):
    """An anomaly detector on maps of one shape.

    All that a fitted detector needs to score stands in its ``state_dict`` (parameters and buffers): it is
    saved as safetensors, never pickled.

    Args:
        shape: (n_freq, n_frames) of the maps.
        settings: Validated parameters of the registry entry; a subclass annotates ``settings`` with its own class.

    Attributes:
        scored_elsewhere: It has scores of known clips (:meth:`scores_of`), and no model that could be asked.
    """

    settings: Parameters
    scored_elsewhere: ClassVar[bool] = False

    def __init__(self, shape: tuple[int, int], settings: Parameters) -> None:
        super().__init__()
        self.shape = shape
        self.settings = settings

    @abstractmethod
    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Fit on normal clips and return the history (columns of :data:`soundproof.storage.schemas.HISTORY`).

        Detectors without epochs return an empty history.
        """

    @abstractmethod
    def score(self, x: Tensor) -> Tensor:
        """Anomaly score of each clip, higher = more anomalous.

        Args:
            x: Maps [B, n_freq, n_frames].

        Returns:
            Scores [B]; differentiable with respect to ``x`` where the registry entry says so.
        """

    def further_scores(self, x: Tensor) -> dict[tuple[str, float | None], Tensor]:
        """More numbers of each clip [B] that are kept beside its score, by measure and parameter."""
        return {}

    def scores_of(self, clip_ids: Sequence[str]) -> Tensor:
        """Scores of clips that were scored elsewhere, float64 [n].

        Raises:
            NotImplementedError: It scores maps.
        """
        raise NotImplementedError

    def for_individual(self, machine: str, machine_id: str) -> Detector:
        """The detector as it scores clips of this individual; itself where that makes no difference.

        Override it where clips are compared with their own kind. Whoever scores, explains or perturbs clips asks
        for it (:mod:`soundproof.detectors.individuals`), so that changed copies of a clip keep their individual.
        """
        return self

    def for_context(self, attributes: str) -> Detector:
        """The detector as it scores clips that were recorded under these conditions; itself where it knows none.

        Args:
            attributes: As in the ``clips`` table, ``name=value;name=value``; empty: nobody noted any.

        Raises:
            DataError: It needs a condition that is not noted, or knows no such value.
        """
        return self

    @property
    def hears(self) -> bool:
        """Whether it must be told the sounds of the clips whose maps it is asked about (:meth:`hearing`)."""
        return False

    def hearing(self, heard: Heard) -> Detector:
        """The detector as it scores maps of these clips, changed or not; itself where it looks at maps alone.

        Override it, with :attr:`hears`, :meth:`of_no_clip` and :meth:`for_a_trial`, where a map is brought back to
        the sound that it is of. Whoever scores, explains or perturbs clips asks for it
        (:mod:`soundproof.detectors.hearing`).

        Args:
            heard: One clip, of which any number of maps can be asked; or several, of which one map each.
        """
        return self

    def of_no_clip(self) -> Detector:
        """The detector before it was told any sound; itself where it looks at maps alone."""
        return self

    def for_a_trial(self) -> Detector:
        """The detector as it can be asked about a map of no clip, to see what a pass costs."""
        return self

    def anomaly_map(self, x: Tensor) -> Tensor | None:
        """The detector's own map [B, n_freq, n_frames] (errors, patch distances), None without one."""
        return None

    def reconstruct(self, x: Tensor) -> Tensor | None:
        """Reconstruction [B, n_freq, n_frames], None where the detector has none."""
        return None

    def embed(self, x: Tensor) -> Tensor | None:
        """Embedding [B, n_dimensions], None where the detector has none."""
        return None

    def latents(self, x: Tensor) -> tuple[Tensor, Tensor] | None:
        """Activations of a layer [B, channels, f, t] and the latents [B, n_latents] that follow from them.

        Both are tracked by autograd where ``x`` is; None where the detector has no latent space.
        """
        return None

    @property
    def cam_layer(self) -> nn.Module | None:
        """Layer whose activations Grad-CAM weights, None where there is no sensible one."""
        return None

    def freeze(self) -> Detector:
        """Switch to evaluation and stop tracking weights, as every explanation wants it."""
        self.eval()
        self.requires_grad_(False)
        return self

    def randomise(self, seed: int) -> None:
        """Redraw all weights on the CPU generator (model-randomisation sanity check).

        Running statistics of normalisation layers are reset with them. A detector without trainable weights
        stays as it is unless it overrides this.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            reset_parameters(self)


def reset_parameters(network: nn.Module) -> None:
    """Redraw all weights of a network on torch's own generator of the CPU."""
    # children first: what a parent sets in them stands (the output bias of nn.MultiheadAttention is 0)
    for module in reversed(list(network.modules())):
        # nn.MultiheadAttention spells it with an underscore
        reset = getattr(module, "reset_parameters", getattr(module, "_reset_parameters", None))
        if callable(reset):
            reset()
