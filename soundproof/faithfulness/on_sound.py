"""Deletion and insertion on the sound: what a map marks is taken out of the waveform, and the clip is scored anew.

Replacing cells of a feature map makes maps that no sound has. Here the marked cells become a mask over the clip's
own complex spectrogram; what it lets through, or leaves, is turned back into sound, goes through the study's recipe
and is scored:

* ``sound_deletion``: the most relevant cells are removed (lower = better);
* ``sound_insertion``: nothing but the most relevant cells is kept (higher = better).

Cells are ranked as in :mod:`soundproof.faithfulness.deletion`: by signed relevance, highest first, ties at random.
A value is the score over the intact clip's, averaged over the shares of cells; the curve states it share by share.
A clip whose score is not positive has no such value; it is left out and counted.

What stands in removed cells is the protocol. ``silence``: nothing. ``surroundings``: the magnitude interpolated
from the cells around (:mod:`soundproof.audio.surroundings`) at the clip's own phase; where only marked cells are
kept, hardly anything is left to interpolate from, and the median over time of each bin takes its place.

Chance, for each protocol: ``chance_uniform_*`` removes as many cells in random order (shared by all explainers);
``chance_circular_shift_*`` as many cells of the map itself, shifted in time, which keeps its shapes;
``chance_energy_*`` the cells of the shifted map that hold as much of the clip's energy as the map's own: what a map
gains by marking loud cells, wherever they are, it gains there as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from soundproof.audio.surroundings import surroundings
from soundproof.core.errors import DataError
from soundproof.detectors.batching import in_passes
from soundproof.detectors.hearing import hearing_sound
from soundproof.faithfulness.left_out import say_left_out
from soundproof.faithfulness.registry import RANDOM_CELLS
from soundproof.faithfulness.settings import Filling, SoundSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext
from soundproof.interfaces.sounds import Sounds
from soundproof.randomness.ties import ranks, tie_breakers
from soundproof.storage.measurements import ENERGY, SHIFT, UNIFORM, Block, blocks_of, rows_of

PASS_BYTES = 1 << 28
"""Memory that the spectrograms of one pass may take: they are larger than any map."""
BYTES_PER_CELL = 128
"""Of a spectrogram, while one altered copy is made: complex values, mask, and the places of known cells."""


def removal_on_sound(
    detector: Detector,
    x: Tensor,
    maps: Mapping[str, Tensor],
    context: FaithfulnessContext[SoundSettings],
    name: str,
) -> pd.DataFrame:
    """Score clips of whose sound the most relevant cells were removed, or nothing else was kept.

    Args, returns and errors as :func:`soundproof.faithfulness.sound_deletion.sound_deletion`.
    """
    if context.sounds is None:
        raise DataError(f"the sound of clips for '{name}'", "none", "leave it out, or take data with sound")
    settings = context.settings
    with torch.no_grad():
        intact = detector.score(x).double().cpu().numpy()
    used: list[int] = np.flatnonzero(intact > 0).tolist()
    say_left_out(name, len(intact) - len(used))
    drawn = [context.uniform(RANDOM_CELLS, draw, *x.shape[1:]).numpy() for draw in range(settings.draws)]
    lags = (context.uniform(f"{name} shift", 0, len(maps)).numpy() * x.shape[2]).astype(int)
    relevance = np.stack([of.double().cpu().numpy() for of in maps.values()], axis=1)
    ties = tie_breakers(context.clip_ids, x[0].numel())
    fillings: dict[Filling, list[np.ndarray]] = {filling: [] for filling in settings.fillings}
    for row in used:
        clip = _Clip(context.sounds, context.clip_ids[row], x[row].cpu().numpy(), detector, context)
        moved = [np.roll(of, lag, axis=1) for of, lag in zip(relevance[row], lags[row], strict=True)]
        own, shifted, at_random = (
            ranks(np.reshape(of, (len(of), -1)), np.broadcast_to(ties[row], (len(of), ties.shape[1])))
            for of in (relevance[row], moved, [of[row] for of in drawn])
        )
        marked = _marked(own, shifted, at_random, clip.energy, settings.shares)
        for filling, of_clips in fillings.items():
            scores = clip.scores(marked, filling, keep=name == "sound_insertion")
            of_clips.append(scores.reshape(len(settings.shares), -1) / intact[row])
    ids = [context.clip_ids[row] for row in used]
    blocks = [
        block
        for filling, of_clips in fillings.items()
        if of_clips
        for block in _blocks(np.stack(of_clips, axis=-1), list(maps), settings.shares, name, filling)
    ]
    return rows_of(blocks, ids)


def _marked(
    own: np.ndarray, shifted: np.ndarray, at_random: np.ndarray, energy: np.ndarray, shares: tuple[float, ...]
) -> np.ndarray:
    """Cells to remove or to keep.

    Args:
        own: Rank of each cell by each map [n_maps, n_cells], 0 = most relevant.
        shifted: The same of the shifted maps.
        at_random: Rank by each random order [n_draws, n_cells].
        energy: Of each cell of the clip [n_cells].
        shares: Shares of all cells.

    Returns:
        bool [n_shares, 3 n_maps + n_draws, n_cells]: maps, shifted ones, these up to the energy, random ones.
    """
    counts = [round(share * own.shape[1]) for share in shares]
    by_rank = np.take_along_axis(np.broadcast_to(energy, shifted.shape), shifted.argsort(axis=1), axis=1)
    gathered = np.cumsum(by_rank, axis=1)
    out = []
    for count in counts:
        marked = own < count
        wanted = (marked * energy).sum(axis=1)
        # as many cells as come nearest to that energy from below, and one at least
        enough = np.maximum(1, (gathered <= wanted[:, np.newaxis] * (1 + 1e-9)).sum(axis=1))
        out.append(
            np.concatenate([marked, shifted < count, shifted < enough[:, np.newaxis], at_random < count])
        )
    return np.stack(out)


def _blocks(
    values: np.ndarray, explainers: list[str], shares: tuple[float, ...], name: str, filling: Filling
) -> Iterator[Block]:
    """Blocks of values [n_shares, 3 n_maps + n_draws, n_clips]: mean over the shares, and share by share."""
    n_maps = len(explainers)
    own, shifted, loud, at_random = np.split(values, [n_maps, 2 * n_maps, 3 * n_maps], axis=1)
    groups = {
        filling: (explainers, own),
        f"{SHIFT}_{filling}": (explainers, shifted),
        f"{ENERGY}_{filling}": (explainers, loud),
        f"{UNIFORM}_{filling}": ([RANDOM_CELLS], at_random.mean(axis=1, keepdims=True)),
    }
    for protocol, (names, of) in groups.items():
        mean = of.mean(axis=0, keepdims=True)
        yield from blocks_of(mean, metric=name, protocol=protocol, explainers=names, parameters=[None])
        yield from blocks_of(
            of, metric=f"{name}_curve", protocol=protocol, explainers=names, parameters=shares
        )


class _Clip:
    """A clip whose sound is altered and scored again."""

    def __init__(
        self,
        sounds: Sounds,
        clip_id: str,
        features: np.ndarray,
        detector: Detector,
        context: FaithfulnessContext[SoundSettings],
    ) -> None:
        self._sounds, self._id, self._detector = sounds, clip_id, detector
        self._shape = features.shape
        samples = sounds.confirmed(clip_id, features)
        self._n_samples = len(samples)
        self._spectrum = sounds.stft.forward(samples)
        self._magnitude = self._spectrum.abs()
        self._phase = torch.polar(torch.ones_like(self._magnitude), self._spectrum.angle())
        self.energy = sounds.power(samples).double().numpy().ravel()
        room = PASS_BYTES // (BYTES_PER_CELL * self._magnitude.numel())
        self._size = max(1, min(context.rows_per_pass, room))
        self._device = next(detector.parameters(), next(detector.buffers(), torch.zeros(()))).device

    def scores(self, marked: np.ndarray, filling: Filling, *, keep: bool) -> np.ndarray:
        """Scores of the clip with some cells removed, or nothing but these kept.

        Args:
            marked: bool [..., n_cells].
            filling: What stands in cells that are removed.
            keep: Whether the marked cells are kept instead of removed.

        Returns:
            float64 [product of the leading dimensions].
        """
        rows = torch.from_numpy(marked.reshape(-1, *self._shape))

        def score(part: Tensor) -> Tensor:
            sound = self._altered(part.float(), filling, keep)
            made = self._sounds.map(sound, self._id)
            of_sound = hearing_sound(self._detector, self._sounds, self._id, sound, made)
            return of_sound.score(made.to(self._device)).cpu()

        with torch.no_grad():
            return in_passes(score, rows, self._size).double().numpy()

    def _altered(self, marked: Tensor, filling: Filling, keep: bool) -> Tensor:
        through = self._sounds.bins(marked, self._n_samples)
        removed = 1 - through if keep else through
        spectrum = self._spectrum * (1 - removed)
        if filling == "surroundings":
            background = (
                self._magnitude.median(dim=-1, keepdim=True)[0]
                if keep
                else surroundings(self._magnitude, removed)
            )
            spectrum = spectrum + removed * background * self._phase
        return self._sounds.stft.inverse(spectrum, self._n_samples)
