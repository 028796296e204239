"""RISE (Petsiuk et al. 2018, arXiv 1806.07421): the mean of random masks, weighed by scores."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from soundproof.attribution.captum_passes import baseline_of
from soundproof.attribution.settings import RiseSettings
from soundproof.detectors.batching import in_passes
from soundproof.interfaces.detector import Detector
from soundproof.interfaces.explainer import ExplainContext, Explanation


def explain(detector: Detector, x: Tensor, context: ExplainContext[RiseSettings]) -> Explanation:
    """Return signed relevance [B, n_freq, n_frames].

    A mask shows cells of the clip where it is 1 and the baseline where it is 0: coarse random cells, shifted at
    random and brought to the map by linear interpolation. Beside the published sum, the scores' mean is taken off
    first: it adds the same to all cells on average, and noise where masks are few.
    """
    settings = context.settings
    baseline = baseline_of(x, settings.baseline)
    maps = []
    with torch.no_grad():
        for row, clip_id in enumerate(context.clip_ids):
            generator = context.generator(clip_id)
            total, weighed, scores = torch.zeros_like(x[0]), torch.zeros_like(x[0]), []
            for start in range(0, settings.masks, context.rows_per_pass):
                n = min(context.rows_per_pass, settings.masks - start)
                masks = random_masks(n, (x.shape[1], x.shape[2]), settings, generator).to(x)
                shown = masks * x[row] + (1 - masks) * baseline[row]
                score = in_passes(detector.score, shown, context.rows_per_pass).to(masks)
                scores.append(score)
                total += masks.sum(dim=0)
                weighed += torch.einsum("n,nft->ft", score, masks)
            mean = torch.cat(scores).mean()
            maps.append((weighed - mean * total) / (settings.masks * settings.shown))
    return Explanation(torch.stack(maps))


def random_masks(
    n: int, shape: tuple[int, int], settings: RiseSettings, generator: torch.Generator
) -> Tensor:
    """Masks [n, n_freq, n_frames] between 0 and 1, whose mean is the part that is shown.

    Drawn one by one, so that a mask does not depend on how many are drawn at once.
    """
    cells = [-(-size // side) for size, side in zip(shape, settings.cell, strict=True)]
    whole = [(count + 1) * side for count, side in zip(cells, settings.cell, strict=True)]
    masks = []
    for _ in range(n):
        coarse = (torch.rand(1, 1, cells[0] + 1, cells[1] + 1, generator=generator) < settings.shown).float()
        fine = functional.interpolate(coarse, size=whole, mode="bilinear", align_corners=False)[0, 0]
        down, right = (int(torch.randint(side, (), generator=generator)) for side in settings.cell)
        masks.append(fine[down : down + shape[0], right : right + shape[1]])
    return torch.stack(masks)
