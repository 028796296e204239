"""How a diffusion adds noise, and how it takes a step back (Ho et al. 2020; Song et al. 2021)."""

from __future__ import annotations

import torch
from torch import Tensor

_FIRST, _LAST, _STEPS = 1e-4, 0.02, 1000
"""Variances that the first and last of the published 1000 steps add."""


class Schedule:
    """Linear variances ``b_t``, ``a_t`` the product of ``1 - b`` up to step t, and ``a_0 = 1``.

    ``x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) e`` (Ho et al. 2020, arXiv 2006.11239, equation 4). Fewer steps than the
    published 1000 add as much more each, so that the last step leaves as little of a clip.

    Args:
        n_steps: Steps from a clip to noise, at least 2.
    """

    def __init__(self, n_steps: int) -> None:
        more = _STEPS / n_steps
        variances = torch.linspace(_FIRST * more, min(_LAST * more, 0.999), n_steps, dtype=torch.float64)
        self.kept = torch.cat([torch.ones(1, dtype=torch.float64), (1 - variances).cumprod(dim=0)])

    def noisy(self, x: Tensor, noise: Tensor, step: Tensor) -> Tensor:
        """Clips after so many steps.

        Args:
            x: Clips [B, n_freq, n_frames].
            noise: The same shape.
            step: Of each clip, int64 [B].
        """
        kept = self.kept.to(x.device)[step].to(x.dtype)[:, None, None]
        return kept.sqrt() * x + (1 - kept).sqrt() * noise

    def back(
        self, x: Tensor, noise: Tensor, step: int, to: int, eta: float = 0.0, drawn: Tensor | None = None
    ) -> Tensor:
        """From one step back to an earlier one (Song et al. 2021, arXiv 2010.02502, equations 12 and 16).

        With ``eta`` 0 nothing is drawn (DDIM). With 1 and ``to = step - 1`` it is a draw from the posterior of Ho
        et al., equations 6 and 7.

        Args:
            x: Noisy clips [B, n_freq, n_frames].
            noise: The noise that a network sees in them, the same shape.
            step: Where they are.
            to: Where they go, smaller.
            eta: How much is drawn.
            drawn: Standard normal noise to draw with, needed where ``eta`` is above 0.
        """
        here, there = float(self.kept[step]), float(self.kept[to])
        clean = (x - (1 - here) ** 0.5 * noise) / here**0.5
        deviation = eta * ((1 - there) / (1 - here) * (1 - here / there)) ** 0.5
        made: Tensor = there**0.5 * clean + max(0.0, 1 - there - deviation**2) ** 0.5 * noise
        return made if drawn is None else made + deviation * drawn


def stops(start: int, n_steps: int) -> list[int]:
    """Steps on the way back from ``start`` to 0, evenly spread, ``n_steps`` of them at most; both ends included."""
    n_steps = min(n_steps, start)
    return [round(start * (n_steps - number) / max(1, n_steps)) for number in range(n_steps + 1)]
