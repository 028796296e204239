"""Where a training stands: its history, its best weights and whether it still gets better."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pandas as pd
from torch import Tensor, nn

_MEASURED = ["epoch", "train_loss", "validation_loss", "learning_rate"]


@dataclass
class Progress:
    """Where a training stands after some epochs.

    Weights are those of the lowest validation loss; patience counts from the last epoch that was lower by
    ``min_delta`` than all such epochs before it. Both rules are P1's, and two trainings may differ in one alone.

    Attributes:
        history: A row per epoch: epoch, train_loss, validation_loss, learning_rate.
        best_epoch: Epoch of the lowest validation loss.
        best_loss: That loss.
        best_weights: The weights after that epoch.
        better_epoch: Epoch that patience counts from.
        better_loss: Its validation loss.
        trivial_loss: Validation loss of an answer that knows nothing of the clip; NaN where there is none.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_loss: float = math.inf
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    better_epoch: int = 0
    better_loss: float = math.inf
    trivial_loss: float = math.nan

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return len(self.history)

    @property
    def epochs_without_gain(self) -> int:
        """Epochs since the loss last fell by ``min_delta``."""
        return self.epochs - self.better_epoch

    def record(self, row: dict[str, float], detector: nn.Module, min_delta: float) -> None:
        """Add an epoch's row of the history, and keep the weights of ``detector`` where it is the best so far."""
        self.history.append(row)
        loss = row["validation_loss"]
        if loss < self.better_loss - min_delta:
            self.better_epoch, self.better_loss = self.epochs, loss
        if loss < self.best_loss:
            self.best_epoch, self.best_loss = self.epochs, loss
            self.best_weights = {
                name: value.detach().clone() for name, value in detector.state_dict().items()
            }

    def table(self) -> pd.DataFrame:
        """The history in the columns of :data:`soundproof.storage.schemas.HISTORY`."""
        frame = pd.DataFrame(self.history, columns=_MEASURED).astype({"epoch": "int32"})
        return frame.assign(best=frame["epoch"] == self.best_epoch, trivial_loss=self.trivial_loss)
