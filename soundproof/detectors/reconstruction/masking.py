"""Hiding patches of a map while training (masked auto-encoding, P1)."""

from __future__ import annotations

import torch
from torch import Tensor

from soundproof.core.errors import ConfigError


def hide_patches(
    n_clips: int,
    shape: tuple[int, int],
    patch: tuple[int, int],
    ratio: float,
    generator: torch.Generator,
) -> Tensor:
    """Draw non-overlapping patches to hide, anew for each clip.

    The grid of patches starts at the lowest band and first frame. Where the map is not divisible by the patch,
    the last row or column of patches is cut off by the border (a cut patch counts as one patch).

    Args:
        n_clips: Number of clips B.
        shape: (n_freq, n_frames).
        patch: Size of a patch, (bands, frames).
        ratio: Part of the patches to hide; exactly ``ratio * n_patches``, rounded down as P1 does, in each clip, at
            least one.
        generator: Random numbers; the mask lies on its device.

    Returns:
        True where hidden, bool [B, n_freq, n_frames].

    Raises:
        ConfigError: A patch larger than the map.
    """
    if patch[0] > shape[0] or patch[1] > shape[1]:
        raise ConfigError(f"'mask_patch' {patch}", f"maps of only {shape}", "choose a smaller patch")
    rows, columns = -(-shape[0] // patch[0]), -(-shape[1] // patch[1])
    hidden = max(1, int(ratio * rows * columns))
    draw = torch.rand(n_clips, rows * columns, generator=generator, device=generator.device)
    # the rank of each patch's draw: a random order of the patches, all clips at once
    rank = draw.argsort(dim=1, stable=True).argsort(dim=1)
    grid = (rank < hidden).view(n_clips, rows, 1, columns, 1)
    cells = grid.expand(-1, -1, patch[0], -1, patch[1]).reshape(n_clips, rows * patch[0], columns * patch[1])
    return cells[:, : shape[0], : shape[1]]
