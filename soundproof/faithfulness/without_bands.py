"""Scores of clips with one frequency band after the other removed, batched over clips, bands and replacements."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from soundproof.detectors.batching import in_passes
from soundproof.faithfulness.band_settings import BandSettings, Removal
from soundproof.faithfulness.bands import band_of_bins
from soundproof.interfaces.detector import Detector


def partitions(frequencies_hz: Sequence[float] | np.ndarray, settings: BandSettings) -> dict[int, np.ndarray]:
    """Band of each bin, int64 [n_freq], by number of bands K.

    Raises:
        ConfigError: More bands than bins, or a band without a bin.
    """
    return {count: band_of_bins(frequencies_hz, settings.scale, count) for count in settings.bands}


def scores_without_bands(
    detector: Detector,
    x: Tensor,
    of_bin: dict[int, np.ndarray],
    removals: Sequence[Removal],
    size: int,
) -> tuple[Tensor, dict[int, Tensor]]:
    """Score each clip intact and with each band of each partition removed.

    Rows are made pass by pass, never all at once; passes are filled across clips, partitions, bands and
    replacements.

    Args:
        detector: Frozen detector.
        x: Maps [B, n_freq, n_frames].
        of_bin: Band of each bin by number of bands, as from :func:`partitions`.
        removals: What stands in a removed band.
        size: Rows per pass.

    Returns:
        Intact scores, float64 [B], and by number of bands K the scores without each band,
        float64 [n_removals, K, B].
    """
    masks = torch.from_numpy(np.concatenate([_masks(bands, count) for count, bands in of_bin.items()]))
    masks = masks.to(x.device)[:, :, None]
    with torch.no_grad():
        stand_ins = torch.stack([stand_in(x, removal) for removal in removals])
        n_clips = len(x)
        removed = torch.cartesian_prod(
            *(torch.arange(n, device=x.device) for n in (len(removals), len(masks), n_clips))
        )
        # the intact clip is a row like the others: it need not wait for a pass of its own
        intact = torch.stack([torch.full((n_clips,), -1), torch.zeros(n_clips), torch.arange(n_clips)], dim=1)
        rows = torch.cat([intact.to(removed), removed])

        def score(part: Tensor) -> Tensor:
            removal, band, clip = part.unbind(dim=1)
            gone = masks[band] & (removal >= 0)[:, None, None]
            return detector.score(torch.where(gone, stand_ins[removal, clip], x[clip]))

        scores = in_passes(score, rows, size).double()
    without = scores[n_clips:].reshape(len(removals), len(masks), n_clips)
    return scores[:n_clips], dict(zip(of_bin, torch.split(without, list(of_bin), dim=1), strict=True))


def stand_in(x: Tensor, removal: Removal) -> Tensor:
    """Return what stands in a removed row of a clip, the same in every frame.

    Args:
        x: Maps [B, n_freq, n_frames].
        removal: Zero, or the clip's own mean or lower median over time of the row.

    Returns:
        [B, n_freq, 1].
    """
    if removal == "zero":
        return torch.zeros_like(x[..., :1])
    if removal == "band_mean":
        return x.mean(dim=-1, keepdim=True)
    # sorted, because torch.median has no deterministic form on a GPU
    middle = (x.shape[-1] - 1) // 2
    return x.sort(dim=-1).values[..., middle : middle + 1]


def _masks(of_bin: np.ndarray, count: int) -> np.ndarray:
    """Rows of each band, bool [count, n_freq]."""
    return np.asarray(of_bin[np.newaxis] == np.arange(count)[:, np.newaxis])
