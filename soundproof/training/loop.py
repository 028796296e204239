"""The training loop shared by all detectors that learn by gradient descent.

Every random draw of an epoch derives from (run seed, epoch), so that a training that was killed and resumed ends
with the same bits as an undisturbed one.
"""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from soundproof.core.errors import SoundproofError
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun
from soundproof.randomness.seeding import seed_from
from soundproof.training.batches import Batch, Batches
from soundproof.training.checkpoint import load_checkpoint, save_checkpoint
from soundproof.training.clips import split
from soundproof.training.determinism import layers_seeded
from soundproof.training.progress import Progress
from soundproof.training.schedule import fingerprint, optimizer_of, scheduler_of
from soundproof.training.settings import TrainingSettings


class TrainingError(SoundproofError):
    """A training that cannot go on."""


class GradientTrained(Detector):
    """A detector trained by gradient descent on :meth:`training_loss`."""

    settings: TrainingSettings

    @abstractmethod
    def training_loss(self, x: Tensor, targets: Tensor | None, generator: torch.Generator) -> Tensor:
        """Loss of a batch, averaged over its clips (a scalar).

        Also used for validation, then in evaluation mode, without gradients and with a generator that starts
        from the same seed in each epoch, so that early stopping compares like with like (unless
        :attr:`redraws_in_validation`).

        Args:
            x: Maps [B, n_freq, n_frames].
            targets: The batch's rows of :meth:`training_targets`, None where there are none.
            generator: Random numbers on the device of ``x``.
        """

    def trivial_loss(
        self, x: Tensor, targets: Tensor | None, generator: torch.Generator, band_means: Tensor
    ) -> Tensor:
        """What :meth:`training_loss` would be if the answer were the same for every clip (a scalar).

        Whoever does not stay below it has learnt nothing about single clips.

        Args:
            x: Maps [B, n_freq, n_frames].
            targets: As in :meth:`training_loss`.
            generator: In the same state as the one that :meth:`training_loss` gets.
            band_means: Mean of each band over the training clips, [n_freq].

        Returns:
            NaN where there is no such answer.
        """
        return x.new_full((), math.nan)

    @property
    def redraws_in_validation(self) -> bool:
        """Whether the draws of the validation loss differ between epochs."""
        return False

    def training_targets(self, frame: pd.DataFrame) -> Tensor | None:
        """What the loss needs beside the maps, one row per clip (class numbers, attributes); None for nothing."""
        return None

    def initialise(self, seed: int) -> None:
        """Set the weights that training starts from; override to keep pretrained ones."""
        self.randomise(seed)

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Train, restore the weights of the best epoch and return the history; no epoch leaves initial weights.

        A checkpoint that fits is resumed from, also one of a finished training; the caller removes the file once
        the weights are stored.

        Raises:
            DataError: Fewer than three clips.
            TrainingError: The loss is not finite.
        """
        return _Training(self, clips, run).run()


class _Training:
    """One training of one detector."""

    def __init__(self, detector: GradientTrained, clips: TrainingClips, run: TrainingRun) -> None:
        self.detector = detector
        self.context = run
        self.settings = detector.settings
        clip_ids = clips.frame["clip_id"].tolist()
        self.train_rows, self.validation_rows = split(clip_ids, self.settings.validation_fraction, run.seed)
        self.batches = Batches(
            clips, detector.shape, self.settings.batch_size, run.device, run.memory_budget_bytes
        )
        self.fingerprint = fingerprint(detector, clips, run, self.batches.window)
        targets = detector.training_targets(clips.frame)
        self.targets = None if targets is None else targets.to(run.device)

        if not run.goes_on:
            detector.initialise(seed_from("initial weights", run.seed))
        detector.to(run.device)
        weights = [weight for weight in detector.parameters() if weight.requires_grad]
        self.optimizer = optimizer_of(self.settings, weights)
        self.scheduler = scheduler_of(self.settings, self.optimizer)
        self.progress = Progress()

    def run(self) -> pd.DataFrame:
        self._resume()
        if not self.progress.epochs:
            self.progress.trivial_loss = self._trivial_loss()
        saved_at = time.monotonic()
        while not self._finished():
            epoch = self.progress.epochs + 1
            self._epoch(epoch)
            due = time.monotonic() - saved_at >= self.context.checkpoint_interval_s
            if self.context.checkpoint is not None and (due or self._finished()):
                save_checkpoint(self.context.checkpoint, self.fingerprint, self._state())
                saved_at = time.monotonic()
            if self.context.on_epoch is not None:
                validation_loss = self.progress.history[-1]["validation_loss"]
                self.context.on_epoch(epoch, self.settings.epochs, validation_loss)
        if self.progress.epochs:
            self.detector.load_state_dict(self.progress.best_weights)
        self.detector.eval()
        return self.progress.table()

    def _finished(self) -> bool:
        without_gain = self.progress.epochs_without_gain
        return self.progress.epochs >= self.settings.epochs or without_gain >= self.settings.patience

    def _epoch(self, epoch: int) -> None:
        learning_rate = float(self.scheduler.get_last_lr()[0])
        train_loss = self._train(epoch)
        validation_loss = self._validate(epoch, self._loss)
        if not (math.isfinite(train_loss) and math.isfinite(validation_loss)):
            raise TrainingError(
                f"a finite loss in epoch {epoch}",
                f"training loss {train_loss}, validation loss {validation_loss}",
                "lower 'learning_rate', or look for extreme values in the features",
            )
        self.scheduler.step()
        row = {
            "epoch": epoch,
            "train_loss": train_loss,
            "validation_loss": validation_loss,
            "learning_rate": learning_rate,
        }
        self.progress.record(row, self.detector, self.settings.min_delta)

    def _train(self, epoch: int) -> float:
        self.detector.train()
        seed = self.context.seed
        generator = torch.Generator(self.context.device).manual_seed(seed_from("loss", seed, epoch))
        losses: list[Tensor] = []
        with layers_seeded(self.context.device, seed_from("layers", seed, epoch)):
            order = seed_from("order", seed, epoch)
            keep_last = self.settings.last_batch == "keep"
            for batch in self.batches.shuffled(self.train_rows, order, keep_last=keep_last):
                loss = self._loss(batch, generator)
                self.optimizer.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                self.optimizer.step()
                losses.append(loss.detach())
        # one wait for the device per epoch, not one per batch
        return float(torch.stack(losses).mean())

    @torch.no_grad()
    def _validate(self, epoch: int, loss: Callable[[Batch, torch.Generator], Tensor]) -> float:
        self.detector.eval()
        which = (epoch,) if self.detector.redraws_in_validation else ()
        seed = seed_from("validation loss", self.context.seed, *which)
        generator = torch.Generator(self.context.device).manual_seed(seed)
        drop_last = self.settings.last_batch == "drop_everywhere"
        losses, n_clips = [], 0
        for batch in self.batches.in_order(self.validation_rows, drop_last=drop_last):
            losses.append(loss(batch, generator) * len(batch.rows))
            n_clips += len(batch.rows)
        return float(torch.stack(losses).sum()) / n_clips

    def _trivial_loss(self) -> float:
        sums = [batch.x.double().mean(dim=2).sum(dim=0) for batch in self.batches.in_order(self.train_rows)]
        band_means = (torch.stack(sums).sum(dim=0) / len(self.train_rows)).float()

        def loss(batch: Batch, generator: torch.Generator) -> Tensor:
            return self.detector.trivial_loss(batch.x, self._targets_of(batch), generator, band_means)

        return self._validate(1, loss)

    def _loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        return self.detector.training_loss(batch.x, self._targets_of(batch), generator)

    def _targets_of(self, batch: Batch) -> Tensor | None:
        return None if self.targets is None else self.targets.index_select(0, batch.rows)

    def _state(self) -> dict[str, Any]:
        return {
            "weights": self.detector.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "progress": dict(vars(self.progress)),
        }

    def _resume(self) -> None:
        if self.context.checkpoint is None:
            return
        state = load_checkpoint(self.context.checkpoint, self.fingerprint)
        if state is None:
            return
        self.detector.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.progress = Progress(**state["progress"])
