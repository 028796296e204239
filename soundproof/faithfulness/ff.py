"""FF: how much of the anomaly score goes away when the time an explanation points at is replaced.

Source: Elrashid et al., arXiv 2601.12660, faithfulness. With the curve c_t = sum of the signed relevance over
frequency and theta_p its p-quantile (linear interpolation, curve not normalised):

* ``frame``: m_t = [c_t >= theta_p];
* ``segment``: m_t = 1 in every segment that holds such a frame, and inside an annotated interval; only clips
  with an annotated frame have rows;
* x' = m r + (1 - m) x in all bands, and FF_p = 1 - score(x') / score(x).

The paper takes the reconstruction r = g(x) and the mean squared reconstruction error; where that error is the
detector's score, as in all auto-encoders here, the two forms are the same. Protocols:

* ``as_published``: max(0, FF_p), which hides replacements that raise the score; by segment, the clip's last frame
  counts as unannotated, since the published labels of 400 frames end with ``[..., 399)``;
* ``unclipped``: FF_p;
* ``corrected``: FF_p, with as many frames replaced for every curve as for one without ties; a tie at theta_p is
  split at random (:mod:`soundproof.randomness.ties`). The published rule replaces all of a tie: curves with ties,
  such as the blocks of an occlusion window, then replace more frames than their rivals, in the extreme the whole
  clip. Without ties the two are the same.

FF is built on the reconstruction error, so that the error map is favoured by construction.

Chance rows replace frames at random: as many as the explainer's own curve does by the published rule, clipped
(``chance_uniform``, one per explainer, beside ``as_published``), or as many as every curve does
(``chance_uniform_unclipped`` under the name ``uniform_frames``, beside ``corrected``). Random frames scatter, and
touch more segments than clustered ones; ``chance_circular_shift_unclipped`` shifts each explainer's own frames in
time instead (beside ``corrected``).
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from torch import Tensor

from soundproof.faithfulness.replaced_frames import frame_replacement
from soundproof.faithfulness.settings import FfSettings
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.faithfulness import FaithfulnessContext


def ff(
    detector: Detector, x: Tensor, maps: Mapping[str, Tensor], context: FaithfulnessContext[FfSettings]
) -> pd.DataFrame:
    """FF as the paper has it: replace by the detector's reconstruction.

    The error map is favoured by construction, since it shows where reconstruction and clip differ.

    Args:
        detector: Frozen detector that reconstructs.
        x: Maps [B, n_freq, n_frames].
        maps: Signed relevance [B, n_freq, n_frames] by explainer.
        context: Settings ``percentiles``, ``draws`` and ``shifts``, annotated frames, segment length, pass size.

    Returns:
        Metrics ``ff_frame`` and ``ff_segment``; the parameter is the percentile.

    Raises:
        ConfigError: The detector has no reconstruction.
    """
    return frame_replacement(detector, x, maps, context, "reconstruction", "ff")
