"""Zero-shot detection by CLAP: does a clip sound more like "a broken fan" or like "a normal fan"?

After WinCLIP (Jeong et al. 2023, arXiv 2303.14814), with sound for pictures: words for states and the name of the
machine make sentences, whose vectors are averaged by class; a clip's score is the softmax of its cosines to both.
No clip is learnt from. The own map asks the same of windows: a second of the sound at a time, and a few bands of it
with all others silent; what covers a cell, and the clip, are combined by harmonic means, so that a cell is marked
where all agree.
"""

from __future__ import annotations

import copy

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from soundproof.core.errors import DataError
from soundproof.detectors.foundation.clap_model import SILENCE_DB, ClapAudio, ClapText
from soundproof.detectors.foundation.settings import ClapZeroShotSettings
from soundproof.detectors.foundation.windows import harmonic, harmonic_over, starts
from soundproof.detectors.reading import no_history
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun
from soundproof.randomness.seeding import seed_from

LEAST_SIDE = 4
"""Bands and frames of a patch of the network."""
ANY_MACHINE = "machine"
"""What a machine is called whose name nobody gave."""


class ClapZeroShot(Detector):
    """Probability, between two groups of sentences, of the anomalous one.

    It offers no gradient: the way back through the network's bicubic stretching has no deterministic form on a GPU.

    Args:
        shape: (n_freq, n_frames) of the maps.
        settings: Where the weights are, sentences and windows.

    Attributes:
        sentences: Vectors of length 1 by machine, of normal and of anomalous states [n_machines, 2, n_dimensions];
            the first are those of any machine.
        machines: Number of each machine's name, int64 [n_machines].
        window: Frames of a window in time, int64 [].
    """

    settings: ClapZeroShotSettings
    sentences: Tensor
    machines: Tensor
    window: Tensor

    def __init__(self, shape: tuple[int, int], settings: ClapZeroShotSettings) -> None:
        super().__init__(shape, settings)
        if min(shape) < LEAST_SIDE:
            raise DataError(
                f"maps of at least {LEAST_SIDE} bands and frames for CLAP",
                f"{shape[0]} bands and {shape[1]} frames",
                "bring longer clips",
            )
        self.audio = ClapAudio(shape, settings.weights, settings.sha256)
        (layer,) = self.audio.layers
        self.register_buffer("sentences", torch.zeros(1, 2, layer.channels))
        self.register_buffer("machines", torch.tensor([_number(ANY_MACHINE)]))
        self.register_buffer("window", torch.tensor(shape[1]))
        self._machine = 0

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Turn the sentences about the machines of the training clips into vectors; no clip is learnt from.

        Raises:
            DataError: A window is longer than the clips, or a sentence longer than CLAP takes.
        """
        settings = self.settings
        length = max(1, round(settings.window_s * clips.axes.frames_per_second))
        if length > self.shape[1]:
            raise DataError(
                f"clips of at least one window of {settings.window_s:g} s ('window_s')",
                f"{self.shape[1] / clips.axes.frames_per_second:g} s",
                "lower 'window_s', or bring longer clips",
            )
        named = set(clips.frame.get("machine", pd.Series(dtype=object)).dropna().astype(str))
        names = [ANY_MACHINE, *sorted(named - {ANY_MACHINE})]
        text = ClapText(settings.weights, settings.sha256)
        groups = (settings.normal, settings.anomalous)
        vectors = [[text.mean_vector(self._sentences(states, name)) for states in groups] for name in names]
        self.sentences = torch.stack([torch.stack(pair) for pair in vectors])
        self.machines = torch.tensor([_number(name) for name in names])
        self.window = torch.tensor(length)
        self.to(run.device)
        return no_history()

    def for_individual(self, machine: str, machine_id: str) -> ClapZeroShot:
        """A view that compares with sentences about this machine; about any machine where it knows none."""
        known = self.machines.tolist()
        number = _number(machine)
        if number not in known:
            return self
        view = copy.copy(self)  # shares all weights
        view._machine = known.index(number)
        return view

    def score(self, x: Tensor) -> Tensor:
        """Probability of the anomalous sentences [B]."""
        return self._probability(self.embed(x))

    def embed(self, x: Tensor) -> Tensor:
        """CLAP's vector of each clip, of length 1, [B, n_dimensions]."""
        with torch.no_grad():
            return self.audio.maps(x)[0][:, :, 0, 0]

    def anomaly_map(self, x: Tensor) -> Tensor:
        """Harmonic mean of what the windows over a cell and the clip score, [B, n_freq, n_frames]."""
        n_bands, n_frames = x.shape[1:]
        frames, bands = int(self.window), min(self.settings.window_bands, n_bands)
        in_time, in_bands = starts(n_frames, frames, _half(frames)), starts(n_bands, bands, _half(bands))
        by_time = torch.stack([self.score(x[:, :, begin : begin + frames]) for begin in in_time])
        by_band = torch.stack([self.score(_alone(x, begin, bands)) for begin in in_bands])
        return harmonic(
            harmonic_over(by_time, in_time, frames, n_frames)[:, None, :],
            harmonic_over(by_band, in_bands, bands, n_bands)[:, :, None],
            self.score(x)[:, None, None],
        )

    def randomise(self, seed: int) -> None:
        """Redraw all weights of the encoder, and the sentences' vectors evenly over all directions."""
        super().randomise(seed)
        generator = torch.Generator().manual_seed(seed_from("clap sentences", seed))
        drawn = torch.randn(self.sentences.shape, generator=generator)
        self.sentences = functional.normalize(drawn, dim=-1).to(self.sentences)

    def _probability(self, vectors: Tensor) -> Tensor:
        cosines = vectors @ self.sentences[self._machine].T
        return (cosines / self.settings.temperature).softmax(dim=1)[:, 1]

    def _sentences(self, states: tuple[str, ...], machine: str) -> list[str]:
        words = machine.replace("_", " ")
        return [self.settings.template.format(state=state, machine=words) for state in states]


def _alone(x: Tensor, first: int, n_bands: int) -> Tensor:
    """Maps in which all bands but ``n_bands`` from ``first`` on are silent, as behind a filter."""
    alone = torch.full_like(x, SILENCE_DB)
    alone[:, first : first + n_bands] = x[:, first : first + n_bands]
    return alone


def _half(length: int) -> int:
    return max(1, length // 2)


def _number(machine: str) -> int:
    """A 63-bit number that depends on the name alone, since a buffer cannot hold names."""
    return seed_from("clap machine", machine)
