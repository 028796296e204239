"""What stands in for a clip or a part of it, and the normal clips that some of it is taken from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from soundproof.interfaces.detector import Detector, TrainingClips

Background = Literal["reconstruction", "zero", "clip_median", "band_median", "nearest_normal"]


class NormalClips(Protocol):
    """The normal training clips of a part, as :class:`soundproof.detectors.normal_clips.PartNormals` has them."""

    def nearest(self, x: Tensor) -> Tensor:
        """The normal training clip nearest to each clip, [B, n_freq, n_frames].

        Near is a small Euclidean distance of the maps, cell by cell; of equally near clips the first on file.

        Args:
            x: Maps [B, n_freq, n_frames].

        Raises:
            DataError: There is no normal training clip.
        """

    def training_clips(self) -> TrainingClips:
        """The normal training clips, to fit a copy of a detector to.

        Raises:
            DataError: There is no normal training clip.
        """

    def scores(self, detector: Detector, clip_id: str, rows_per_pass: int) -> Tensor:
        """Scores of the normal training clips that a clip's own score is compared with, float64 [n].

        They are those of its individual, and of its conditions where the detector judges by them; where there are
        none, or nobody knows whose clip it is, all of the part.

        Args:
            detector: Frozen detector, as it scores that clip.
            clip_id: The clip. A changed copy is named by the clip, a space and the change.
            rows_per_pass: Maps that may go through the detector at once.

        Raises:
            DataError: There is no normal training clip.
        """
