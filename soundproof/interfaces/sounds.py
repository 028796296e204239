"""What metrics that listen are given: the sound of clips, and the way between it and the maps of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from soundproof.audio.masking import Stft


class Sounds(Protocol):
    """Sound of the clips of a part, as :class:`soundproof.features.sounds.ClipSounds` has it."""

    @property
    def stft(self) -> Stft:
        """Complex spectrogram in which sounds are cut."""

    @property
    def rate_hz(self) -> int:
        """Sampling rate of all sounds."""

    def samples(self, clip_id: str) -> Tensor:
        """A clip [n_samples].

        Raises:
            DataError: It cannot be read.
        """

    def normal_ids(self, clip_id: str, n_clips: int) -> tuple[str, ...]:
        """Normal training clips of a clip's individual, at most ``n_clips``.

        Raises:
            DataError: There is none.
        """

    def confirmed(self, clip_id: str, features: np.ndarray) -> Tensor:
        """A clip [n_samples], after its map was found to be ``features`` [n_freq, n_frames].

        Raises:
            DataError: It cannot be read, or is another sound.
        """

    def map(self, samples: Tensor, clip_id: str) -> Tensor:
        """Maps [..., n_freq, n_frames] of sounds [..., n_samples], as detectors know them."""

    def heard(self, samples: Tensor, clip_id: str) -> Tensor:
        """Sounds [..., n_samples] at the level that the recipe gives them, as detectors that hear know them."""

    def power(self, samples: Tensor) -> Tensor:
        """Power of each cell of a map [..., n_freq, n_frames] of sounds [..., n_samples]."""

    def bins(self, mask: Tensor, n_samples: int) -> Tensor:
        """Masks [..., n_freq, n_frames] brought to the spectrogram of a sound of ``n_samples``."""
