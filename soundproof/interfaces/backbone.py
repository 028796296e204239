"""What a backbone offers to the detectors that stand on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from soundproof.interfaces.detector import TrainingClips, TrainingRun


@dataclass(frozen=True)
class Layer:
    """One intermediate map of a backbone.

    The centre of cell (i, j) lies at ``offset + stride * (i, j)``, in cells of the input (band, frame).

    Attributes:
        name: What the network calls it.
        channels: Numbers per cell.
        stride: Input cells from one cell to the next: bands, frames.
        offset: Centre of the first cell: bands, frames.
    """

    name: str
    channels: int
    stride: tuple[int, int]
    offset: tuple[float, float]


@dataclass(frozen=True)
class Origin:
    """Where weights come from that a fitted detector's file need not repeat.

    Attributes:
        name: What they are called: weights of the catalogue, or how they were drawn.
        sha256: Digest of the tensors (:func:`soundproof.backbones.digests.tensors_digest`).
        names: Entries of the backbone's ``state_dict`` that hold them.
        credit: Authors, title and licence, which every file made with them names; empty without any.
    """

    name: str
    sha256: str
    names: frozenset[str]
    credit: str = ""


class Shared(Protocol):
    """What several detectors of a job share of their backbones (:mod:`soundproof.backbones.shared_maps`)."""

    def maps(self, backbone: Backbone, x: Tensor) -> list[Tensor]:
        """Maps of a batch, computed unless an equal network was given the same one before."""

    def calibrate(self, backbone: Backbone, x: Tensor) -> None:
        """Set what the normalisation needs, likewise."""

    def learn(self, backbone: Backbone, clips: TrainingClips, run: TrainingRun) -> None:
        """Let it learn, unless an equal network has learnt from the same clips before."""


class Backbone(nn.Module, ABC):
    """A frozen network on maps of one shape.

    Attributes:
        layers: Its intermediate maps, in the order of :meth:`forward`.
        origin: Where its weights come from; None without any, or where they are a fit's own.
        calibrated: Entries of the ``state_dict`` that :meth:`calibrate` sets.
        learns: What it learns by (:meth:`learn`), beside clips and seed, in one text; empty: it learns nothing.
        shared: Where it finds maps that were made before; None: it makes all itself.

    Args:
        shape: (n_freq, n_frames) of the maps.
    """

    layers: tuple[Layer, ...]
    origin: Origin | None = None
    calibrated: tuple[str, ...] = ()
    learns: str = ""
    shared: Shared | None = None

    def __init__(self, shape: tuple[int, int]) -> None:
        super().__init__()
        self.shape = shape

    @abstractmethod
    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps [B, n_freq, n_frames] -> one [B, channels, f, t] per layer."""

    def maps(self, x: Tensor) -> list[Tensor]:
        """As :meth:`forward`, made only where nobody has made them; the caller leaves them as they are."""
        made: list[Tensor] = self(x) if self.shared is None else self.shared.maps(self, x)
        return made

    def calibrate_once(self, x: Tensor) -> None:
        """As :meth:`calibrate`, computed only where nobody has computed it."""
        if self.shared is None:
            self.calibrate(x)
        else:
            self.shared.calibrate(self, x)

    def learn_once(self, clips: TrainingClips, run: TrainingRun) -> None:
        """As :meth:`learn`, done only where nobody has done it; afterwards the weights stay as they are."""
        if not self.learns:
            return
        if self.shared is None:
            self.learn(clips, run)
        else:
            self.shared.learn(self, clips, run)
        self.eval()
        self.requires_grad_(False)

    def learn(self, clips: TrainingClips, run: TrainingRun) -> None:
        """Learn weights from normal training clips; only where :attr:`learns` says so.

        Detectors call it once, at the start of their fit, before :meth:`calibrate`. What was learnt belongs to the
        fit and is stored with it.

        Args:
            clips: All normal training clips.
            run: Seed and device.
        """

    def calibrate(self, x: Tensor) -> None:
        """Take what the network's normalisation needs from normal training clips, and keep it in buffers.

        Nothing by default. Detectors call it once, at the start of their fit.

        Args:
            x: Some training clips [n, n_freq, n_frames], at least one, in one batch.
        """

    def from_published(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Published tensors under the names of this network's ``state_dict``; by default they are the same."""
        return dict(tensors)
