"""Scale-invariant signal-to-distortion ratio."""

from __future__ import annotations

import numpy as np


def si_sdr(estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """How much of a sound is the reference, at whatever level (Le Roux et al. 2019, arXiv 1811.02508, equation 3).

    With ``target`` the projection of the estimate on the reference, it is the power of ``target`` over that of
    ``estimate - target``, in dB. Means are not taken away.

    Args:
        estimate: Sounds [..., n_samples].
        reference: Sounds [..., n_samples] that broadcast with them.

    Returns:
        float64 [...], in dB; minus infinity where the estimate holds nothing of the reference, infinity where it is
        a multiple of it, NaN where either is silent.
    """
    heard, wanted = np.asarray(estimate, np.float64), np.asarray(reference, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = (heard * wanted).sum(-1, keepdims=True) / (wanted**2).sum(-1, keepdims=True)
        target = scale * wanted
        ratio = (target**2).sum(-1) / ((heard - target) ** 2).sum(-1)
        return np.asarray(10 * np.log10(ratio))
