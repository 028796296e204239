"""What FeatEx does to a batch: mixing clips, exchanging their statistics, exchanging their embeddings."""

from __future__ import annotations

import torch
from torch import Tensor

FLAT = 1e-12
"""Added to variances: a frame that is the same in all bins has no scale to take away."""


def draw_partners(
    n_clips: int, probability: float, generator: torch.Generator, *, mirrored: bool = False
) -> tuple[Tensor, Tensor]:
    """Draw for each clip of a batch another one, and whether the two meet at all.

    Args:
        n_clips: Clips B in the batch; one alone is its own partner.
        probability: Of each clip to be chosen.
        generator: Random numbers; the results lie on its device.
        mirrored: The first clip's partner is the last, and so on, as published: whoever meets twice meets the same
            one, and the middle of an odd batch itself. Else partners are drawn.

    Returns:
        Partners, int64 [B], each clip once; whether chosen, bool [B].
    """
    device = generator.device
    if mirrored:
        opposite = torch.arange(n_clips - 1, -1, -1, device=device)
        return opposite, torch.rand(n_clips, generator=generator, device=device) < probability
    circle = torch.randperm(n_clips, generator=generator, device=device)
    partners = torch.empty_like(circle)
    partners[circle] = circle.roll(1)
    return partners, torch.rand(n_clips, generator=generator, device=device) < probability


def mix(
    x: Tensor, labels: Tensor, probability: float, generator: torch.Generator, *, mirrored: bool = False
) -> tuple[Tensor, Tensor]:
    """Mixup (Zhang et al., ICLR 2018) with parts drawn evenly from [0, 1).

    Args:
        x: Magnitudes [B, n_freq, n_frames]; the publication mixes waveforms, whose phases a map no longer has.
        labels: Parts of the classes [B, n_classes].
        probability: Of each clip to be mixed.
        generator: Random numbers.
        mirrored: See :func:`draw_partners`.

    Returns:
        Mixed maps and labels.
    """
    partners, chosen = draw_partners(len(x), probability, generator, mirrored=mirrored)
    drawn = torch.rand(len(x), generator=generator, device=generator.device).to(x.dtype)
    foreign = torch.where(chosen, drawn, 0)
    mixed = torch.lerp(x, x[partners], foreign[:, None, None])
    return mixed, torch.lerp(labels, labels[partners], foreign[:, None])


def exchange_statistics(x: Tensor, partners: Tensor, chosen: Tensor) -> Tensor:
    """StatEx (Chen et al., ICASSP 2023): chosen clips take, frame by frame, their partner's mean and deviation.

    Both are taken over frequency, as FeatEx' public code does: a clip takes over its partner's course in time.
    Over time, the mean would be of no use: the branch that sees the result takes it away.

    Args:
        x: Magnitudes [B, n_freq, n_frames].
        partners: Other clip of each clip, [B].
        chosen: Which clips take part, bool [B].
    """
    mean = x.mean(dim=1, keepdim=True)
    deviation = (x.var(dim=1, keepdim=True, correction=0) + FLAT).sqrt()
    exchanged = (x - mean) / deviation * deviation[partners] + mean[partners]
    return torch.where(chosen[:, None, None], exchanged, x)


def exchange_features(features: Tensor, partners: Tensor, chosen: Tensor) -> Tensor:
    """FeatEx: chosen clips take their partner's embedding [B, n_dims] of one branch."""
    return torch.where(chosen[:, None], features[partners], features)


def exchange_labels(labels: Tensor, partners: Tensor, chosen: Tensor) -> Tensor:
    """Labels after an exchange: each class becomes three, "itself", "first part of" and "second part of".

    Args:
        labels: Parts of the classes [B, n_classes].
        partners: Other clip of each clip, [B].
        chosen: Which clips took part, bool [B].

    Returns:
        [B, 3 n_classes]: ``(y, 0, 0)`` without, ``(0, y / 2, y_partner / 2)`` with an exchange.
    """
    none = torch.zeros_like(labels)
    whole = torch.cat([labels, none, none], dim=1)
    halves = torch.cat([none, labels / 2, labels[partners] / 2], dim=1)
    return torch.where(chosen[:, None], halves, whole)
